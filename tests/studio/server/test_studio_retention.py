"""What goes by itself, and what stays."""

from __future__ import annotations

import time
from pathlib import Path

from studio_client import project

from studio.projects import Projects
from studio.retention import Retention
from studio.settings import Limits

DAY_S = 86_400


def test_untouched_projects_go_and_what_waits_for_somebody_stays(tmp_path: Path) -> None:
    projects = Projects(tmp_path)
    states = ("new", "queued", "running", "review", "done", "failed", "cancelled")
    made = {state: project(projects, "quick", state=state) for state in states}
    sweep = Retention(projects, Limits(retention_days=30))
    assert sweep.sweep(time.time() + 29 * DAY_S) == (0, 0)
    projects.change(made["done"].id)
    assert sweep.sweep(time.time() + 31 * DAY_S) == (4, 0)
    assert {each.state for each in projects.all()} == {"queued", "running", "review"}
    assert len(list(tmp_path.rglob("project.json"))) == 3
    assert not list(tmp_path.rglob(".gone-*"))
