"""Looking at objects: what one is, what lies below a prefix, pieces of one, and a file of one that PyAV can open."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infra.objects.client import client
from infra.objects.faults import Conflict, Missing, Persistence, Replaced, persisted, replaced, wrong_bytes
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SHA256_METADATA = "redub-sha256"
"""redub writes every object's SHA-256 beside it: stores differ in the checksums they keep, all keep metadata."""

UPLOAD_METADATA = "redub-upload"
"""A mark that tells one write from another, so that a write whose answer was lost knows its own."""

_PIECE_BYTES = 1 << 15
_STALL_S = 30.0
_SLOWEST_BYTES_PER_S = 1024
_SMALL_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """An object as it is at one moment: another content has another `etag`.

    `version_id` only in a versioned bucket. `sha256` and `upload` only where redub wrote it; `md5` where the store
    says enough to know it. All in hexadecimal digits.
    """

    uri: ObjectUri
    etag: str
    size_bytes: int
    version_id: str | None = None
    modified: datetime | None = None
    sha256: str | None = None
    md5: str | None = None
    upload: str | None = None


def find(uri: ObjectUri) -> ObjectVersion | None:
    """What the object is now, None where there is none. BadInput, Unavailable."""
    try:
        return persisted(uri, lambda: _head(uri))
    except Missing:
        return None


def head(uri: ObjectUri, *, version_id: str | None = None) -> ObjectVersion:
    """What the object is now, or was in that version. Missing (a BadInput) where none is; BadInput, Unavailable."""
    return persisted(uri, lambda: _head(uri, version_id, explain=True))


def _head(uri: ObjectUri, version_id: str | None = None, *, explain: bool = False) -> ObjectVersion:
    from botocore.exceptions import ClientError

    store = client()
    asked = {"Bucket": uri.bucket, "Key": uri.key, **({"VersionId": version_id} if version_id else {})}
    try:
        told = store.head_object(**asked)
    except ClientError as error:
        # An answer without a body does not say whether key or bucket is missing, or what about the credentials.
        code = error.response["Error"]["Code"]
        if code in ("400", "403", "301") or (explain and code == "404"):
            told = store.get_object(Range="bytes=0-0", **asked)
            told["Body"].close()
        raise
    return _version(uri, told)


def _version(uri: ObjectUri, told: dict[str, Any]) -> ObjectVersion:
    metadata = {name.lower(): value for name, value in told.get("Metadata", {}).items()}
    etag = str(told["ETag"]).strip('"')
    # The tag is the MD5 of what was written at once and is not encrypted under a key of its own.
    plain = len(etag) == 32 and told.get("ServerSideEncryption", "AES256") == "AES256"
    return ObjectVersion(
        uri=uri,
        etag=etag,
        size_bytes=int(told["ContentLength"]),
        version_id=version_id_in(told),
        modified=told.get("LastModified"),
        sha256=metadata.get(SHA256_METADATA),
        md5=etag if plain and "SSECustomerAlgorithm" not in told else None,
        upload=metadata.get(UPLOAD_METADATA),
    )


def version_id_in(told: dict[str, Any]) -> str | None:
    """The version that an answer tells of, None where the bucket keeps none."""
    given = told.get("VersionId")
    return None if given in (None, "null") else str(given)


def list_below(prefix: ObjectUri, *, page_keys: int = 1000) -> Iterator[ObjectVersion]:
    """Every object whose key starts with `prefix`'s, in the store's order, a page in memory at a time.

    A page that fails is asked for again. Markers of folders (keys that end in "/") are left out.
    """
    token: str | None = None
    while True:
        page = _page(prefix, token, page_keys)
        for each in page.get("Contents", ()):
            if not each["Key"].endswith("/"):
                yield ObjectVersion(
                    uri=ObjectUri(prefix.bucket, each["Key"]),
                    etag=str(each["ETag"]).strip('"'),
                    size_bytes=int(each["Size"]),
                    modified=each.get("LastModified"),
                )
        token = page.get("NextContinuationToken") if page.get("IsTruncated") else None
        if token is None:
            return


def _page(prefix: ObjectUri, token: str | None, keys: int) -> dict[str, Any]:
    asked = {"ContinuationToken": token} if token else {}

    def page() -> dict[str, Any]:
        return dict(client().list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.key, MaxKeys=keys, **asked))

    return persisted(prefix, page)


def read_range(version: ObjectVersion, start: int, length: int) -> bytes:
    """`length` bytes of the object from `start`, fewer at its end. Replaced where it is no longer this version."""
    pieces = bytearray()
    stream_range(version, start, length, pieces.extend)
    return bytes(pieces)


