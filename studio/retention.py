"""What goes by itself: projects that nobody touched for a while, and uploads that became none."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from studio.projects import Projects
from studio.queue import Queue
from studio.records import Project
from studio.settings import Limits
from studio.uploads import Uploads

_LOG = logging.getLogger(__name__)
EVERY_S = 3600.0
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    """What is due. Whatever is at work or waits for its turn stays, what waits for a person goes."""

    projects: Projects
    queue: Queue
    limits: Limits

    def due(self, now_s: float) -> list[Project]:
        """The projects that are due at `now_s` (Unix, s)."""
        kept_s = self.limits.retention_days * _DAY_S
        return [
            each
            for each in self.projects.all()
            if each.state not in ("queued", "running") and now_s - each.touched_s > kept_s
        ]

    async def sweep(self, now_s: float | None = None) -> tuple[int, int]:
        """Remove what is due: how many projects, whose runs end first, and how many uploads."""
        now = time.time() if now_s is None else now_s
        due = self.due(now)
        for each in due:
            _LOG.info("%s of %s was not touched for %d days and goes", each.id, each.owner, self.limits.retention_days)
            await self.queue.forget(each)
            await run_in_threadpool(self.projects.remove, each.id)
        return len(due), await run_in_threadpool(self._sweep_uploads, now)

    def _sweep_uploads(self, now_s: float) -> int:
        owners = [folder for folder in self.projects.folder.glob("*") if folder.is_dir()]
        return sum(Uploads(owner / "uploads", self.limits).sweep(now_s) for owner in owners)
