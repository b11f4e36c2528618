"""A process that answers the server's questions one by one, in lines of JSON, and goes when nobody asks for a while."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests.errors import Unavailable
from studio.answers import Refused

_MOST_WAITING = 8
_LONGEST_LINE_BYTES = 1 << 20


@dataclass(slots=True)
class Helper:
    """Starts `command` at the first question; what it says on standard error goes to `log`.

    A helper that does not answer in time is ended, and the next question starts another.
    """

    command: Sequence[str]
    log: Path
    idle_s: float = 900.0
    _process: asyncio.subprocess.Process | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0
    _idle: asyncio.TimerHandle | None = None
    _ended: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._waiting > 0

    async def ask(self, question: Mapping[str, Any], *, limit_s: float) -> dict[str, Any]:
        """The answer. Refused (422) with what the helper says is wrong, (429) where many wait; Unavailable."""
        if self._waiting >= _MOST_WAITING:
            raise Refused(429, "too many lines are asked for at once", "try again in a moment")
        self._waiting += 1
        try:
            async with asyncio.timeout(limit_s), self._turn:
                return await self._answer(question)
        except TimeoutError:
            raise Unavailable(f"no answer came within {limit_s:.0f} s; try again") from None
        finally:
            self._waiting -= 1

    async def _answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        if self._idle is not None:
            self._idle.cancel()
        process = await self._running()
        try:
            if process.stdin is None or process.stdout is None:
                raise Unavailable("the helper has no way to answer; try again")
            process.stdin.write(json.dumps(question).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
            if not line:
                raise Unavailable("the helper ended in the middle of its work; try again")
            answer: dict[str, Any] = json.loads(line)
        except (BrokenPipeError, ConnectionResetError):
            self.end()
            raise Unavailable("the helper ended in the middle of its work; try again") from None
        except BaseException:  # in time or not: what comes next would be the answer to this question
            self.end()
            raise
        self._idle = asyncio.get_running_loop().call_later(self.idle_s, self.end)
        if "error" in answer:
            raise Refused(int(answer.pop("status", 422)), answer.pop("error"), answer.pop("remedy", ""), **answer)
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                    limit=_LONGEST_LINE_BYTES,
                    start_new_session=True,
                )
        return self._process

    def end(self) -> None:
        """End the process, if there is one."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        self._ended = [each for each in (*self._ended, process) if each.returncode is None]
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the process, and wait until it and those that were ended before are gone."""
        self.end()
        for each in self._ended:
            await each.wait()
        self._ended.clear()
        await asyncio.sleep(0)  # for the event loop to let go of their pipes


async def once(command: Sequence[str], *, limit_s: float, status: int = 422) -> dict[str, Any]:
    """What one process that is started for it answers, as JSON on standard output. Refused, Unavailable."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit_s):
            said, _ = await process.communicate()
    except TimeoutError:
        raise Unavailable(f"no answer came within {limit_s:.0f} s; try again") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        raise Unavailable("a helper ended in the middle of its work; try again")
    answer: dict[str, Any] = json.loads(said)
    if "error" in answer:
        raise Refused(status, answer["error"], answer.get("remedy", ""))
    return answer
