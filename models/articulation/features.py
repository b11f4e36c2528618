"""What the articulation network hears: the encoder of Whisper (Radford et al. 2022), which knows many voices.

A network that hears mel spectrograms and saw one person speak learns that person's voice; Whisper's encoder was trained
on hundreds of thousands of voices in a hundred languages, so what is learned on top of it carries over.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.once import once

SAMPLE_RATE = 16_000
RATE_HZ = 50
"""Rows of features a second; row i is centred on (i + 0.5) / 50 s."""
SIZE = 512

_HOP = SAMPLE_RATE // RATE_HZ
_APART = SAMPLE_RATE // 5
"""Silence between sounds that share a window."""
_WINDOW_S, _OVERLAP_S = 30, 2
"""Whisper sees 30 s at once; of neighbouring windows the outer second is thrown away."""


class SpeechFeatures(Protocol):
    """Turns sound into rows of features."""

    def extract(self, waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """`waveform` (mono, 16 kHz, -1..1) as (N, 512), N = samples / 320 rounded up, `RATE_HZ` rows a second."""
        ...


class WhisperFeatures:
    """`SpeechFeatures` over Whisper base in CTranslate2 form, int8 on a CPU. The same waveform gives the same rows."""

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        """`folder` is that of the weights whisper-base."""
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor

        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        self._model: Any = ctranslate2.models.Whisper(
            str(folder),
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            intra_threads=threads,
        )
        self._spectrogram: Any = FeatureExtractor(feature_size=80)
        self._lock = Lock()

    def extract(self, waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """See `SpeechFeatures`."""
        rows = -(-len(waveform) // _HOP)
        features = np.zeros((rows, SIZE), np.float32)
        if not rows:
            return features
        step, edge = (_WINDOW_S - _OVERLAP_S) * SAMPLE_RATE, _OVERLAP_S * RATE_HZ // 2
        for start in range(0, max(len(waveform) - _OVERLAP_S * SAMPLE_RATE, 1), step):
            window = waveform[start : start + _WINDOW_S * SAMPLE_RATE]
            encoded = self._encode(window)[: -(-len(window) // _HOP)]
            first = start // _HOP
            skipped = edge if start else 0
            features[first + skipped : first + len(encoded)] = encoded[skipped:]
        return features

    def _encode(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        import ctranslate2

        whole = np.zeros(_WINDOW_S * SAMPLE_RATE, np.float32)
        whole[: len(window)] = window
        spectrogram = np.ascontiguousarray(self._spectrogram(whole)[None, :, : _WINDOW_S * 100], np.float32)
        with self._lock:
            encoded = self._model.encode(ctranslate2.StorageView.from_array(spectrogram), to_cpu=True)
        return np.asarray(np.array(encoded)[0], np.float32)

    def extract_many(self, waveforms: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
        """The rows of many short sounds, each at most 30 s: as many as fit share a window, which costs the same."""
        rows: list[npt.NDArray[np.float32]] = []
        for group in _grouped([len(waveform) for waveform in waveforms]):
            window = np.zeros(_WINDOW_S * SAMPLE_RATE, np.float32)
            starts, at = [], 0
            for index in group:
                waveform = waveforms[index][: len(window) - at]
                window[at : at + len(waveform)] = waveform
                starts.append(at // _HOP)
                at += -(-(len(waveforms[index]) + _APART) // _HOP) * _HOP
            encoded = self._encode(window)
            for index, start in zip(group, starts, strict=True):
                rows.append(encoded[start : start + -(-len(waveforms[index]) // _HOP)])
        return rows


def _grouped(lengths: Sequence[int]) -> list[list[int]]:
    """Sounds in order, as many to a window as fit."""
    groups: list[list[int]] = []
    left = 0
    for index, length in enumerate(lengths):
        need = -(-(length + _APART) // _HOP) * _HOP
        if not groups or need > left:
            groups.append([])
            left = _WINDOW_S * SAMPLE_RATE
        groups[-1].append(index)
        left -= need
    return groups


WEIGHTS = "whisper-base"


@once
def load_features() -> WhisperFeatures:
    """Whisper's encoder, loaded once a process. MissingWeights where whisper-base is not on this machine."""
    from models import weights

    return WhisperFeatures(weights.locate(WEIGHTS))
