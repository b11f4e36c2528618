"""Places that a user may name: a path on this machine, or `s3://BUCKET/KEY`. One set of functions for both.

Nothing here is kept between calls: the store behind an address is found in the environment each time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from infra.files import no_space_told, published
from infra.objects.download import download
from infra.objects.faults import Conflict, Replaced, replaced
from infra.objects.reading import ObjectVersion, RangeReader, find, head, list_below
from infra.objects.uri import ObjectUri, is_object_uri, parse_uri
from infra.objects.writing import ABSENT, upload
from infra.store import sha256_of
from manifests.errors import BadInput, Unavailable

Location: TypeAlias = Path | ObjectUri

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")
_LONGEST_NAME_BYTES = 200
_INCOMING = ".incoming"
_ABANDONED_S = 3 * 24 * 3600
_TYPES = {
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".wav": "audio/wav",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceVersion:
    """Which content a location had: another content has another `etag`. `version_id` in versioned buckets only."""

    location: str
    etag: str
    version_id: str | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A location's content on this machine: `path` never changes its content while it is `held`."""

    path: Path
    version: SourceVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What stands at a location now. `created` is False where the very same content stood there before."""

    version: SourceVersion
    created: bool


def location(text: str | Path) -> Location:
    """The place that `text` names. BadInput where it starts as an address of an object and is none."""
    if isinstance(text, str) and is_object_uri(text):
        if re.match(r"s3:/[^/]", text, re.IGNORECASE):
            text = f"s3://{text[4:]}"  # it went through something that takes addresses for paths
        return parse_uri(text)
    return Path(text).expanduser()


def is_remote(place: Location) -> bool:
    """Whether it lies in an object store."""
    return isinstance(place, ObjectUri)


def name(place: Location) -> str:
    """The last part, such as `lecture.mp4`: safe as the name of a local file."""
    if isinstance(place, Path):
        return place.name
    found = _UNSAFE.sub("_", place.name)
    if found in ("", ".", ".."):
        return "object"
    while len(found.encode("utf-8", "replace")) > _LONGEST_NAME_BYTES:
        found = found[1:]  # the end holds the suffix
    return found


def stem(place: Location) -> str:
    """The name without its suffix."""
    return Path(name(place)).stem


def suffix(place: Location) -> str:
    """The suffix, with its dot."""
    return Path(name(place)).suffix


def join(place: Location, *names: str) -> Location:
    """The place of these names below `place`."""
    return place.joinpath(*names) if isinstance(place, Path) else place.child(*names)


def parent(place: Location) -> Location:
    """Where `place` lies: a folder, or the prefix above."""
    if isinstance(place, Path):
        return place.parent
    above, _, _ = place.key.rstrip("/").rpartition("/")
    return ObjectUri(place.bucket, f"{above}/" if above else "")


def exists(place: Location) -> bool:
    """Whether a file or an object is there. BadInput, Unavailable where the store does not say."""
    return version_of(place) is not None


def version_of(place: Location) -> SourceVersion | None:
    """What is there now, without reading it; None where nothing is. A local file is told by its time and size."""
    if isinstance(place, Path):
        try:
            stat = place.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        etag = f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{stat.st_ino:x}"
        return SourceVersion(location=str(place), etag=etag, version_id=None, size_bytes=stat.st_size)
    found = find(place)
    if found is None:
        return None
    return _source_version(found)


def require_unchanged(version: SourceVersion) -> None:
    """Raise where the location no longer has this content: Replaced (a BadInput), also for what was removed."""
    now = version_of(location(version.location))
    if now is None or (now.etag, now.size_bytes) != (version.etag, version.size_bytes):
        raise _not_the_same(version.location, now, "while redub was working on it")


def version_called(place: Location, etag: str) -> SourceVersion:
    """What is there now, where it is the content that `etag` names. Replaced (a BadInput) where it is not."""
    now = version_of(place)
    if now is None or now.etag != etag:
        raise _not_the_same(str(place), now, "since it was asked for")
    return now


def _not_the_same(where: str, now: SourceVersion | None, when: str) -> Replaced:
    what = "it was removed" if now is None else "it was replaced"
    return Replaced(f"{what} {when};", where=where, remedy="run again: the new one is then taken from the start")


def fetched(place: Location, folder: Path, *, only: SourceVersion | None = None) -> Fetched:
    """`place` on this machine: a local path as it is; an object brought below `folder`, unless it is there already.

    The copy lies in a folder named by the content's ETag, so that an object that was replaced is never mixed with what
    it was. `only` asks for that version and no newer one. BadInput (no such object, denied, replaced), Unavailable,
    NoSpace without a half file.
    """
    if isinstance(place, Path):
        if only is not None:
            require_unchanged(only)
        version = version_of(place)
        if version is None:
            raise BadInput("there is no such file;", where=str(place), remedy="check the name")
        return Fetched(path=place, version=version)
    if place.is_prefix:
        raise BadInput("this names a folder, not an object;", where=str(place), remedy="name one object")
    if only is not None:
        return _pinned(place, only, folder)
    for _ in range(3):
        with suppress(Replaced):
            return _brought(head(place), folder)
    raise Unavailable(f"{place}: it is being replaced again and again; try when it is at rest")


def _pinned(place: ObjectUri, only: SourceVersion, folder: Path) -> Fetched:
    copy = _copy(only, folder)
    if _complete(copy, only):
        return Fetched(path=copy, version=only)
    now = find(place)
    if (now is None or now.etag != only.etag) and only.version_id is not None:
        now = head(place, version_id=only.version_id)
    if now is None or now.etag != only.etag:
        raise replaced(place)
    return _brought(now, folder)


def _brought(wanted: ObjectVersion, folder: Path) -> Fetched:
    version = _source_version(wanted)
    copy = _copy(version, folder)
    if not _complete(copy, version):
        download(wanted, copy, folder / _INCOMING)
    with suppress(OSError):
        os.utime(copy.parent)  # when it was last wanted: see `trimmed`
    return Fetched(path=copy, version=version)


def _copy(version: SourceVersion, folder: Path) -> Path:
    told = f"{version.location} {version.etag} {version.version_id or ''}"
    return folder / hashlib.sha256(told.encode()).hexdigest()[:24] / name(location(version.location))


def _complete(copy: Path, version: SourceVersion) -> bool:
    return copy.is_file() and copy.stat().st_size == version.size_bytes


@contextmanager
def held(source: Fetched) -> Iterator[Path]:
    """Keep `trimmed` from removing the copy while it is in use; gives its path."""
    with ExitStack() as stack:
        with suppress(OSError):  # a source of the user's own may lie where nothing can be locked; it is not removed
            descriptor = os.open(source.path.parent, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        if is_object_uri(source.version.location) and not source.path.exists():
            raise Unavailable(f"{source.version.location}: its copy was removed to make room; it is brought again")
        yield source.path


def trimmed(folder: Path, *, most_bytes: int) -> int:
    """Remove the copies in `folder` that were not wanted for longest, until the rest takes `most_bytes`; bytes freed.

    Copies that are `held` stay, and so does what arrives now; parts that a dead process left go after three days.
    """
    if not folder.is_dir():
        return 0
    _sweep(folder / _INCOMING)
    kept = sorted(
        ((each.stat().st_mtime, sum(file.stat().st_size for file in each.iterdir()), each) for each in _copies(folder)),
        key=lambda entry: entry[0],
    )
    total, freed = sum(size for _, size, _ in kept), 0
    for _, size, each in kept:
        if total - freed <= most_bytes:
            break
        descriptor = os.open(each, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(each, ignore_errors=True)
            freed += size
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
    return freed


def _copies(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_dir() and each.name != _INCOMING]


def _sweep(incoming: Path) -> None:
    for left in incoming.iterdir() if incoming.is_dir() else ():
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                left.unlink()


@contextmanager
def opened(place: Location) -> Iterator[BinaryIO]:
    """`place` as a file to read and seek in; of an object only the ranges that are read are brought.

    PyAV opens it. Replaced (a BadInput) while reading, where the object changes; BadInput, Unavailable.
    """
    if isinstance(place, Path):
        with place.open("rb") as file:
            yield file
        return
    with RangeReader(head(place)) as reader:
        yield cast("BinaryIO", reader)


def listed(place: Location) -> Iterator[tuple[Location, SourceVersion]]:
    """Every file below a folder, or object below a prefix, with its version, by name; in bounded memory for objects."""
    if isinstance(place, Path):
        for path in sorted(place.rglob("*")):
            if path.is_file() and not path.name.startswith(".redub-"):
                version = version_of(path)
                if version is not None:
                    yield path, version
        return
    for each in list_below(place.below()):
        yield each.uri, _source_version(each)


def publish(file: Path, place: Location, *, replace: bool, only_if: SourceVersion | None = None) -> Published:
    """Give `place` the content of `file`, whole, by one step; where the very same content stands, nothing is done.

    Without `replace`, Conflict (a BadInput) where other content stands: of two writers one publishes. `only_if`:
    replace that version and no other, else Conflict, of a local file Replaced. NoSpace, Unavailable.
    """
    if isinstance(place, Path):
        return _publish_here(file, place, replace=replace, only_if=only_if)
    sha256 = sha256_of(file)
    standing = find(place)
    if standing is not None and standing.sha256 == sha256 and standing.size_bytes == file.stat().st_size:
        return Published(version=_source_version(standing), created=False)
    if standing is not None and not replace and only_if is None:
        raise _in_the_way(place)
    condition = only_if.etag if only_if is not None else None if replace else ABSENT
    kind = _TYPES.get(suffix(place).lower(), "application/octet-stream")
    try:
        written = upload(file, place, only_if=condition, content_type=kind)
    except Conflict as error:
        standing = find(place)
        if standing is not None and standing.sha256 == sha256:
            return Published(version=_source_version(standing), created=False)
        raise _in_the_way(place) from error
    return Published(version=_source_version(written), created=True)


def _publish_here(file: Path, place: Path, *, replace: bool, only_if: SourceVersion | None) -> Published:
    if only_if is not None:
        require_unchanged(only_if)
    with published(place) as draft, no_space_told(place.parent):
        shutil.copyfile(file, draft)
        if not replace and only_if is None and not _linked(draft, place):
            if sha256_of(place) != sha256_of(draft):
                raise _in_the_way(place)
            return Published(version=_standing(place), created=False)
    return Published(version=_standing(place), created=True)


def _linked(draft: Path, place: Path) -> bool:
    """Give `draft` a second name, which unlike a rename fails where something stands; whether it got it."""
    try:
        os.link(draft, place)
    except FileExistsError:
        return False
    except OSError:  # a disk without second names
        return not place.exists()
    return True


def _standing(place: Path) -> SourceVersion:
    version = version_of(place)
    if version is None:
        raise Replaced("it was removed right after it was written;", where=str(place), remedy="run again")
    return version


def _in_the_way(place: Location) -> Conflict:
    what = "another file stands there, written by someone else or for other settings;"
    return Conflict(what, where=str(place), remedy="choose another place, or ask to replace it")


def publish_folder(
    folder: Path, place: Location, *, replace: bool, last: Sequence[str] = (), without: Sequence[str] = ()
) -> list[Published]:
    """Publish every file below `folder` at the same name below `place`; those named in `last` come last, in order.

    So whoever sees the last one finds all the others there. Those named in `without` are left out. As `publish`.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [path for path in files if path.relative_to(folder).as_posix() not in without]
    late = [folder / each for each in last]
    ordered = [path for path in files if path not in late] + [path for path in late if path in files]
    return [publish(path, join(place, *path.relative_to(folder).parts), replace=replace) for path in ordered]


