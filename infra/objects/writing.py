"""Writing objects: at once or in parts, under a condition, with checksums that the store compares."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.objects.at_once import at_once
from infra.objects.client import client, encryption
from infra.objects.faults import Conflict, Missing, persisted
from infra.objects.reading import SHA256_METADATA, UPLOAD_METADATA, ObjectVersion, find, version_id_in
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput, RedubError, Unavailable

ABSENT = "*"
"""As a condition: only where there is no object yet."""

PART_BYTES = 16 << 20
_MOST_PARTS = 10_000
_READ_BYTES = 1 << 20


def upload(
    file: Path,
    uri: ObjectUri,
    *,
    only_if: str | None = None,
    content_type: str = "application/octet-stream",
    part_bytes: int = PART_BYTES,
) -> ObjectVersion:
    """Write `file` to `uri`, in parts where it is larger than one: some parts at once, none held in memory.

    `only_if`: ABSENT, or the ETag that is to be replaced; Conflict (a BadInput) where that does not hold. On failure
    nothing is left, neither an object nor parts. Server-side encryption is `infra.objects.client.encryption`.
    BadInput, NoSpace, Unavailable.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        whole = _Section(stream.fileno(), 0, size, threading.Lock())
        return _write(whole, uri, only_if, content_type, part_bytes)


def upload_bytes(
    content: bytes, uri: ObjectUri, *, only_if: str | None = None, content_type: str = "application/octet-stream"
) -> ObjectVersion:
    """Write `content`, which is small, to `uri`; as `upload`."""
    return _write(io.BytesIO(content), uri, only_if, content_type, PART_BYTES)


def delete(uri: ObjectUri) -> None:
    """Remove the object, if there is one. BadInput, Unavailable."""
    with suppress(Missing):
        persisted(uri, lambda: client().delete_object(Bucket=uri.bucket, Key=uri.key))


@dataclass(frozen=True, slots=True)
class _Write:
    """One write: where to, under which condition, and with which mark to know it by."""

    uri: ObjectUri
    only_if: str | None
    sha256: str
    size_bytes: int
    content_type: str
    upload: str

    @property
    def place(self) -> dict[str, Any]:
        return {"Bucket": self.uri.bucket, "Key": self.uri.key}

    @property
    def condition(self) -> dict[str, str]:
        if self.only_if is None:
            return {}
        return {"IfNoneMatch": "*"} if self.only_if == ABSENT else {"IfMatch": f'"{self.only_if}"'}

    @property
    def described(self) -> dict[str, Any]:
        metadata = {SHA256_METADATA: self.sha256, UPLOAD_METADATA: self.upload}
        return {**self.place, **encryption(os.environ), "ContentType": self.content_type, "Metadata": metadata}

    def version(self, told: dict[str, Any]) -> ObjectVersion:
        return ObjectVersion(
            uri=self.uri,
            etag=str(told["ETag"]).strip('"'),
            size_bytes=self.size_bytes,
            version_id=version_id_in(told),
            sha256=self.sha256,
            upload=self.upload,
        )


class _Section(io.RawIOBase):
    """Part of a file as a file of its own; sections of one file may be read at once."""

    def __init__(self, descriptor: int, start: int, length: int, lock: threading.Lock) -> None:
        super().__init__()
        self._descriptor, self._start, self._length, self._lock = descriptor, start, length, lock
        self._position = 0

    def part(self, start: int, length: int) -> _Section:
        return _Section(self._descriptor, self._start + start, min(length, self._length - start), self._lock)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence] + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self._position)
        piece = os.pread(self._descriptor, left if size < 0 else min(size, left), self._start + self._position)
        self._position += len(piece)
        return piece

    def __len__(self) -> int:
        return self._length


def _digest(stream: _Section | io.BytesIO) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(_READ_BYTES):
        digest.update(piece)
        size += len(piece)
    stream.seek(0)
    return digest.digest(), size


