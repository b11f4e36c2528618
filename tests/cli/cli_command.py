"""The command line in this process: quick, and all that a user would see. Some tests start the real program instead."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.cli.main import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines; every line must be one."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The one line that a failed command writes."""
        (line,) = self.err.splitlines()
        assert line.startswith("redub: ")
        assert "Traceback" not in self.out
        return line.removeprefix("redub: ")


@dataclass(frozen=True, slots=True)
class Redub:
    """`redub` in this process."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Ended:
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "argv", ["redub", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = self.capsys.readouterr()
        return Ended(int(stop.value.code or 0), out, err)