def mirrored(place: Location, folder: Path) -> Path:
    """All that lies below `place` on this machine: a local folder as it is; objects below `folder`, by their names.

    Objects that are here already are not brought again. For weights, and for the manifests of a finished lecture.
    BadInput where nothing lies there; BadInput, Unavailable, NoSpace as `fetched`.
    """
    if isinstance(place, Path):
        return place
    start, target = place.below(), folder / hashlib.sha256(str(place.below()).encode()).hexdigest()[:24]
    found = False
    for each in list_below(start):
        found = True
        parts = each.uri.key.removeprefix(start.key).split("/")
        copy = target.joinpath(*(name(ObjectUri(start.bucket, part or "_")) for part in parts))
        mark = copy.with_name(f".{copy.name}.etag")
        if _complete(copy, _source_version(each)) and mark.is_file() and mark.read_text("utf-8") == each.etag:
            continue
        wanted = head(each.uri)
        download(wanted, copy, target / _INCOMING)
        with published(mark) as draft:
            draft.write_text(wanted.etag, encoding="utf-8")
    if not found:
        raise BadInput("nothing lies there;", where=str(place), remedy="check the name")
    return target


def _source_version(version: ObjectVersion) -> SourceVersion:
    return SourceVersion(
        location=str(version.uri), etag=version.etag, version_id=version.version_id, size_bytes=version.size_bytes
    )
