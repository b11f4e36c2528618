"""Cross audio on a long source track: clips of one speaker joined to a minute, saying the sounds of strangers.

    python -m benchmarks.joined_track FACES SOUNDS OUT.mp4

FACES is a folder of clips of one speaker, SOUNDS one of clips of others, three seconds each; twenty faces are joined,
and the sounds are said in turn. For each of them the opening of the rendered mouth is held against the real one.
"""

from __future__ import annotations

import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.articulated import mouths_seen
from infra.media.audio import read_waveform, write_wav
from infra.media.frames import read_frames
from infra.media.still import write_video
from infra.store import Store
from manifests.time import FLICKS_PER_SECOND
from models.articulation.shapes import openings, outer_openings, widths
from tasks.journal import Journal
from tasks.pool import InProcessPool
from tasks.talking import TalkJob, make_talk

CLIPS, FRAMES, RATE, SAMPLE_RATE = 20, 75, 25, 16_000
MEASURES = {"inner opening": openings, "outer opening": outer_openings, "width": widths}


def main(faces: Path, sounds: Path, out: Path) -> None:
    """Print the mean and the least correlation of each measure."""
    found_clips = sorted(faces.glob("*.mp4"))
    spread = found_clips[:: max(1, len(found_clips) // (2 * CLIPS))]
    chosen = [clip for clip in spread if sum(1 for _ in read_frames(clip)) == FRAMES][:CLIPS]
    said = [clip for clip in sorted(sounds.iterdir()) if clip.suffix in {".mp4", ".mpg"}]
    order = [said[index % len(said)] for index in range(len(chosen))]
    with tempfile.TemporaryDirectory() as folder:
        face, sound = Path(folder) / "face.mp4", Path(folder) / "sound.wav"
        pictures = (frame for clip in chosen for _, frame in read_frames(clip))
        timed = ((index * FLICKS_PER_SECOND // RATE, each) for index, each in enumerate(pictures))
        write_video(timed, face, rate=Fraction(RATE))
        length = FRAMES * SAMPLE_RATE // RATE
        parts = [np.pad(read_waveform(clip, sample_rate=SAMPLE_RATE), (0, length))[:length] for clip in order]
        write_wav(sound, np.concatenate(parts).astype(np.float32), SAMPLE_RATE)
        store = Store(Path(folder) / "cache")
        made = make_talk(TalkJob(face=face, audio=sound, out=out), InProcessPool(store, Journal()), store)
        store.publish(made.files.video, out)
    shown = mouths_seen(out)
    found: dict[str, list[float]] = {name: [] for name in MEASURES}
    for index, clip in enumerate(order):
        real, result = mouths_seen(clip), shown[index * FRAMES : (index + 1) * FRAMES]
        count = min(len(real), len(result))
        for name, measure in MEASURES.items():
            found[name].append(float(np.corrcoef(measure(real)[:count], measure(result)[:count])[0, 1]))
    for name, values in found.items():
        print(f"{name}: mean r {np.mean(values):.3f}, least {min(values):.3f}, of {len(values)}")


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:4]))
