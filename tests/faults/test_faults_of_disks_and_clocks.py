"""A full disk, damaged bytes, clocks that are wrong: a run ends with a reason, or with the dub that it should give."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy, status
from s3_server import S3Server
from short_lectures import Out, dub_here, dub_in_process, redub

from manifests.errors import NoSpace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

LITTLE_KB, ENOUGH_KB = 1500, 60_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, too small for the lecture."""
    if os.geteuid() != 0:
        pytest.skip("a file system can be mounted by root alone")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={LITTLE_KB}k", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_ends_the_run_with_a_reason_and_a_larger_one_lets_it_go_on(
    undisturbed: Out, lecture: Path, small_disk: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    full = dub_here(redub(small_disk), lecture, out)
    assert full.returncode != 0
    assert NoSpace.__name__ in full.stderr.splitlines()[-1]
    assert not out.exists() or not list(out.glob("*.mp4"))
    done = {path: path.stat().st_mtime_ns for path in (small_disk / "cache" / "work").rglob("*.json")}
    assert done
    subprocess.run(["mount", "-o", f"remount,size={ENOUGH_KB}k", small_disk], check=True)
    assert dub_in_process(lecture, small_disk).dub() == undisturbed.dub()
    assert (
        done.items()
        <= {path: path.stat().st_mtime_ns for path in (small_disk / "cache" / "work").rglob("*.json")}.items()
    )


def test_damaged_bytes_in_the_cache_are_seen_and_made_again(undisturbed: Out, lecture: Path, tmp_path: Path) -> None:
    dub_in_process(lecture, tmp_path)
    blobs = [path for path in (tmp_path / "cache" / "blobs").rglob("*") if path.is_file()]
    assert len(blobs) > 10
    for index, path in enumerate(blobs):
        damage(path, index)
    for path in list((tmp_path / "cache" / "work").rglob("*.json"))[::3]:
        path.write_text(path.read_text()[:-5])
    (tmp_path / "out").rename(tmp_path / "before")
    assert dub_in_process(lecture, tmp_path).dub() == undisturbed.dub()


def damage(path: Path, index: int) -> None:
    """In turn: a byte that is another, an end that is missing, a file that is gone."""
    content = path.read_bytes()
    path.unlink()  # what was published may be another name of the same bytes
    if index % 3 == 0:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 0x01]))
    elif index % 3 == 1:
        path.write_bytes(content[: len(content) // 2])


def test_damaged_objects_of_the_shared_cache_are_seen_and_made_again(
    undisturbed: Out, lecture: Path, s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.make_bucket("damaged")
    environment = {**s3.environment(), "REDUB_CACHE_REMOTE": f"s3://{bucket}/cache"}
    dub_in_process(lecture, tmp_path / "one", **environment)
    client = s3.client()
    objects = client.list_objects_v2(Bucket=bucket, Prefix="cache/")["Contents"]
    assert len(objects) > 50
    for each in objects[::2]:
        found = client.head_object(Bucket=bucket, Key=each["Key"])
        client.put_object(Bucket=bucket, Key=each["Key"], Body=b"X" * each["Size"], Metadata=found["Metadata"])
    assert dub_in_process(lecture, tmp_path / "two", **environment).dub() == undisturbed.dub()


def test_a_cache_from_the_future_is_as_good_as_any(undisturbed: Out, lecture: Path, tmp_path: Path) -> None:
    """A machine whose clock ran ahead wrote it, and its marks of work with it."""
    dub_in_process(lecture, tmp_path)
    ahead = time.time() + 10 * 24 * 3600
    written = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    for path in written:
        os.utime(path, (ahead, ahead))
    (tmp_path / "out").rename(tmp_path / "before")
    assert dub_in_process(lecture, tmp_path).dub() == undisturbed.dub()
    work = [path for path in written if path.suffix == ".json"]
    assert all(path.stat().st_mtime > time.time() for path in work), "work was done again"


def test_a_clock_that_the_store_refuses_is_named(
    lecture: Path, s3: S3Server, proxy: FaultProxy, tmp_path: Path
) -> None:
    proxy.fault(status(403, "RequestTimeTooSkewed"), times=None)
    environment = {**s3.environment(proxy.endpoint), "REDUB_CACHE_REMOTE": "s3://anywhere/cache"}
    done = dub_here(redub(tmp_path, **environment), lecture, tmp_path / "out")
    assert done.returncode != 0
    assert "this machine's clock and the store's differ too much" in done.stderr
    assert not list(tmp_path.glob("out/*.mp4"))
