"""Sources and results that lie in object stores: brought here before a run, published there when it is over.

A run works on files of this machine. What a person may have edited is brought from where the results go; all that the
run leaves is published there, the videos last. A source that is replaced meanwhile is noticed before that, and a sheet
that a person changes meanwhile stays theirs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra import locations
from infra.files import published, require_writable
from infra.locations import Location, SourceVersion
from infra.objects.faults import Conflict
from infra.objects.uri import ObjectUri
from infra.places import cache_folder
from infra.store import most_cache_bytes
from manifests.errors import BadInput
from tasks.sheet import SheetFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A run's source and the folder that it writes to, both on this machine; `title` is the lecture's name.

    `place` is where the results go, `version` which content of the source is dubbed. `sheets` says of the sheet of each
    language which version of its CSV lies at `place`, as far as this run knows; None where there is none.
    """

    source: Path
    title: str
    folder: Path
    place: Location
    version: SourceVersion
    sheets: dict[SheetFiles, SourceVersion | None]

    def bring_sheets(self) -> None:
        """The sheets with their tables, as they are at `place` now; what is gone there, goes here."""
        if not locations.is_remote(self.place):
            return
        for files in self.sheets:
            # The CSV first: its tables may then be newer, and explain the older sheet too.
            versions = [self._bring(file) for file in (files.csv, files.table, files.upcoming)]
            self.sheets[files] = versions[0]

    def deliver_sheets(self) -> None:
        """Publish the sheets of `folder` at `place`; one that was changed there since it was brought stays as it is."""
        if not locations.is_remote(self.place):
            return
        for files, known in self.sheets.items():
            if not (files.csv.exists() and files.table.exists()):
                continue
            if known is not None:
                # Whoever reads the new sheet before its table is there, finds this one.
                locations.publish(files.table, self._there(files.upcoming), replace=True)
            else:
                locations.publish(files.table, self._there(files.table), replace=True)
            with suppress(Conflict):
                made = locations.publish(files.csv, self._there(files.csv), replace=False, only_if=known)
                self.sheets[files] = made.version
                locations.publish(files.table, self._there(files.table), replace=True)

    def deliver(self, languages: Sequence[str]) -> None:
        """Publish what the run left in `folder` at `place`; nothing to do where they are one.

        BadInput where the source was replaced since it was brought: the dub is then of something that is gone.
        """
        locations.require_unchanged(self.version)
        if not locations.is_remote(self.place):
            return
        self.deliver_sheets()
        done = [file for files in self.sheets for file in (files.csv, files.table, files.upcoming)]
        videos = [f"{self.title}.{language}.mp4" for language in languages]
        without = [file.relative_to(self.folder).as_posix() for file in done]
        locations.publish_folder(self.folder, self.place, replace=True, last=videos, without=without)

    def deliver_file(self, file: Path) -> None:
        """Publish one more file of `folder`; nothing to do where it lies where it should."""
        if locations.is_remote(self.place):
            locations.publish(file, self._there(file), replace=True)

    def address(self, file: str) -> str:
        """What people call the source, or a `file` of `folder`: its address where a store holds it, or will."""
        if Path(file) == self.source:
            return self.version.location
        return str(self._there(Path(file))) if locations.is_remote(self.place) else file

    def _bring(self, file: Path) -> SourceVersion | None:
        there = self._there(file)
        if not locations.exists(there):
            file.unlink(missing_ok=True)
            return None
        found = locations.fetched(there, _sources())
        with locations.held(found) as copy, published(file) as draft:
            shutil.copyfile(copy, draft)
        return found.version

    def _there(self, file: Path) -> Location:
        return locations.join(self.place, *file.relative_to(self.folder).parts)


@contextmanager
def exchange(source: str, out: str | None, languages: Sequence[str], etag: str | None = None) -> Iterator[Exchange]:
    """Bring `source` here for as long as this lasts, and what lies in `out` (beside the source, where None) of it.

    With `etag` that content of the source and no other one: Replaced (a BadInput) where it is gone. BadInput,
    Unavailable, NoSpace for what cannot be read or written.
    """
    given = locations.location(source)
    title = locations.stem(given)
    with ExitStack() as stack:
        only = None if etag is None else locations.version_called(given, etag)
        if locations.is_remote(given):
            brought = locations.fetched(given, _sources(), only=only)
            path, version = stack.enter_context(locations.held(brought)), brought.version
            if (most := most_cache_bytes()) is not None:
                locations.trimmed(_sources(), most_bytes=most)
        else:
            path = Path(source).expanduser().absolute()
            version = locations.version_of(path) or SourceVersion(
                location=str(path), etag="", version_id=None, size_bytes=0
            )
        place = locations.location(out) if out else locations.parent(given)
        folder = place.absolute() if isinstance(place, Path) else stack.enter_context(_staging(place, title))
        require_writable(folder)
        exchanged = Exchange(
            source=path,
            title=title,
            folder=folder,
            place=place,
            version=version,
            sheets=dict.fromkeys(SheetFiles.of(folder, title, language) for language in languages),
        )
        exchanged.bring_sheets()
        yield exchanged


def brought(file: str | None) -> Path | None:
    """A file that a run reads, such as a glossary, on this machine; None for None. BadInput, Unavailable, NoSpace."""
    if file is None:
        return None
    place = locations.location(file)
    return place if isinstance(place, Path) else locations.fetched(place, _sources()).path


@contextmanager
def delivered(out: str, sources: Sequence[str | None], *, beside: str) -> Iterator[Path]:
    """A path of this machine for one result that belongs at `out`; what is written there is published after that.

    So is what has its name with the suffix `beside`, which is published first.

    BadInput where that is a folder, or one of the `sources`; NoSpace, Unavailable.
    """
    place = locations.location(out)
    if isinstance(place, Path):
        target = place.absolute()
        require_writable(target.parent)
        yield target
        return
    require_object(place, sources)
    outgoing = cache_folder() / "outgoing"
    outgoing.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="one-", dir=outgoing) as name:
        target = Path(name) / locations.name(place)
        yield target
        companion = target.with_suffix(beside)
        locations.publish(companion, locations.join(locations.parent(place), companion.name), replace=True)
        locations.publish(target, place, replace=True)


def require_object(place: Location, sources: Sequence[str | None]) -> None:
    """BadInput where a result cannot be published at `place` in a store: a folder, or one of the sources."""
    if isinstance(place, ObjectUri) and place.is_prefix:
        raise BadInput("this is a folder;", where=str(place), remedy="name the file to write in it")
    if str(place) in [str(locations.location(each)) for each in sources if each is not None]:
        raise BadInput("the result would replace its own source;", where=str(place), remedy="name another file")


def _sources() -> Path:
    return cache_folder() / "sources"


@contextmanager
def _staging(place: Location, title: str) -> Iterator[Path]:
    """Where a lecture's results for a store are made: the same folder in every run, and gone after the last one.

    What is in it has second names in the store of finished work, whose disk it would fill.
    """
    name = hashlib.sha256(f"{place}\0{title}".encode()).hexdigest()[:24]
    folder = cache_folder() / "outgoing" / name
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield folder
        with suppress(BlockingIOError):  # another run of the same lecture is at work in it
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
