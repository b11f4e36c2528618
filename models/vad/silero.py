"""silero-vad on onnxruntime: the weights lie inside the silero-vad package, torch is not needed.

The network (Silero Team, github.com/snakers4/silero-vad, MIT) sees windows of 512 samples at 16 kHz, each led by
the last 64 samples of the window before, and carries a recurrent state. Here the package's sequence export is used:
the same network looped inside ONNX, so one call takes many windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import MissingWeights
from manifests.time import Span, samples_duration
from models.vad.contract import SAMPLE_RATE
from models.vad.segments import SegmentSettings, active_runs, speech_spans

WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64
WINDOWS_A_CALL = 256
"""Windows handed to the network at once, about 8 s: few calls, little memory."""


def weights_path() -> Path:
    """The ONNX file inside the installed silero-vad; MissingWeights where it is not installed.

    The package is located, not imported: importing it would import torch and set its thread count.
    """
    spec = find_spec("silero_vad")
    if spec is None or spec.origin is None:
        raise MissingWeights("silero-vad is not installed.", where="vad", remedy="pip install 'silero-vad>=6.2.3,<7'")
    path = Path(spec.origin).parent / "data" / "silero_vad_16k_sequence.onnx"
    if not path.is_file():
        raise MissingWeights(
            f"this silero-vad carries no {path.name}.", where="vad", remedy="pip install 'silero-vad>=6.2.3,<7'"
        )
    return path


class SileroVAD:
    """A `VoiceActivityDetector`: one CPU thread, deterministic, the same spans however the audio is cut into blocks."""

    def __init__(self, settings: SegmentSettings | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(weights_path()), options, providers=["CPUExecutionProvider"]
        )
        self._settings = settings or SegmentSettings()

    def speech(self, blocks: Iterable[npt.NDArray[np.float32]]) -> list[Span]:
        """Disjoint spans of speech; see `VoiceActivityDetector`. ValueError for a block that is not one-dimensional."""
        windows = _Windows(blocks)
        runs = list(
            active_runs(
                self._probabilities(windows),
                window=samples_duration(WINDOW_SAMPLES, SAMPLE_RATE),
                settings=self._settings,
            )
        )
        return speech_spans(runs, duration=samples_duration(windows.sample_count, SAMPLE_RATE), settings=self._settings)

    def _probabilities(self, windows: Iterable[npt.NDArray[np.float32]]) -> Iterator[float]:
        hidden = cell = np.zeros((1, 1, 128), np.float32)
        context = np.zeros(CONTEXT_SAMPLES, np.float32)
        for rows in windows:
            leads = np.concatenate([context[None], rows[:-1, -CONTEXT_SAMPLES:]])
            context = rows[-1, -CONTEXT_SAMPLES:]
            probabilities, hidden, cell = self._session.run(
                None, {"input": np.concatenate([leads, rows], axis=1), "h": hidden, "c": cell}
            )
            yield from probabilities.tolist()


class _Windows:
    """Batches of at most `WINDOWS_A_CALL` windows (n, 512), cut from blocks of any length, the last one zero-filled.

    `sample_count` is how many samples were seen; it is the recording's length once the batches are used up.
    """

    def __init__(self, blocks: Iterable[npt.NDArray[np.float32]]) -> None:
        self._blocks = blocks
        self.sample_count = 0

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        batch = np.zeros(WINDOWS_A_CALL * WINDOW_SAMPLES, np.float32)
        filled = 0
        for block in self._blocks:
            if block.ndim != 1:
                raise ValueError(f"a block of audio must be one-dimensional, not of shape {block.shape}")
            self.sample_count += len(block)
            start = 0
            while start < len(block):
                taken = min(len(block) - start, len(batch) - filled)
                batch[filled : filled + taken] = block[start : start + taken]
                filled, start = filled + taken, start + taken
                if filled == len(batch):
                    yield batch.reshape(-1, WINDOW_SAMPLES)
                    batch, filled = np.zeros_like(batch), 0
        if filled:
            used = -(-filled // WINDOW_SAMPLES)
            yield batch.reshape(-1, WINDOW_SAMPLES)[:used]
