"""A run that can be watched: its journal tells the page, the log and whoever else listens what is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from prefect import get_run_logger

from flows.listening import Several, current_listener
from flows.logs import AboutLecture, StageLog
from flows.progress import shown_on_page
from manifests.time import Span
from tasks.chunk_table import ChunkTable
from tasks.journal import Journal
from tasks.pool import Pending, Pool
from tasks.progress import At, Meter
from tasks.stage import Stage

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Watched:
    """`log` says which lecture it is about, `journal` is for the run's pool, which is to be `watching`."""

    log: AboutLecture
    journal: Journal
    table: ChunkTable

    def watching(self, pool: Pool) -> Pool:
        """`pool`, whose work also shows in the table of chunks."""
        return _WatchedPool(pool, self.table)


@contextmanager
def watched(title: str, plan: Sequence[Mapping[At, float]]) -> Iterator[Watched]:
    """Show the run that this is called in on its page and in its log; `plan` is what it is expected to do."""
    meter, table = Meter(plan), ChunkTable()
    log = AboutLecture(get_run_logger(), title)
    journal = Journal(Several((current_listener(), meter, table, StageLog(log))))
    with shown_on_page(title, meter, table):
        yield Watched(log, journal, table)


@dataclass(frozen=True, slots=True)
class _WatchedPool:
    pool: Pool
    table: ChunkTable

    @property
    def journal(self) -> Journal:
        return self.pool.journal

    def submit(
        self,
        stage: Stage[In, Out],
        work: Sequence[In],
        spans: Sequence[Span],
        *,
        language: str | None = None,
        instead: Callable[[In], Out] | None = None,
    ) -> Pending[Out]:
        self.table.handed_over(stage.name, spans, language)
        return self.pool.submit(stage, work, spans, language=language, instead=instead)
