"""A talking head of which one chunk is poisoned, over trained networks: there it keeps its own lips."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from short_lectures import Out, dub_here, redub

from infra.media.frames import read_frames
from manifests.records import SyncedChunk
from manifests.tables import read_table
from manifests.time import Span
from models.weights import store as weights

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(3600)]

NEEDED = ("whisper-base", "opus-mt-en-fr", "kokoro", "yunet", "sface", "facemesh", "age-gender", "ge2e")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slides with a talking head between them, 23 s."""
    missing = [name for name in NEEDED if not weights.present(name)]
    if missing:
        pytest.skip(f"weights that are not on this machine: {', '.join(missing)} (make weights)")
    file = tmp_path_factory.mktemp("sample") / "lecture.mp4"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-m", "benchmarks.sample", str(file)], cwd=root, check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All runs share it: a poisoned one does again only what hangs on the chunk."""
    return tmp_path_factory.mktemp("cache")


def run(sample: Path, cache: Path, out: Path, fault: str = "") -> Out:
    environment = {"REDUB_FAULT": fault} if fault else {}
    command = redub(cache, **environment)
    if not command.weights.exists():
        command.weights.symlink_to(weights.root())
    done = dub_here(command, sample, out, "really")
    assert done.returncode == 0, done.stderr
    return Out(out)


@pytest.fixture(scope="module")
def whole(sample: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Out:
    return run(sample, cache, tmp_path_factory.mktemp("whole") / "out")


def changed_chunks(out: Out) -> dict[int, tuple[Span, ...]]:
    """Where each chunk's mouths are new; chunks without are left out."""
    synced = read_table(SyncedChunk, out.folder / "lecture.redub" / "synced_chunks.parquet")
    index_of = {chunk.id: chunk.index for chunk in out.chunks()}
    return {index_of[each.chunk_id]: each.changed for each in synced if each.mouths is not None}


def differs(out: Out, sample: Path, span: Span) -> bool:
    """Whether any frame of the dub is another than the lecture's during `span`."""
    pairs = zip(read_frames(out.video, span), read_frames(sample, span), strict=True)
    return any(not np.array_equal(dubbed, filmed) for (_, dubbed), (_, filmed) in pairs)


def test_the_talking_head_has_new_lips_in_more_than_one_chunk(whole: Out, sample: Path) -> None:
    changed = changed_chunks(whole)
    assert len(changed) >= 2
    assert whole.failed == []
    assert all(differs(whole, sample, spans[0]) for spans in changed.values())


@pytest.mark.parametrize("stage", ["lips", "faces"])
def test_a_chunk_whose_picture_cannot_be_changed_keeps_it(
    stage: str, whole: Out, sample: Path, cache: Path, tmp_path: Path
) -> None:
    first = min(changed_chunks(whole))
    shutil.rmtree(cache / "cache" / "work" / stage)  # what was done is recalled, and could not fail
    poisoned = run(sample, cache, tmp_path / "out", f"{stage} {first} raise")
    span = poisoned.chunks()[first].span
    assert poisoned.failed == [(stage, span.start_s, span.end_s)]
    left = changed_chunks(poisoned)
    assert first not in left
    assert left
    assert poisoned.report["totals"]["failed"] > 0
    assert any(span.start_s <= each.span.start_s < span.end_s for each in poisoned.spoken()), "its speech is dubbed"


def test_once_it_is_mended_the_same_cache_gives_the_whole(
    whole: Out, sample: Path, cache: Path, tmp_path: Path
) -> None:
    assert run(sample, cache, tmp_path / "out").dub() == whole.dub()