def read_small(uri: ObjectUri) -> tuple[bytes, ObjectVersion] | None:
    """A small object whole, its checksum verified, None where there is none. Of two versions never a mixture."""
    for _ in range(3):
        version = find(uri)
        if version is None:
            return None
        if version.size_bytes > _SMALL_BYTES:
            raise BadInput(f"it is larger than {_SMALL_BYTES >> 20} MiB;", where=str(uri), remedy="give another file")
        try:
            content = read_range(version, 0, version.size_bytes)
        except Replaced:
            continue
        if holds(version, hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest()):
            return content, version
    raise wrong_bytes(uri)


def holds(version: ObjectVersion, sha256: str, md5: str) -> bool:
    """Whether content of these checksums can be the version's, as far as the store lets one know."""
    if version.sha256 is not None:
        return sha256 == version.sha256
    return version.md5 is None or md5 == version.md5


def stream_range(version: ObjectVersion, start: int, length: int, sink: Callable[[bytes], object]) -> None:
    """Give `sink` the bytes from `start` in pieces. A connection that is lost is made anew where it was lost.

    Replaced where the object is no longer this version and the store does not keep old ones.
    """
    end = min(start + length, version.size_bytes)
    position = start
    persistence = Persistence(version.uri)

    def take() -> None:
        nonlocal position
        if position >= end:
            return
        body = _open_range(version, position, end)
        try:
            for piece in _pieces(body, version.uri):
                taken = piece[: end - position]
                sink(taken)
                position += len(taken)
                persistence.progressed()
        finally:
            body.close()
        if position < end:
            raise Unavailable(f"{version.uri}: the store sent less than it announced")

    persistence.run(take)


def _open_range(version: ObjectVersion, start: int, end: int) -> Any:
    uri = version.uri
    asked: dict[str, Any] = {"Bucket": uri.bucket, "Key": uri.key, "Range": f"bytes={start}-{end - 1}"}
    try:
        return persisted(uri, lambda: client().get_object(IfMatch=f'"{version.etag}"', **asked)["Body"])
    except (Conflict, Missing) as error:
        if version.version_id is None:
            raise replaced(uri) from error
    # Asked for only now: reading old versions takes a permission of its own.
    try:
        return persisted(uri, lambda: client().get_object(VersionId=version.version_id, **asked)["Body"])
    except Missing as error:
        raise replaced(uri) from error


def _pieces(body: Any, uri: ObjectUri) -> Iterator[bytes]:
    """The body in pieces; Unavailable where next to nothing arrives, which a socket's time limit does not see."""
    since, arrived = time.monotonic(), 0
    while piece := body.read(_PIECE_BYTES):
        yield piece
        arrived += len(piece)
        waited = time.monotonic() - since
        if waited > _STALL_S:
            if arrived < waited * _SLOWEST_BYTES_PER_S:
                raise Unavailable(f"{uri}: the store sends less than {_SLOWEST_BYTES_PER_S} bytes a second")
            since, arrived = time.monotonic(), 0


class RangeReader(io.RawIOBase):
    """An object as a file that can be read and sought in: only the blocks that are read are brought.

    Memory is bounded by `block_bytes * blocks`. Reading on brings up to four blocks at once. Replaced where the
    object changes while it is open. May be closed and read from different threads.
    """

    def __init__(self, version: ObjectVersion, *, block_bytes: int = 1 << 16, blocks: int = 128) -> None:
        super().__init__()
        self.version, self.name = version, version.uri.name
        self.bytes_brought = 0
        self._block_bytes, self._most = block_bytes, blocks
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._position, self._run, self._latest = 0, 1, -1
        self._lock = threading.RLock()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read starts."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read on from elsewhere; nothing is brought yet."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.version.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("a file has nothing before its start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` from where one is, as far as the object reaches."""
        view = memoryview(buffer).cast("B")
        filled = 0
        with self._lock:
            while filled < len(view) and self._position < self.version.size_bytes:
                index, within = divmod(self._position, self._block_bytes)
                piece = self._block(index)[within : within + len(view) - filled]
                view[filled : filled + len(piece)] = piece
                filled += len(piece)
                self._position += len(piece)
        return filled

    def _block(self, index: int) -> bytes:
        if index not in self._blocks:
            self._run = min(4, self._run * 2) if index == self._latest + 1 else 1
            start = index * self._block_bytes
            brought = read_range(self.version, start, self._run * self._block_bytes)
            self.bytes_brought += len(brought)
            for step in range(0, len(brought), self._block_bytes):
                self._blocks[index + step // self._block_bytes] = brought[step : step + self._block_bytes]
            self._latest = index + max(0, len(brought) - 1) // self._block_bytes
        self._blocks.move_to_end(index)
        while len(self._blocks) > self._most:
            self._blocks.popitem(last=False)
        return self._blocks[index]
