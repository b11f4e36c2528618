"""Whether the offset between lips and sound of real clips is found, by the articulation network.

    python -m benchmarks.offset_found CLIPS

Each clip's sound is heard as it is and moved by 2, 5 and -7 frames; the opening of the mouth that is seen is held
against the one that is heard at every lag of 15 frames either way, and the best lag compared with the true one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.articulated import opening_heard, opening_seen
from infra.media.audio import read_waveform
from models.articulation.contract import SAMPLE_RATE

SHIFTS = (0, 2, 5, -7)
REACH = 15


def main(folder: Path) -> None:
    """Print one line a clip, and the share found within one frame."""
    found = []
    for clip in sorted(each for each in folder.iterdir() if each.suffix in {".mp4", ".mpg"}):
        seen, times_s = opening_seen(clip)
        waveform = read_waveform(clip, sample_rate=SAMPLE_RATE)
        lags = []
        for shift in SHIFTS:
            moved = np.roll(waveform, shift * SAMPLE_RATE // 25)
            heard = opening_heard(moved, times_s)
            lags.append(best_lag(seen, heard) - shift)
        found += [abs(lag) <= 1 for lag in lags]
        print(clip.stem, lags)
    print(f"found within a frame: {np.mean(found):.3f} of {len(found)}")


def best_lag(seen: np.ndarray, heard: np.ndarray) -> int:
    """By how many frames the sound is late."""
    scores = {}
    for lag in range(-REACH, REACH + 1):
        one, other = seen[max(-lag, 0) : len(seen) + min(-lag, 0)], heard[max(lag, 0) : len(heard) + min(lag, 0)]
        scores[lag] = float(np.corrcoef(one, other)[0, 1])
    return max(scores, key=lambda lag: scores[lag])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
