"""A store with a second home in a bucket: whatever is missing or damaged where, the bytes are right or made again."""

import dataclasses
import errno
import os
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_proxy import Fault, FaultProxy, cut_answer, status, wrong_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from s3_server import S3Server

from infra.objects.reading import find
from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from infra.store import Store, cache_store
from manifests.errors import BadInput, NoSpace, Unavailable
from manifests.records import Blob
from tasks.stage import Stage

CONTENTS = (b"first of the work", b"second of the work" * 100)


@dataclass(frozen=True)
class Made:
    blobs: tuple[Blob, ...]


def put(store: Store, content: bytes) -> Blob:
    with store.scratch() as folder:
        (folder / "x.bin").write_bytes(content)
        return store.put(folder / "x.bin")


def at_work() -> tuple[Stage[str, Made], list[str]]:
    done: list[str] = []

    def compute(work: str, store: Store) -> Made:
        done.append(work)
        return Made(tuple(put(store, work.encode() + content) for content in CONTENTS))

    return Stage("made-up", 1, Made, compute), done


def right(made: Made, work: str, store: Store) -> bool:
    return [store.path(blob).read_bytes() for blob in made.blobs] == [work.encode() + each for each in CONTENTS]


@pytest.fixture
def here(bucket: ObjectUri, tmp_path: Path) -> Store:
    return Store(tmp_path / "here", remote=bucket)


@pytest.fixture
def there(bucket: ObjectUri, tmp_path: Path) -> Store:
    """The same work on another machine."""
    return Store(tmp_path / "there", remote=bucket)


def test_work_of_one_machine_is_found_on_another(here: Store, there: Store, proxy: FaultProxy) -> None:
    stage, done = at_work()
    stage.perform("w", here)
    again = stage.perform("w", there)
    assert again.hit
    assert right(again.value, "w", there)
    assert done == ["w"]
    proxy.clear()
    assert stage.perform("w", there).hit
    assert proxy.count() == 0  # all is here now


def test_blobs_are_there_before_the_work_that_names_them(here: Store, proxy: FaultProxy) -> None:
    at_work()[0].perform("w", here)
    written = [each.path for each in proxy.seen if each.method == "PUT"]
    assert ["/work/" in path for path in written] == [False, False, True]


def test_a_store_travels_to_another_process(here: Store, bucket: ObjectUri) -> None:
    arrived = pickle.loads(pickle.dumps(here))  # noqa: S301
    assert (arrived.root, arrived.remote.root, arrived.most_bytes) == (here.root, bucket, None)


def test_two_workers_given_the_same_work_agree(here: Store, there: Store) -> None:
    start = threading.Barrier(2)

    def remember(store: Store) -> str:
        outcome = f'{{"by": "{store.root.name}"}}'
        start.wait()
        return store.remember("made-up", "k", outcome)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(remember, (here, there))
    assert first == second == here.recall("made-up", "k") == there.recall("made-up", "k")


def test_an_outcome_whose_blobs_are_gone_gives_way(here: Store, there: Store, bucket: ObjectUri) -> None:
    lost = Blob("0" * 64, ".bin", 3)
    named = f'{{"blobs": [{{"sha256": "{lost.sha256}", "suffix": ".bin", "size_bytes": 3}}]}}'
    assert here.remember("made-up", "k", named) == named
    assert there.remember("made-up", "k", '{"blobs": []}') == '{"blobs": []}'
    assert Store(here.root.parent / "third", remote=bucket).recall("made-up", "k") == '{"blobs": []}'


def test_a_corrupt_object_is_seen_removed_and_made_again(
    here: Store, there: Store, bucket: ObjectUri, s3: S3Server
) -> None:
    stage, done = at_work()
    made = stage.perform("w", here).value
    bad = made.blobs[0]
    key = bucket.child("blobs", bad.sha256[:2], f"{bad.sha256}.bin").key
    good = s3.client().head_object(Bucket=bucket.bucket, Key=key)
    damaged = b"X" * bad.size_bytes
    s3.client().put_object(Bucket=bucket.bucket, Key=key, Body=damaged, Metadata=good["Metadata"])
    again = stage.perform("w", there)
    assert not again.hit
    assert right(again.value, "w", there)
    assert done == ["w", "w"]
    assert s3.client().get_object(Bucket=bucket.bucket, Key=key)["Body"].read() != damaged


def test_what_is_in_neither_home_is_told(here: Store) -> None:
    assert not here.intact(Blob("0" * 64, ".bin", 3))
    with pytest.raises(Unavailable, match="run again"):
        here.path(Blob("0" * 64, ".bin", 3))


def test_a_path_is_brought_when_it_is_asked_for(here: Store, there: Store) -> None:
    blob = put(here, b"asked for")
    assert there.path(blob).read_bytes() == b"asked for"
    there.publish(blob, there.root / "out" / "a.bin")
    assert (there.root / "out" / "a.bin").read_bytes() == b"asked for"


