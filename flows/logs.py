"""What a run says as it goes on: on its page one line a stage and one for what was lost, as JSON one a piece as well.

Prefect's logger carries it to the page. `REDUB_LOG=json` makes each line on a worker's standard error one JSON object
with the lecture, the language, the stage, the span, the key and the seconds in fields of their own.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from manifests.errors import BadInput, RedubError
from manifests.records import Degradation
from tasks.chunk_table import clock_time
from tasks.journal import Entry
from tasks.stage_names import said

VARIABLE = "REDUB_LOG"
RunLogger: TypeAlias = logging.Logger | logging.LoggerAdapter[logging.Logger]

_TASK_LOGGER = "prefect.task_runs"
_RUN_FIELDS = ("flow_name", "flow_run_name", "flow_run_id", "task_run_name")
_MOST_TOLD = 50
"""So many losses of a language get a line each; a lecture that lost more is better looked at in its report."""


def set_up(environment: Mapping[str, str]) -> None:
    """Make this process's log that of a run, once: users' mistakes without tracebacks, JSON where it is asked for.

    BadInput where `REDUB_LOG` is neither json nor text.
    """
    wanted = environment.get(VARIABLE, "").strip().lower() or "text"
    if wanted not in ("json", "text"):
        raise BadInput(f"{wanted!r} is no form of log;", where=VARIABLE, remedy="give json or text")
    for name in (_TASK_LOGGER, "prefect.flow_runs"):
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Plain) for each in logger.filters):
            logger.addFilter(_Plain())
    if wanted == "json":
        _speak_json(logging.getLogger())


def speaks_json() -> bool:
    """Whether this process's log is JSON."""
    return any(isinstance(handler.formatter, JsonLine) for handler in logging.getLogger().handlers)


def _speak_json(root: logging.Logger) -> None:
    if speaks_json():
        return
    for handler in list(root.handlers):
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            root.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine())
    root.addHandler(handler)


class _Plain(logging.Filter):
    """Takes the traceback off errors that redub raises on purpose, and drops what the page's timeline says already."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is for anybody."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RedubError):
            record.exc_info, record.exc_text = None, None
            record.msg, record.args = str(error), ()
        return not (record.name == _TASK_LOGGER and record.levelno <= logging.INFO)


class JsonLine(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, logger, message, the run, and the facts of `redub`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: str(getattr(record, name)) for name in _RUN_FIELDS if getattr(record, name, None)}
        line |= getattr(record, "redub", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class AboutLecture(logging.LoggerAdapter[RunLogger]):
    """A logger whose lines say which lecture they are about."""

    def __init__(self, logger: RunLogger, lecture: str) -> None:
        super().__init__(logger, {})
        self.lecture = lecture

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the lecture to the facts."""
        extra = dict(kwargs.get("extra") or {})
        extra["redub"] = {"lecture": self.lecture, **extra.get("redub", {})}
        return msg, {**kwargs, "extra": extra}


@dataclass(slots=True)
class _Tally:
    total: int = 0
    done: int = 0
    hits: int = 0
    seconds: float = 0.0

    def told(self) -> str:
        """What was done, for people."""
        if self.hits == self.done:
            return f"{self.done} taken from the cache"
        cached = f", {self.hits} of them taken from the cache" if self.hits else ""
        return f"{self.done} done{cached}, {self.seconds:.1f} s of work"


@dataclass(slots=True)
class StageLog:
    """A listener that writes a line as a stage begins and one as it is done; each piece only where it goes as JSON."""

    log: AboutLecture
    pieces: bool = field(default_factory=speaks_json)
    _tallies: dict[tuple[str, str | None], _Tally] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """Say it, where nothing of the stage is in work already."""
        if not pieces:
            return
        with self._lock:
            tally = self._tallies.setdefault((stage, language), _Tally())
            begins = tally.total == tally.done
            tally.total += pieces
        if begins:
            facts = {"event": "began", "stage": stage, "language": language, "pieces": pieces}
            self.log.info("%s: %d to do", said(stage, language), pieces, extra={"redub": facts})

    def performed(self, entry: Entry) -> None:
        """Say what was lost; the piece itself as JSON; and the stage where it was the last one."""
        with self._lock:
            tally = self._tallies.setdefault((entry.stage, entry.language), _Tally())
            tally.done += 1
            tally.hits += entry.hit
            tally.seconds += entry.seconds
            tally.total = max(tally.total, tally.done)
            ended = _Tally(tally.total, tally.done, tally.hits, tally.seconds) if tally.done == tally.total else None
            if ended is not None:
                self._tallies[entry.stage, entry.language] = _Tally()
        facts: dict[str, Any] = {"stage": entry.stage, "language": entry.language}
        if self.pieces or entry.failure:
            self._piece(entry, facts)
        if ended is not None:
            facts |= {"event": "done", "pieces": ended.done, "hits": ended.hits, "seconds": round(ended.seconds, 3)}
            self.log.info("%s: %s", said(entry.stage, entry.language), ended.told(), extra={"redub": facts})

    def _piece(self, entry: Entry, facts: Mapping[str, Any]) -> None:
        piece = {
            **facts,
            "event": "failed" if entry.failure else "performed",
            "start_s": round(entry.span.start_s, 3),
            "end_s": round(entry.span.end_s, 3),
            "key": entry.key,
            "hit": entry.hit,
            "seconds": round(entry.seconds, 3),
        }
        where = f"{clock_time(entry.span.start_s)} to {clock_time(entry.span.end_s)}"
        if entry.failure:
            told = (said(entry.stage, entry.language), where, entry.failure)
            self.log.warning("%s: %s came to nothing, the original is kept: %s", *told, extra={"redub": piece})
        else:
            # The page has the stages; a line for each of a lecture's thousand pieces is for machines.
            self.log.info(
                "%s: %s", said(entry.stage, entry.language), where, extra={"redub": piece, "send_to_api": False}
            )


def tell_degradations(log: AboutLecture, language: str, degradations: tuple[Degradation, ...]) -> None:
    """A warning for each stretch of a dub that keeps the original, and why."""
    for each in degradations[:_MOST_TOLD]:
        facts = {
            "event": "degraded",
            "language": language,
            "stage": each.stage,
            "start_s": round(each.span.start_s, 3),
            "end_s": round(each.span.end_s, 3),
        }
        where = f"{clock_time(each.span.start_s)} to {clock_time(each.span.end_s)}"
        log.warning("%s, %s, %s: %s", language, each.stage, where, each.reason, extra={"redub": facts})
    if len(degradations) > _MOST_TOLD:
        log.warning("%s: %d more; the report has all of them", language, len(degradations) - _MOST_TOLD)
