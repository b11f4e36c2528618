"""Clips of one man who talks, of the GRID corpus (Cooke et al. 2006), from the team's shared data."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from infra.media.audio import read_waveform, write_wav
from infra.media.frames import read_frames
from infra.media.still import write_video
from manifests.time import Flicks, flicks
from models import weights

CLIPS = Path(__file__).parent / ".." / ".." / "shared" / "data" / "grid" / "s1"
ONE, OTHER = CLIPS / "bbaf2n.mp4", CLIPS / "swwv9a.mp4"
FPS = 25
NEEDED = ("whisper-base", "facemesh", "yunet", "sface")

with_grid = [
    pytest.mark.weights,
    pytest.mark.shared_data,
    pytest.mark.skipif(not CLIPS.is_dir(), reason="the team's clips of GRID are not on this machine"),
    pytest.mark.skipif(
        not all(weights.present(name) for name in NEEDED),
        reason=f"weights that are not on this machine: {', '.join(NEEDED)} (make weights)",
    ),
]


def frames_of(path: Path) -> npt.NDArray[np.uint8]:
    """(F, H, W, 3) RGB."""
    return np.stack([frame for _, frame in read_frames(path)])


def sound_of(path: Path, file: Path, duration_s: float | None = None) -> Path:
    """The sound of a clip as WAV, cut off after `duration_s`."""
    waveform = read_waveform(path, sample_rate=16_000)
    write_wav(file, waveform[: None if duration_s is None else round(duration_s * 16_000)], 16_000)
    return file


def side_by_side(left: Path, right: Path, frame_count: int, file: Path, sound: Path | None = None) -> Path:
    """Two men in one picture, with the sound of `sound` (a WAV file), if any."""
    both = np.concatenate([frames_of(path)[:frame_count] for path in (left, right)], axis=2)

    def frames() -> Iterator[tuple[Flicks, npt.NDArray[np.uint8]]]:
        for index, frame in enumerate(both):
            yield flicks(Fraction(index, FPS)), frame

    if sound is None:
        write_video(frames(), file, rate=Fraction(FPS))
        return file
    silent = file.with_name(f"silent-{file.name}")
    write_video(frames(), silent, rate=Fraction(FPS))
    with av.open(str(silent)) as picture, av.open(str(sound)) as voice, av.open(str(file), "w") as target:
        copied = target.add_stream_from_template(picture.streams.video[0])
        spoken = target.add_stream("aac", rate=16_000, layout="mono")
        for packet in picture.demux(video=0):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
        for heard in voice.decode(audio=0):
            target.mux(spoken.encode(heard))
        target.mux(spoken.encode(None))
    return file
