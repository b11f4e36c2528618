"""Reading and writing objects of a real server, undisturbed and over a connection that fails."""

import dataclasses
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fault_proxy import (
    Fault,
    FaultProxy,
    cut_answer,
    cut_upload,
    fault_proxy,
    hung,
    lost_answer,
    slow,
    status,
    wrong_bytes,
    wrong_upload,
)
from s3_server import S3Server, free_ports, running_s3

from infra.objects.download import download
from infra.objects.faults import Conflict, Missing, Replaced
from infra.objects.reading import RangeReader, find, head, list_below, read_range, read_small
from infra.objects.uri import ObjectUri
from infra.objects.writing import ABSENT, delete, upload, upload_bytes
from manifests.errors import BadInput, NoSpace, Unavailable

PART = 5 << 20  # the least that S3 takes for a part that is not the last
SMALL_PART = 64 << 10


def made(path: Path, size: int, seed: bytes = b"x") -> Path:
    path.write_bytes(hashlib.shake_256(seed).digest(size))
    return path


@pytest.mark.parametrize("size", [0, 1, SMALL_PART, SMALL_PART + 1, 5 * SMALL_PART - 7])
def test_what_is_written_is_what_is_read(bucket: ObjectUri, tmp_path: Path, size: int) -> None:
    file, uri = made(tmp_path / "a", size), bucket.child("course", "a b+ü%20.mp4")
    written = upload(file, uri)
    found = head(uri)
    assert (found.etag, found.size_bytes, found.sha256) == (written.etag, size, written.sha256)
    download(found, tmp_path / "b", tmp_path / "work", part_bytes=SMALL_PART)
    assert (tmp_path / "b").read_bytes() == file.read_bytes()
    assert list((tmp_path / "work").iterdir()) == []


def test_a_large_file_goes_in_parts_both_ways(
    bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path, s3: S3Server
) -> None:
    file, uri = made(tmp_path / "a", 2 * PART + 1234), bucket.child("large.mp4")
    written = upload(file, uri, part_bytes=PART)
    assert proxy.count("PUT", "partNumber=") == 3
    assert written.etag.endswith("-3")
    assert s3.client().head_object(Bucket=uri.bucket, Key=uri.key, ChecksumMode="ENABLED")["ChecksumSHA256"]
    assert head(uri).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    download(head(uri), tmp_path / "b", tmp_path, part_bytes=1 << 20)
    assert proxy.count("GET", uri.key) == 11
    assert (tmp_path / "b").read_bytes() == file.read_bytes()


def test_of_two_writers_one_publishes(bucket: ObjectUri) -> None:
    uri = bucket.child("once.json")
    start = threading.Barrier(8)

    def write(number: int) -> bytes | None:
        start.wait()
        try:
            upload_bytes(b"%d" % number, uri, only_if=ABSENT)
        except Conflict:
            return None
        return b"%d" % number

    with ThreadPoolExecutor(8) as pool:
        won = [each for each in pool.map(write, range(8)) if each is not None]
    read = read_small(uri)
    assert read is not None
    assert won == [read[0]]


def test_parts_are_published_once_too(bucket: ObjectUri, tmp_path: Path, s3: S3Server) -> None:
    file, uri = made(tmp_path / "a", PART + 1), bucket.child("once.mp4")
    first = upload(file, uri, only_if=ABSENT, part_bytes=PART)
    with pytest.raises(Conflict):
        upload(made(tmp_path / "b", PART + 1, b"y"), uri, only_if=ABSENT, part_bytes=PART)
    assert head(uri).etag == first.etag
    assert not s3.client().list_multipart_uploads(Bucket=uri.bucket, Prefix=uri.key).get("Uploads")


def test_only_the_version_that_was_read_is_replaced(bucket: ObjectUri) -> None:
    uri = bucket.child("table.parquet")
    with pytest.raises(Conflict):
        upload_bytes(b"new", uri, only_if="0123456789abcdef0123456789abcdef")
    first = upload_bytes(b"one", uri)
    second = upload_bytes(b"two", uri, only_if=first.etag)
    with pytest.raises(Conflict, match="another object"):
        upload_bytes(b"three", uri, only_if=first.etag)
    assert head(uri).etag == second.etag


