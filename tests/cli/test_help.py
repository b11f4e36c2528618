"""Help that teaches, and that is there at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cli_command import Redub

COMMANDS = [
    "dub",
    "report",
    "verify",
    "lipsync",
    "talk",
    "show",
    "doctor",
    "weights list",
    "weights pull",
    "watch",
    "studio",
    "metrics",
]


def test_the_first_page_says_how_to_begin_and_what_exit_codes_mean(redub: Redub) -> None:
    ended = redub("--help")
    assert ended.code == 0
    assert "redub weights pull --for fr" in ended.out
    for code in (0, 1, 2, 3, 4, 5, 6, 130):
        assert f"  {code}  " in ended.out
    for name in ("REDUB_CACHE", "REDUB_STATE", "REDUB_WEIGHTS", "PREFECT_API_URL"):
        assert name in ended.out


def test_nothing_given_shows_the_help(redub: Redub) -> None:
    ended = redub()
    assert ended.code == 2
    assert "Usage" in ended.out
    assert "fault" not in ended.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_explained_within_80_columns(redub: Redub, command: str) -> None:
    ended = redub(*command.split(), "--help")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80


@pytest.mark.parametrize("command", ["dub", "lipsync", "talk", "show", "weights pull"])
def test_examples_are_real_commands(redub: Redub, command: str) -> None:
    lines = [line.strip() for line in redub(*command.split(), "--help").out.splitlines()]
    examples = [line for line in lines if line.startswith(f"redub {command} ")]
    assert len(examples) >= 2
    known = {option for line in lines for option in line.replace("*", " ").split() if option.startswith("--")}
    for example in examples:
        used = {word for word in example.split() if word.startswith("--")}
        assert used <= known


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "from flows.cli.main import app; app(['--help'])"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    heavy = {"torch", "prefect", "av", "numpy", "pydantic", "cv2", "pyarrow", "onnxruntime", "transformers", "boto3"}
    assert not imported & heavy
