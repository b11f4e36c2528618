"""A review before anything is spoken: the flow run pauses until a person has looked at the sheet.

The person goes on from the Prefect page, whose form is `Decision`, or by pressing Enter where the command runs on a
terminal. Two threads meet here: the flow's, which waits in `await_review`, and the one that listens to the keyboard.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, TextIO, TypeVar
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run

from manifests.errors import BadInput, RedubError
from manifests.records import SheetRow

Read = TypeVar("Read")

PATIENCE_S = 14 * 24 * 3600
"""How long a paused run waits for its reviewer."""

_POLL_S = 1
_RESUME_POLL_S = 0.2
_STOPS = ("q", "quit", "stop", "no", "n")


class ReviewEnded(RedubError):
    """The review was ended without going on, so nothing was spoken. Not retried: the sheet keeps what was edited."""


class Decision(RunInput):
    """What the form on the Prefect page asks."""

    decision: Literal["go on", "stop"] = "go on"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest:
    """A run that waits: its id, its page, the sheets to look at, and the lines that deserve it the most.

    `problem` is why the sheets cannot be taken as they were left, where the person went on already; "" the first time.
    """

    flow_run_id: UUID
    page: str
    sheets: tuple[str, ...]
    worst: tuple[SheetRow, ...]
    problem: str = ""


Reviewer = Callable[[ReviewRequest], AbstractContextManager[None]]
"""Is entered before a run pauses, and left when it goes on or ends; it must not wait by itself."""

_REVIEWER: ContextVar[Reviewer | None] = ContextVar("reviewer", default=None)


@contextmanager
def reviewing(reviewer: Reviewer) -> Iterator[None]:
    """Flows that are called inside let `reviewer` know of their pauses."""
    token = _REVIEWER.set(reviewer)
    try:
        yield
    finally:
        _REVIEWER.reset(token)


def await_review(
    sheets: Sequence[str],
    worst: Sequence[SheetRow],
    read: Callable[[], Read],
    *,
    key: str,
    patience_s: int = PATIENCE_S,
) -> Read:
    """Pause the flow run that this is called in until a person goes on; what `read` then makes of the sheets.

    Where `read` raises BadInput the run pauses again and says why, so that a slip in a cell costs no new run. `key`
    tells the reviews of one run apart. ReviewEnded where the person stops, or does not come within `patience_s`.
    """
    reviewer = _REVIEWER.get() or _nobody
    problem, round_ = "", 1
    while True:
        request = ReviewRequest(
            flow_run_id=UUID(flow_run.get_id()),
            page=flow_run.ui_url or "",
            sheets=tuple(sheets),
            worst=tuple(worst),
            problem=problem,
        )
        with reviewer(request):
            _pause(request, f"review-{key}-{round_}", patience_s)
        try:
            return read()
        except BadInput as error:
            problem, round_ = str(error), round_ + 1


def _pause(request: ReviewRequest, key: str, patience_s: int) -> None:
    form = Decision.with_initial_data(description=_description(request))
    try:
        answer = pause_flow_run(wait_for_input=form, timeout=patience_s, poll_interval=_POLL_S, key=key)
    except FlowPauseTimeout as error:
        raise ReviewEnded(f"nobody reviewed the sheet in time; {_go_on_later(request)}") from error
    if answer.decision != "go on":
        raise ReviewEnded(f"the review was ended, and nothing was spoken; {_go_on_later(request)}")


def resume(run: UUID, decision: Literal["go on", "stop"], stopped: threading.Event) -> None:
    """Let the paused `run` go on with `decision`. Waits for a run that is only about to pause, until `stopped`."""
    with get_client(sync_client=True) as client:
        while not stopped.is_set():
            state = client.read_flow_run(run).state
            if state is not None and (state.is_final() or (state.is_paused() and _accepted(client, run, decision))):
                return
            time.sleep(_RESUME_POLL_S)


def _accepted(client: SyncPrefectClient, run: UUID, decision: str) -> bool:
    """Whether the server took the answer: it does not in the moment in which the run is paused and has no form yet."""
    status: SetStateStatus = client.resume_flow_run(run, run_input={"decision": decision}).status
    return status is SetStateStatus.ACCEPT


def at_the_terminal(keyboard: TextIO | None, say: Callable[[str], None]) -> Reviewer:
    """A reviewer that says what to look at, and lets the run go on when Enter is pressed at `keyboard`.

    Where `keyboard` is no terminal it says how to go on without one.
    """

    @contextmanager
    def reviewer(request: ReviewRequest) -> Iterator[None]:
        terminal = keyboard if keyboard is not None and keyboard.isatty() else None
        for line in prompt(request, interactive=terminal is not None):
            say(line)
        if terminal is None:
            yield
            return
        stopped = threading.Event()
        thread = threading.Thread(
            target=_listen, args=(request.flow_run_id, terminal, stopped, say), name="review", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join(timeout=5)

    return reviewer


def prompt(request: ReviewRequest, *, interactive: bool) -> list[str]:
    """What a person is told when a run waits, line by line, the worst lines of the sheets first."""
    sheets = ", ".join(request.sheets)
    if request.problem:
        lines = [f"Not yet: {request.problem}"]
    else:
        lines = [f"Nothing is spoken yet. Please look at {sheets}"]
        if request.worst:
            lines.append("What to check first:")
        for row in request.worst:
            lines.append(f"  {row.id}  {row.check or 'nothing stands out'}")
            lines.append(f"      {row.source}")
            lines.append(f"      {row.translation or '(nothing)'}")
    if interactive:
        elsewhere = f" (or go on from {request.page})" if request.page else ""
        lines.append(f"Save the sheet, then press Enter to go on; q and Enter stops{elsewhere}.")
    else:
        lines.append(
            f"This run waits: save the sheet and go on from {request.page or 'its Prefect page'}; "
            "or stop it, and run the same command without --review once the sheet is saved."
        )
    return lines


def _nobody(request: ReviewRequest) -> AbstractContextManager[None]:  # noqa: ARG001 (where a worker runs the flow)
    return nullcontext()


def _listen(run: UUID, keyboard: TextIO, stopped: threading.Event, say: Callable[[str], None]) -> None:
    answer = _line(keyboard, stopped)
    if answer is None:
        return
    stops = not answer or answer.strip().casefold() in _STOPS
    try:
        resume(run, "stop" if stops else "go on", stopped)
    except httpx.HTTPError as error:
        say(f"The Prefect server did not take the answer ({error}); go on from its page.")


def _line(keyboard: TextIO, stopped: threading.Event) -> str | None:
    """A line of `keyboard`, "" at its end; None once `stopped`: a blocked read would take the shell's next line."""
    _forget_typed(keyboard)
    while not stopped.is_set():
        ready, _, _ = select.select([keyboard], [], [], _RESUME_POLL_S)
        if ready:
            return keyboard.readline()
    return None


def _forget_typed(keyboard: TextIO) -> None:
    """What was typed before the question is no answer to it."""
    import termios  # not on every system

    termios.tcflush(keyboard.fileno(), termios.TCIFLUSH)


def _description(request: ReviewRequest) -> str:
    sheets = "\n".join(f"- `{sheet}`" for sheet in request.sheets)
    if request.problem:
        return f"Not yet: {_plain(request.problem)}\n\nSave the sheet again, then go on:\n\n{sheets}"
    cells = [(row.id, *(_plain(text) for text in (row.check, row.source, row.translation))) for row in request.worst]
    worst = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    table = f"\n\n| line | check | source | translation |\n|---|---|---|---|\n{worst}" if worst else ""
    return f"Nothing is spoken yet. Look at the sheet, save it, then go on:\n\n{sheets}{table}"


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>()#+-!|~" else character for character in text)


def _go_on_later(request: ReviewRequest) -> str:
    where = ", ".join(request.sheets)
    return f"what you changed in {where} is kept: run the same command again."
