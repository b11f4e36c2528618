"""How fast lips are drawn and put back, each against the plain network of the same run.

    python -m benchmarks.lipsync_speed [--threads 2] [--faces 32] [--repeats 3] [--checkpoint FILE]

The plain network is Wav2Lip's generator as the paper's release runs it. Without a checkpoint its weights are untrained
(speed does not depend on their values). The ways of drawing take turns, and the best of the repeats counts, so a busy
machine disturbs all alike: read the ratios, not the rates. Every way must draw what the plain network draws.

Beside PyTorch the generator is run by ONNX Runtime and OpenVINO, where `onnx` (which PyTorch's export needs) and
`openvino` can be imported; redub needs neither. On a CUDA GPU frames a second and memory are measured by batch.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.lipsync.crop import crop_face
from models.lipsync.paste import paste_face
from models.lipsync.wav2lip import Wav2Lip
from models.wav2lip.checkpoint import read_generator
from models.wav2lip.generator import FACE_SIZE, Generator
from models.wav2lip.layers import can_fuse, fold_batch_norm, fuse_activations
from models.wav2lip.untrained import untrained_state

BATCH_SIZES = (8, 16, 32, 64)
CUDA_BATCH_SIZES = (16, 64, 128, 256, 512)

Floats: TypeAlias = npt.NDArray[np.float32]
Draw: TypeAlias = Callable[[Floats, Floats], Floats]
"""Mel windows (N, 1, 80, 16) and pictures (N, 6, S, S) -> the lower halves (N, 3, S / 2, S), all at once."""

WORST_DIFFERENCE = 2e-3
"""Half a step of an 8-bit picture."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch and OpenCV")
    parser.add_argument("--faces", type=int, default=64, help="faces drawn in one measurement")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each way")
    parser.add_argument("--checkpoint", type=Path, help="one of the project's own generators, of any config")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    made = _maker(options.checkpoint)
    config = made().config
    print(f"PyTorch {torch.__version__}, {options.threads} threads, {options.faces} faces, float32, {config.to_json()}")
    drawing(made, options.faces, options.repeats)
    print()
    runtimes(made, options.faces, options.repeats, options.threads)
    print()
    placing(options.repeats)
    if torch.cuda.is_available():
        print()
        on_cuda(made, options.repeats)


def drawing(made: Callable[[], Generator], count: int, repeats: int) -> None:
    """The plain network against the engine, by the faces drawn at once."""
    faces, mels = _crops(count, made().config.face_px)
    ways = {f"plain, batch {size}": _plain(made(), faces, mels, size, "cpu") for size in BATCH_SIZES if size <= count}
    ways |= {
        f"Wav2Lip, batch {size}": _engine(made(), faces, mels, size, "cpu") for size in BATCH_SIZES if size <= count
    }
    _report(best_of(ways, repeats), count)


def runtimes(made: Callable[[], Generator], count: int, repeats: int, threads: int) -> None:
    """The plain network against every way to run the same arithmetic on a CPU, 16 faces at once."""
    size = min(16, count)
    faces, mels = _crops(size, made().config.face_px)
    sounds = np.ascontiguousarray(mels[:, None])
    pictures = np.concatenate((faces, faces), axis=3).transpose(0, 3, 1, 2).astype(np.float32, order="C")
    pictures /= 255
    draws: dict[str, Draw] = {
        "plain": _whole(made()),
        "plain, lower half": _lower(made()),
        "folded, lower half": _lower(_folded(made())),
        "folded, channels last, lower half": _lower(_folded(made()), torch.channels_last),
    }
    if can_fuse():
        draws["fused, channels last, lower half"] = _lower(_fused(made()), torch.channels_last)
    if importlib.util.find_spec("onnx") is None:
        print("onnx is not installed: ONNX Runtime and OpenVINO are left out")
    else:
        draws["ONNX Runtime"] = _onnxruntime(_exported(_LowerHalf(_folded(made()))), threads)
        if importlib.util.find_spec("openvino") is None:
            print("openvino is not installed: it is left out")
        else:
            draws["OpenVINO"] = _openvino(_exported(_LowerHalf(_folded(made()))), threads)
    expected = draws["plain"](sounds, pictures)
    for name, draw in draws.items():
        worst = float(np.abs(draw(sounds, pictures) - expected).max())
        if worst > WORST_DIFFERENCE:
            raise AssertionError(f"{name} draws something else: {worst:.5f} apart")
    rounds = count // size
    taken = best_of({name: _repeat(draw, sounds, pictures, rounds) for name, draw in draws.items()}, repeats)
    _report(taken, rounds * size)
    print(f"fastest: {min(taken, key=lambda name: taken[name])}")


def on_cuda(made: Callable[[], Generator], repeats: int) -> None:
    """The plain network against the engine on a GPU, pictures brought there and back, by the faces drawn at once."""
    count = CUDA_BATCH_SIZES[-1]
    faces, mels = _crops(count, made().config.face_px)
    print(torch.cuda.get_device_name())
    for size in CUDA_BATCH_SIZES:
        ways = {
            f"plain, batch {size}": _plain(made(), faces, mels, size, "cuda"),
            f"Wav2Lip, batch {size}": _engine(made(), faces, mels, size, "cuda"),
        }
        memory: dict[str, int] = {}
        for name, work in ways.items():
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            work()
            torch.cuda.synchronize()
            memory[name] = torch.cuda.max_memory_allocated()
        taken = best_of(ways, repeats)
        for name, seconds in taken.items():
            print(f"{name:20s} {count / seconds:9.1f} faces/s  {memory[name] / 2**20:7.0f} MiB of GPU memory")


