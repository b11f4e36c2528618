"""Recording a flow run for `redub show`, whatever becomes of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from prefect.runtime import flow_run

from flows.listening import Several
from infra.locations import Location
from manifests.errors import NoSpace, RedubError
from tasks.journal import Entry, Journal
from tasks.runs import FINISHED, GOING, INTERRUPTED, LanguageOutcome, RunRecord, begin_record, write_record

_WRITE_EVERY_S = 15.0
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Recording:
    """What a run says of itself while it goes on; the rest is taken from its journal."""

    record: RunRecord
    journal: Journal
    duration_s: float = 0.0
    languages: tuple[LanguageOutcome, ...] = ()
    beside: Location | None = None
    _clock_s: float = field(default_factory=time.perf_counter)
    _written_s: float = field(default_factory=time.perf_counter)

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """A stage began; the record tells of what is done."""

    def performed(self, entry: Entry) -> None:  # noqa: ARG002 (the journal has it)
        """Write the record again where the last time is a while ago, so that a run that dies has told what it did."""
        if time.perf_counter() - self._written_s < _WRITE_EVERY_S:
            return
        self._written_s = time.perf_counter()
        try:
            write_record(self._now(GOING), None)
        except NoSpace as error:  # nothing is lost by it yet; whoever needs the space says so
            _LOG.warning("the record of the run was not written: %s", error)

    def keep(self, outcome: str) -> None:
        """Write the record for good, to the state folder and beside the results."""
        self.record = self._now(outcome)
        write_record(self.record, self.beside)

    def finished(self) -> RunRecord:
        """The record that was kept."""
        return self.record

    def _now(self, outcome: str) -> RunRecord:
        return replace(
            self.record,
            source_duration_s=self.duration_s,
            seconds=round(time.perf_counter() - self._clock_s, 3),
            outcome=outcome,
            entries=tuple(self.journal.entries),
            languages=self.languages,
        )


@contextmanager
def recorded(*, command: str, title: str, source: str, journal: Journal) -> Iterator[Recording]:
    """Record what happens inside: that it goes on, then that it finished, or the error that ended it, which goes on."""
    record = RunRecord(
        name="",
        command=command,
        source=source,
        source_duration_s=0.0,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        outcome=GOING,
        page=flow_run.ui_url or "",
        entries=(),
        languages=(),
    )
    recording, outcome = Recording(begin_record(record, title), journal), FINISHED
    journal.listener = Several((journal.listener, recording))
    try:
        yield recording
    except Exception as error:
        outcome = str(error) if isinstance(error, RedubError) else f"{type(error).__name__}: {error}"
        raise
    except BaseException:  # Ctrl-C, or a worker that is told to stop
        outcome = INTERRUPTED
        raise
    finally:
        recording.keep(outcome)
