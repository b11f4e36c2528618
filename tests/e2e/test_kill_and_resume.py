"""The command killed (SIGKILL) at every stage in turn, and run again: nothing is lost, repeated or left behind."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redub_command import Ended, Event, Redub, sha256_of

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(3600)]

STAGES = (
    "shots", "speech", "faces", "identify", "listen", "voice_samples", "background", "meshes", "speaking", "library",
    "appearances", "translate", "speak", "mix", "voice", "heard_back", "lips", "render", "assemble", "sign",
    "real_lips", "dubbed_lips", "levels",
)  # fmt: skip
AMIDST_S = 0.3
SERVER_ENDS_WITHIN_S = 20.0


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every run writes to this one folder, whose name is in the manifests."""
    return tmp_path_factory.mktemp("killed") / "out"


@pytest.fixture(scope="module")
def undisturbed(
    short_lecture: Path, usual_weights: Path, out: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The hashes of what a run that nobody killed leaves."""
    folder = tmp_path_factory.mktemp("undisturbed")
    dubbed = Redub(folder / "cache", folder / "state", usual_weights).dub(short_lecture, out)
    assert {event["stage"] for event in dubbed.ended.of_kind("performed")} == set(STAGES)
    # Each round of speaking finds what the one before has spoken, where it would speak it again.
    assert not any(event["hit"] for event in dubbed.ended.of_kind("performed") if event["stage"] != "speak")
    return dubbed.hashes()


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_command_goes_on_where_it_was(
    stage: str,
    undisturbed: dict[str, str],
    short_lecture: Path,
    usual_weights: Path,
    out: Path,
    tmp_path: Path,
) -> None:
    redub = Redub(tmp_path / "cache", tmp_path / "state", usual_weights)
    shutil.rmtree(out, ignore_errors=True)
    finished: set[str] = set()
    for moment in (began(stage), amidst(stage), performed(stage)):
        killed = redub.run_until(moment, "dub", short_lecture, "--to", "fr", "--out", out)
        assert killed.code == -signal.SIGKILL, "it ended before it could be killed"
        assert_done_once(killed, finished)
        finished |= keys_of_finished(killed)
        assert_no_server_left(redub)
        assert_nothing_half_published(out, undisturbed)

    resumed = redub.dub(short_lecture, out)
    assert resumed.ended.result["hits"] >= len(finished)
    assert_done_once(resumed.ended, finished)
    assert resumed.hashes() == undisturbed
    assert_no_server_left(redub)


def began(stage: str) -> Callable[[Event], bool]:
    return lambda event: (event["event"], event.get("stage")) == ("began", stage)


def amidst(stage: str) -> Callable[[Event], bool]:
    """A moment after the stage began, while it works (or, for a quick one, right after)."""

    def fatal(event: Event) -> bool:
        if not began(stage)(event):
            return False
        time.sleep(AMIDST_S)
        return True

    return fatal


def performed(stage: str) -> Callable[[Event], bool]:
    return lambda event: (event["event"], event.get("stage")) == ("performed", stage)


def keys_of_finished(ended: Ended) -> set[str]:
    return {event["key"] for event in ended.of_kind("performed")}


def assert_done_once(ended: Ended, finished: set[str]) -> None:
    repeated = [e["stage"] for e in ended.of_kind("performed") if e["key"] in finished and not e["hit"]]
    assert not repeated, f"done again: {repeated}"


def assert_nothing_half_published(out: Path, finished: dict[str, str]) -> None:
    """A file that has its name is whole; drafts are hidden."""
    for path in out.rglob("[!.]*"):
        if path.is_file() and path.name != "run.json" and path.suffix != ".c2pa":
            assert sha256_of(path) == finished[path.relative_to(out).as_posix()]


def assert_no_server_left(redub: Redub) -> None:
    deadline = time.monotonic() + SERVER_ENDS_WITHIN_S
    while (left := redub.servers()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left, f"servers that outlived their command: {left}"
