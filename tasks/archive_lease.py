"""Who works on an archive: one at a time, told by a lease beside the manifest that is renewed while they live.

In a folder it is a lock, which the system takes back from a process that dies. In a bucket it is an object that is
written under conditions. Its times are the holder's clock and are not trusted: a lease that looks old is watched, and
taken over only where nobody renews it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra import locations
from infra.files import no_space_told
from infra.locations import Location
from infra.objects.faults import Conflict
from infra.objects.reading import find, read_small
from infra.objects.uri import ObjectUri
from infra.objects.writing import ABSENT, delete, upload_bytes
from manifests.errors import BadInput, RedubError, Unavailable

LASTS_S = 90.0
"""A lease that was not renewed for so long may be taken over."""

_BEATS = 4  # in the time that a lease lasts: three may be lost
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Who holds a lease: `mark` tells two of one name apart, `renewed` is when they were last heard (ISO 8601)."""

    holder: str
    mark: str
    since: str
    renewed: str


class Lease:
    """A lease that is held. `lost` is set where another took it, which happens only after a long silence."""

    def __init__(self) -> None:
        self.lost = threading.Event()

    def require(self) -> None:
        """Unavailable where it was lost: whoever holds it now writes the manifest."""
        if self.lost.is_set():
            raise Unavailable("another run took over this archive while this one could not be heard; it goes on there")


def holder_name() -> str:
    """Who this process is, for those who find the archive taken."""
    return f"process {os.getpid()} on {socket.gethostname()}"


@contextmanager
def leased(manifest: Location, holder: str, *, lasts_s: float = LASTS_S) -> Iterator[Lease]:
    """Hold the archive of `manifest` as `holder`. BadInput, which says who has it, where another does; Unavailable."""
    if isinstance(manifest, Path):
        with _locked(_beside(manifest), holder):
            yield Lease()
        return
    with _written(_beside(manifest), holder, lasts_s) as lease:
        yield lease


def holder_of(manifest: Location, *, lasts_s: float = LASTS_S) -> Holding | None:
    """Who works on the archive now, as far as one can tell; None where nobody does. BadInput, Unavailable."""
    place = _beside(manifest)
    if isinstance(place, ObjectUri):
        found = read_small(place)
        holding = None if found is None else _read(found[0])
        return holding if holding is not None and _fresh(holding, lasts_s) else None
    try:
        with place.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(file.read())
    except OSError:
        return None
    return None


def _beside(manifest: Location) -> Location:
    return locations.join(locations.parent(manifest), f".redub-{locations.name(manifest)}.lease")


def _holding(holder: str, since: str | None = None, mark: str | None = None) -> Holding:
    now = datetime.now(UTC).isoformat()
    return Holding(holder=holder, mark=mark or uuid.uuid4().hex, since=since or now, renewed=now)


def _text(holding: Holding) -> bytes:
    return json.dumps(asdict(holding)).encode()


def _read(content: bytes) -> Holding | None:
    try:
        return Holding(**{name: str(value) for name, value in json.loads(content).items()})
    except (ValueError, TypeError, AttributeError):
        return None


def _fresh(holding: Holding, lasts_s: float) -> bool:
    try:
        age_s = (datetime.now(UTC) - datetime.fromisoformat(holding.renewed)).total_seconds()
    except (ValueError, TypeError):
        return False
    return -lasts_s < age_s < lasts_s


def _refusal(manifest: Location, holding: Holding | None) -> BadInput:
    who = "another run" if holding is None else f"{holding.holder} (since {holding.since})"
    remedy = "wait until that ends; see redub archive status"
    return BadInput(f"{who} is working on this archive;", where=str(manifest), remedy=remedy)


@contextmanager
def _locked(place: Location, holder: str) -> Iterator[None]:
    file = Path(str(place))
    with no_space_told(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _refusal(place, _read(os.pread(descriptor, 4096, 0))) from error
        except OSError as error:
            remedy = "put the manifest on a disk of this machine or in a bucket (--manifest)"
            raise BadInput("this file system keeps no locks;", where=str(file.parent), remedy=remedy) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _text(_holding(holder)), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _written(place: Location, holder: str, lasts_s: float) -> Iterator[Lease]:
    if not isinstance(place, ObjectUri):
        raise TypeError(place)
    holding = _holding(holder)
    etag = _acquired(place, holding, lasts_s)
    lease, stop = Lease(), threading.Event()

    def renew() -> None:
        nonlocal etag, holding
        while not stop.wait(lasts_s / _BEATS):
            holding = _holding(holder, holding.since, holding.mark)
            try:
                etag = upload_bytes(_text(holding), place, only_if=etag, content_type="application/json").etag
            except Conflict:
                lease.lost.set()
                return
            except RedubError as error:
                # A store that is away for all is no reason to stop: whoever would take the lease cannot either.
                _LOG.warning("the lease of the archive could not be renewed: %s", error)

    beating = threading.Thread(target=renew, name="archive-lease", daemon=True)
    beating.start()
    try:
        yield lease
    finally:
        stop.set()
        beating.join(timeout=lasts_s)
        with suppress(RedubError):
            standing = find(place)
            if not lease.lost.is_set() and standing is not None and standing.etag == etag:
                delete(place)


def _acquired(place: ObjectUri, holding: Holding, lasts_s: float) -> str:
    """The ETag of the lease that was written. BadInput where another has it."""
    found = read_small(place)
    condition = ABSENT
    if found is not None:
        other = _read(found[0])
        if other is not None and _fresh(other, lasts_s):
            raise _refusal(place, other)
        time.sleep(1.5 * lasts_s / _BEATS)  # time enough for a holder whose clock is wrong to show that it lives
        again = find(place)
        if again is not None and again.etag != found[1].etag:
            raise _refusal(place, other)
        condition = ABSENT if again is None else again.etag
    try:
        return upload_bytes(_text(holding), place, only_if=condition, content_type="application/json").etag
    except Conflict as error:
        now = read_small(place)
        raise _refusal(place, None if now is None else _read(now[0])) from error
