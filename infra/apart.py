"""Calling a function in a process of its own, so that what kills it kills nothing else.

The function and its arguments travel by pickle: the function is one that the other process can import. That process
ends with this one, and is the first that a system short of memory ends.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_SERVE = "from infra.apart import serve; serve()"


class Died(Exception):
    """The other process ended without an answer; `how` says by what."""

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


def travels(*what: object) -> bool:
    """Whether all of `what` can be sent to another process."""
    try:
        pickle.dumps(what)
    except Exception:  # noqa: BLE001 (whatever it is that pickle cannot do with what it meets)
        return False
    return True


def call_apart(function: Callable[..., T], *arguments: object) -> T:
    """What `function` gives for `arguments`, computed in a new process. Raises what it raises; Died where it dies."""
    question = pickle.dumps((function, arguments))
    reading, writing = os.pipe()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
    with os.fdopen(reading, "rb") as answers:
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _SERVE],
                stdin=subprocess.PIPE,
                stdout=2,  # what it prints is no answer, and this process's own output is not its to write to
                env={**environment, "REDUB_ANSWER": str(writing)},
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        try:
            with suppress(BrokenPipeError):  # it died already
                _ask(process, question)
            answer = answers.read()
            code = process.wait()
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                with suppress(BrokenPipeError):
                    process.stdin.close()
    try:
        value, error = pickle.loads(answer)  # noqa: S301 (from a process that this one started)
    except (EOFError, pickle.UnpicklingError) as truncated:
        raise Died(_told(code)) from truncated
    if error is not None:
        raise error
    answered: T = value
    return answered


def _ask(process: subprocess.Popen[bytes], question: bytes) -> None:
    """Send the question; the pipe stays open, for its end says that this process is gone."""
    if process.stdin is None:
        raise TypeError("a process without a standard input cannot be asked")
    process.stdin.write(len(question).to_bytes(8, "big") + question)
    process.stdin.flush()


def _told(code: int) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed (SIGKILL), as a system does that is short of memory"
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


def serve() -> None:
    """The other side: answer the one question on standard input."""
    question = _read(int.from_bytes(_read(8), "big"))
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    with os.fdopen(int(os.environ.pop("REDUB_ANSWER")), "wb") as answers:
        answers.write(_answer(question))


def _answer(question: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(question)  # noqa: S301 (from the process that started this one)
        return pickle.dumps((function(*arguments), None))
    except Exception as error:  # noqa: BLE001 (it is raised where the question came from)
        return pickle.dumps((None, _sendable(error)))


def _sendable(error: Exception) -> Exception:
    """`error`, or one that says the same where it does not survive the way."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001 (an exception's own constructor runs, and may raise anything)
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _read(count: int) -> bytes:
    """So many bytes of standard input, past Python's own buffer, whose lock a thread may hold when the process ends."""
    parts = []
    while count > 0 and (part := os.read(0, count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _end_with_the_caller() -> None:
    _read(1)
    os._exit(1)
