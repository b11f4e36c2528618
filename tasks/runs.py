"""The record of a run: what it was asked, what it did, and what became of it; `redub show` reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from infra import locations
from infra.files import no_space_told, published
from infra.locations import Location
from infra.objects.reading import read_small
from infra.objects.uri import ObjectUri
from infra.objects.writing import upload_bytes
from infra.places import state_folder
from manifests.errors import BadInput
from manifests.records import Degradation
from tasks.journal import Entry

RECORD_NAME = "run.json"
FINISHED = "finished"
GOING = "going"
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageOutcome:
    """One language of a run: the files that were written, and what was degraded.

    `report` is the page that shows how good it is; `mended` says what a person's edits cost, "" where there were none.
    """

    language: str
    files: tuple[str, ...]
    copied_frames: int
    rendered_frames: int
    lip_frames: int
    loudness_lufs: float | None
    degradations: tuple[Degradation, ...]
    report: str = ""
    mended: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run. `page` is where the Prefect server showed it.

    `outcome` is `FINISHED`, or the error that ended it; `GOING` while it goes on, and where it died without a word:
    `seconds`, `entries` and the rest are then those of the last time that it was written.
    """

    name: str
    command: str
    source: str
    source_duration_s: float
    started: str
    seconds: float
    outcome: str
    page: str
    entries: tuple[Entry, ...]
    languages: tuple[LanguageOutcome, ...]


_ADAPTER: TypeAdapter[RunRecord] = TypeAdapter(RunRecord)


def begin_record(record: RunRecord, title: str) -> RunRecord:
    """Write `record` under a name of its own: what it is about, and the first number that no run of that title has.

    Runs that begin at one time get a name each, in several processes too.
    """
    slug = re.sub(r"[^\w-]+", "-", title).strip("-") or "run"
    taken = {path.stem for path in _folder().glob("*.json")}
    number = 1
    while f"{slug}-{number}" in taken:
        number += 1
    with no_space_told(_folder()):
        _folder().mkdir(parents=True, exist_ok=True)
        while True:
            named = replace(record, name=f"{slug}-{number}")
            try:
                (_folder() / f"{named.name}.json").touch(exist_ok=False)
            except FileExistsError:
                number += 1
                continue
            write_record(named, None)
            return named


def record_files() -> list[Path]:
    """The files of all runs that this machine knows of, in no order."""
    # Neither drafts of files, nor a name that was taken this moment.
    return [path for path in _folder().glob("[!.]*.json") if path.stat().st_size > 0]


def write_record(record: RunRecord, beside: Location | None) -> None:
    """Keep `record` under its name in the state folder, and in the folder or prefix `beside`, where one is given."""
    content = _ADAPTER.dump_json(record, indent=1)
    for target in (_folder() / f"{record.name}.json", *([locations.join(beside, RECORD_NAME)] if beside else [])):
        if isinstance(target, Path):
            with published(target) as draft:
                draft.write_bytes(content)
        else:
            upload_bytes(content, target, content_type="application/json")


def read_record(run: str | None) -> RunRecord:
    """The run of that name or in that folder or prefix, the latest where None. BadInput where there is none."""
    if run is None:
        files = sorted(record_files(), key=lambda path: path.stat().st_mtime)
        if not files:
            raise BadInput("no run was recorded on this machine yet.", remedy="Start one: redub dub SOURCE --to fr")
        file = files[-1]
    elif isinstance(there := locations.location(run), ObjectUri):
        return _read_there(there if there.name == RECORD_NAME else there.child(RECORD_NAME))
    else:
        given = Path(run)
        file = given / RECORD_NAME if given.is_dir() else given if given.is_file() else _folder() / f"{run}.json"
    try:
        return _ADAPTER.validate_json(file.read_bytes())
    except FileNotFoundError as error:
        known = ", ".join(sorted(path.stem for path in record_files())) or "none"
        raise BadInput(f"there is no run {run!r}.", remedy=f"Known runs: {known}.") from error
    except ValidationError as error:
        raise BadInput("this is no record of a run.", where=str(file)) from error


def _read_there(place: ObjectUri) -> RunRecord:
    found = read_small(place)
    if found is None:
        raise BadInput("there is no record of a run;", where=str(place), remedy="name the NAME.redub/ of a dub")
    try:
        return _ADAPTER.validate_json(found[0])
    except ValidationError as error:
        raise BadInput("this is no record of a run.", where=str(place)) from error


def _folder() -> Path:
    return state_folder() / "runs"
