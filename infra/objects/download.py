"""Objects brought whole to a local file: in ranges at once, resumed where they were left, verified, then renamed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from infra.files import no_space_told
from infra.objects.at_once import at_once
from infra.objects.faults import wrong_bytes
from infra.objects.reading import ObjectVersion, holds, stream_range
from manifests.errors import NoSpace, Unavailable

PART_BYTES = 8 << 20
_READ_BYTES = 1 << 20
_TRIES = 3


def download(version: ObjectVersion, target: Path, workspace: Path, *, part_bytes: int = PART_BYTES) -> None:
    """Bring `version` to `target`, which appears whole or not at all. `workspace` is on the same disk as `target`.

    What was brought before a process died is kept in `workspace` and not brought again. Checksums are compared as far
    as the store has them; wrong bytes are brought anew. Replaced where the object changed meanwhile, Unavailable where
    the store does not answer or the bytes stay wrong, NoSpace without a half file.
    """
    with no_space_told(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        workspace.mkdir(parents=True, exist_ok=True)
        _require_room(workspace, version)
        for _ in range(_TRIES):
            with _draft(version, workspace, part_bytes) as draft:
                draft.fill()
                if holds(version, *draft.checksums()):
                    draft.publish(target)
                    return
                draft.drop()
    raise wrong_bytes(version.uri)


def _require_room(folder: Path, version: ObjectVersion) -> None:
    free = shutil.disk_usage(folder).free
    if free < version.size_bytes:
        needed = f"{version.uri} takes {version.size_bytes / 1e9:.2f} GB, {free / 1e9:.2f} GB are free"
        raise NoSpace(f"{folder}: {needed}; free some space or choose another folder")


class _Draft:
    """A file being filled. `resumed` are the parts that an earlier process brought already."""

    def __init__(self, version: ObjectVersion, path: Path, ledger: BinaryIO, part_bytes: int) -> None:
        self.version, self.path = version, path
        self._ledger, self._part_bytes = ledger, part_bytes
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._brought = self._resumed()

    def _resumed(self) -> set[int]:
        header = f"{self.version.uri} {self.version.etag} {self.version.size_bytes} {self._part_bytes}"
        self._ledger.seek(0)
        first, *parts = self._ledger.read().decode("utf-8", "replace").split("\n") or [""]
        if first == header and self.path.exists() and self.path.stat().st_size == self.version.size_bytes:
            return {int(part) for part in parts[:-1] if part.isdecimal()}
        self._ledger.truncate(0)
        self._ledger.write(f"{header}\n".encode())
        self._ledger.flush()
        with self.path.open("wb") as file:
            file.truncate(self.version.size_bytes)
        return set()

    def fill(self) -> None:
        """Bring the parts that are missing, some at once."""
        count = -(-self.version.size_bytes // self._part_bytes)
        missing = [part for part in range(count) if part not in self._brought]
        descriptor = os.open(self.path, os.O_WRONLY)
        try:
            at_once(lambda part: self._bring(part, descriptor), missing, self._stop)
        finally:
            os.close(descriptor)

    def _bring(self, part: int, descriptor: int) -> None:
        position = part * self._part_bytes

        def write(piece: bytes) -> None:
            nonlocal position
            if self._stop.is_set():
                raise InterruptedError
            written = 0
            while written < len(piece):
                written += os.pwrite(descriptor, piece[written:], position + written)
            position += len(piece)

        stream_range(self.version, position, self._part_bytes, write)
        with self._lock:
            self._ledger.write(f"{part}\n".encode())
            self._ledger.flush()

    def checksums(self) -> tuple[str, str]:
        """SHA-256 and MD5 of the whole; empty where nothing is there to compare them with."""
        if self.version.sha256 is None and self.version.md5 is None:
            return "", ""
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        digest = sha256 if self.version.sha256 is not None else md5
        with self.path.open("rb") as stream:
            while piece := stream.read(_READ_BYTES):
                digest.update(piece)
        return sha256.hexdigest(), md5.hexdigest()

    def publish(self, target: Path) -> None:
        """Give it the name `target`."""
        self.path.replace(target)
        self.drop()

    def drop(self) -> None:
        """Leave nothing of it."""
        self.path.unlink(missing_ok=True)
        Path(self._ledger.name).unlink(missing_ok=True)


@contextmanager
def _draft(version: ObjectVersion, workspace: Path, part_bytes: int) -> Iterator[_Draft]:
    """A draft that outlives this process if that dies, and another's where that is at work on the same version."""
    name = hashlib.sha256(f"{version.uri} {version.etag}".encode()).hexdigest()[:32]
    with (workspace / f"{name}.parts").open("a+b") as ledger:
        try:
            fcntl.flock(ledger, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another process or thread is bringing it: do not wait for one that may be stuck
            name = uuid.uuid4().hex
            with (workspace / f"{name}.parts").open("a+b") as own:
                draft = _Draft(version, workspace / f"{name}.draft", own, part_bytes)
                try:
                    yield draft
                finally:
                    draft.drop()
            return
        draft = _Draft(version, workspace / f"{name}.draft", ledger, part_bytes)
        try:
            yield draft
        except Unavailable:
            raise  # what arrived is kept, for the next try
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt | SystemExit):
                with suppress(OSError):
                    draft.drop()
            raise
