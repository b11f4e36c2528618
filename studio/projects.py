"""The projects of all owners: in memory, and on disk as they are, each file written whole.

One server holds them. A project that was running when a server died is found in that state, and is run again.
"""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from infra.files import published
from studio.answers import Refused, not_there
from studio.records import Project
from studio.sessions import owner_folder

_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[0-9a-f]{20}")
_FILE = "project.json"
_ADAPTER: TypeAdapter[Project] = TypeAdapter(Project)


@dataclass(slots=True)
class Projects:
    """The projects below `folder`. Methods write files: to be called from threads, from several at once."""

    folder: Path
    _known: dict[str, Project] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def load(self) -> None:
        """Take up what lies on disk; what cannot be read stays there, and the log says so."""
        for file in sorted(self.folder.glob(f"*/projects/*/{_FILE}")):
            try:
                project = read_project(file.parent)
            except (OSError, ValidationError) as error:
                _LOG.error("%s cannot be read and is left alone: %s", file, error)
                continue
            if file.parent == self.place(project):
                self._known[project.id] = project

    def all(self) -> list[Project]:
        """All of everybody's, the oldest first."""
        with self._lock:
            return sorted(self._known.values(), key=lambda each: (each.created_s, each.id))

    def of(self, owner: str) -> list[Project]:
        """Those of `owner`, the newest first."""
        return [each for each in reversed(self.all()) if each.owner == owner]

    def get(self, owner: str, id_: str) -> Project:
        """A project of `owner`'s. Refused (404) where there is none, or it is another's."""
        with self._lock:
            found = self._known.get(id_) if _ID.fullmatch(id_) else None
        if found is None or found.owner != owner:
            raise not_there()
        return found

    def now(self, id_: str) -> Project | None:
        """The project of that id as it is now, None where it is gone."""
        with self._lock:
            return self._known.get(id_)

    def add(self, make: Callable[[str, float], Project], fill: Callable[[Path], None]) -> Project:
        """A new project: `make` is given its id and the time, `fill` its folder to put files into. All, or nothing."""
        project = make(new_id(), time.time())
        folder = self.place(project)
        folder.mkdir(parents=True, mode=0o700)
        try:
            fill(folder)
            self._save(project)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock:
            self._known[project.id] = project
        return project

    def change(self, id_: str, *, only_in: frozenset[str] | None = None, touch: bool = True, **values: Any) -> Project:
        """Set these values of a project. Refused where it is gone (404), or in none of the states `only_in` (409)."""
        with self._lock:
            project = self._known.get(id_)
            if project is None:
                raise not_there()
            if only_in is not None and project.state not in only_in:
                raise Refused(409, f"the project is {_WORDS[project.state]}", "look at how it stands now")
            stamped: dict[str, Any] = {"touched_s": time.time()} if touch else {}
            changed = replace(project, **stamped | values)
            self._save(changed)
            self._known[id_] = changed
            return changed

    def touch(self, id_: str) -> None:
        """Somebody looked at it: it stays for a while longer. Written once an hour at most."""
        project = self.now(id_)
        if project is not None and time.time() - project.touched_s > 3600:
            self.change(id_)

    def remove(self, id_: str) -> None:
        """A project goes, with all its files: its folder under another name first, so that no half of it is found."""
        with self._lock:
            project = self._known.pop(id_, None)
        if project is None:
            return
        folder = self.place(project)
        gone = folder.with_name(f".gone-{folder.name}")
        try:
            folder.rename(gone)
        except OSError:
            gone = folder
        shutil.rmtree(gone, ignore_errors=True)

    def place(self, project: Project) -> Path:
        """The project's folder."""
        return self.folder / owner_folder(project.owner) / "projects" / project.id

    def _save(self, project: Project) -> None:
        with published(self.place(project) / _FILE) as draft:
            draft.write_bytes(_ADAPTER.dump_json(project, indent=1))


def read_project(folder: Path) -> Project:
    """The project in `folder`; OSError or ValidationError where there is none."""
    return _ADAPTER.validate_json((folder / _FILE).read_bytes())


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(10)


_WORDS = {
    "new": "not started yet",
    "queued": "waiting for its turn",
    "running": "at work",
    "review": "waiting for your review",
    "done": "done",
    "failed": "at a halt",
    "cancelled": "cancelled",
}
