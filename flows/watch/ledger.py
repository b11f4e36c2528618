"""What the receiver knows, on disk: what it was told of, which content of each object it has seen, what came of it.

A time cannot be the cursor: an object that was uploaded in parts bears the time at which its upload began, so a lecture
may appear an hour in the past. So every object's ETag is remembered; a poll compares. SQLite, each change whole or not.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flows.watch.uploads import Upload, event_id
from infra.files import no_space_told
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput, NoSpace, Unavailable

_MOST_WAITING = 1_000_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (
    bucket TEXT, key TEXT, since REAL, due REAL, tries INTEGER, arrived INTEGER, PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT, key TEXT, etag TEXT, version TEXT, size INTEGER,
    state TEXT, event TEXT, since REAL, due REAL, tries INTEGER, posted REAL, PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listed (place TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS heard_due ON heard (due);
CREATE INDEX IF NOT EXISTS objects_due ON objects (due) WHERE due IS NOT NULL;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An object that was told of and has not been looked at. `arrived`: how often, so that a later word is not lost."""

    uri: ObjectUri
    tries: int
    arrived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An upload whose event is to be posted, or was `posted_s` (Unix) and has started no run yet."""

    upload: Upload
    event: uuid.UUID
    since_s: float
    posted_s: float | None
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Uploads without an event yet, since when the oldest of them waits (Unix, s), events without a run yet."""

    waiting: int
    oldest_s: float | None
    unanswered: int