def test_a_write_whose_answer_is_lost_knows_its_own(bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path) -> None:
    uri = bucket.child("once")
    proxy.fault(lost_answer(), method="PUT", path="/once")
    assert upload_bytes(b"one", uri, only_if=ABSENT).etag == head(uri).etag
    assert proxy.count("PUT", "/once") > 1
    uri = bucket.child("twice")
    proxy.fault(lost_answer(), method="POST", path="uploadId=")
    assert upload(made(tmp_path / "a", PART + 1), uri, only_if=ABSENT, part_bytes=PART).etag == head(uri).etag


def test_ranges_and_their_ends(bucket: ObjectUri) -> None:
    version = upload_bytes(b"0123456789", bucket.child("a"))
    assert read_range(version, 3, 4) == b"3456"
    assert read_range(version, 8, 100) == b"89"
    assert read_range(version, 10, 5) == b""


def test_a_reader_is_a_file(bucket: ObjectUri) -> None:
    content = hashlib.shake_256(b"r").digest(1_000_000)
    reader = RangeReader(upload_bytes(content, bucket.child("a")), block_bytes=4096, blocks=5)
    plain = io.BytesIO(content)
    for position, length in [(0, 10), (4090, 20), (999_990, 50), (500_000, 70_000), (0, 4096), (1_000_000, 1)]:
        assert reader.seek(position) == plain.seek(position)
        assert reader.read(length) == plain.read(length)
    reader.seek(-5, io.SEEK_END)
    assert reader.read() == content[-5:]


@pytest.mark.parametrize(("count", "page_keys"), [(11, 3), pytest.param(1005, 1000, marks=pytest.mark.slow)])
def test_a_listing_goes_on_past_a_page(
    bucket: ObjectUri, proxy: FaultProxy, s3: S3Server, count: int, page_keys: int
) -> None:
    client = s3.client()
    with ThreadPoolExecutor(8) as pool:
        keys = [f"{bucket.key}/lectures/{number:04d} é&<.mp4" for number in range(count)]
        list(pool.map(lambda key: client.put_object(Bucket=bucket.bucket, Key=key, Body=b"x"), keys))
    client.put_object(Bucket=bucket.bucket, Key=f"{bucket.key}/elsewhere", Body=b"x")
    proxy.fault(status(503, "SlowDown"), method="GET", path="continuation-token", times=3)
    found = list(list_below(bucket.child("lectures").below(), page_keys=page_keys))
    assert [each.uri.key for each in found] == keys
    assert {each.size_bytes for each in found} == {1}
    assert proxy.count("GET", "list-type=2") == 3 + -(-count // page_keys)


def test_encryption_is_asked_for(
    bucket: ObjectUri, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, s3: S3Server
) -> None:
    monkeypatch.setenv("REDUB_S3_SSE", "AES256")
    upload_bytes(b"secret", bucket.child("a"))
    assert s3.client().head_object(Bucket=bucket.bucket, Key=f"{bucket.key}/a")["ServerSideEncryption"] == "AES256"
    monkeypatch.setenv("REDUB_S3_SSE", "aws:kms")
    monkeypatch.setenv("REDUB_S3_KMS_KEY", "alias/lectures")
    proxy.fault(status(403, "KMS.AccessDeniedException"), method="PUT", path="/kms")
    with pytest.raises(BadInput, match="encryption key"):
        upload_bytes(b"secret", bucket.child("kms"))
    sent = next(each for each in proxy.seen if "/kms" in each.path).headers
    assert sent["x-amz-server-side-encryption"] == "aws:kms"
    assert sent["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/lectures"
    monkeypatch.setenv("REDUB_S3_SSE", "ROT13")
    with pytest.raises(BadInput, match="REDUB_S3_SSE"):
        upload_bytes(b"secret", bucket.child("a"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "not it"}, "secret key is wrong"),
        ({"AWS_ACCESS_KEY_ID": "NOBODY"}, "does not know the access key"),
        ({"AWS_ACCESS_KEY_ID": ""}, "no usable credentials"),
        ({"AWS_PROFILE": "nobody"}, "no usable credentials"),
        ({"AWS_ENDPOINT_URL": "lectures.example"}, "not well formed"),
    ],
)
def test_what_is_wrong_with_the_environment_is_told(
    bucket: ObjectUri, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], told: str, s3: S3Server
) -> None:
    for name, value in change.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    if not all(change.values()):
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for act in (lambda: head(bucket.child("a")), lambda: upload_bytes(b"a", bucket.child("a"))):
        with pytest.raises(BadInput, match=told) as caught:
            act()
        assert s3.secret_key not in str(caught.value)
        assert s3.access_key not in str(caught.value)