def placing(repeats: int) -> None:
    """Cutting a face out of its frame and putting it back."""
    frame = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    box = np.array([500.3, 200.7, 230, 250], np.float32)
    face = crop_face(frame, box, FACE_SIZE)
    ways: dict[str, Callable[[], object]] = {
        "crop": lambda: crop_face(frame, box, FACE_SIZE),
        "paste": lambda: paste_face(frame, box, face),
    }
    for name, seconds in best_of(ways, 20 * repeats).items():
        print(f"{name:20s} {seconds * 1000:7.2f} ms a 1280x720 frame, face of 230x250")


def best_of(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds of the best of `repeats` rounds, in each of which every way has its turn."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(repeats):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


class _LowerHalf(nn.Module):
    """What is exported: the rows that a dub uses."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, mels: Tensor, faces: Tensor) -> Tensor:
        drawn: Tensor = self.generator(mels, faces, first_row=self.generator.config.face_px // 2)
        return drawn


def _maker(checkpoint: Path | None) -> Callable[[], Generator]:
    """Makes equal generators, as the ways of running one change it."""
    if checkpoint is not None:
        return lambda: read_generator(checkpoint)
    state = untrained_state(Generator().state_dict())

    def made() -> Generator:
        network = Generator().eval()
        network.load_state_dict(state)
        return network

    return made


def _folded(network: Generator) -> Generator:
    fold_batch_norm(network)
    return network


def _fused(network: Generator) -> Generator:
    fold_batch_norm(network)
    fuse_activations(network)
    return network


def _crops(count: int, side: int) -> tuple[npt.NDArray[np.uint8], Floats]:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return faces, rng.uniform(-4, 4, (count, 80, 16)).astype(np.float32)


def _plain(
    network: Generator, faces: npt.NDArray[np.uint8], mels: Floats, size: int, device: str
) -> Callable[[], object]:
    network = network.to(device)
    pictures = torch.from_numpy(np.concatenate((faces, faces), axis=3)).permute(0, 3, 1, 2).contiguous().float() / 255
    sounds = torch.from_numpy(mels)[:, None]

    def draw() -> None:
        with torch.inference_mode():
            for start in range(0, len(pictures), size):
                rows = slice(start, start + size)
                network(sounds[rows].to(device), pictures[rows].to(device)).cpu()

    return draw


def _engine(
    network: Generator, faces: npt.NDArray[np.uint8], mels: Floats, size: int, device: str
) -> Callable[[], object]:
    syncer = Wav2Lip(network, device=device, batch_size=size)
    return lambda: syncer.sync(faces, faces, mels)


def _whole(network: Generator) -> Draw:
    half = network.config.face_px // 2

    @torch.inference_mode()
    def draw(sounds: Floats, pictures: Floats) -> Floats:
        return np.asarray(network(torch.from_numpy(sounds), torch.from_numpy(pictures))[:, :, half:])

    return draw


def _lower(network: Generator, layout: torch.memory_format = torch.contiguous_format) -> Draw:
    lower = _LowerHalf(network).to(memory_format=layout)  # type: ignore[call-overload]

    @torch.inference_mode()
    def draw(sounds: Floats, pictures: Floats) -> Floats:
        placed = torch.from_numpy(pictures).contiguous(memory_format=layout)
        return np.asarray(lower(torch.from_numpy(sounds), placed))

    return draw


def _exported(network: _LowerHalf) -> bytes:
    """ONNX with any number of faces, by the exporter that needs no more than `onnx`."""
    side = network.generator.config.face_px
    names = ("mels", "faces", "drawn")
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # that this exporter is the old one
        path = Path(folder) / "generator.onnx"
        torch.onnx.export(
            network,
            (torch.zeros(2, 1, 80, 16), torch.zeros(2, 6, side, side)),
            path,
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={name: {0: "faces"} for name in names},
            dynamo=False,
        )
        return path.read_bytes()


def _onnxruntime(model: bytes, threads: int) -> Draw:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda sounds, pictures: np.asarray(session.run(None, {"mels": sounds, "faces": pictures})[0])


def _openvino(model: bytes, threads: int) -> Draw:
    openvino = importlib.import_module("openvino")
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(io.BytesIO(model)), "CPU", settings)
    return lambda sounds, pictures: np.asarray(compiled({"mels": sounds, "faces": pictures})[0])


def _repeat(draw: Draw, sounds: Floats, pictures: Floats, rounds: int) -> Callable[[], object]:
    return lambda: [draw(sounds, pictures) for _ in range(rounds)]


def _report(taken: Mapping[str, float], count: int) -> None:
    base = next(iter(taken.values()))
    for name, seconds in taken.items():
        print(f"{name:34s} {count / seconds:7.2f} faces/s  {base / seconds:5.2f} x")


if __name__ == "__main__":
    main()