class Ledger:
    """The records in `folder`, made where they are missing; safe to use from several threads, for one process alone.

    BadInput where another process holds it, NoSpace where it cannot be written. All times are Unix, in seconds.
    """

    def __init__(self, folder: Path) -> None:
        with no_space_told(folder), ExitStack() as stack:
            folder.mkdir(parents=True, exist_ok=True)
            self._alone = stack.enter_context(_held(folder / "lock"))
            self._db = stack.enter_context(closing(_opened(folder / "uploads.db")))
            self._stack = stack.pop_all()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._stack.close()

    def hear(self, objects: Iterable[ObjectUri], now_s: float) -> None:
        """Something was written at these places. Unavailable where too much waits already."""
        with self._lock, _written(self._db):
            (waiting,) = self._db.execute("SELECT count(*) FROM heard").fetchone()
            if waiting > _MOST_WAITING:
                raise Unavailable("more uploads wait than can be kept; is the store or the Prefect server away?")
            self._db.executemany(
                "INSERT INTO heard VALUES (?, ?, ?, ?, 0, 1)"
                " ON CONFLICT DO UPDATE SET arrived = arrived + 1, due = min(due, excluded.due)",
                [(each.bucket, each.key, now_s, now_s) for each in objects],
            )

    def next_told(self, now_s: float) -> Told | None:
        """The object to look at next, None where none is due."""
        with self._lock:
            row = self._db.execute(
                "SELECT bucket, key, tries, arrived FROM heard WHERE due <= ? ORDER BY due LIMIT 1", (now_s,)
            ).fetchone()
        return None if row is None else Told(uri=ObjectUri(row[0], row[1]), tries=row[2], arrived=row[3])

    def look_later(self, told: Told, due_s: float) -> None:
        """It could not be looked at now."""
        with self._lock, _written(self._db):
            self._db.execute(
                "UPDATE heard SET due = ?, tries = tries + 1 WHERE bucket = ? AND key = ?",
                (due_s, told.uri.bucket, told.uri.key),
            )

    def gone(self, told: Told) -> None:
        """Nothing lies there any more."""
        with self._lock, _written(self._db):
            self._looked_at(told)

    def found(self, told: Told, upload: Upload, *, wanted: bool, now_s: float) -> bool:
        """What lies there: `wanted` where it should be dubbed. Whether it is news; then its event is due."""
        with self._lock, _written(self._db):
            self._looked_at(told)
            uri = upload.uri
            row = self._db.execute(
                "SELECT etag, state FROM objects WHERE bucket = ? AND key = ?", (uri.bucket, uri.key)
            ).fetchone()
            if row is not None and row[0] == upload.etag and row[1] != "noted":
                return False
            if not wanted:
                self._write(upload, state="passed", now_s=now_s)
                return False
            turn = 0
            while self._db.execute(
                "SELECT 1 FROM events WHERE id = ?", (str(event_id(uri, upload.etag, turn)),)
            ).fetchone():
                turn += 1
            identity = event_id(uri, upload.etag, turn)
            self._write(upload, state="due", event=identity, now_s=now_s)
            return True

    def knows(self, uri: ObjectUri, etag: str) -> bool:
        """Whether this content of the object was seen before, whatever came of it."""
        with self._lock:
            row = self._db.execute(
                "SELECT 1 FROM objects WHERE bucket = ? AND key = ? AND etag = ?", (uri.bucket, uri.key, etag)
            ).fetchone()
        return row is not None

    def note(self, uploads: Iterable[Upload], now_s: float) -> None:
        """These were there before: no event, unless someone tells of them after all."""
        with self._lock, _written(self._db):
            self._db.executemany(
                "INSERT OR IGNORE INTO objects VALUES (?, ?, ?, ?, ?, 'noted', NULL, ?, NULL, 0, NULL)",
                [(each.uri.bucket, each.uri.key, each.etag, each.version, each.size_bytes, now_s) for each in uploads],
            )

    def was_listed(self, place: ObjectUri) -> bool:
        """Whether all that lay at `place` at first is noted."""
        with self._lock:
            return self._db.execute("SELECT 1 FROM listed WHERE place = ?", (str(place),)).fetchone() is not None

    def listed(self, place: ObjectUri) -> None:
        """All that lies at `place` is noted: what comes from now on is new."""
        with self._lock, _written(self._db):
            self._db.execute("INSERT OR IGNORE INTO listed VALUES (?)", (str(place),))

    def next_task(self, now_s: float) -> Task | None:
        """The upload whose event is to be posted, or asked after, next; None where none is due."""
        with self._lock:
            row = self._db.execute(
                "SELECT bucket, key, etag, version, size, event, since, posted, tries FROM objects"
                " WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT 1",
                (now_s,),
            ).fetchone()
        if row is None:
            return None
        upload = Upload(uri=ObjectUri(row[0], row[1]), etag=row[2], version=row[3], size_bytes=row[4])
        return Task(upload=upload, event=uuid.UUID(row[5]), since_s=row[6], posted_s=row[7], tries=row[8])

    def posted(self, task: Task, now_s: float, due_s: float) -> None:
        """Its event was sent; to be asked after at `due_s`."""
        with self._lock, _written(self._db):
            self._db.execute("INSERT OR IGNORE INTO events VALUES (?)", (str(task.event),))
            self._set(task, "state = 'posted', posted = coalesce(posted, ?), due = ?, tries = 0", now_s, due_s)

    def later(self, task: Task, due_s: float) -> None:
        """Nothing came of it yet; again at `due_s`."""
        with self._lock, _written(self._db):
            self._set(task, "due = ?, tries = tries + 1", due_s)

    def done(self, task: Task, *, answered: bool) -> None:
        """It started a run (`answered`), or is given up."""
        with self._lock, _written(self._db):
            self._set(task, "state = ?, due = NULL", "answered" if answered else "given up")

    def standing(self) -> Standing:
        """What waits."""
        with self._lock:
            heard, since_heard = self._db.execute("SELECT count(*), min(since) FROM heard").fetchone()
            due, since_due, unanswered = self._db.execute(
                "SELECT count(*) FILTER (WHERE posted IS NULL), min(since) FILTER (WHERE posted IS NULL),"
                " count(*) FILTER (WHERE posted IS NOT NULL) FROM objects WHERE due IS NOT NULL"
            ).fetchone()
        oldest = min((each for each in (since_heard, since_due) if each is not None), default=None)
        return Standing(waiting=heard + due, oldest_s=oldest, unanswered=unanswered)

    def _looked_at(self, told: Told) -> None:
        self._db.execute(
            "DELETE FROM heard WHERE bucket = ? AND key = ? AND arrived = ?",
            (told.uri.bucket, told.uri.key, told.arrived),
        )

    def _write(self, upload: Upload, *, state: str, now_s: float, event: uuid.UUID | None = None) -> None:
        identity, due = (None, None) if event is None else (str(event), now_s)
        uri = upload.uri
        self._db.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL)",
            (uri.bucket, uri.key, upload.etag, upload.version, upload.size_bytes, state, identity, now_s, due),
        )

    def _set(self, task: Task, change: str, *values: float | str) -> None:
        """Of this upload alone: where another content has come meanwhile, nothing changes."""
        uri = task.upload.uri
        self._db.execute(
            f"UPDATE objects SET {change} WHERE bucket = ? AND key = ? AND event = ?",  # noqa: S608 (no input in it)
            (*values, uri.bucket, uri.key, str(task.event)),
        )


def _held(path: Path) -> IO[bytes]:
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        remedy = "end it first, or choose another folder with --state"
        raise BadInput("another receiver keeps its records there;", where=str(path.parent), remedy=remedy) from None
    return lock


def _opened(path: Path) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(_SCHEMA)
    except sqlite3.DatabaseError as error:
        remedy = "move it away: the receiver then starts anew, and what is there already is not dubbed"
        raise BadInput(f"the records cannot be read ({error});", where=str(path), remedy=remedy) from error
    return database


@contextmanager
def _written(database: sqlite3.Connection) -> Iterator[None]:
    """A transaction. NoSpace where the disk takes no more."""
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("COMMIT")
    except BaseException as error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError):
            raise NoSpace(f"the receiver's records cannot be written ({error})") from error
        raise
