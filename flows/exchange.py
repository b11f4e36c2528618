"""Sources and results that lie in object stores: brought here before a run, published there when it is over.

A run works on files of this machine. What a person may have edited is brought from where the results go; all that the
run leaves is published there, the videos last. A source that is replaced meanwhile is noticed before that.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra import locations
from infra.files import published, require_writable
from infra.locations import Location, SourceVersion
from infra.places import cache_folder
from tasks.sheet import SheetFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A run's source and the folder that it writes to, both on this machine; `title` is the lecture's name.

    `place` is where the results go, `version` which content of the source is dubbed.
    """

    source: Path
    title: str
    folder: Path
    place: Location
    version: SourceVersion

    def deliver(self, languages: Sequence[str]) -> None:
        """Publish what the run left in `folder` at `place`; nothing to do where they are one.

        BadInput where the source was replaced since it was brought: the dub is then of something that is gone.
        """
        locations.require_unchanged(self.version)
        if locations.is_remote(self.place):
            videos = [f"{self.title}.{language}.mp4" for language in languages]
            locations.publish_folder(self.folder, self.place, replace=True, last=videos)

    def address(self, file: str) -> str:
        """What people call a `file` of `folder`: its address in the store where it is published to one."""
        if not locations.is_remote(self.place):
            return file
        return str(locations.join(self.place, *Path(file).relative_to(self.folder).parts))


@contextmanager
def exchange(source: str, out: str | None, languages: Sequence[str]) -> Iterator[Exchange]:
    """Bring `source` here for as long as this lasts, and what lies in `out` (beside the source, where None) of it.

    BadInput, Unavailable, NoSpace for what cannot be read or written.
    """
    given = locations.location(source)
    with ExitStack() as stack:
        if locations.is_remote(given):
            brought = locations.fetched(given, cache_folder() / "sources")
            path, version = stack.enter_context(locations.held(brought)), brought.version
        else:
            path = Path(source).expanduser().absolute()
            version = locations.version_of(path) or SourceVersion(
                location=str(path), etag="", version_id=None, size_bytes=0
            )
        place = locations.location(out) if out else locations.parent(given)
        title = locations.stem(given)
        if isinstance(place, Path):
            folder = place.absolute()
        else:
            folder = _staging(place, title)
            _bring_edits(place, folder, title, languages)
        require_writable(folder)
        yield Exchange(source=path, title=title, folder=folder, place=place, version=version)


def _staging(place: Location, title: str) -> Path:
    """Where a lecture's results for a store are made: the same folder in every run, so that nothing is made twice."""
    name = hashlib.sha256(f"{place}\0{title}".encode()).hexdigest()[:24]
    folder = cache_folder() / "results" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _bring_edits(place: Location, folder: Path, title: str, languages: Sequence[str]) -> None:
    """The sheets with their tables, as they are in the store now; what is gone there, goes."""
    wanted = []
    for language in languages:
        files = SheetFiles.of(folder, title, language)
        wanted += [files.csv, files.table, files.upcoming]
    for file in wanted:
        there = locations.join(place, *file.relative_to(folder).parts)
        if not locations.exists(there):
            file.unlink(missing_ok=True)
            continue
        with locations.held(locations.fetched(there, cache_folder() / "sources")) as copy, published(file) as draft:
            shutil.copyfile(copy, draft)
