"""Does a data set come out whole, the same after a kill as without, with a row for every clip?"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from talking_clips import ffmpeg, grid_clip, needs_grid, spoilt

from manifests.errors import BadInput
from manifests.tables import read_table
from manifests.training import TrainingClip
from models.training.shards import open_shards
from tasks.clips import ClipSettings
from tasks.dataset import DatasetSettings, Prepared, prepare

pytestmark = needs_grid
ROOT = Path(__file__).parents[2]
LENIENT = DatasetSettings(shard_s=3.0, clip=ClipSettings(most_offset=15, least_confidence=0.0))
"""A shard a clip; and clips of 1.4 s tell little of their offset."""


def quiet(what: str, done: int, total: int) -> None:
    """Nobody listens."""


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers' folders as GRID has them: one of MPEG-1 files, one with a clip that is broken."""
    root = tmp_path_factory.mktemp("corpus")
    part = ("-ss", "0.8", "-t", "1.4")
    (root / "s1").mkdir()
    mpeg = ("-c:v", "mpeg1video", "-q:v", "2", "-c:a", "mp2", "-ar", "44100")
    ffmpeg("-i", grid_clip(0), *part, *mpeg, root / "s1" / "bbaf2n.mpg")
    spoilt(grid_clip(1), root / "s2" / "bgan3s.mp4", *part, "-c:a", "aac")
    (root / "s2" / "lbax4n.mp4").write_bytes(b"no video at all")
    spoilt(grid_clip(2), root / "s3" / "pbio7a.mp4", *part, "-an")
    spoilt(grid_clip(3), root / "s3" / "pbio8p.mp4", *part, "-c:a", "aac")
    return root


@pytest.fixture(scope="module")
def prepared(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    reports: list[tuple[str, int, int]] = []
    made = prepare(corpus, tmp_path_factory.mktemp("out") / "data", LENIENT, lambda *report: reports.append(report))
    assert reports[-1] == ("preparing", 5, 5)
    return made


def test_each_clip_has_its_row(prepared: Prepared) -> None:
    rows = {row.name: row for row in read_table(TrainingClip, prepared.folder / "clips.parquet")}
    assert tuple(rows.values()) == prepared.clips
    assert prepared.layout == "grid"
    assert {name: (row.speaker, row.kept, row.reason.split(":")[0]) for name, row in rows.items()} == {
        "s1/bbaf2n": ("s1", True, ""),
        "s2/bgan3s": ("s2", True, ""),
        "s2/lbax4n": ("s2", False, "cannot be decoded"),
        "s3/pbio7a": ("s3", False, "no sound"),
        "s3/pbio8p": ("s3", True, ""),
    }
    assert rows["s1/bbaf2n"].path == "s1/bbaf2n.mpg"
    assert rows["s2/bgan3s"].split == rows["s2/lbax4n"].split
    assert {row.split_by for row in rows.values()} == {"speaker"}
    assert (rows["s2/lbax4n"].shard, rows["s2/lbax4n"].index) == (None, None)


def test_the_shards_hold_the_kept_clips(prepared: Prepared) -> None:
    shards = open_shards(prepared.folder)
    assert [(each.name, each.shard, each.index, each.frame_count) for each in shards.clips] == [
        (row.name, row.shard, row.index, row.frame_count) for row in prepared.kept
    ]
    for each in shards.clips:
        assert shards.points(each).shape == (each.frame_count, 202, 2)
        assert shards.frames(each, each.frame_count - 1, 1).std() > 20
        assert shards.mel(each).shape[1] >= 80 * (each.frame_count - 1) // 25 + 16


def test_done_work_is_not_done_again_and_a_change_is(prepared: Prepared, corpus: Path) -> None:
    before = digest(prepared.folder)
    again = prepare(corpus, prepared.folder, LENIENT, quiet)
    assert (again.shards_made, again.shards_found) == (0, 5)
    assert digest(prepared.folder) == before
    fewer = prepare(corpus, prepared.folder, DatasetSettings(clip=LENIENT.clip, shard_s=3.0, limit=2), quiet)
    assert [row.name for row in fewer.clips] == ["s1/bbaf2n", "s2/lbax4n"]
    assert sorted(path.name for path in prepared.folder.glob("shard-*")) == ["shard-0000", "shard-0001"]
    back = prepare(corpus, prepared.folder, LENIENT, quiet)
    assert back.shards_found >= 1  # the first shard holds the same clip in all three
    assert digest(prepared.folder) == before


SCRIPT = """
import dataclasses, sys
from pathlib import Path
from tasks.clips import ClipSettings
from tasks.dataset import prepare
from test_dataset import LENIENT
if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]), dataclasses.replace(LENIENT, jobs=2), lambda *report: None)
"""


def children(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(each) for each in listing.stdout.split()]


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.is_file() and state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are watched through /proc")
def test_killed_and_run_again_gives_the_same_bytes(prepared: Prepared, corpus: Path, tmp_path: Path) -> None:
    """Killed amid the work of two processes, and gone on with by one."""
    script, killed = tmp_path / "prepare.py", tmp_path / "killed"
    script.write_text(SCRIPT)
    paths = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, script, corpus, killed], env=environment, stderr=subprocess.DEVNULL) as run:
        while not any((killed / f"shard-000{number}").exists() for number in range(5)):
            assert run.poll() is None
            time.sleep(0.01)
        workers = children(run.pid)
        with pytest.raises(BadInput, match="another run"):
            prepare(corpus, killed, LENIENT, quiet)
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while any(alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert workers
    assert not any(alive(worker) for worker in workers)
    assert not (killed / "clips.parquet").exists()
    resumed = prepare(corpus, killed, LENIENT, quiet)
    assert 1 <= resumed.shards_found < 5
    assert digest(killed) == digest(prepared.folder)


def test_pictures_and_sound_apart_as_in_vidtimit(tmp_path: Path) -> None:
    """The frames of a clip as JPEG files give what the clip itself gives."""
    clip = spoilt(grid_clip(0), tmp_path / "clip.mkv", "-ss", "0.8", "-t", "1.4", "-c:a", "pcm_s16le")
    pictures = tmp_path / "corpus" / "fadg0" / "video" / "sa1"
    pictures.mkdir(parents=True)
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0), start=1):
            Image.fromarray(frame.to_ndarray(format="rgb24")).save(pictures / f"{index:03d}", format="JPEG", quality=95)
    sound = tmp_path / "corpus" / "fadg0" / "audio" / "sa1.wav"
    sound.parent.mkdir()
    ffmpeg("-i", clip, "-vn", sound)
    made = prepare(tmp_path / "corpus", tmp_path / "out", LENIENT, quiet)
    (row,) = made.clips
    assert (made.layout, row.name, row.speaker) == ("vidtimit", "fadg0/video/sa1", "fadg0")
    assert (row.split, row.split_by, row.reason) == ("train", "clip", "")
    ours, theirs = open_shards(made.folder), open_shards(prepare(clip, tmp_path / "direct", LENIENT, quiet).folder)
    assert np.abs(ours.points(ours.clips[0]) - theirs.points(theirs.clips[0])).mean() < 0.01
    both = ours.mel(ours.clips[0])[:, :100], theirs.mel(theirs.clips[0])[:, :100]
    assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.98
