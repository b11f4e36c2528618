"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from manifests.errors import NoSpace

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "files may not grow that large (see `ulimit -f`)",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "writing is not permitted",
    errno.EPERM: "writing is not permitted",
    errno.ENOTDIR: "a file stands where a folder should be",
}


@contextmanager
def no_space_told(where: Path) -> Iterator[None]:
    """Turn the operating system's "full" and "may not write" into `NoSpace` that names `where`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(f"{where}: {_FULL[error.errno]}; free some space or choose another folder") from error
        raise


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`; on leaving without an error it takes `target`'s name, else it goes.

    NoSpace where the folder is full or may not be written.
    """
    with no_space_told(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".redub-{uuid.uuid4().hex}{target.suffix}")
        try:
            yield draft
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Try to write where `folder` is or would be made; nothing is left behind. NoSpace where that fails."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not existing.is_dir():
        raise NoSpace(f"{existing}: a file stands where the output folder should be; choose another folder")
    try:
        with no_space_told(existing), tempfile.NamedTemporaryFile(dir=existing, prefix=".redub-") as trial:
            trial.write(b"redub")
    except OSError as error:  # such as /proc, which knows of no new files
        raise NoSpace(f"{existing}: nothing can be written there ({error.strerror}); choose another folder") from error
