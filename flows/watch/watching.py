"""The receiver as a whole: HTTP, a queue and a poller fill the ledger; one worker empties it into the Prefect server.

Whatever is away, the store, the server or the queue: what was told of waits in the ledger, and nothing is asked twice.
"""

from __future__ import annotations

import logging
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from flows.watch.counts import Counts
from flows.watch.events import Events, PrefectEvents
from flows.watch.ledger import Ledger, Task, Told
from flows.watch.notices import MalformedNotice, heard_in
from flows.watch.receiver import Limits, application, take
from flows.watch.scope import Scope, manifests_beside
from flows.watch.serving import listener, server
from flows.watch.uploads import Upload
from infra.objects.reading import ObjectVersion, find, list_below
from infra.queues import Queue, QueueMessage
from manifests.errors import BadInput, NoSpace, RedubError

_LOG = logging.getLogger(__name__)
_QUEUE_WAIT_S = 20
_IDLE_S = 2.0
_LONGEST_WAIT_S = 600.0
_NOTED_AT_ONCE = 1000
_MOST_LOOKS = 30  # some four hours; where the store may not say that nothing is there, it says "denied"
_ASK_AFTER_S = (15.0, 45.0, 60.0, 300.0, 2100.0)
_ASK_EVERY_S = 3600.0
_ASKED_FIRST = 1
_GIVE_UP_S = 7 * 24 * 3600.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPlan:
    """What is watched and how. `poll_s` 0: the store is never listed. `existing`: dub what lies there already, too."""

    scope: Scope
    folder: Path
    secrets: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8787
    poll_s: float = 60.0
    queue: str | None = None
    existing: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.scope.places:
            remedy = "name s3://BUCKET/PREFIX, or set REDUB_BUCKET"
            raise BadInput("no bucket is named to watch;", remedy=remedy)
        if self.host not in _LOOPBACK and not self.secrets:
            remedy = "set REDUB_WATCH_SECRET, or leave --host out"
            raise BadInput("others than this machine would reach a receiver without a secret;", remedy=remedy)
        if not (self.poll_s or self.queue or self.secrets):
            remedy = "give --poll, --queue, or REDUB_WATCH_SECRET"
            raise BadInput("nothing would ever be heard;", remedy=remedy)


def note_uploads(scope: Scope, ledger: Ledger, counts: Counts, *, existing: bool, stop: threading.Event) -> int:
    """List every place once; what is new there is put into the ledger to be looked at, and counted.

    A place that was never listed: what lies there is noted and left alone, unless `existing`. BadInput, Unavailable.
    """
    found = 0
    for place in scope.places:
        fresh = existing or ledger.was_listed(place)
        batch: list[ObjectVersion] = []
        for version in list_below(place):
            if stop.is_set():
                return found
            wanted = scope.refusal(version.uri) is None and version.size_bytes > 0
            if wanted and not ledger.knows(version.uri, version.etag):
                batch.append(version)
            if len(batch) == _NOTED_AT_ONCE:
                found += _put(batch, ledger, counts, fresh=fresh)
                batch = []
        found += _put(batch, ledger, counts, fresh=fresh)
        if not ledger.was_listed(place):
            ledger.listed(place)
    counts.polled(time.time())
    return found


def _put(batch: list[ObjectVersion], ledger: Ledger, counts: Counts, *, fresh: bool) -> int:
    now = time.time()
    if not fresh:
        ledger.note([_upload(each) for each in batch], now)
        return 0
    if batch:
        ledger.hear([each.uri for each in batch], now)
        counts.received("poll", len(batch))
    return len(batch)


def look(told: Told, ledger: Ledger, counts: Counts) -> None:
    """Ask the store what lies there now; where it is a lecture and news, its event is due. BadInput, Unavailable."""
    version = find(told.uri)
    if version is None:
        ledger.gone(told)
        counts.refused("gone")
        return
    reason = "empty" if version.size_bytes == 0 else "output" if _is_ours(version) else None
    if ledger.found(told, _upload(version), wanted=reason is None, now_s=time.time()):
        return
    if reason is None:
        counts.duplicate()
    else:
        counts.refused(reason)


