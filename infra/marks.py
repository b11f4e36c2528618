"""Marks of work that was begun: one that is found without its process living says that the process died at that work.

A mark lies in the store's folder and, where the store has a second home, there too: another machine may take a run up.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from infra.files import published
from infra.objects.faults import Conflict
from infra.objects.reading import read_small
from infra.objects.uri import ObjectUri
from infra.objects.writing import ABSENT, delete, upload_bytes
from infra.store import Store
from manifests.errors import RedubError


@contextmanager
def begun(store: Store, stage: str, key: str) -> Iterator[bool]:
    """Mark this work as begun for as long as this lasts; gives whether a process died at it before.

    A process of another machine cannot be seen: a mark of one that lives counts too.
    Raises what the second home raises; NoSpace.
    """
    here, there = _here(store, stage, key), _there(store, stage, key)
    own = json.dumps({"host": socket.gethostname(), "process": _this_process()})
    died = _died(_read(here))
    with published(here) as draft:
        draft.write_text(own, encoding="utf-8")
    if there is not None:
        died = _marked(there, own) or died
    try:
        yield died
    finally:
        here.unlink(missing_ok=True)
        if there is not None:
            with suppress(RedubError):  # a mark that stays costs a later run some time, no more
                delete(there)


def _here(store: Store, stage: str, key: str) -> Path:
    return store.root / "begun" / stage / f"{key}.json"


def _there(store: Store, stage: str, key: str) -> ObjectUri | None:
    return None if store.remote is None else store.remote.root.child("begun", stage, f"{key}.json")


def _marked(there: ObjectUri, own: str) -> bool:
    """Whether someone who died had marked it; the mark is `own` then."""
    try:
        upload_bytes(own.encode(), there, only_if=ABSENT, content_type="application/json")
    except Conflict:
        found = read_small(there)
        upload_bytes(own.encode(), there, content_type="application/json")
        return found is not None and _died(found[0].decode(errors="replace"))
    return False


def _read(here: Path) -> str | None:
    try:
        return here.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _died(mark: str | None) -> bool:
    if mark is None:
        return False
    try:
        told = json.loads(mark)
        host, process = str(told["host"]), str(told["process"])
    except (ValueError, TypeError, KeyError):
        return True
    return host != socket.gethostname() or not _lives(process)


def _this_process() -> str:
    return _named(os.getpid())  # not kept itself: a process may be a fork of the one that asked first


@cache
def _named(number: int) -> str:
    return f"{number} {_since(str(number))}"


def _lives(process: str) -> bool:
    number, _, since = process.partition(" ")
    return number.isdigit() and bool(since) and _since(number) == since


def _since(number: str) -> str:
    """When a process began, in ticks since the machine did: numbers are given again, such pairs are not."""
    try:
        told = Path("/proc", number, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[19]
