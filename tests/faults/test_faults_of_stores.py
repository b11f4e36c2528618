"""From a bucket to a bucket while the store fails: the same dub, published once, or nothing and a reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import FaultProxy, cut_answer, cut_upload, lost_answer, slow, status, wrong_bytes, wrong_upload
from redub_command import Ended, Event, Redub
from s3_server import S3Server
from short_lectures import Out, make_lecture, order, redub, sha256_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

AWAY_S = 60.0


@pytest.fixture(scope="module")
def large_lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough that it is sent in parts."""
    file = make_lecture(tmp_path_factory.mktemp("large") / "lecture.mp4", sentences=4, large=True)
    assert file.stat().st_size > 17_000_000
    return file


class Bucket:
    """A bucket with a lecture in it."""

    def __init__(self, s3: S3Server, name: str, lecture: Path) -> None:
        self.name, self.client = s3.make_bucket(name), s3.client()
        self.put(lecture)

    def put(self, lecture: Path) -> None:
        self.client.put_object(Bucket=self.name, Key="in/lecture.mp4", Body=lecture.read_bytes())

    @property
    def order(self) -> tuple[str, ...]:
        return order(f"s3://{self.name}/in/lecture.mp4", f"s3://{self.name}/out")

    def dub(self) -> dict[str, str]:
        """The hashes of video and subtitles."""
        return {
            name: sha256_of(self.read(key))
            for key in self.keys("out/")
            if (name := key.rpartition("/")[2]).endswith((".mp4", ".srt", ".vtt"))
        }

    def keys(self, prefix: str) -> list[str]:
        return [
            each["Key"] for each in self.client.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        ]

    def read(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def unfinished(self) -> list[Any]:
        """Uploads in parts that nobody completed."""
        found: list[Any] = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return found


@pytest.fixture(scope="module")
def fair(s3: S3Server, large_lecture: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What comes of the large lecture where nothing fails."""
    bucket = Bucket(s3, "fair", large_lecture)
    redub(tmp_path_factory.mktemp("fair"), **s3.environment()).run(*bucket.order).result  # noqa: B018
    return bucket.dub()


def test_errors_throttling_lost_answers_and_cut_parts_change_nothing(
    fair: dict[str, str], s3: S3Server, proxy: FaultProxy, large_lecture: Path, tmp_path: Path
) -> None:
    bucket = Bucket(s3, "weather", large_lecture)
    for method in ("GET", "PUT", "HEAD", "POST"):
        proxy.fault(status(500), method=method, times=2)
        proxy.fault(status(503, "SlowDown"), method=method, times=2)
    proxy.fault(slow(3_000_000), method="GET", times=3)
    proxy.fault(cut_answer(1_000_000), method="GET", times=2, where=lambda seen: "lecture.mp4" in seen.path)
    proxy.fault(wrong_bytes(100_000), method="GET", path="lecture.mp4")
    proxy.fault(cut_upload(1_000_000), method="PUT", path="partNumber=1", times=2)
    proxy.fault(wrong_upload(5000), method="PUT", path="partNumber=2")
    proxy.fault(lost_answer(), method="POST", path="uploadId=")
    proxy.fault(lost_answer(), method="PUT", path=".srt")
    environment = {**s3.environment(proxy.endpoint), "REDUB_CACHE_REMOTE": f"s3://{bucket.name}/cache"}
    done = redub(tmp_path, **environment).run(*bucket.order)
    assert done.result["degraded"] == {"fr": 0}
    assert bucket.dub() == fair
    assert proxy.count("PUT", "partNumber=1") > 1, "nothing was cut"
    assert not bucket.unfinished()


def test_a_minute_without_a_connection_while_results_are_sent_costs_a_minute(
    fair: dict[str, str], s3: S3Server, proxy: FaultProxy, large_lecture: Path, tmp_path: Path
) -> None:
    bucket = Bucket(s3, "away", large_lecture)
    done = meanwhile(
        redub(tmp_path, **s3.environment(proxy.endpoint)),
        bucket.order,
        lambda event: event.get("stage") == "assemble" and event["event"] == "performed",
        lambda: proxy.down(AWAY_S),
    )
    assert done.result["degraded"] == {"fr": 0}
    assert bucket.dub() == fair


def test_a_lecture_that_is_replaced_meanwhile_is_never_mixed(
    s3: S3Server, lecture: Path, undisturbed: Out, tmp_path: Path
) -> None:
    other = make_lecture(tmp_path / "lecture.mp4", seed=7)
    bucket = Bucket(s3, "replaced", other)
    command = redub(tmp_path / "run", **s3.environment())
    done = meanwhile(command, bucket.order, lambda event: event.get("stage") == "speak", lambda: bucket.put(lecture))
    assert done.code == 2
    assert "replaced" in done.events[-1]["message"]
    assert not bucket.dub()
    command.run(*bucket.order).result  # noqa: B018
    assert bucket.dub() == undisturbed.dub()


def test_two_workers_given_the_same_lecture_at_once_publish_one_dub(
    s3: S3Server, lecture: Path, undisturbed: Out, tmp_path: Path
) -> None:
    """Two machines: caches of their own, and one in the bucket that they share."""
    bucket = Bucket(s3, "both", lecture)
    environment = {**s3.environment(), "REDUB_CACHE_REMOTE": f"s3://{bucket.name}/cache"}
    ended: list[Ended] = []
    workers = [
        threading.Thread(
            target=lambda name=name: ended.append(redub(tmp_path / name, **environment).run(*bucket.order))
        )
        for name in ("one", "two")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [each.result["degraded"] for each in ended] == [{"fr": 0}, {"fr": 0}]
    assert bucket.dub() == undisturbed.dub()
    # Each machine signs with a key of its own; both statements are of the same bytes.
    keys = [{e["key"] for e in each.of_kind("performed") if e["stage"] != "sign"} for each in ended]
    assert keys[0] == keys[1], "they did not agree on what to do"


def meanwhile(
    command: Redub, told: tuple[str, ...], moment: Callable[[Event], bool], happen: Callable[[], None]
) -> Ended:
    """Run to the end; once, at that moment, something happens."""
    happened: list[float] = []

    def look(event: Event) -> bool:
        if not happened and moment(event):
            happened.append(time.monotonic())
            happen()
        return False

    ended = command.run_until(look, *told)
    assert happened, "the moment never came"
    return ended
