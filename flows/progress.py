"""A run's page while it runs: a bar that moves, and a table of the chunks with their states and times.

A thread of its own tells the server, every few seconds and only what has changed, so that no work waits for it and a
server that is away costs nothing but the bar.
"""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runtime import flow_run

from tasks.chunk_table import SHARED, ChunkTable, Row
from tasks.progress import Meter, Standing
from tasks.stage_names import said

BAR = "progress"
_LOOK_EVERY_S = 2.0
_TABLES_EVERY_S = 15.0
_LEAST_STEP = 0.005
_LAST_WORD_S = 30.0
_MOST_NAMED = 3
_LOST = (httpx.HTTPError, PrefectHTTPStatusError)
_LOG = logging.getLogger(__name__)


@contextmanager
def shown_on_page(title: str, meter: Meter, table: ChunkTable) -> Iterator[None]:
    """Show on the page of the flow run that this is called in how far it is, until it ends, and then how it ended."""
    page = _Page(UUID(flow_run.get_id()), title, meter, table)
    # Prefect's settings travel in the context, which a thread does not inherit by itself.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(page.keep,), name="progress", daemon=True)
    thread.start()
    try:
        yield
        meter.finished()
    finally:
        page.ended.set()
        thread.join(_LAST_WORD_S)


@dataclass(slots=True)
class _Page:
    run: UUID
    title: str
    meter: Meter
    table: ChunkTable
    ended: threading.Event = field(default_factory=threading.Event)
    _artifacts: dict[str, UUID] = field(default_factory=dict)
    _told: dict[str, object] = field(default_factory=dict)
    _tables_s: float = field(default_factory=time.monotonic)

    def keep(self) -> None:
        """Tell the server until the run has ended; then once more."""
        while not self._kept():
            if self.ended.wait(_LOOK_EVERY_S):
                return

    def _kept(self) -> bool:
        """Whether all was told; False where the server was lost on the way."""
        try:
            with get_client(sync_client=True) as client:
                if not self._artifacts:
                    # A run that is started again goes on with the bar that it had.
                    self._find(client)
                ending = False
                while True:
                    self._tell(client, ended=ending)
                    if ending:
                        return True
                    ending = self.ended.wait(_LOOK_EVERY_S)
        except _LOST:
            _LOG.debug("the page was not told", exc_info=True)
            return False

    def _find(self, client: SyncPrefectClient) -> None:
        mine = FlowRunFilter(id=FlowRunFilterId(any_=[self.run]))
        for each in client.read_artifacts(flow_run_filter=mine):
            if each.key is not None:
                self._artifacts[each.key] = each.id

    def _tell(self, client: SyncPrefectClient, *, ended: bool) -> None:
        standing = self.meter.standing()
        # What changes comes first: the page cuts descriptions short.
        words = f"{_said(standing, ended=ended)} ({self.title})"
        # The share is told in steps, the words as they change: what is worked on, and minutes.
        step = round(standing.share / _LEAST_STEP)
        if self._told.get(BAR) != (step, words):
            self._put(client, BAR, "progress", round(100.0 * standing.share, 1), words)
            self._told[BAR] = (step, words)
        if ended or time.monotonic() - self._tables_s > _TABLES_EVERY_S:
            self._tables_s = time.monotonic()
            for language, rows in self.table.tables(ended=ended).items():
                self._put_table(client, language, rows)

    def _put_table(self, client: SyncPrefectClient, language: str, rows: list[Row]) -> None:
        key = f"chunks-{language}" if language != SHARED else "chunks"
        text = json.dumps(rows)
        if self._told.get(key) != text:
            about = f"The dub into {language}" if language != SHARED else "What all languages share"
            self._put(client, key, "table", text, f"{about}, chunk by chunk ({self.title})")
            self._told[key] = text

    def _put(self, client: SyncPrefectClient, key: str, kind: str, data: Any, description: str) -> None:
        known = self._artifacts.get(key)
        if known is not None:
            client.update_artifact(known, ArtifactUpdate(data=data, description=description))
            return
        made = ArtifactCreate(key=key, type=kind, data=data, description=description, flow_run_id=self.run)
        self._artifacts[key] = client.create_artifact(made).id


def _said(standing: Standing, *, ended: bool) -> str:
    percent = f"{100.0 * standing.share:.0f} %"
    if ended:
        return "done" if standing.share >= 1.0 else f"ended at {percent}"
    stages = [said(stage, language) for stage, language in standing.working]
    parts = [percent, ", ".join(stages[:_MOST_NAMED])]
    if standing.left_s is not None:
        minutes = round(standing.left_s / 60.0)
        parts.append("under a minute left" if minutes < 1 else f"about {minutes} min left")
    return ", ".join(part for part in parts if part)


def tag_run(*tags: str) -> None:
    """Add `tags` to the flow run that this is called in, beside those that it has.

    On the run alone: tasks would inherit a tag of the context, and then ask for a slot of each before they start.
    """
    known = flow_run.tags or []
    wanted = [*known, *(each for each in dict.fromkeys(tags) if each and each not in known)]
    if wanted == list(known):
        return
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run(UUID(flow_run.get_id()), tags=wanted)
    except _LOST:
        _LOG.warning("the run's tags were not taken", exc_info=True)
