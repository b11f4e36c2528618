"""What only a process of its own shows: Ctrl-C, and a disk that is really full."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from flows.server import Server
from infra.media.audio import read_wav, write_wav

pytestmark = pytest.mark.weights

REDUB = Path(sys.executable).parent / "redub"
ENDS_WITHIN_S = 15.0


@pytest.fixture
def environment(server: Server, tmp_path: Path, weights_with_untrained_lips: Path) -> dict[str, str]:
    """The command's own folders, and the server of this session to save its start."""
    return {
        **os.environ,
        "REDUB_CACHE": str(tmp_path / "cache"),
        "REDUB_STATE": str(tmp_path / "state"),
        "REDUB_WEIGHTS": str(weights_with_untrained_lips),
        "PREFECT_API_URL": server.api_url,
    }


def long_speech(speech: Path, file: Path) -> Path:
    """Enough to draw lips for much longer than an interrupt may take."""
    samples, rate = read_wav(speech)
    write_wav(file, np.tile(samples, 12), rate)
    return file


def test_an_interrupt_ends_it_soon_and_the_same_command_goes_on(
    environment: dict[str, str], portrait: Path, speech: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "talking.mp4"
    audio = long_speech(speech, tmp_path / "long.wav")
    command = [REDUB, "lipsync", "--face", portrait, "--audio", audio, "--out", out, "--json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert process.stdout is not None
    finished = []
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "performed":
            finished.append(event["key"])
        if (event["event"], event.get("stage")) == ("began", "lips"):
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    pressed = time.monotonic()
    rest, errors = process.communicate(timeout=ENDS_WITHIN_S)
    assert time.monotonic() - pressed < ENDS_WITHIN_S
    assert process.returncode == 130
    assert errors == ""
    *others, error = [json.loads(line) for line in rest.splitlines()]
    assert {event["event"] for event in others} <= {"performed"}
    finished += [event["key"] for event in others]
    assert error == {
        "event": "error",
        "error": "Interrupted",
        "message": "interrupted; run the same command again to go on",
        "exit_code": 130,
    }
    assert not out.parent.exists()
    show = subprocess.run([REDUB, "show", "--json"], capture_output=True, text=True, env=environment, check=True)
    assert json.loads(show.stdout)["outcome"] == "interrupted"

    again = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert again.stdout is not None
    hits = {}
    for line in again.stdout:
        event = json.loads(line)
        if event["event"] == "performed":
            hits[event["key"]] = event["hit"]
        if hits.keys() >= set(finished):
            break
    again.kill()
    again.communicate()
    assert finished
    assert hits == dict.fromkeys(finished, True)


SMALL_DISK = """
size="$1" place="$2"; shift 2
mount -t tmpfs -o size="$size" none "$place" || exit 77
"$@"; code=$?
find "$place" -name "*talking*"
exit $code
"""


def on_a_small_disk(
    place: Path, size: str, command: list[str | Path], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """`command` run where `place` is a disk of that size; what it left there under its name is on standard output."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here: a small disk cannot be mounted without root")
    place.mkdir()
    isolated = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh", size, place, *command]
    done = subprocess.run(list(map(str, isolated)), capture_output=True, text=True, env=environment, check=False)
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip("user namespaces are not allowed here: a small disk cannot be mounted without root")
    return done


@pytest.mark.parametrize(
    ("full", "size"),
    [
        ("output", "60k"),
        ("cache", "200k"),  # at the first sound
        pytest.param("cache", "300k", marks=pytest.mark.slow),  # at the picture
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing_half_done(
    environment: dict[str, str],
    portrait: Path,
    speech: Path,
    tmp_path: Path,
    usual_weights: Path,
    full: str,
    size: str,
) -> None:
    places = {"output": tmp_path / "out", "cache": tmp_path / "cache"}
    command = [REDUB, "lipsync", "--face", portrait, "--audio", speech, "--out", places["output"] / "talking.mp4"]
    environment["REDUB_WEIGHTS"] = str(usual_weights)
    done = on_a_small_disk(places[full], size, command, environment)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 5, done.stderr
    assert last.startswith("redub: ")
    assert str(places[full]) in last
    assert "the disk is full" in last
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not [path for path in tmp_path.rglob("*talking*") if path.suffix in (".mp4", ".c2pa")]


@pytest.mark.slow
def test_a_server_that_does_not_answer_may_be_tried_again(
    environment: dict[str, str], portrait: Path, speech: Path, tmp_path: Path
) -> None:
    environment["PREFECT_API_URL"] = "http://127.0.0.1:9/api"
    command = [REDUB, "lipsync", "--face", portrait, "--audio", speech, "--out", tmp_path / "out.mp4"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert line.startswith("redub: no Prefect server answers at http://127.0.0.1:9/api; start it")
    assert not (tmp_path / "out.mp4").exists()
