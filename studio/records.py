"""What the studio keeps of a project, as `project.json`, and what is made of it for the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from manifests.languages import LANGUAGES
from studio.probing import Source

Kind = Literal["dub", "speech", "text"]
State = Literal["new", "queued", "running", "review", "done", "failed", "cancelled"]

WAITING: frozenset[str] = frozenset({"queued"})
ACTIVE: frozenset[str] = frozenset({"queued", "running", "review"})
UNDETERMINED = "und"

_RIGHT_TO_LEFT = frozenset(each.code for each in LANGUAGES if each.right_to_left)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFile:
    """A file to take home: its `name`, which no other file of the project has, and its place below the project."""

    name: str
    place: str
    kind: Literal["video", "subtitles", "sheet", "report", "disclosure", "figures"]
    language: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What a dub's signed statement says, as it was checked when the dub was made."""

    signer: str
    known: bool
    synthetic: tuple[str, ...]
    languages: tuple[str | None, str | None]
    voices: tuple[str, ...]
    software: str
    source_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded:
    """Why, in how many spans, and for how long the original was kept."""

    reason: str
    spans: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run came to in one language; `mended` says what edits cost."""

    language: str
    files: tuple[ResultFile, ...]
    disclosure: Disclosure | None = None
    degraded: tuple[Degraded, ...] = ()
    mended: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a run ended without a result, as the page tells it."""

    error: str
    remedy: str = ""
    row: int | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project. Times are Unix seconds. `uri` is where a source lies that is still to be brought.

    `from_` is the source's language, None to find it out; `voices` are pairs of a language and a voice's id.
    `reviewed`: a person let the drafts go on, so the next run does not stop for that. `edited`: a sheet was saved since
    the latest result. `queued_s` orders the queue; `worked_s` is how long the latest finished run took; `restarts`
    counts how often the server found it amid its work after a crash.
    """

    id: str
    owner: str
    kind: Kind
    title: str
    created_s: float
    touched_s: float
    state: State
    source: Source
    audio: Source | None = None
    uri: str | None = None
    text: str | None = None
    from_: str | None = None
    to: tuple[str, ...] = ()
    voices: tuple[tuple[str, str], ...] = ()
    lips: str | None = None
    review: bool = False
    reviewed: bool = False
    edited: bool = False
    queued_s: float | None = None
    worked_s: float | None = None
    restarts: int = 0
    run_page: str | None = None
    trouble: Trouble | None = None
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: `fraction` 0 to 1, the stage now at work and what people call it; `eta_s` None: not known.

    `stages` are the parts of the whole, in order, as the page draws them.
    """

    fraction: float = 0.0
    stage: str = ""
    label: str = ""
    done: int = 0
    of: int = 0
    language: str | None = None
    eta_s: float | None = None
    stages: tuple[dict[str, Any], ...] = field(default_factory=tuple)


def iso(at_s: float) -> str:
    """A time as the page gets it: ISO 8601, UTC."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")


def direction(language: str) -> str:
    """How text in `language` runs: "rtl" or "ltr"."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"
