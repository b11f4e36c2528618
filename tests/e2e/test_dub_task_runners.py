"""The sample dubbed by the real flow through threads, Dask and Ray: the same files, whoever does the work."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from redub_command import Dubbed, Redub

from flows.server import Server
from tasks.settings import DubSettings, lecture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
RUNNERS = [
    "dask",
    pytest.param(
        "ray", marks=pytest.mark.skipif(find_spec("prefect_ray") is None, reason="no Ray here (make test-ray)")
    ),
]


def in_small_chunks() -> DubSettings:
    """So that the sample has several, which workers share."""
    usual = lecture()
    return dataclasses.replace(usual, chunks=dataclasses.replace(usual.chunks, target_s=5.0, max_s=9.0))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every dub is written to this one folder, whose name is in the manifests."""
    return tmp_path_factory.mktemp("dubbed") / "out"


@pytest.fixture(scope="module")
def through_threads(
    server: Server, sample: Path, out: Path, usual_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    return dub_through("threads", sample, out, usual_weights, tmp_path_factory.mktemp("threads"))


def dub_through(runner: str, sample: Path, out: Path, weights: Path, folder: Path) -> dict[str, str]:
    """The hashes of what a dub leaves, made with nothing finished before."""
    from flows.dub import dub

    shutil.rmtree(out, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("REDUB_TASK_RUNNER", runner)
        patched.setenv("REDUB_CACHE", str(folder / "cache"))
        patched.setenv("REDUB_STATE", str(folder / "state"))
        patched.setenv("REDUB_WEIGHTS", str(weights))
        patched.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        record = dub(str(sample), ["fr"], "en", str(out), settings=in_small_chunks())
    assert not any(entry.hit for entry in record.entries if entry.stage == "listen")
    assert sum(entry.stage == "lips" for entry in record.entries) > 1
    redub = Redub(folder / "cache", folder / "state", weights)
    hashes = Dubbed(redub, sample, out, None).hashes()  # type: ignore[arg-type]
    assert f"{sample.stem}.fr.mp4" in hashes
    return hashes


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_dub_is_the_same_whoever_works(
    runner: str, through_threads: dict[str, str], sample: Path, out: Path, usual_weights: Path, tmp_path: Path
) -> None:
    assert dub_through(runner, sample, out, usual_weights, tmp_path) == through_threads