def _write(
    stream: _Section | io.BytesIO, uri: ObjectUri, only_if: str | None, content_type: str, part_bytes: int
) -> ObjectVersion:
    if uri.is_prefix:
        raise BadInput("this is no name of an object;", where=str(uri), remedy="name one that does not end in /")
    digest, size = _digest(stream)
    write = _Write(uri, only_if, digest.hex(), size, content_type, uuid.uuid4().hex)
    try:
        if isinstance(stream, _Section) and size > part_bytes:
            return _write_parts(stream, write, max(part_bytes, -(-size // _MOST_PARTS)))
        return _write_at_once(stream, write, digest)
    except (Conflict, Missing) as error:
        # A write whose answer was lost is done again, and then finds itself in the way.
        standing = find(uri)
        if standing is not None and standing.upload == write.upload:
            return standing
        if only_if is not None and isinstance(error, Missing) and standing is None:
            raise Conflict("the object to be replaced is gone;", where=str(uri), remedy="run again") from error
        raise


def _write_at_once(stream: _Section | io.BytesIO, write: _Write, digest: bytes) -> ObjectVersion:
    def put() -> dict[str, Any]:
        stream.seek(0)
        checksum = {"ChecksumSHA256": base64.b64encode(digest).decode()}
        asked = {**write.described, **write.condition}
        return _with_checksum(lambda extra: client().put_object(Body=stream, **asked, **extra), checksum)

    return write.version(persisted(write.uri, put))


def _write_parts(stream: _Section, write: _Write, part_bytes: int) -> ObjectVersion:
    def begin() -> dict[str, Any]:
        checksum = {"ChecksumAlgorithm": "SHA256"}
        return _with_checksum(lambda extra: client().create_multipart_upload(**write.described, **extra), checksum)

    begun = persisted(write.uri, begin)
    upload_id = str(begun["UploadId"])
    stop = threading.Event()

    def send(number: int) -> dict[str, Any]:
        section = stream.part((number - 1) * part_bytes, part_bytes)
        digest, _ = _digest(section)
        checksum = {"ChecksumSHA256": base64.b64encode(digest).decode()}

        def put() -> dict[str, Any]:
            if stop.is_set():
                raise InterruptedError
            section.seek(0)
            asked = {**write.place, "UploadId": upload_id, "PartNumber": number}
            return _with_checksum(lambda extra: client().upload_part(Body=section, **asked, **extra), checksum)

        told = persisted(write.uri, put)
        kept = {"ChecksumSHA256": told["ChecksumSHA256"]} if "ChecksumSHA256" in told else {}
        return {"PartNumber": number, "ETag": told["ETag"], **kept}

    try:
        parts = at_once(send, range(1, -(-write.size_bytes // part_bytes) + 1), stop)
        return _complete(write, upload_id, parts)
    except BaseException:
        # What is left of an upload costs storage and shows nowhere. The first error is the one to tell.
        with suppress(RedubError):
            _abort(write, upload_id)
        raise


def _complete(write: _Write, upload_id: str, parts: list[dict[str, Any]]) -> ObjectVersion:
    asked = {**write.place, "UploadId": upload_id, "MultipartUpload": {"Parts": parts}, **write.condition}

    def complete() -> ObjectVersion:
        from botocore.exceptions import ClientError

        try:
            return write.version(client().complete_multipart_upload(**asked))
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            standing = find(write.uri)
            if standing is not None and standing.upload == write.upload:
                return standing  # the answer to an earlier try was lost
            raise Unavailable(f"{write.uri}: the store lost the parts that it was sent") from error

    return persisted(write.uri, complete)


def _abort(write: _Write, upload_id: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    # Once, not patiently: a store that is gone is no reason to stay.
    with suppress(BotoCoreError, ClientError):
        client().abort_multipart_upload(**write.place, UploadId=upload_id)


def _with_checksum(call: Callable[[dict[str, str]], dict[str, Any]], checksum: dict[str, str]) -> dict[str, Any]:
    """The answer to `call` with the checksum, or without where the store does not know of such."""
    from botocore.exceptions import ClientError

    try:
        return call(checksum)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NotImplemented", "XNotImplemented", "InvalidArgument"):
            raise
        return call({})
