"""Recording a flow run for `redub show`, whatever becomes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prefect.runtime import flow_run

from infra.locations import Location
from manifests.errors import RedubError
from tasks.journal import Journal
from tasks.runs import LanguageOutcome, RunRecord, next_name, write_record


@dataclass(slots=True)
class Recording:
    """What a run says of itself while it goes on; the rest is taken from its journal."""

    duration_s: float = 0.0
    languages: tuple[LanguageOutcome, ...] = ()
    beside: Location | None = None
    _records: list[RunRecord] = field(default_factory=list)

    def keep(self, record: RunRecord) -> None:
        """Write the record, to the state folder and beside the results."""
        self._records.append(record)
        write_record(record, self.beside)

    def finished(self) -> RunRecord:
        """The record that was kept."""
        return self._records[-1]


@contextmanager
def recorded(*, command: str, title: str, source: str, journal: Journal) -> Iterator[Recording]:
    """Record what happens inside: finished, or the error that ended it, which goes on its way."""
    started, clock = datetime.now(UTC), time.perf_counter()
    recording, outcome = Recording(), "finished"
    try:
        yield recording
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise
    except BaseException as error:
        outcome = str(error) if isinstance(error, RedubError) else f"{type(error).__name__}: {error}"
        raise
    finally:
        recording.keep(
            RunRecord(
                name=next_name(title),
                command=command,
                source=source,
                source_duration_s=recording.duration_s,
                started=started.isoformat(timespec="seconds"),
                seconds=round(time.perf_counter() - clock, 3),
                outcome=outcome,
                page=flow_run.ui_url or "",
                entries=tuple(journal.entries),
                languages=recording.languages,
            )
        )
