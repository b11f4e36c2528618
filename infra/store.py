"""The content-addressed store: blobs under their hash, and what each piece of work came to under its key.

Layout below the root: `blobs/ab/<sha256><suffix>`, `work/<stage>/<key>.json`, `scratch/`. Both kinds are written to a
temporary name and renamed, so several processes may share one store: equal keys hold equal content.

A store may have a remote tier, a prefix in a bucket that workers on many machines share. What is finished here goes
there too, blobs before the work that names them; what is missing here is brought from there and verified by its hash.
So the local folder may be lost, bounded in size, or empty at the start, and costs time only.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from infra.files import no_space_told, published
from infra.objects.remote_cache import RemoteCache
from infra.objects.uri import ObjectUri, parse_uri
from infra.places import cache_folder
from manifests.errors import BadInput, NoSpace, Unavailable
from manifests.records import Blob

_BLOB = re.compile(r"/blobs/([0-9a-f]{2})/\1[0-9a-f]{62}\.[^/]*$")
_READ_BYTES = 1 << 20
_ABANDONED_S = 3 * 24 * 3600
_IN_USE_S = 6 * 3600  # a blob that was asked for may be read, by its path, for as long as a lecture takes
_BETWEEN_TRIMS_S = 60


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


def cache_store() -> Store:
    """The store that the environment names: `REDUB_CACHE`, and behind it `REDUB_CACHE_REMOTE` (s3://BUCKET/PREFIX).

    `REDUB_CACHE_MAX_GB` bounds what is kept here of what the remote has too. BadInput where one is not well formed.
    """
    remote = os.environ.get("REDUB_CACHE_REMOTE", "")
    return Store(cache_folder(), remote=parse_uri(remote) if remote else None, most_bytes=most_cache_bytes())


def most_cache_bytes() -> int | None:
    """What `REDUB_CACHE_MAX_GB` allows, None where it says nothing. BadInput where it is no number."""
    most = os.environ.get("REDUB_CACHE_MAX_GB", "")
    try:
        return int(float(most) * 1e9) if most else None
    except ValueError as error:
        raise BadInput("this is no number of GB;", where="REDUB_CACHE_MAX_GB", remedy="set it to 100") from error


def is_blob(place: str) -> bool:
    """Whether a path or address is that of a blob of some store: no lecture, though it may be a video."""
    return _BLOB.search(place) is not None


class Store:
    """A store below one local folder, made where it is missing. NoSpace where that cannot be written.

    `remote` is the prefix of its second home; `most_bytes` what is kept here, about, of the blobs that are there too.
    With a remote every call may raise Unavailable, and BadInput where the environment has no way to it.
    """

    def __init__(self, root: Path, *, remote: ObjectUri | None = None, most_bytes: int | None = None) -> None:
        self.root, self.most_bytes = root, most_bytes
        self.remote = None if remote is None else RemoteCache(remote)
        with no_space_told(root):
            for part in ("blobs", "work", "scratch"):
                (root / part).mkdir(parents=True, exist_ok=True)
        _sweep(root / "scratch")

    def __reduce__(self) -> tuple[object, ...]:
        """Made anew where it arrives: another machine may not have the folders yet."""
        return _store, (self.root, None if self.remote is None else self.remote.root, self.most_bytes)

    def path(self, blob: Blob) -> Path:
        """Where the bytes of `blob` lie, or would; with a remote they are brought first, where they are missing.

        Unavailable where the remote does not have them either: the work that made them is done again by the next run.
        """
        path = self._place(blob)
        if self.remote is None:
            return path
        if not path.is_file() and not self._bring(blob):
            raise Unavailable(f"{path.name} is neither in the cache nor in {self.remote.root}; run again to remake it")
        self._touch(path)
        return path

    def intact(self, blob: Blob) -> bool:
        """Whether the bytes are here and still hash to the blob's name; with a remote, they may be brought for that."""
        path = self._place(blob)
        if path.is_file() and path.stat().st_size == blob.size_bytes and sha256_of(path) == blob.sha256:
            self._touch(path)
            return True
        return self.remote is not None and self._bring(blob)

    def put(self, file: Path, suffix: str | None = None) -> Blob:
        """Take a finished file from `scratch()` into the store (it is moved) and name it by its content."""
        blob = Blob(sha256_of(file), file.suffix if suffix is None else suffix, file.stat().st_size)
        target = self._place(blob)
        with no_space_told(self.root):
            target.parent.mkdir(exist_ok=True)
            file.replace(target)
        if self.remote is not None:
            self.remote.send(blob, target)
            self._trim_now_and_then()
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
        """What `remember` was given for this work, here or on another machine; None where it was not done yet."""
        known = _text(self._work(stage, key))
        if known is not None or self.remote is None:
            return known
        outcome = self.remote.recall(stage, key)
        if outcome is not None:
            self._write(stage, key, outcome)
        return outcome

    def remember(self, stage: str, key: str, outcome: str, stands: Callable[[str], bool] | None = None) -> str:
        """Record that the work `key` of `stage` is done, and what it came to. The last step of a stage.

        Gives what stands: of two workers with the same work the first one's outcome, for both of them. An earlier one
        gives way where it does not stand: by default, where it is no JSON or names a blob that cannot be had whole.
        """
        stands = stands or self._stands
        if self.remote is None:
            return self._settled(self._work(stage, key), outcome, stands)
        outcome = self.remote.remember(stage, key, outcome, stands)
        self._write(stage, key, outcome)
        return outcome

    def publish(self, blob: Blob, target: Path) -> None:
        """Give `target` the bytes of `blob`: a second name for them on the same disk, a copy elsewhere."""
        self.publish_together({target: blob})

    def publish_together(self, blobs: Mapping[Path, Blob]) -> None:
        """As `publish`, of files that belong together: all are written before any has its name, the first's last."""
        with ExitStack() as stack:
            for target, blob in blobs.items():
                draft = stack.enter_context(published(target))
                with no_space_told(target.parent):
                    try:
                        os.link(self.path(blob), draft)
                    except OSError:
                        shutil.copyfile(self.path(blob), draft)

    def trim(self, most_bytes: int) -> int:
        """Remove local blobs, those not asked for longest first, until `most_bytes` are left; gives the bytes freed.

        Only blobs that the remote holds, and none that was asked for within six hours: someone may be reading it.
        """
        if self.remote is None:
            return 0
        found = sorted(
            ((stat.st_mtime, stat.st_size, path) for path, stat in self._files()), key=lambda entry: entry[0]
        )
        total, freed = sum(size for _, size, _ in found), 0
        for used, size, path in found:
            if total - freed <= most_bytes or time.time() - used < _IN_USE_S:
                break
            if self.remote.holds(Blob(path.name[:64], path.name[64:], size)):
                path.unlink(missing_ok=True)
                freed += size
        return freed

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in (self.root / "blobs").glob("*/*"):
            with suppress(FileNotFoundError):  # another process may be trimming too
                yield path, path.stat()

    def _trim_now_and_then(self) -> None:
        if self.most_bytes is None:
            return
        mark = self.root / "trimmed"
        with suppress(FileNotFoundError):
            if time.time() - mark.stat().st_mtime < _BETWEEN_TRIMS_S:
                return
        mark.touch()
        self.trim(self.most_bytes)

    def _bring(self, blob: Blob) -> bool:
        if self.remote is None:
            return False
        target, workspace = self._place(blob), self.root / "scratch" / "incoming"
        try:
            brought = self.remote.bring(blob, target, workspace)
        except NoSpace:
            if not self.trim(sum(stat.st_size for _, stat in self._files()) - 2 * blob.size_bytes):
                raise
            brought = self.remote.bring(blob, target, workspace)
        self._trim_now_and_then()
        return brought

    def _stands(self, outcome: str) -> bool:
        """Whether every blob that an outcome names can still be had."""
        try:
            named = list(_blobs_named(json.loads(outcome)))
        except ValueError:
            return False
        return all(self.intact(blob) for blob in named)

    def _settled(self, file: Path, outcome: str, stands: Callable[[str], bool]) -> str:
        """Write `outcome` to `file`, unless one that stands is there. Blobs are hashed with the lock let go."""
        fallen = None
        while True:
            with self._locked():
                standing = _text(file)
                if standing in (None, fallen):
                    with published(file) as draft:
                        draft.write_text(outcome, encoding="utf-8")
                    return outcome
            if standing == outcome or stands(standing):
                return standing
            fallen = standing

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Among all processes and threads that share this folder, one alone looks and writes."""
        with no_space_told(self.root):
            lock = (self.root / "lock").open("wb")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _touch(self, path: Path) -> None:
        if self.remote is not None:
            with suppress(OSError):
                os.utime(path)

    def _write(self, stage: str, key: str, outcome: str) -> None:
        with published(self._work(stage, key)) as draft:
            draft.write_text(outcome, encoding="utf-8")

    def _place(self, blob: Blob) -> Path:
        return self.root / "blobs" / blob.sha256[:2] / f"{blob.sha256}{blob.suffix}"

    def _work(self, stage: str, key: str) -> Path:
        return self.root / "work" / stage / f"{key}.json"


def _text(file: Path) -> str | None:
    """What a record says, even where it is damaged; None where there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _store(root: Path, remote: ObjectUri | None, most_bytes: int | None) -> Store:
    return Store(root, remote=remote, most_bytes=most_bytes)


def _blobs_named(value: object) -> Iterator[Blob]:
    """Every blob in an outcome's JSON: a stage's own types are not known here, their blobs look alike."""
    if isinstance(value, dict):
        if value.keys() == {"sha256", "suffix", "size_bytes"}:
            yield Blob(str(value["sha256"]), str(value["suffix"]), int(value["size_bytes"]))
        for each in value.values():
            yield from _blobs_named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _blobs_named(each)
