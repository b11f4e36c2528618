"""wav2vec 2.0 with a CTC head (Baevski et al., 2020) through transformers: no language model behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import BadInput
from manifests.time import samples_duration
from models.asr.contract import SAMPLE_RATE, HeardWord
from models.asr.ctc import greedy_words, windows
from models.asr.words import is_silent, tidy_words

WINDOW_S = 20
"""Attention is quadratic in this; the network was trained on utterances of up to about 16 s."""

MARGIN_S = 2
"""Context on either side of what is kept of a window."""


class Wav2Vec2Transcriber:
    """A `Wav2Vec2ForCTC` from a folder in the transformers layout. Lower-case words, no punctuation.

    CTC tends to put a symbol on a single frame of 20 ms, so a word may end a little after its span.
    """

    punctuates = False

    def __init__(
        self, folder: Path, *, languages: frozenset[str] | None = frozenset({"en"}), device: str | None = None
    ) -> None:
        """Load from `folder`. `languages`: what it was fine-tuned on. `device` None takes a GPU where torch has one."""
        import torch
        from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

        self.languages = languages
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model: Any = Wav2Vec2ForCTC.from_pretrained(folder, local_files_only=True)
        self._model = model.to(self._device).eval()
        self._extractor: Any = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
        tokenizer: Any = Wav2Vec2CTCTokenizer.from_pretrained(folder, local_files_only=True)
        special = set(tokenizer.all_special_ids)
        self._delimiter: str = tokenizer.word_delimiter_token
        vocabulary = {index: symbol for symbol, index in tokenizer.get_vocab().items()}
        self._symbols = {
            index: symbol for index, symbol in vocabulary.items() if index not in special or symbol == self._delimiter
        }
        self._blank: int = tokenizer.pad_token_id

    def transcribe(self, waveform: npt.NDArray[np.float32], language: str) -> list[HeardWord]:
        """The words of `waveform`; see `Transcriber.transcribe`. BadInput for a language it was not trained on."""
        if self.languages is not None and language not in self.languages:
            raise BadInput(
                f"this wav2vec 2.0 does not hear {language!r}, only {', '.join(sorted(self.languages))}.",
                remedy="Choose the engine whisper.",
            )
        hop: int = self._model.config.inputs_to_logits_ratio
        if waveform.size < 2 * hop or is_silent(waveform):
            return []
        # Margins in whole frames, so that the frames of neighbouring windows fall on one grid.
        margin = MARGIN_S * SAMPLE_RATE // hop * hop
        window = WINDOW_S * SAMPLE_RATE // hop * hop
        kept = []
        for first, last, keep_first, keep_last in windows(waveform.size, window=window, margin=margin):
            frames = self._log_probabilities(waveform[first:last])
            end = len(frames) if keep_last == waveform.size else (keep_last - first) // hop
            kept.append(frames[(keep_first - first) // hop : end])
        raw = greedy_words(
            np.concatenate(kept),
            self._symbols,
            blank=self._blank,
            delimiter=self._delimiter,
            frame_s=hop / SAMPLE_RATE,
        )
        # The blank in front says that each is a word of its own, "'tis" too.
        spaced = (word._replace(text=f" {word.text.lower()}") for word in raw)
        return tidy_words(spaced, samples_duration(waveform.size, SAMPLE_RATE))

    def _log_probabilities(self, waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(frames, classes) of one window; a window too short for the convolutions is padded with silence."""
        import torch

        padded = np.pad(waveform, (0, max(0, _SHORTEST - waveform.size)))
        inputs = self._extractor(padded, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(inputs.input_values.to(self._device)).logits[0]
        return np.asarray(torch.log_softmax(logits.float(), dim=-1).cpu().numpy())


# The receptive field of the convolutional encoder is 400 samples; below a tenth of a second nothing can be said.
_SHORTEST = SAMPLE_RATE // 10