@pytest.mark.parametrize(
    ("named", "signed"),
    [
        ({"AWS_REGION": "eu-north-1"}, "/eu-north-1/s3/"),
        ({"AWS_DEFAULT_REGION": "eu-south-1"}, "/eu-south-1/s3/"),
        ({"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-south-1"}, "/eu-south-1/s3/"),
    ],
    ids=["the usual name", "boto3's name", "boto3's name first"],
)
def test_the_region_has_two_names(
    bucket: ObjectUri, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], signed: str
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    upload_bytes(b"a", bucket.child("a"))
    assert signed in proxy.seen[-1].headers["authorization"]


def test_what_is_not_there_is_told(bucket: ObjectUri) -> None:
    with pytest.raises(Missing, match="no such object"):
        head(bucket.child("nothing"))
    assert find(bucket.child("nothing")) is None
    nowhere = ObjectUri("no-such-bucket", "a")
    with pytest.raises(BadInput, match="no such bucket"):
        head(nowhere)
    with pytest.raises(BadInput, match="no such bucket"):
        list(list_below(nowhere))
    delete(bucket.child("nothing"))


def test_a_server_that_is_gone_is_unavailable(bucket: ObjectUri, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "0.5")
    with pytest.raises(Unavailable, match="connection"):
        head(bucket.child("a"))


@pytest.mark.parametrize(
    ("answer", "code", "kind", "told"),
    [
        (403, "RequestTimeTooSkewed", BadInput, "set this machine's clock"),
        (403, "ExpiredToken", BadInput, "sign in again"),
        (403, "SomethingNew", BadInput, "access is denied"),
        (400, "AuthorizationHeaderMalformed", BadInput, "set AWS_REGION"),
        (400, "SomethingNew", BadInput, "refuses .SomethingNew"),
        (403, "QuotaExceeded", NoSpace, "quota"),
        (507, "InsufficientStorage", NoSpace, "full"),
        (409, "ConditionalRequestConflict", Unavailable, "ConditionalRequestConflict"),
        (429, "TooManyRequests", Unavailable, "TooManyRequests"),
        (502, "BadGateway", Unavailable, "BadGateway"),
    ],
)
def test_answers_become_errors_that_say_what_to_do(
    bucket: ObjectUri,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    answer: int,
    code: str,
    kind: type[Exception],
    told: str,
) -> None:
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "0")
    proxy.fault(status(answer, code), method="PUT", times=None)
    with pytest.raises(kind, match=told):
        upload_bytes(b"a", bucket.child("a"))


FAULTS_OF_READING = [
    status(500),
    status(503, "SlowDown"),
    cut_answer(1000),
    cut_answer(0),
    wrong_bytes(77),
    slow(200_000),
    hung(0.3),
]


