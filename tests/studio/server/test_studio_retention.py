"""What goes by itself, and what stays."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from studio_client import made, project, settings

DAY_S = 86_400


def test_untouched_projects_go_and_what_is_in_its_turn_stays(tmp_path: Path) -> None:
    found = made(settings(tmp_path, retention_days=30))
    projects, sweep = found.projects, found.retention
    states = ("new", "queued", "running", "review", "done", "failed", "cancelled")
    of = {state: project(projects, "quick", state=state) for state in states}
    assert asyncio.run(sweep.sweep(time.time() + 29 * DAY_S)) == (0, 0)
    projects.change(of["queued"].id)
    assert asyncio.run(sweep.sweep(time.time() + 31 * DAY_S)) == (5, 0)
    assert {each.state for each in projects.all()} == {"queued", "running"}
    assert len(list(tmp_path.rglob("project.json"))) == 2
    assert not list(tmp_path.rglob(".gone-*"))


def test_a_project_that_somebody_looks_at_stays(tmp_path: Path) -> None:
    found = made(settings(tmp_path, retention_days=30))
    looked_at = project(found.projects, "quick", state="done")
    found.projects.change(looked_at.id, touch=False, touched_s=time.time() - 29 * DAY_S)
    found.projects.touch(looked_at.id)
    assert asyncio.run(found.retention.sweep(time.time() + 2 * DAY_S)) == (0, 0)
