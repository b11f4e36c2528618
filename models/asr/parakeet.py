"""Parakeet and its kin (TDT, RNN-T and CTC FastConformers) through NVIDIA NeMo, an optional extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import BadInput
from manifests.time import samples_duration
from models.asr.contract import SAMPLE_RATE, HeardWord
from models.asr.ctc import windows
from models.asr.words import RawWord, clip_stretched, is_silent, tidy_words

PARAKEET_V3_LANGUAGES = frozenset(
    {"bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "it"}
) | frozenset({"lt", "lv", "mt", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "uk"})
"""The 25 languages that the model card of nvidia/parakeet-tdt-0.6b-v3 names."""

WINDOW_S = 120
"""Full attention over more than this costs memory without gain; longer waveforms are heard in overlapping windows."""

MARGIN_S = 4
"""What overlaps on either side: a word belongs to the window whose kept part holds its middle."""


class ParakeetTranscriber:
    """A NeMo recogniser that gives word timestamps. Greedy decoding: the same waveform gives the same words."""

    def __init__(
        self,
        model: Any,
        *,
        languages: frozenset[str] | None = PARAKEET_V3_LANGUAGES,
        punctuates: bool = True,
    ) -> None:
        """Wrap a NeMo `ASRModel`. `punctuates` is False for models trained on lower-case text."""
        self._model = model.eval()
        self.languages = languages
        self.punctuates = punctuates

    @classmethod
    def restore(cls, folder: Path, *, device: str | None = None) -> ParakeetTranscriber:
        """Load the one `.nemo` file in `folder`; `device` None takes a GPU where torch has one.

        BadInput where NeMo is not installed or where there is not exactly one such file.
        """
        asr = _nemo_asr()
        import torch

        files = sorted(folder.glob("*.nemo"))
        if len(files) != 1:
            raise BadInput(
                f"one .nemo file is wanted, {len(files)} found.", where=str(folder), remedy="Pull the weights again."
            )
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        return cls(asr.models.ASRModel.restore_from(str(files[0]), map_location=torch.device(chosen)))

    def transcribe(self, waveform: npt.NDArray[np.float32], language: str) -> list[HeardWord]:
        """The words of `waveform`; see `Transcriber.transcribe`. The model finds the language by itself.

        BadInput for a `language` that it was not trained on.
        """
        if self.languages is not None and language not in self.languages:
            raise BadInput(f"this NeMo model does not hear {language!r}.", remedy="Choose the engine whisper.")
        if is_silent(waveform):
            return []
        raw: list[RawWord] = []
        for first, last, keep_first, keep_last in windows(
            waveform.size, window=WINDOW_S * SAMPLE_RATE, margin=MARGIN_S * SAMPLE_RATE
        ):
            offset_s = first / SAMPLE_RATE
            for word in self._window(waveform[first:last]):
                start_s, end_s = word.start_s + offset_s, word.end_s + offset_s
                middle = (start_s + end_s) / 2 * SAMPLE_RATE
                # The last window also keeps what is timed past the end, which rounding to frames can do.
                if keep_first <= middle < keep_last or (keep_last == waveform.size <= middle):
                    raw.append(word._replace(start_s=start_s, end_s=end_s))
        return clip_stretched(tidy_words(raw, samples_duration(waveform.size, SAMPLE_RATE)), waveform)

    def _window(self, waveform: npt.NDArray[np.float32]) -> list[RawWord]:
        padded = np.pad(waveform.astype(np.float32, copy=False), (0, max(0, _SHORTEST - waveform.size)))
        answer = self._model.transcribe([padded], batch_size=1, timestamps=True, verbose=False)
        # A hybrid model with a beam answers (best, all).
        best = answer[0] if isinstance(answer, tuple) else answer
        return hypothesis_words(best[0])


def hypothesis_words(hypothesis: Any) -> list[RawWord]:
    """The words of a NeMo `Hypothesis` decoded with `timestamps=True`.

    Its `timestamp["word"]` holds dicts with `word`, `start` and `end` in seconds; `word_confidence` is there where the
    decoding was told to keep it, else a word's confidence is 1. BadInput where the model gives no word times.
    """
    timestamps = hypothesis.timestamp
    if not isinstance(timestamps, Mapping) or "word" not in timestamps:
        raise BadInput("this NeMo model gives no word times.", remedy="Use a TDT, RNN-T or CTC model.")
    words = timestamps["word"]
    confidences = getattr(hypothesis, "word_confidence", None)
    if confidences is None or len(confidences) != len(words):
        confidences = [1.0] * len(words)
    return [
        # A blank in front: each is a word of its own.
        RawWord(f" {word['word']}", float(word["start"]), float(word["end"]), float(confidence))
        for word, confidence in zip(words, confidences, strict=True)
    ]


def _nemo_asr() -> Any:
    try:
        from nemo.collections import asr
    except ModuleNotFoundError as missing:
        raise BadInput(
            f"the engine parakeet needs NeMo, which is not installed (no module {missing.name}).",
            where="asr",
            remedy="Install it with: pip install 'redub[nemo]'",
        ) from missing
    return asr


# NeMo's convolutional subsampling divides frames of 10 ms by 8; below this not one is left.
_SHORTEST = SAMPLE_RATE // 4
