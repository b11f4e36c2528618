"""Archives for tests: small lectures of a real container, and a runner whose dubs are made up."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg

from infra import locations
from infra.locations import SourceVersion
from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from manifests.archive import ArchivedLecture
from tasks.archive import Wanted, new_row
from tasks.archive_plan import dub_place
from tasks.archive_run import Ended


@functools.cache
def lecture_bytes(seconds: float = 2.0, suffix: str = ".mp4") -> bytes:
    """A video of that length in a few kilobytes."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / f"made{suffix}"
        picture = ["-f", "lavfi", "-i", f"color=size=64x64:rate=5:duration={seconds}"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *picture, "-c:v", "mpeg4", str(made)]
        subprocess.run(command, check=True)
        return made.read_bytes()


def put(place: Path | ObjectUri, content: bytes) -> None:
    """Content at a place, here or in a bucket."""
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    else:
        upload_bytes(content, place)


def made_row(name: str = "a.mp4", **changes: object) -> ArchivedLecture:
    """A row of an hour that waits, in one language."""
    import dataclasses

    wanted = Wanted(root="s3://b/p/", out_root="s3://b/o/", languages=("fr",))
    version = SourceVersion(location="", etag="e1", version_id=None, size_bytes=10)
    row = dataclasses.replace(new_row(f"s3://b/p/{name}", "s3://b/o/", name, version, wanted), duration_s=3600.0)
    return dataclasses.replace(row, **changes)  # type: ignore[arg-type]


@dataclass
class MadeUpRunner:
    """Dubs are files of one byte, made when the run is asked what ended; `troubles` raise instead, each once."""

    at_once: int = 2
    outlives: bool = False
    troubles: dict[str, list[BaseException]] = field(default_factory=dict)
    before: Callable[[ArchivedLecture], None] = lambda _: None
    started: list[str] = field(default_factory=list)
    going: list[ArchivedLecture] = field(default_factory=list)
    most: int = 0
    adoptable: set[str] = field(default_factory=set)

    def start(self, row: ArchivedLecture) -> None:
        self.started.append(locations.name(locations.location(row.source)))
        self.going.append(row)
        self.most = max(self.most, len(self.going))

    def adopt(self, rows: Sequence[ArchivedLecture]) -> set[str]:
        self.going += [row for row in rows if row.source in self.adoptable]
        return {row.source for row in rows} & self.adoptable

    def ended(self) -> list[Ended]:
        row = self.going.pop(0)
        self.before(row)
        waiting = self.troubles.get(locations.name(locations.location(row.source)))
        if waiting:
            error = waiting.pop(0)
            if not isinstance(error, Exception):
                raise error
            return [Ended.by(row.source, error)]
        for language in row.missing:
            put(dub_place(row, language), b"dub")
        return [Ended(source=row.source)]
