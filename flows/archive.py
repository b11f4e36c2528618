"""The flow that dubs an archive: one flow run a lecture, on workers or here, a few at a time, however many there are.

A run of an archive makes no task of its own. On workers, each lecture is a run of the deployment that dubs lectures,
and this flow only watches; where it dies, those go on, and the next run of the archive takes them up again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import httpx
from prefect import flow, get_run_logger
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterIdempotencyKey
from prefect.client.schemas.objects import FlowRun, State, StateType, WorkerStatus
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.runtime import flow_run

from flows.dub import dub
from flows.progress import tag_run
from flows.worded import ERROR_LABEL, worded
from infra import locations
from manifests.archive import ArchivedLecture
from manifests.errors import BadInput, Unavailable
from tasks import archive_plan
from tasks.archive import TRIES, Budget, Wanted, tally
from tasks.archive_desk import Desk
from tasks.archive_lease import holder_name, leased
from tasks.archive_plan import wanted_below
from tasks.archive_run import Ended, Progress, Runner, Summary, run_archive

DEPLOYMENT = "dub-lecture/dub-lecture"
AT_ONCE = 4
MOST_AT_ONCE = 100
"""A self-hosted server suffers where more runs than this talk to it at once."""

_POLL_S = (0.5, 5.0)
_CRASH_REST_S = 90.0
_COMING_BACK_S = 900.0
_SERVER_PATIENCE_S = 900.0
_MESSAGE = re.compile(r"^Flow run encountered an exception:?\s*(?:(\w+):)?\s*", re.DOTALL)
_LOST = (httpx.HTTPError, PrefectHTTPStatusError)

DubOne = Callable[[ArchivedLecture], object]


def dub_here(row: ArchivedLecture) -> object:
    """Dub one lecture in this process, as a flow run below the archive's."""
    return dub(**parameters_of(row))


def parameters_of(row: ArchivedLecture) -> dict[str, Any]:
    """What the flow `dub-lecture` is given for a row."""
    return {
        "source": row.source,
        "to": list(row.missing),
        "source_language": row.source_language,
        "out": row.out,
        "preset_name": row.preset,
        "glossary": row.glossary,
        "etag": row.etag,
        "gate": row.gate,
    }


@dataclass(slots=True)
class HereRunner:
    """One lecture after the other in this process. `work` dubs one, or raises why not."""

    work: DubOne = dub_here
    _ended: list[Ended] = field(default_factory=list)

    at_once: int = 1
    outlives: bool = False

    def start(self, row: ArchivedLecture) -> None:
        """Dub it now."""
        try:
            self.work(row)
        except Exception as error:  # noqa: BLE001 (the one broad catch: a lecture's failure is its own)
            self._ended.append(Ended.by(row.source, error))
        else:
            self._ended.append(Ended(source=row.source))

    def adopt(self, rows: Sequence[ArchivedLecture]) -> set[str]:  # noqa: ARG002 (a Runner's signature)
        """None: what ran in a process that is gone is gone."""
        return set()

    def ended(self) -> list[Ended]:
        """What ended."""
        ended, self._ended = self._ended, []
        return ended