STATES = ("whole", "damaged", "absent")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    local=st.lists(st.sampled_from(STATES), min_size=2, max_size=2),
    remote=st.lists(st.sampled_from(STATES), min_size=2, max_size=2),
    local_work=st.sampled_from(STATES),
    remote_work=st.sampled_from(STATES),
    number=st.integers(0, 10**9),
)
def test_any_mix_gives_the_same_bytes_or_work_done_again(
    bucket: ObjectUri,
    tmp_path: Path,
    s3: S3Server,
    local: list[str],
    remote: list[str],
    local_work: str,
    remote_work: str,
    number: int,
) -> None:
    prefix = bucket.child(f"{number}-{time.monotonic_ns()}")
    store = Store(tmp_path / prefix.name, remote=prefix)
    stage, done = at_work()
    work = f"work {number}"
    first = stage.perform(work, store)
    client = s3.client()

    def local_to(path: Path, state: str) -> None:
        if state == "damaged":
            path.write_bytes(b"#" * path.stat().st_size)
        elif state == "absent":
            path.unlink()

    def remote_to(uri: ObjectUri, state: str) -> None:
        where = {"Bucket": uri.bucket, "Key": uri.key}
        if state == "damaged":
            told = client.head_object(**where)
            client.put_object(**where, Body=b"#" * told["ContentLength"], Metadata=told["Metadata"])
        elif state == "absent":
            client.delete_object(**where)

    for blob, here, there in zip(first.value.blobs, local, remote, strict=True):
        local_to(store._place(blob), here)
        remote_to(prefix.child("blobs", blob.sha256[:2], f"{blob.sha256}.bin"), there)
    local_to(store._work(stage.name, first.key), local_work)
    remote_to(prefix.child("work", stage.name, f"{first.key}.json"), remote_work)

    again = stage.perform(work, store)
    assert again.value == first.value
    assert right(again.value, work, store)
    known = local_work == "whole" or (local_work == "absent" and remote_work == "whole")
    kept = all("whole" in states for states in zip(local, remote, strict=True))
    assert len(done) == (1 if known and kept else 2)
    elsewhere = stage.perform(work, Store(tmp_path / f"{prefix.name}-elsewhere", remote=prefix))
    assert elsewhere.value == first.value
    for blob, content in zip(first.value.blobs, CONTENTS, strict=True):
        assert Store(tmp_path / f"{prefix.name}-elsewhere").path(blob).read_bytes() == work.encode() + content


@pytest.mark.parametrize("fault", [status(503, "SlowDown"), status(500), cut_answer(0), wrong_bytes(3)])
def test_faults_on_the_way_change_nothing(here: Store, there: Store, proxy: FaultProxy, fault: Fault) -> None:
    proxy.fault(dataclasses.replace(fault), times=2)
    stage, done = at_work()
    stage.perform("w", here)
    proxy.fault(dataclasses.replace(fault), method="GET", path="/blobs/", times=2)
    again = stage.perform("w", there)
    assert right(again.value, "w", there)
    assert done == ["w"]


def test_a_full_disk_is_told_and_keeps_no_half_file(here: Store, there: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = put(here, b"0123456789")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NoSpace, match="the disk is full"):
        there.intact(blob)
    assert [path for path in there.root.rglob("*") if path.is_file()] == []


def test_what_was_not_asked_for_longest_goes_when_the_remote_has_it(here: Store, bucket: ObjectUri) -> None:
    blobs = [put(here, bytes([number]) * 1000) for number in range(5)]
    only_here = put(Store(here.root), b"y" * 1000)
    for age, blob in enumerate([only_here, *blobs]):
        os.utime(here._place(blob), (0, time.time() - 24 * 3600 + age))
    assert here.trim(3000) == 3000
    assert [here._place(blob).exists() for blob in [only_here, *blobs]] == [True, False, False, False, True, True]
    assert all(here.intact(blob) for blob in blobs)
    assert here.trim(0) == 0  # all were asked for just now


def test_a_bounded_store_keeps_to_its_bound(bucket: ObjectUri, tmp_path: Path) -> None:
    store = Store(tmp_path, remote=bucket, most_bytes=2000)
    first = put(store, b"a" * 1500)
    os.utime(store._place(first), (0, 0))
    (tmp_path / "trimmed").unlink()
    second = put(store, b"b" * 1500)
    assert not store._place(first).exists()
    assert store._place(second).exists()
    assert store.path(first).read_bytes() == b"a" * 1500


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDUB_CACHE", str(tmp_path))
    assert cache_store().remote is None
    monkeypatch.setenv("REDUB_CACHE_REMOTE", "s3://lectures/cache")
    monkeypatch.setenv("REDUB_CACHE_MAX_GB", "1.5")
    store = cache_store()
    assert store.remote is not None
    assert (store.remote.root, store.most_bytes) == (ObjectUri("lectures", "cache"), 1_500_000_000)
    monkeypatch.setenv("REDUB_CACHE_REMOTE", "/a/folder")
    with pytest.raises(BadInput, match="s3://"):
        cache_store()


def test_a_blob_that_someone_put_there_by_hand_is_verified(there: Store, bucket: ObjectUri) -> None:
    blob = Blob("0" * 64, ".bin", 3)
    uri = bucket.child("blobs", "00", f"{blob.sha256}.bin")
    upload_bytes(b"bad", uri)
    assert not there.intact(blob)
    assert find(uri) is None
