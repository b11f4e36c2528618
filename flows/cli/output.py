"""What a command writes: for people on a terminal, for logs, or as JSON lines for machines."""

from __future__ import annotations

import json
import sys
from typing import Any, Protocol

from tasks.journal import Entry


class Output(Protocol):
    """Where a command's words go. Errors go to standard error, results to standard output."""

    def event(self, kind: str, **facts: Any) -> None:
        """Something that happened, as a machine would want it; people see it only where it is about them."""
        ...

    def say(self, text: str) -> None:
        """A line for people."""
        ...

    def result(self, facts: dict[str, Any], text: str) -> None:
        """What was asked for: `facts` for machines, `text` (rich markup) for people."""
        ...

    def failed(self, message: str, kind: str, exit_code: int) -> None:
        """Why the command ends without a result, in one line."""
        ...

    def progress(self) -> Progress:
        """A display of a run's stages."""
        ...


class Progress(Protocol):
    """A listener to a run's journal that can be shown and taken away (a context manager)."""

    def __enter__(self) -> Progress:
        """Show it."""
        ...

    def __exit__(self, *why: object) -> None:
        """Take it away."""
        ...

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """`pieces` more of `stage` were handed over."""
        ...

    def performed(self, entry: Entry) -> None:
        """One piece is done."""
        ...


class JsonLines:
    """One JSON object a line on standard output."""

    def event(self, kind: str, **facts: Any) -> None:
        """Write the event."""
        sys.stdout.write(json.dumps({"event": kind, **facts}, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Machines are not talked to."""

    def result(self, facts: dict[str, Any], text: str) -> None:  # noqa: ARG002
        """Write the facts."""
        self.event("result", **facts)

    def failed(self, message: str, kind: str, exit_code: int) -> None:
        """Write the error."""
        self.event("error", error=kind, message=message, exit_code=exit_code)

    def progress(self) -> Progress:
        """Stage events as they come."""
        return JsonProgress(self)


class JsonProgress:
    """Each step as a JSON line."""

    def __init__(self, output: JsonLines) -> None:
        self._output = output

    def __enter__(self) -> JsonProgress:
        """Nothing to show."""
        return self

    def __exit__(self, *why: object) -> None:
        """Nothing to take away."""

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        """Write that a stage began."""
        self._output.event("began", stage=stage, pieces=pieces, language=language)

    def performed(self, entry: Entry) -> None:
        """Write what was done."""
        self._output.event(
            "performed",
            stage=entry.stage,
            language=entry.language,
            start_s=entry.span.start_s,
            end_s=entry.span.end_s,
            key=entry.key,
            hit=entry.hit,
            seconds=round(entry.seconds, 3),
            **({"failure": entry.failure} if entry.failure else {}),
        )


class People:
    """Rich text: progress bars on a terminal, plain lines in a log."""

    def event(self, kind: str, **facts: Any) -> None:
        """People see progress bars instead."""

    def say(self, text: str) -> None:
        """Print the line to standard error, which keeps results clean for pipes."""
        self._console(stderr=True).print(text, highlight=False, soft_wrap=True)

    def result(self, facts: dict[str, Any], text: str) -> None:  # noqa: ARG002
        """Print the text."""
        if text:
            self._console(stderr=False).print(text, highlight=False, soft_wrap=True)

    def failed(self, message: str, kind: str, exit_code: int) -> None:  # noqa: ARG002
        """Print one line."""
        from rich.markup import escape

        line = " ".join(message.splitlines())
        self._console(stderr=True).print(f"[bold red]redub:[/] {escape(line)}", highlight=False, soft_wrap=True)

    def progress(self) -> Progress:
        """Bars, one a stage."""
        from flows.cli.bars import Bars

        return Bars(self._console(stderr=True))

    @staticmethod
    def _console(*, stderr: bool) -> Any:
        from rich.console import Console

        return Console(stderr=stderr)


def choose_output(*, as_json: bool) -> Output:
    """The output that was asked for."""
    return JsonLines() if as_json else People()