@dataclass(slots=True)
class WorkersRunner:
    """Lectures as runs of a deployment, on whatever workers serve its pool. All are asked for their states at once."""

    deployment: str = DEPLOYMENT
    at_once: int = AT_ONCE
    outlives: bool = True
    crash_rest_s: float = _CRASH_REST_S
    _sources: dict[str, str] = field(default_factory=dict)
    _crashed: dict[str, float] = field(default_factory=dict)
    _wait_s: float = _POLL_S[0]

    def start(self, row: ArchivedLecture) -> None:
        """Ask for a run. Asked for again with the same ticket it is the same run, so an answer may get lost."""
        course = PurePosixPath(row.source).parent.name

        def ask() -> Any:
            return run_deployment(
                self.deployment,
                parameters=parameters_of(row),
                timeout=0,
                idempotency_key=row.ticket,
                tags=["redub", "archive", *([f"course:{course}"] if course else []), *row.missing],
            )

        self._sources[str(_patiently(ask).id)] = row.source
        self._wait_s = _POLL_S[0]

    def adopt(self, rows: Sequence[ArchivedLecture]) -> set[str]:
        """Those whose tickets the server knows."""
        by_ticket = {row.ticket: row.source for row in rows if row.ticket}
        wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=list(by_ticket)))
        known = _patiently(lambda: _read_runs(wanted, len(by_ticket)))
        self._sources.update((str(run.id), by_ticket[run.idempotency_key]) for run in known if run.idempotency_key)
        return set(self._sources.values())

    def ended(self) -> list[Ended]:
        """Those in a final state now; one that crashed only after a rest, in which the server may start it again."""
        time.sleep(self._wait_s)
        self._wait_s = min(_POLL_S[1], self._wait_s * 1.5)
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(each) for each in self._sources]))
        runs = {str(run.id): run for run in _patiently(lambda: _read_runs(wanted, len(self._sources)))}
        ended = []
        for run_id, source in list(self._sources.items()):
            end = self._end(source, run_id, runs.get(run_id))
            if end is not None:
                ended.append(end)
                self._crashed.pop(run_id, None)
                del self._sources[run_id]
        return ended

    def _end(self, source: str, run_id: str, run: FlowRun | None) -> Ended | None:
        if run is None:
            return Ended(source=source, reason="its flow run was deleted from the server", cancelled=True)
        state = run.state
        if state is None or not state.is_final() or self._may_come_back(run_id, state):
            return None
        if state.is_completed():
            return Ended(source=source)
        if state.type is StateType.CANCELLED:
            return Ended(source=source, reason="it was cancelled", cancelled=True)
        if state.type is StateType.CRASHED:
            return Ended(source=source, reason=f"its run crashed: {state.message or 'nothing is known of why'}")
        kind, reason = _told(run, state.message or "")
        return Ended(source=source, reason=reason, kind=kind)

    def _may_come_back(self, run_id: str, state: State[Any]) -> bool:
        """Whether a crashed run may still be started again: an automation does so, and names the state otherwise."""
        if state.type is not StateType.CRASHED:
            self._crashed.pop(run_id, None)
            return False
        since = self._crashed.setdefault(run_id, time.monotonic())
        rest_s = self.crash_rest_s if state.name == "Crashed" else _COMING_BACK_S
        return time.monotonic() - since < rest_s


def _told(run: FlowRun, message: str) -> tuple[str, str]:
    """The class and the words of a failed run's error: as the run says them itself, else as Prefect writes them."""
    if ERROR_LABEL in run.labels:
        return str(run.labels[ERROR_LABEL]), message
    found = _MESSAGE.match(message)
    if found is None:
        return "", message or "its run failed without a word"
    return found[1] or "", message[found.end() :] or found[1] or "its run failed without a word"


def _read_runs(wanted: FlowRunFilter, count: int) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(flow_run_filter=wanted, limit=min(200, max(1, count)))


def _patiently(ask: Callable[[], Any]) -> Any:
    """What `ask` gives, asked again while the server is away (it may be started anew).

    Unavailable after a while; BadInput where the server refuses.
    """
    deadline, wait_s = time.monotonic() + _SERVER_PATIENCE_S, 0.5
    while True:
        try:
            return ask()
        except _LOST as error:
            if isinstance(error, PrefectHTTPStatusError) and error.response.status_code < 500:
                what = f"the Prefect server refuses ({error.response.status_code} {error.response.reason_phrase});"
                remedy = "check PREFECT_API_AUTH_STRING, and deploy again: redub stack set-up"
                raise BadInput(what, where=str(error.request.url), remedy=remedy) from error
            if time.monotonic() > deadline:
                raise Unavailable(f"the Prefect server does not answer ({type(error).__name__})") from error
            time.sleep(wait_s)
            wait_s = min(10.0, wait_s * 2)


def workers_serve(deployment: str) -> bool:
    """Whether there is a worker now that would take runs of the deployment. BadInput where there is no such one."""

    def ask() -> bool:
        with get_client(sync_client=True) as client:
            pool = client.read_deployment_by_name(deployment).work_pool_name
            if pool is None:
                return False
            return any(each.status is WorkerStatus.ONLINE for each in client.read_workers_for_work_pool(pool))

    try:
        return bool(_patiently(ask))
    except (ObjectNotFound, ValueError) as error:
        remedy = "make it with redub stack set-up, or dub here with --where here"
        raise BadInput("the Prefect server has no such deployment;", where=deployment, remedy=remedy) from error


def chosen_runner(where: str, deployment: str, at_once: int) -> Runner:
    """The runner for `where`: "here", "workers", or "auto": workers where there are any. BadInput for anything else."""
    if where not in ("auto", "here", "workers"):
        raise BadInput(f"{where!r} is no place to dub in;", where="--where", remedy="give auto, here or workers")
    if not 1 <= at_once <= MOST_AT_ONCE:
        remedy = f"give 1 to {MOST_AT_ONCE}"
        raise BadInput(f"{at_once} lectures at once are too few or too many;", where="--at-once", remedy=remedy)
    if where == "here":
        return HereRunner()
    try:
        served = workers_serve(deployment)
    except BadInput:
        if where == "workers":
            raise
        return HereRunner()
    return WorkersRunner(deployment=deployment, at_once=at_once) if served or where == "workers" else HereRunner()