def _is_ours(version: ObjectVersion) -> bool:
    """Whether redub wrote it: it says so itself, or its manifests lie beside it (a dub that was copied there)."""
    if version.upload is not None or version.sha256 is not None:
        return True
    beside = manifests_beside(version.uri)
    return beside is not None and next(iter(list_below(beside, page_keys=1)), None) is not None


def _upload(version: ObjectVersion) -> Upload:
    return Upload(uri=version.uri, etag=version.etag, version=version.version_id, size_bytes=version.size_bytes)


def advance(task: Task, events: Events, ledger: Ledger, counts: Counts, now: float) -> None:
    """Post what is due; ask after what was posted; post again what the server has lost.

    `now` is Unix, in seconds. BadInput, Unavailable.
    """
    if task.posted_s is None:
        known = events.is_known(task.event)
        if not known:
            events.post(task.upload, task.event)
            counts.posted(again=False)
            _LOG.info("%s: uploaded, the event is posted", task.upload.uri)
        ledger.posted(task, now, now + _ASK_AFTER_S[0])
    elif events.is_answered(task.event) or (
        task.tries >= _ASKED_FIRST and events.has_run(task.upload.uri, task.posted_s)
    ):
        ledger.done(task, answered=True)
    elif now - task.posted_s > _GIVE_UP_S:
        _LOG.error("%s: no deployment has taken it for a week, it is given up", task.upload.uri)
        counts.refused("unanswered")
        ledger.done(task, answered=False)
    else:
        if task.tries >= _ASKED_FIRST:
            _LOG.warning(
                "%s: no run has started yet, the event is posted again; is dub-on-upload deployed?", task.upload.uri
            )
            events.post(task.upload, task.event)
            counts.posted(again=True)
        ledger.later(task, now + _ask_after_s(task.tries + 1))


def _ask_after_s(tries: int) -> float:
    return _ASK_AFTER_S[tries] if tries < len(_ASK_AFTER_S) else _ASK_EVERY_S


def _wait_s(tries: int) -> float:
    """How long to wait after so many failures: random below a limit that doubles."""
    return random.uniform(0.5, 1.0) * min(_LONGEST_WAIT_S, 2.0 ** min(tries, 16))  # noqa: S311 (no secret)


