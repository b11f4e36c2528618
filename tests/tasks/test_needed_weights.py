"""What `redub weights pull --for fr` brings is what a dub into French asks for, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import MissingWeights
from models import weights
from tasks.engines import needed_for
from tasks.lecture import DubJob, check
from tasks.settings import draft, lecture

NEEDED = needed_for("en", "fr")
FOR_LIPS = {"yunet", "sface", "facemesh", "age-gender"}
IMPROVES = {"spleeter"}  # without it music under speech is lost, and said to be

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(
        not all(weights.present(name) for name in NEEDED),
        reason=f"weights that are not on this machine: {', '.join(NEEDED)} (make weights)",
    ),
]


def job(*, lips: bool = True) -> DubJob:
    return DubJob(
        source=Path("lecture.mp4"),
        targets=("fr",),
        source_language="en",
        audio_track=None,
        settings=lecture() if lips else draft(),
    )


def all_but(name: str, folder: Path) -> Path:
    for each in NEEDED:
        if each != name:
            (folder / each).symlink_to(weights.root() / each)
    return folder


def test_they_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(all_but("", tmp_path)))
    check(job())


@pytest.mark.parametrize("name", [name for name in NEEDED if name not in IMPROVES])
def test_each_is_needed_and_named_where_it_is_missing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(all_but(name, tmp_path)))
    with pytest.raises(MissingWeights, match=name):
        check(job())
    if name in FOR_LIPS:
        check(job(lips=False))