def run_name() -> str:
    """What the Prefect page calls this run: the folder or prefix of the manifest."""
    parameters = flow_run.parameters
    place = locations.location(parameters["manifest"])
    return f"archive {locations.name(locations.parent(place)) or place}"


@flow(name="dub-archive", flow_run_name=run_name, validate_parameters=False, persist_result=False)
@worded
def dub_archive(
    manifest: str,
    source: str | None = None,
    to: list[str] | None = None,
    out: str | None = None,
    preset_name: str = "lecture",
    source_language: str | None = None,
    glossary: str | None = None,
    hours: float | None = None,
    money: float | None = None,
    price: float | None = None,
    at_once: int = AT_ONCE,
    tries: int = TRIES,
    where: str = "auto",
    deployment: str = DEPLOYMENT,
    *,
    gate: bool = False,
) -> Summary:
    """Dub what is missing or changed in the archive of `manifest` (a path or s3://BUCKET/KEY), lecture by lecture.

    With `source` and `to` the folder or prefix is planned first, so that what was added since is dubbed too. `hours` or
    `money` (at `price` an hour) bound this run; an hour counts for each language. A lecture that fails is recorded and
    the others go on; after `tries` failures it is left alone until it changes. Raises BadInput where the archive is
    being worked on or a parameter is wrong, Unavailable where a store or the server stays away.
    """
    log = get_run_logger()
    tag_run("redub", "archive", *(to or ()))
    budget = Budget(hours=hours, money=money, price_per_hour=price)
    runner = chosen_runner(where, deployment, at_once)
    desk = Desk(locations.location(manifest))
    wanted: Wanted | None = None
    if source is not None:
        wanted = wanted_below(
            source,
            tuple(to or ()),
            out=out,
            preset=preset_name,
            source_language=source_language,
            glossary=glossary,
            gate=gate,
        )
    elif not desk.exists():
        desk.read()  # says so before a lease makes its folder
    with leased(desk.place, holder_name()) as lease:
        known = desk.read() if desk.exists() else []
        rows = (
            archive_plan.looked_at_again(known, log.info)
            if wanted is None
            else archive_plan.planned(known, wanted, log.info)
        )
        board = _Board(log.info)
        summary = run_archive(rows, desk, lease, runner, budget=budget, tries=tries, told=board.told)
        _leave(rows=desk.read(), summary=summary, tries=tries)
    log.info("%d done, %d failed, %.2f h", len(summary.done), len(summary.failed), summary.hours)
    return summary


_TELL: ContextVar[Callable[[str], None] | None] = ContextVar("tell", default=None)


@contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """Runs that are called inside also tell `tell` how far they are, a line each time."""
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


class _Board:
    """The run's page: a bar that moves, and a line in the log for each change."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log, self._last = log, (-1, -1)
        self._artifact: Any = None

    def told(self, progress: Progress) -> None:
        """Show it, where lectures have ended since."""
        now = (progress.done, progress.failed)
        if now == self._last:
            return
        self._last = now
        ended = progress.done + progress.failed
        share = 100.0 * ended / max(1, ended + len(progress.going) + progress.due)
        if self._artifact is None:
            self._artifact = create_progress_artifact(share, key="archive", description="Lectures of this run")
        else:
            update_progress_artifact(self._artifact, progress=share)
        line = (
            f"{progress.done} done, {progress.failed} failed, {len(progress.going)} going, {progress.due} waiting; "
            f"{progress.hours:.2f} h"
        )
        self._log(line)
        tell = _TELL.get()
        if tell is not None:
            tell(line)


def _leave(rows: Sequence[ArchivedLecture], summary: Summary, tries: int) -> None:
    counted = tally(rows, tries)
    create_table_artifact(
        table=[{"state": state, "lectures": count} for state, count in counted.states.items()],
        key="archive-states",
        description=summary.halted or f"{counted.done_hours:.1f} h are dubbed, {counted.left_hours:.1f} h are left",
    )
    if summary.failed:
        create_table_artifact(
            table=[
                {"lecture": row.source, "try": f"{row.attempts} of {tries}", "reason": row.reason}
                for row in summary.failed
            ],
            key="archive-failures",
            description="Lectures that failed in this run; the others went on",
        )