class Watch:
    """A running receiver: its threads, and the server that is to run in the thread of whoever calls `run`."""

    def __init__(
        self,
        plan: WatchPlan,
        *,
        connect: Callable[[], AbstractContextManager[Events]] = PrefectEvents,
        queue: Queue | None = None,
    ) -> None:
        self.plan, self.counts = plan, Counts()
        self._connect = connect
        self._queue = queue or (Queue(plan.queue) if plan.queue else None)
        self._stop, self._bell = threading.Event(), threading.Event()
        self._fault: BaseException | None = None
        self._stack = ExitStack()
        self.ledger = Ledger(plan.folder)
        self._stack.callback(self.ledger.close)
        try:
            self.socket: socket.socket = self._stack.enter_context(listener(plan.host, plan.port))
        except BaseException:
            self._stack.close()
            raise
        app = application(
            scope=plan.scope,
            secrets=plan.secrets,
            ledger=self.ledger,
            counts=self.counts,
            ready=self.ready,
            wake=self._bell.set,
            limits=plan.limits,
        )
        self._server = server(app, plan.limits)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.socket.getsockname()[1])

    def ready(self) -> bool:
        """Whether an upload from now on starts a run: what lay there before is told apart."""
        return not self.plan.poll_s or all(self.ledger.was_listed(place) for place in self.plan.scope.places)

    def stop(self) -> None:
        """End `run`, from any thread or a signal's handler."""
        self._stop.set()
        self._bell.set()
        self._server.should_exit = True

    def run(self) -> None:
        """Receive until `stop`. Raises what ended a thread: a supervisor starts the receiver again."""
        loops = [self._work, *([self._poll] if self.plan.poll_s else []), *([self._listen] if self._queue else [])]
        threads = [threading.Thread(target=self._guarded, args=(loop,), daemon=True) for loop in loops]
        try:
            for thread in threads:
                thread.start()
            self._server.run(sockets=[self.socket])
        finally:
            self.stop()
            for thread in threads:
                thread.join(timeout=_QUEUE_WAIT_S + 5)
            self._stack.close()
        if self._fault is not None:
            raise self._fault

    def _guarded(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except BaseException as fault:  # noqa: BLE001 (raised again by `run`)
            self._fault = fault
            self.stop()

    def _poll(self) -> None:
        failures = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                found = note_uploads(
                    self.plan.scope, self.ledger, self.counts, existing=self.plan.existing, stop=self._stop
                )
                failures = 0
            except RedubError as error:
                failures += 1
                self._trouble("store", error)
                self._stop.wait(min(_wait_s(failures), self.plan.poll_s))
                continue
            if found:
                self._bell.set()
            # A bucket that takes long to list is listed less often.
            self._stop.wait(max(self.plan.poll_s, 10 * (time.monotonic() - began)))

    def _listen(self) -> None:
        queue = self._queue
        failures = 0
        while queue is not None and not self._stop.is_set():
            try:
                for message in queue.receive(_QUEUE_WAIT_S):
                    if self._taken(message):
                        queue.done(message)
                failures = 0
            except RedubError as error:
                failures += 1
                self._trouble("queue", error)
                self._stop.wait(_wait_s(failures))

    def _taken(self, message: QueueMessage) -> bool:
        """Whether the message is dealt with. One that makes no sense stays: the queue's own rules put it aside."""
        try:
            if take(heard_in(message.body), self.plan.scope, self.ledger, self.counts, "queue"):
                self._bell.set()
        except MalformedNotice as error:
            self.counts.refused("malformed")
            _LOG.warning("a message in the queue makes no sense and is left there: %s", error)
            return False
        return True

    def _work(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._look_at_all()
                self._advance_all()
                failures = 0
            except RedubError as error:
                failures += 1
                self._trouble("state" if isinstance(error, NoSpace) else "server", error)
                self._stop.wait(min(30.0, _wait_s(failures)))
            self._bell.wait(_IDLE_S)
            self._bell.clear()

    def _look_at_all(self) -> None:
        while not self._stop.is_set() and (told := self.ledger.next_told(time.time())) is not None:
            try:
                look(told, self.ledger, self.counts)
            except RedubError as error:
                # One object that may not be read does not keep the others waiting.
                self._trouble("store", error)
                if isinstance(error, BadInput) and told.tries >= _MOST_LOOKS:
                    self.counts.refused("unreadable")
                    self.ledger.gone(told)
                else:
                    self.ledger.look_later(told, time.time() + _wait_s(told.tries + 1))

    def _advance_all(self) -> None:
        if self.ledger.next_task(time.time()) is None:
            return
        with self._connect() as events:
            while not self._stop.is_set() and (task := self.ledger.next_task(time.time())) is not None:
                try:
                    advance(task, events, self.ledger, self.counts, time.time())
                except BadInput as error:
                    self._trouble("server", error)
                    self.ledger.later(task, time.time() + max(_wait_s(task.tries + 1), _ask_after_s(task.tries)))

    def _trouble(self, where: str, error: Exception) -> None:
        self.counts.trouble(where)
        _LOG.warning("%s", error)


def watch(plan: WatchPlan, tell: Callable[[str], None]) -> None:
    """Receive uploads until Ctrl-C or SIGTERM, in the main thread. BadInput where it cannot begin."""
    receiver = Watch(plan)
    with _stopped_by_signals(receiver) if threading.current_thread() is threading.main_thread() else nullcontext():
        places = ", ".join(map(str, plan.scope.places))
        ways = [
            *(["notifications"] if plan.secrets else []),
            *([f"the queue {plan.queue}"] if plan.queue else []),
            *([f"a look every {plan.poll_s:.0f} s"] if plan.poll_s else []),
        ]
        tell(f"watching {places} by {' and '.join(ways)}; http://{plan.host}:{receiver.port}")
        if not plan.secrets:
            tell("no REDUB_WATCH_SECRET is set: notifications over HTTP are refused")
        receiver.run()


@contextmanager
def _stopped_by_signals(receiver: Watch) -> Iterator[None]:
    before = {each: signal.signal(each, lambda *_: receiver.stop()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
