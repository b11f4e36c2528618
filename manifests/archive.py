"""The records of an archive: a row a lecture in the manifest, and beside a lecture's outputs what it came to.

The manifest can be lost: the outcomes say the same, lecture by lecture, and `redub archive plan` finds them again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from manifests.keys import fingerprint
from manifests.tables import schema_of

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
UNREADABLE, GONE = "unreadable", "gone"
STATES = (DONE, RUNNING, FAILED, WAITING, UNREADABLE, GONE)
"""What a lecture can be. Unreadable: its length cannot be told, or its outputs would be another lecture's too."""

_FORMAT = "redub-archive-outcome/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedLecture:
    """A lecture of an archive. `root` and `out_root` are what was planned, `out` is where its own outputs go.

    `etag` names the content that all the rest is about. `made` are the languages that exist of this content, as it was
    asked for (`preset`, `source_language`, `glossary`, `gate`). `attempts` counts tries of this content that came to
    nothing or still go on; `ticket` names the latest one. `spent_hours` are hours of lecture times languages, over all
    tries, `spent_money` what they cost at the price of their day. Times are ISO 8601, "" where there is none.
    """

    source: str
    root: str
    out_root: str
    out: str
    etag: str
    version_id: str | None
    size_bytes: int
    duration_s: float | None
    languages: tuple[str, ...]
    made: tuple[str, ...]
    preset: str
    source_language: str | None
    glossary: str | None
    gate: bool
    priority: int
    state: str
    reason: str
    attempts: int
    ticket: str
    started: str
    ended: str
    spent_hours: float
    spent_money: float
    outcome_etag: str

    @property
    def asked(self) -> str:
        """A key of how it is to be dubbed: another one makes finished languages count as not made."""
        return fingerprint(self.preset, self.source_language, self.glossary, self.gate)

    @property
    def missing(self) -> tuple[str, ...]:
        """The languages that are still to be made."""
        return tuple(each for each in self.languages if each not in self.made)

    @property
    def missing_hours(self) -> float:
        """Hours of lecture still to be dubbed, an hour for each language."""
        return (self.duration_s or 0.0) / 3600 * len(self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a lecture came to, or that it is being worked on: the part of its row that a lost manifest would lose."""

    source: str
    etag: str
    size_bytes: int
    duration_s: float | None
    asked: str
    languages: tuple[str, ...]
    made: tuple[str, ...]
    files: tuple[str, ...]
    state: str
    reason: str
    attempts: int
    ticket: str
    started: str
    ended: str
    spent_hours: float
    spent_money: float


def outcome_of(row: ArchivedLecture, files: tuple[str, ...]) -> Outcome:
    """The outcome that `row` stands for; `files` are the videos of the languages made."""
    kept = {each.name: getattr(row, each.name) for each in dataclasses.fields(Outcome) if each.name != "files"}
    return Outcome(**kept, files=files)


def outcome_json(outcome: Outcome) -> bytes:
    """The outcome as the text that lies beside the outputs."""
    told = {"format": _FORMAT, **dataclasses.asdict(outcome)}
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def read_outcome(content: bytes) -> Outcome | None:
    """What `outcome_json` wrote; None for anything else, which then counts as no outcome."""
    try:
        told = json.loads(content)
        if told.pop("format") != _FORMAT:
            return None
        lists = {name: tuple(map(str, told.pop(name))) for name in ("languages", "made", "files")}
        numbers = {name: float(told.pop(name)) for name in ("spent_hours", "spent_money")}
        whole = {name: int(told.pop(name)) for name in ("size_bytes", "attempts")}
        duration = told.pop("duration_s")
        words = {name: str(value) for name, value in told.items()}
        length = None if duration is None else float(duration)
        return Outcome(**lists, **numbers, **whole, **words, duration_s=length)  # type: ignore[arg-type] # checked by name
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


_TUPLES = ("languages", "made")


def write_archive(rows: Sequence[ArchivedLecture], target: Path) -> None:
    """Write the manifest as `manifests.tables.write_table` would, but by columns: archives have thousands of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema_of(ArchivedLecture)
    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    pq.write_table(pa.Table.from_pydict(columns, schema=schema), target, compression="zstd")


def read_archive(source: Path) -> list[ArchivedLecture]:
    """The rows that `write_archive` wrote. ValueError where the file holds something else."""
    import pyarrow.parquet as pq

    table, schema = pq.read_table(source), schema_of(ArchivedLecture)
    found = (table.schema.metadata or {}).get(b"redub.record")
    if found != ArchivedLecture.__name__.encode() or not table.schema.equals(schema):
        raise ValueError(f"{source} holds no archive of this version of redub")
    columns = table.to_pydict()
    for name in _TUPLES:
        columns[name] = [tuple(each) for each in columns[name]]
    return [ArchivedLecture(**dict(zip(columns, cells, strict=True))) for cells in zip(*columns.values(), strict=True)]
