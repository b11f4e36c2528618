"""How fast lips are drawn and put back, each against the plain network of the same run.

    python -m benchmarks.lipsync_speed [--threads 2] [--faces 32] [--repeats 3]

The plain network is Wav2Lip's generator as the paper's release runs it. Weights are untrained (speed does not depend on
their values). The ways of drawing take turns, and the best of the repeats counts, so a busy machine disturbs all alike:
read the ratios, not the rates.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from models.lipsync.crop import crop_face
from models.lipsync.paste import paste_face
from models.lipsync.wav2lip import Wav2Lip
from models.wav2lip.generator import FACE_SIZE, Generator
from models.wav2lip.untrained import untrained_state

BATCH_SIZES = (8, 16, 32, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch and OpenCV")
    parser.add_argument("--faces", type=int, default=64, help="faces drawn in one measurement")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each way")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"PyTorch {torch.__version__}, {options.threads} threads, {options.faces} faces, float32")
    drawing(options.faces, options.repeats)
    print()
    placing(options.repeats)


def drawing(count: int, repeats: int) -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (count, FACE_SIZE, FACE_SIZE, 3), dtype=np.uint8)
    mels = rng.uniform(-4, 4, (count, 80, 16)).astype(np.float32)
    pictures = torch.rand(count, 6, FACE_SIZE, FACE_SIZE)
    sounds = torch.from_numpy(mels)[:, None]
    state = untrained_state(Generator().state_dict())

    def generator() -> Generator:
        network = Generator().eval()
        network.load_state_dict(state)
        return network

    def plain(network: Generator, size: int) -> Callable[[], object]:
        def draw() -> None:
            with torch.inference_mode():
                for start in range(0, count, size):
                    network(sounds[start : start + size], pictures[start : start + size])

        return draw

    def adapter(size: int) -> Callable[[], object]:
        syncer = Wav2Lip(generator(), device="cpu", batch_size=size)
        return lambda: syncer.sync(faces, faces, mels)

    network = generator()
    ways = {f"plain, batch {size}": plain(network, size) for size in BATCH_SIZES if size <= count}
    ways |= {f"Wav2Lip, batch {size}": adapter(size) for size in BATCH_SIZES if size <= count}
    taken = best_of(ways, repeats)
    base = taken[next(iter(ways))]
    for name, seconds in taken.items():
        print(f"{name:20s} {count / seconds:7.2f} faces/s  {base / seconds:5.2f} x")


def placing(repeats: int) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    box = np.array([500.3, 200.7, 230, 250], np.float32)
    face = crop_face(frame, box, FACE_SIZE)
    ways: dict[str, Callable[[], object]] = {
        "crop": lambda: crop_face(frame, box, FACE_SIZE),
        "paste": lambda: paste_face(frame, box, face),
    }
    for name, seconds in best_of(ways, 20 * repeats).items():
        print(f"{name:20s} {seconds * 1000:7.2f} ms a 1280x720 frame, face of 230x250")


def best_of(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds of the best of `repeats` rounds, in each of which every way has its turn."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(repeats):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


if __name__ == "__main__":
    main()
