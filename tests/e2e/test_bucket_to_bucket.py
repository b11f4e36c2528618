"""A lecture that is copied into the bucket of a standing redub comes back dubbed, and nobody touches anything.

Real processes all the way: object store, receiver, Prefect's server with its trigger, worker, run. Then again with the
worker and the run killed in the middle.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from media_checks import decoded_frames, duration_s, ffmpeg, loudness
from standing_stack import Stack, standing, until

from manifests.archive import DONE, UNREADABLE, read_archive

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(5400)]

LIMIT_S = 1800.0
"""For one dub, on a machine that does other things too, with all the waiting that a crash brings."""

RUNS = """
import json
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    made = client.read_deployment_by_name("dub-lecture/dub-on-upload")
    runs = [run for run in client.read_flow_runs() if run.deployment_id == made.id]
    print(json.dumps([{"source": run.parameters["source"], "state": run.state_name, "count": run.run_count,
        "states": [state.name for state in client.read_flow_run_states(run.id)]} for run in runs]))
"""
# What differs from run to run, or from place to place, by its nature: times, signatures, addresses.
OF_ITS_OWN = {"run.json", "archive.json", "videos.parquet", "dubbed_videos.parquet"}


class Bucket:
    """The bucket `lectures` of a stack, by a plain client that is not redub's."""

    def __init__(self, stack: Stack) -> None:
        import boto3
        from botocore.config import Config

        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=stack.environment["AWS_ENDPOINT_URL_S3"],
            aws_access_key_id=stack.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=stack.environment["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket="lectures", Key=key, Body=content)

    def read(self, key: str) -> bytes:
        content: bytes = self._client.get_object(Bucket="lectures", Key=key)["Body"].read()
        return content

    def keys(self, below: str) -> list[str]:
        found = self._client.list_objects_v2(Bucket="lectures", Prefix=below)
        return [each["Key"] for each in found.get("Contents", ())]

    def hashes(self, below: str) -> dict[str, str]:
        """SHA-256 of all that lies below a prefix and is the same wherever and whenever it is made."""
        found = [(key, PurePosixPath(key)) for key in self.keys(below)]
        return {
            key.removeprefix(below): hashlib.sha256(self.read(key)).hexdigest()
            for key, path in found
            if path.name not in OF_ITS_OWN and path.suffix != ".c2pa"
        }


@pytest.fixture(scope="module")
def stack(usual_weights: Path) -> Iterator[Stack]:
    with standing({"REDUB_WEIGHTS": str(usual_weights)}) as up:
        yield up


@pytest.fixture(scope="module")
def bucket(stack: Stack) -> Bucket:
    return Bucket(stack)


@pytest.fixture(scope="module")
def undisturbed(stack: Stack, bucket: Bucket, sample: Path) -> dict[str, str]:
    """The hashes of the dub of `physics/lecture.mp4`, which comes back by itself; other files start nothing."""
    bucket.put("physics/notes.txt", b"no lecture")
    bucket.put("physics/empty.mp4", b"")
    bucket.put("physics/earlier.redub/run.json", b"{}")
    bucket.put("physics/earlier.fr.mp4", b"a dub that was copied here")
    bucket.put("physics/lecture.mp4", sample.read_bytes())
    came_back(stack, bucket, "physics/lecture")
    return bucket.hashes("dubbed/physics/")


def came_back(stack: Stack, bucket: Bucket, *names: str) -> None:
    """Wait until the last thing that a run writes of each of these is in the bucket."""

    def all_there() -> bool:
        assert stack.process.poll() is None, stack.said()
        failed = [run for run in stack.python(RUNS) if run["state"] == "Failed"]
        assert not failed, f"{failed}\n{(stack.folder / 'logs' / 'worker.log').read_text()[-3000:]}"
        return all(bucket.keys(f"dubbed/{name}.redub/run.json") for name in names)

    slowly_until(all_there)


def slowly_until(true: Callable[[], bool]) -> None:
    """Each question to Prefect takes a process of its own, which should not take a core from the dub."""
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(5)


def test_it_comes_back_with_all_that_belongs_to_it(
    bucket: Bucket, undisturbed: dict[str, str], sample: Path, tmp_path: Path
) -> None:
    names = ["lecture.fr.mp4", "lecture.fr.srt", "lecture.fr.vtt", "lecture.en.srt", "lecture.en.vtt", "lecture.fr.csv"]
    names += [f"lecture.redub/{name}" for name in ("report.fr.html", "report.fr.json", "sheet.fr.parquet")]
    assert set(names) <= set(undisturbed)
    video = tmp_path / "lecture.fr.mp4"
    video.write_bytes(bucket.read("dubbed/physics/lecture.fr.mp4"))
    assert duration_s(video) == pytest.approx(duration_s(sample), abs=0.5)
    assert len(decoded_frames(video)) == len(decoded_frames(sample))
    assert loudness(video).integrated_lufs == pytest.approx(-16, abs=1)
    told = ffmpeg("-i", str(video), "-map", "0:s:0", "-f", "srt", "-").stdout
    assert "force" in told
    assert "-->" in told
    report = json.loads(bucket.read("dubbed/physics/lecture.redub/report.fr.json"))
    assert report["totals"]["mean_cer"] < 0.2, "what is heard in the dub is not what was to be said"
    assert b"/cache/" not in bucket.read("dubbed/physics/lecture.redub/videos.parquet"), "a path of the worker's"
    assert b"s3://lectures/physics/lecture.mp4" in bucket.read("dubbed/physics/lecture.redub/videos.parquet")


def test_what_is_no_lecture_and_what_was_uploaded_before_start_nothing(
    stack: Stack, bucket: Bucket, undisturbed: dict[str, str], sample: Path
) -> None:
    bucket.put("physics/lecture.mp4", sample.read_bytes())
    before = looks(stack)
    until(lambda: looks(stack) > before, 300)  # one that began before the upload may end after it
    before = looks(stack)
    until(lambda: looks(stack) > before, 300)
    assert [(run["source"], run["count"]) for run in stack.python(RUNS)] == [("s3://lectures/physics/lecture.mp4", 1)]


def looks(stack: Stack) -> float:
    """When the receiver last listed the bucket to its end (Unix, s)."""
    url = f"http://127.0.0.1:{stack.environment['REDUB_WATCH_PORT']}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    (line,) = (line for line in lines if line.startswith("redub_watch_last_poll_timestamp_seconds "))
    return float(line.split()[1])


def test_a_killed_worker_costs_time_only_and_two_uploads_at_once_are_two_dubs(
    stack: Stack, bucket: Bucket, undisturbed: dict[str, str], sample: Path
) -> None:
    cache = stack.folder / "cache"
    shutil.rmtree(cache)
    for folder in ("maths", "history"):  # one name in two folders: neither dub takes the other's place
        bucket.put(f"{folder}/lecture.mp4", sample.read_bytes())
    until(lambda: list((cache / "work" / "speak").glob("*.json")), LIMIT_S)
    run = next(each for each in stack.python(RUNS) if each["state"] == "Running")
    os.killpg(stack.pids()["worker"], signal.SIGKILL)
    killed = [pid for pid in processes_of_runs(cache) if kill(pid)]
    assert killed, "there was no run to kill"
    came_back(stack, bucket, "maths/lecture", "history/lecture")
    runs = {each["source"]: each for each in stack.python(RUNS)}
    assert len(runs) == 3
    assert runs[run["source"]]["count"] == 2
    assert [s for s in runs[run["source"]]["states"] if s in ("Crashed", "RetryingSoon", "AwaitingRetry")] == [
        "Crashed",
        "RetryingSoon",
        "AwaitingRetry",
    ]
    for folder in ("maths", "history"):
        assert bucket.hashes(f"dubbed/{folder}/") == undisturbed


ARCHIVE = """
import json
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    archive = client.read_deployment_by_name("dub-archive/dub-archive").id
    # The first time; after that it is asked after.
    asked = client.create_flow_run_from_deployment(archive, idempotency_key="asked for")
    lectures = client.read_deployment_by_name("dub-lecture/dub-lecture").id
    print(json.dumps({"state": asked.state.name, "message": asked.state.message,
        "dubs": sum(run.deployment_id == lectures for run in client.read_flow_runs())}))
"""


def test_the_nightly_archive_finds_that_all_is_made(
    stack: Stack, bucket: Bucket, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    def ended() -> bool:
        run = stack.python(ARCHIVE)
        assert run["state"] not in ("Failed", "Crashed"), run["message"]
        return bool(run["state"] == "Completed")

    slowly_until(ended)
    manifest = tmp_path / "archive.parquet"
    manifest.write_bytes(bucket.read("dubbed/archive.parquet"))
    rows = {row.source.removeprefix("s3://lectures/"): row for row in read_archive(manifest)}
    assert rows.pop("physics/empty.mp4").state == UNREADABLE
    assert "physics/lecture.mp4" in rows
    assert {row.state for row in rows.values()} == {DONE}
    assert stack.python(ARCHIVE)["dubs"] == 0, "what uploads had dubbed was dubbed again"
    assert not bucket.keys("physics/lecture.fr"), "beside its source, where nobody looks for it"


def processes_of_runs(cache: Path) -> Iterator[int]:
    """The processes of flow runs that work in this cache."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            mine = f"REDUB_CACHE={cache}".encode() in environment
            if mine and any(each.startswith(b"PREFECT__FLOW_RUN_ID=") for each in environment):
                yield int(entry.name)


def kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
