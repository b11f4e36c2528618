"""The content-addressed store: blobs under their hash, and what each piece of work came to under its key.

Layout below the root: `blobs/ab/<sha256><suffix>`, `work/<stage>/<key>.json`, `scratch/`. Both kinds are written to a
temporary name and renamed, so several processes may share one store: equal keys hold equal content.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.files import no_space_told, published
from manifests.records import Blob

_READ_BYTES = 1 << 20
_ABANDONED_S = 3 * 24 * 3600


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, read in pieces, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _sweep(scratch: Path) -> None:
    """Remove what a killed process left: no work of redub's goes on in one scratch folder for days."""
    for left in scratch.iterdir():
        with suppress(FileNotFoundError):  # another process may be sweeping too
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)


class Store:
    """A store below one local folder, made where it is missing. NoSpace where that cannot be written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with no_space_told(root):
            for part in ("blobs", "work", "scratch"):
                (root / part).mkdir(parents=True, exist_ok=True)
        _sweep(root / "scratch")

    def path(self, blob: Blob) -> Path:
        """Where the bytes of `blob` lie, or would."""
        return self.root / "blobs" / blob.sha256[:2] / f"{blob.sha256}{blob.suffix}"

    def intact(self, blob: Blob) -> bool:
        """Whether the bytes are here and still hash to the blob's name."""
        path = self.path(blob)
        return path.is_file() and path.stat().st_size == blob.size_bytes and sha256_of(path) == blob.sha256

    def put(self, file: Path, suffix: str | None = None) -> Blob:
        """Take a finished file from `scratch()` into the store (it is moved) and name it by its content."""
        blob = Blob(sha256_of(file), file.suffix if suffix is None else suffix, file.stat().st_size)
        target = self.path(blob)
        with no_space_told(self.root):
            target.parent.mkdir(exist_ok=True)
            file.replace(target)
        return blob

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder on the store's own disk, removed on leaving; what matters is `put` before that."""
        with no_space_told(self.root):
            folder = Path(tempfile.mkdtemp(dir=self.root / "scratch"))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def recall(self, stage: str, key: str) -> str | None:
        """What `remember` was given for this work, None where it was not done yet."""
        try:
            return self._work(stage, key).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def remember(self, stage: str, key: str, outcome: str) -> None:
        """Record that the work `key` of `stage` is done, and what it came to. The last step of a stage."""
        with published(self._work(stage, key)) as draft:
            draft.write_text(outcome, encoding="utf-8")

    def publish(self, blob: Blob, target: Path) -> None:
        """Give `target` the bytes of `blob`: a second name for them on the same disk, a copy elsewhere."""
        with published(target) as draft, no_space_told(target.parent):
            try:
                os.link(self.path(blob), draft)
            except OSError:
                shutil.copyfile(self.path(blob), draft)

    def _work(self, stage: str, key: str) -> Path:
        return self.root / "work" / stage / f"{key}.json"