@pytest.mark.parametrize("fault", FAULTS_OF_READING, ids=lambda fault: f"{fault.kind} {fault.code} {fault.after}")
@pytest.mark.parametrize("part_bytes", [SMALL_PART, 1 << 20])
def test_faults_of_reading_change_nothing(
    bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path, fault: Fault, part_bytes: int
) -> None:
    fault = dataclasses.replace(fault)
    uri = bucket.child("a")
    upload(made(tmp_path / "a", 4 * SMALL_PART), uri)
    proxy.fault(fault, method="GET", times=2)
    download(head(uri), tmp_path / "b", tmp_path / "work", part_bytes=part_bytes)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert fault.times == 0 or fault.kind in ("slow", "hung", "wrong bytes")
    assert list((tmp_path / "work").iterdir()) == []


FAULTS_OF_WRITING = [
    status(500),
    status(503, "SlowDown"),
    cut_upload(100_000),
    lost_answer(),
    wrong_upload(77),
]


@pytest.mark.parametrize("fault", FAULTS_OF_WRITING, ids=lambda fault: f"{fault.kind} {fault.code}")
@pytest.mark.parametrize("size", [100_001, pytest.param(PART + 100_001, marks=pytest.mark.slow)])
def test_faults_of_writing_change_nothing(
    bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path, s3: S3Server, fault: Fault, size: int
) -> None:
    uri, file = bucket.child(f"{size}"), made(tmp_path / f"{size}", size)
    fault = proxy.fault(dataclasses.replace(fault), method="PUT", times=2, path=f"/{size}")
    upload(file, uri, only_if=ABSENT, part_bytes=PART)
    assert s3.client().get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read() == file.read_bytes()
    assert fault.times == 0


def test_an_upload_that_fails_leaves_nothing(
    bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "1")
    proxy.fault(status(500), method="PUT", path="partNumber=2", times=None)
    with pytest.raises(Unavailable, match="InternalError"):
        upload(made(tmp_path / "a", 2 * PART + 1), bucket.child("a"), part_bytes=PART)
    assert find(bucket.child("a")) is None
    assert not s3.client().list_multipart_uploads(Bucket=bucket.bucket, Prefix=bucket.key).get("Uploads")


def test_bytes_that_stay_wrong_are_not_taken(bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path) -> None:
    upload_bytes(b"0123456789", bucket.child("a"))
    proxy.fault(wrong_bytes(3), method="GET", times=None)
    with pytest.raises(Unavailable, match="checksum"):
        download(head(bucket.child("a")), tmp_path / "b", tmp_path / "work")
    with pytest.raises(Unavailable, match="checksum"):
        read_small(bucket.child("a"))
    assert not (tmp_path / "b").exists()
    assert list((tmp_path / "work").iterdir()) == []


def test_what_was_brought_is_not_brought_again(
    bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, size = bucket.child("a"), 16 * SMALL_PART
    upload(made(tmp_path / "a", size), uri)
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "0.3")
    proxy.fault(
        cut_answer(0), method="GET", where=lambda seen: seen.headers["range"].startswith("bytes=655360-"), times=None
    )
    with pytest.raises(Unavailable):
        download(head(uri), tmp_path / "b", tmp_path / "work", part_bytes=SMALL_PART)
    before = proxy.bytes_sent("GET")
    proxy.clear()
    download(head(uri), tmp_path / "b", tmp_path / "work", part_bytes=SMALL_PART)
    assert before + proxy.bytes_sent("GET") <= size + 4 * SMALL_PART
    assert before > 4 * SMALL_PART
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()


def test_a_store_that_comes_back_is_waited_for(bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path) -> None:
    uri = bucket.child("a")
    upload(made(tmp_path / "a", 4 * SMALL_PART), uri)
    proxy.down(1)
    download(head(uri), tmp_path / "b", tmp_path / "work", part_bytes=SMALL_PART)
    proxy.down(1)
    upload(tmp_path / "b", bucket.child("b"))
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()


