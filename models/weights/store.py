"""The store of weights on this machine: `<root>/<name>/<revision>/`, published whole by one rename.

The root is `REDUB_WEIGHTS`, else `redub/weights` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`).
Each folder holds a receipt, `weights.json`: where the files came from and the SHA-256 of what was fetched and of
what was published. A folder with a receipt is whole.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import BadInput, MissingWeights, NoSpace, Unavailable

from .catalogue import find
from .records import Progress, Source, Weights, revision_of
from .sources import SCRATCH, Given

RECEIPT = "weights.json"
CURRENT = "current"
"""File beside the revisions of weights that are not pinned: which of them is in use."""

STALE_S = 24 * 3600.0
"""A staging folder of this age was left by a pull that died; no pull takes as long."""


def root() -> Path:
    """The folder that holds all weights; it need not exist."""
    if named := os.environ.get("REDUB_WEIGHTS"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "redub" / "weights"


def locate(name: str) -> Path:
    """The folder with the files of the weights called `name`. Cheap: nothing is hashed.

    Raises MissingWeights where they are not on this machine, BadInput for a name that the table does not have.
    """
    folder = _folder(find(name))
    if folder is None:
        raise _missing(find(name))
    return folder


def present(name: str) -> bool:
    """Whether `locate(name)` would find them."""
    return _folder(find(name)) is not None


def revision(name: str) -> str:
    """A name for the very bytes of these weights, for keys of results made with them.

    Pinned weights have it without being present; for others it is the hash of what was pulled or adopted, so
    MissingWeights is raised where they are absent.
    """
    weights = find(name)
    return weights.revision or locate(name).name


def pull(name: str, *, source: Path | None = None, progress: Progress | None = None) -> Path:
    """Bring the weights called `name` here, and return their folder. Returns at once where they are present.

    The table's sources are tried in order, each file is checked against its SHA-256, and nothing appears before
    everything is there. `source` is a file or folder to adopt instead; weights that are not pinned are then
    replaced in use by what it holds. Two pulls of one name may run at once: the first to finish is kept.

    Raises BadInput for files with other hashes than the table's (or a `source` that lacks some), Unavailable where
    no source delivered (with each one's reason), NoSpace where the store cannot be written.
    """
    weights = find(name)
    found = _folder(weights)
    if found is not None and (source is None or weights.pinned):
        return found
    sources: tuple[Source, ...] = weights.sources if source is None else (Given(source.expanduser()),)
    tell = progress or _silent
    refused: list[tuple[Source, Exception]] = []
    with _space_errors():
        _sweep(root())
        for candidate in sources:
            staging = _staging(name)
            try:
                fetched = _fetch(weights, candidate, staging, tell)
                return _publish(weights, staging, fetched, candidate.describe(), tell)
            except Unavailable as error:
                refused.append((candidate, error))
            except _Mismatch as error:
                if source is not None:
                    raise BadInput(error.what, where=str(source), remedy=error.remedy) from None
                refused.append((candidate, error))
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    raise _nothing_delivered(weights, refused)


def verify(name: str) -> Path:
    """Hash every file of `name` again; its folder. Raises MissingWeights, or BadInput naming what was changed."""
    folder = locate(name)
    receipt = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
    for path, expected in receipt["files"].items():
        actual = sha256_of(folder / path) if (folder / path).is_file() else "absent"
        if actual != expected:
            raise BadInput(
                f"sha256 is {actual}, {expected} was published.",
                where=str(folder / path),
                remedy=f"Remove {folder} and run `redub weights pull {name}`.",
            )
    return folder


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Mismatch(BadInput):
    """A source's file is not the one that the table names."""


def _silent(what: str, done: int, total: int) -> None:
    del what, done, total


def _folder(weights: Weights) -> Path | None:
    home = root() / weights.name
    name = weights.revision
    if name is None:
        try:
            name = (home / CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
    return home / name if (home / name / RECEIPT).is_file() else None


def _fetch(weights: Weights, source: Source, staging: Path, progress: Progress) -> dict[str, str]:
    """Path -> SHA-256 of the files of `weights`, brought to `staging` and checked one by one."""
    expected = {file.path: file for file in weights.files}
    fetched: dict[str, str] = {}
    for path in source.fetch(weights.files, staging, progress):
        actual = sha256_of(staging / path)
        if expected[path].sha256 not in {None, actual}:
            raise _Mismatch(
                f"{path} has sha256 {actual}, the table says {expected[path].sha256}.",
                where=source.describe(),
                remedy="It is another file or was damaged: nothing was kept.",
            )
        fetched[path] = actual
    lacking = [file.path for file in weights.files if not file.optional and file.path not in fetched]
    if lacking:
        raise Unavailable(f"did not deliver {', '.join(lacking)}")
    return fetched


def _publish(weights: Weights, staging: Path, fetched: dict[str, str], origin: str, progress: Progress) -> Path:
    """Convert what lies in `staging`, write the receipt and move the whole to its final name."""
    shutil.rmtree(staging / SCRATCH, ignore_errors=True)
    if weights.conversion is not None:
        progress(f"convert {weights.name} ({weights.conversion.name})", 0, 0)
        weights.conversion.make(staging)
    made = sorted(path for path in staging.rglob("*") if path.is_file())
    receipt = {
        "name": weights.name,
        "licence": weights.licence,
        "attribution": weights.attribution,
        "source": origin,
        "conversion": f"{weights.conversion.name}{weights.conversion.version}" if weights.conversion else None,
        "fetched": fetched,
        "files": {path.relative_to(staging).as_posix(): sha256_of(path) for path in made},
    }
    (staging / RECEIPT).write_text(json.dumps(receipt, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    staging.chmod(0o755)  # mkdtemp's folders are the owner's alone, but workers under other users read these
    final = root() / weights.name / revision_of(fetched, weights.conversion)
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        staging.rename(final)
    except OSError as error:
        # Another pull was first; the same revision holds the same bytes, so its folder serves.
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY} or not (final / RECEIPT).is_file():
            raise
    if not weights.pinned:
        pointer = final.parent / f"{CURRENT}.{os.getpid()}.part"
        pointer.write_text(final.name + "\n", encoding="utf-8")
        pointer.replace(final.parent / CURRENT)
    return final


def _staging(name: str) -> Path:
    """A new empty folder on the same file system as the final place, so that the last step is a rename."""
    root().mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f".pull-{name}-", dir=root()))


def _sweep(folder: Path) -> None:
    """Remove what pulls that were killed left behind long ago."""
    for left in folder.glob(".pull-*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _space_errors() -> Iterator[None]:
    """Turn the system's refusals to write into NoSpace."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpace(f"the disk of {root()} is full; set REDUB_WEIGHTS to a folder with more room") from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise NoSpace(f"{error.filename or root()} may not be written; set REDUB_WEIGHTS to another") from error
        raise


def _adopt_hint(weights: Weights) -> str:
    what = "PATH" if len(weights.files) == 1 else "FOLDER"
    return f"`redub weights pull {weights.name} --from {what}` adopts a copy that you have; see {weights.homepage}."


def _missing(weights: Weights) -> MissingWeights:
    command = f"`redub weights pull {weights.name}` brings them." if weights.sources else _adopt_hint(weights)
    return MissingWeights(
        f"the weights {weights.name} ({weights.capability}) are not on this machine.",
        where=str(root() / weights.name),
        remedy=command,
    )


def _nothing_delivered(weights: Weights, refused: list[tuple[Source, Exception]]) -> BadInput | Unavailable:
    if not refused:
        return BadInput(
            "can only be adopted: its owner offers no place to fetch it from without a person.",
            where=weights.name,
            remedy=f"{_adopt_hint(weights)} {weights.note}".strip(),
        )
    reasons = "; ".join(
        f"{source.describe()}: {error.what if isinstance(error, _Mismatch) else error}" for source, error in refused
    )
    if any(isinstance(error, _Mismatch) for _, error in refused):
        return BadInput(
            f"no source has the files of the table. {reasons}.", where=weights.name, remedy=_adopt_hint(weights)
        )
    return Unavailable(f"{weights.name}: no source delivered. {reasons}. {_adopt_hint(weights)}")
