"""The command killed (SIGKILL) three times in every stage, and run again: nothing is lost, repeated or left behind."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Killed:
    """One run that is killed again and again, and the keys of what it had finished by then."""

    redub: Redub
    finished: set[str]


@pytest.fixture(scope="module")
def killed(usual_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """Each stage is killed where the ones before it, if they were asked for, had left the run."""
    folder = tmp_path_factory.mktemp("killed-run")
    return Killed(Redub(folder / "cache", folder / "state", usual_weights), set())


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_command_has_lost_nothing_and_left_nothing_half_done(
    stage: str, killed: Killed, undisturbed: dict[str, str], short_lecture: Path, out: Path
) -> None:
    shutil.rmtree(out, ignore_errors=True)
    for moment in (began(stage), amidst(stage), performed(stage)):
        ended = killed.redub.run_until(moment, "dub", short_lecture, "--to", "fr", "--out", out)
        assert ended.code == -signal.SIGKILL, "it ended before it could be killed"
        assert_done_once(ended, killed.finished)
        killed.finished.update(keys_of_finished(ended))
        assert_no_server_left(killed.redub)
        assert_nothing_half_published(out, undisturbed)


def test_what_was_killed_goes_on_to_the_same_end(
    killed: Killed, undisturbed: dict[str, str], short_lecture: Path, out: Path
) -> None:
    resumed = killed.redub.dub(short_lecture, out)
    assert resumed.ended.result["hits"] >= len(killed.finished)
    assert_done_once(resumed.ended, killed.finished)
    assert resumed.hashes() == undisturbed
    assert_no_server_left(killed.redub)


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