def test_a_replaced_object_is_never_mixed(bucket: ObjectUri, tmp_path: Path) -> None:
    uri = bucket.child("a")
    old = upload(made(tmp_path / "a", 3 * SMALL_PART), uri)
    reader = RangeReader(old, block_bytes=4096)
    reader.read(10)
    upload(made(tmp_path / "b", 3 * SMALL_PART, b"new"), uri)
    with pytest.raises(Replaced, match="run again"):
        reader.read(100_000)
    with pytest.raises(Replaced):
        download(old, tmp_path / "c", tmp_path / "work", part_bytes=SMALL_PART)
    assert not (tmp_path / "c").exists()


def test_a_versioned_bucket_finishes_the_old(proxy: FaultProxy, tmp_path: Path, s3: S3Server) -> None:
    uri = ObjectUri(s3.make_bucket("versioned"), "a")
    s3.client().put_bucket_versioning(Bucket=uri.bucket, VersioningConfiguration={"Status": "Enabled"})
    upload(made(tmp_path / "a", 3 * SMALL_PART), uri)
    old = head(uri)
    assert old.version_id
    upload(made(tmp_path / "b", 3 * SMALL_PART, b"new"), uri)
    download(old, tmp_path / "c", tmp_path / "work", part_bytes=SMALL_PART)
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()


def test_a_disk_that_is_full_keeps_no_half_file(
    bucket: ObjectUri, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(made(tmp_path / "a", 4 * SMALL_PART), bucket.child("a"))
    written = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if offset >= 2 * SMALL_PART:
            raise OSError(28, "No space left on device")
        return written(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NoSpace, match="the disk is full"):
        download(head(bucket.child("a")), tmp_path / "b", tmp_path / "work", part_bytes=SMALL_PART)
    assert not (tmp_path / "b").exists()
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_what_it_brought(bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path) -> None:
    uri, size = bucket.child("a"), 100 * SMALL_PART
    upload(made(tmp_path / "a", size), uri)
    proxy.fault(slow(400_000), method="GET", times=None)
    program = (
        "from pathlib import Path; from infra.objects.download import download; "
        "from infra.objects.reading import head; from infra.objects.uri import parse_uri; "
        f"download(head(parse_uri({str(uri)!r})), Path({str(tmp_path / 'b')!r}), Path({str(tmp_path / 'work')!r}), "
        f"part_bytes={SMALL_PART})"
    )
    process = subprocess.Popen([sys.executable, "-c", program], env={**os.environ})
    try:
        wait_until(lambda: proxy.bytes_sent("GET") > 30 * SMALL_PART)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "b").exists()
    proxy.clear()
    download(head(uri), tmp_path / "b", tmp_path / "work", part_bytes=SMALL_PART)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    assert proxy.bytes_sent("GET") < 80 * SMALL_PART


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle_and_comes_back_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = free_ports()
    file = made(tmp_path / "a", 6 * PART + 99)
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "120")
    with running_s3(tmp_path / "s3", ports=ports) as server, fault_proxy(server.endpoint) as before:
        bucket = server.make_bucket("lectures")
        for name, value in server.environment(before.endpoint).items():
            monkeypatch.setenv(name, value)
        uri = ObjectUri(bucket, "a.mp4")
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(upload, file, uri, only_if=ABSENT, part_bytes=PART)
            wait_until(lambda: sum(each.status == 200 and "partNumber" in each.path for each in before.seen) >= 2)
            server.process.kill()
            server.process.wait()
            with running_s3(tmp_path / "s3", ports=ports, secret=server.secret_key):
                writing.result()
                reading = pool.submit(download, head(uri), tmp_path / "b", tmp_path / "work", part_bytes=1 << 20)
                before.down(5)
                reading.result()
    assert (tmp_path / "b").read_bytes() == file.read_bytes()


@pytest.mark.slow
def test_a_minute_without_a_connection_costs_time_only(
    bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDUB_S3_PATIENCE_S")
    uri = bucket.child("a")
    proxy.down(60)
    upload(made(tmp_path / "a", 4 * SMALL_PART), uri, only_if=ABSENT)
    download(head(uri), tmp_path / "b", tmp_path / "work", part_bytes=SMALL_PART)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()


def wait_until(true: Callable[[], bool], limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
