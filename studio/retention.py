"""What goes by itself: projects that nobody touched for a while, and uploads that became none."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from studio.projects import Projects
from studio.records import ACTIVE
from studio.settings import Limits
from studio.uploads import Uploads

_LOG = logging.getLogger(__name__)
EVERY_S = 3600.0
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    """Sweeps once an hour. What is at work or waits, for its turn or for a person, stays."""

    projects: Projects
    limits: Limits

    def sweep(self, now_s: float | None = None) -> tuple[int, int]:
        """Remove what is due at `now_s` (Unix, s): how many projects, and how many uploads. From a thread."""
        now = time.time() if now_s is None else now_s
        due = [
            each
            for each in self.projects.all()
            if each.state not in ACTIVE and now - each.touched_s > self.limits.retention_days * _DAY_S
        ]
        for each in due:
            _LOG.info("%s of %s was not touched for %d days and goes", each.id, each.owner, self.limits.retention_days)
            self.projects.remove(each.id)
        owners = [folder for folder in self.projects.folder.glob("*") if folder.is_dir()]
        uploads = sum(Uploads(owner / "uploads", self.limits).sweep(now) for owner in owners)
        return len(due), uploads
