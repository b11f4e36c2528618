"""Whisper (Radford et al., 2022, "Robust Speech Recognition via Large-Scale Weak Supervision") through CTranslate2."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from manifests.errors import BadInput
from manifests.time import samples_duration
from models.asr.contract import SAMPLE_RATE, HeardWord
from models.asr.words import RawWord, clip_stretched, is_silent, tidy_words

Device = Literal["cpu", "cuda"]

# The thresholds of the paper (section 4.5) and its released decoder.
_COMPRESSION_RATIO = 2.4
_LOG_PROBABILITY = -1.0
_NO_SPEECH = 0.6
# Seconds of silence around odd words that make them a hallucination.
_HALLUCINATION_SILENCE_S = 2.0
# Invented sentences over noise are said to be no speech and come with words that the model itself doubts.
_DOUBTED_WORD = 0.35
# Byte-pair tokens that a second of speech may take (Devanagari is the greediest), and what a short cry may need.
# Without the bound a loop runs to the end of the decoder's context, which costs minutes on a CPU.
_TOKENS_PER_SECOND = 24
_TOKENS_AT_LEAST = 32
_CONTEXT_TOKENS = 440
_ISO_639_1 = {"jw": "jv"}


class WhisperTranscriber:
    """Whisper in the CTranslate2 format of faster-whisper: int8 on a CPU, float16 on a GPU. Also tells languages.

    Decoding samples nothing, so the same waveform gives the same words: a beam at temperature 0, and where a passage
    comes out as a loop (it compresses better than 2.4 to 1), once more without repeated groups of four tokens.
    Windows of 30 s are decoded, and a shorter one costs its encoder as much: chunks of nearly 30 s are the cheapest.
    One instance may be shared by threads; they then wait for each other.
    """

    punctuates = True

    def __init__(
        self, folder: Path, *, device: Device | None = None, cpu_threads: int | None = None, beam_size: int = 5
    ) -> None:
        """Load from `folder` (model.bin, config.json, tokenizer.json, vocabulary.json).

        `device` None takes the GPU where CTranslate2 sees one. `cpu_threads` None takes the cores this process
        may use, at most 4, beyond which the base model gains little.
        """
        import ctranslate2
        from faster_whisper import WhisperModel

        device = device or ("cuda" if ctranslate2.get_cuda_device_count() else "cpu")
        self._model: Any = WhisperModel(
            str(folder),
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            cpu_threads=cpu_threads or min(4, _usable_cores()),
            local_files_only=True,
        )
        self._beam_size = beam_size
        self._codes = {_ISO_639_1.get(code, code): code for code in self._model.supported_languages}
        self.languages: frozenset[str] | None = frozenset(code for code in self._codes if len(code) == 2)

    def transcribe(self, waveform: npt.NDArray[np.float32], language: str) -> list[HeardWord]:
        """The words of `waveform`; see `Transcriber.transcribe`. BadInput where Whisper lacks `language`."""
        if language not in self._codes:
            raise BadInput(
                f"Whisper does not hear {language!r}.",
                remedy="Give an ISO 639-1 code of a language that it was trained on.",
            )
        if is_silent(waveform):
            return []
        segments = self._segments(waveform, language)
        if any(_is_loop(segment) and segment.no_speech_prob <= _NO_SPEECH for segment in segments):
            segments = self._segments(waveform, language, no_repeat_ngram_size=4)
        raw = [
            RawWord(word.word, word.start, word.end, word.probability)
            for segment in segments
            if not _is_invented(segment)
            for word in segment.words
        ]
        return clip_stretched(tidy_words(raw, samples_duration(waveform.size, SAMPLE_RATE)), waveform)

    def language_probabilities(self, waveform: npt.NDArray[np.float32]) -> dict[str, float]:
        """ISO 639-1 code -> probability; see `LanguageIdentifier`. BadInput for an empty waveform."""
        if waveform.size == 0:
            raise BadInput("there is no sound to tell the language of.", remedy="Hand in some seconds of speech.")
        _, _, ranked = self._model.detect_language(waveform.astype(np.float32, copy=False))
        known = {_ISO_639_1.get(code, code): float(probability) for code, probability in ranked}
        kept = {code: probability for code, probability in known.items() if len(code) == 2}
        total = sum(kept.values())
        return {code: probability / total for code, probability in kept.items()}

    def _segments(
        self, waveform: npt.NDArray[np.float32], language: str, *, no_repeat_ngram_size: int = 0
    ) -> list[Any]:
        segments: Iterable[Any]
        segments, _ = self._model.transcribe(
            waveform.astype(np.float32, copy=False),
            language=self._codes[language],
            beam_size=self._beam_size,
            # Above 0 the decoder would draw from a random generator, one a thread, that cannot be seeded a call.
            temperature=(0.0,),
            no_repeat_ngram_size=no_repeat_ngram_size,
            max_new_tokens=min(_CONTEXT_TOKENS, _TOKENS_AT_LEAST + _TOKENS_PER_SECOND * waveform.size // SAMPLE_RATE),
            # A mistake in one window would otherwise be carried into all that follow.
            condition_on_previous_text=False,
            word_timestamps=True,
            compression_ratio_threshold=_COMPRESSION_RATIO,
            log_prob_threshold=_LOG_PROBABILITY,
            no_speech_threshold=_NO_SPEECH,
            hallucination_silence_threshold=_HALLUCINATION_SILENCE_S,
            vad_filter=False,
        )
        return list(segments)


def _is_loop(segment: Any) -> bool:
    return bool(segment.compression_ratio > _COMPRESSION_RATIO)


def _is_invented(segment: Any) -> bool:
    """Whether a decoded segment is more likely noise read as words than speech."""
    if not segment.words or _is_loop(segment) or segment.avg_logprob < 2 * _LOG_PROBABILITY:
        return True
    doubted = fmean(word.probability for word in segment.words) < _DOUBTED_WORD
    return doubted and (segment.no_speech_prob > _NO_SPEECH or segment.avg_logprob < _LOG_PROBABILITY)


def _usable_cores() -> int:
    """Cores that this process may run on; macOS and Windows do not tell, so there it is all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
