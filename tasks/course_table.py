"""The table of a course, here or in a bucket, for lectures that run at one time on any number of machines.

In a folder they take turns under a lock, and look again afterwards for file systems that know no locks. In a bucket the
table is replaced only where it still is what was read; whoever comes second reads it again.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra import locations
from infra.files import published
from infra.locations import Location, SourceVersion
from infra.objects.faults import Conflict, Missing
from manifests.errors import BadInput, Unavailable
from manifests.records import CourseVoice
from manifests.tables import read_table, write_table

COURSE_FILE = "course.parquet"
_ATTEMPTS = 20
_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0

Rows = tuple[CourseVoice, ...]


def read_course(place: Location) -> Rows:
    """The rows of a course; none where there is no such file yet.

    BadInput, which names it, for any other file; Unavailable where a store does not answer.
    """
    return _read(place)[0]


def change_course(place: Location, change: Callable[[Rows], Rows]) -> None:
    """Give the course at `place` the rows that `change` makes of those it has; nobody else's are lost.

    `change` may be asked more than once, of what others left meanwhile. What it raises leaves the table as it was.
    BadInput for a damaged table, NoSpace where it cannot be written, Unavailable where others write it again and again.
    """
    for attempt in range(_ATTEMPTS):
        if _changed_here(place, change) if isinstance(place, Path) else _changed_there(place, change):
            return
        longest_s = min(_LONGEST_PAUSE_S, _PAUSE_S * 2**attempt)
        time.sleep(random.uniform(longest_s / 4, longest_s))  # noqa: S311
    raise Unavailable(f"{place}: other lectures of the course keep overwriting it; run this one again")


def _changed_here(place: Path, change: Callable[[Rows], Rows]) -> bool:
    with _alone(place.parent):
        rows = read_course(place)
        changed = change(rows)
        if changed == rows:
            return True
        with published(place) as draft:
            write_table(changed, CourseVoice, draft)
    return set(changed) - set(rows) <= set(read_course(place))


def _changed_there(place: Location, change: Callable[[Rows], Rows]) -> bool:
    rows, version = _read(place)
    changed = change(rows)
    if changed == rows:
        return True
    with tempfile.TemporaryDirectory(prefix="redub-") as name:
        draft = Path(name) / COURSE_FILE
        write_table(changed, CourseVoice, draft)
        try:
            locations.publish(draft, place, replace=False, only_if=version)
        except Conflict:
            return False
    return True


def _read(place: Location) -> tuple[Rows, SourceVersion | None]:
    """The rows, and which version of the table holds them; None where there is no table."""
    if not locations.exists(place):
        return (), None
    with tempfile.TemporaryDirectory(prefix="redub-") as name:
        try:
            found = locations.fetched(place, Path(name))
            return tuple(read_table(CourseVoice, found.path)), found.version
        except (FileNotFoundError, Missing):
            return (), None
        except (ValueError, OSError, LookupError, TypeError) as error:
            raise BadInput(
                f"is no table of a course's voices ({str(error).splitlines()[0] if str(error) else error!r});",
                where=str(place),
                remedy="move it away to start the course's voices anew, or name another.",
            ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else is in here for the same folder, in this process or another; where there are no locks, maybe."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems do not lock folders
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
