"""Kokoro-82M (StyleTTS 2 with an iSTFTNet decoder) on onnxruntime, with kokoro-onnx's vocabulary.

The 8-bit graph holds no random node and its integer convolutions are exact, so the samples are the same on every
run, in any order and with any number of threads (measured: 1 and 2 threads, four levels of graph optimisation, one
hash). A graph that does hold random nodes is refused when it is loaded.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from manifests.errors import BadInput, MissingWeights
from models.speech import phonemes
from models.speech.contract import Voice
from models.speech.waveform import Waveform, join, trim, within_peak

SAMPLE_RATE = 24_000

CONTEXT = 510
"""Phonemes the network takes at once: 512 positions less one of padding at each end."""

MODEL_FILE = "kokoro-quantized.onnx"
VOICES_FILE = "voices.npz"

SENTENCE_PAUSE_S = 0.25
CLAUSE_PAUSE_S = 0.1

_RANDOM_OPERATORS = (b"RandomNormal", b"RandomUniform", b"Multinomial", b"Bernoulli")

_ACCENTS = {"fr": "fr-fr", "pt": "pt-br"}


def default_threads() -> int:
    """Threads per sentence: beyond 4 the decoder's convolutions gain little."""
    return min(os.cpu_count() or 1, 4)


class KokoroSpeaker:
    """Speaks with every Kokoro voice. Safe to call from several threads at once.

    `folder` holds `kokoro-quantized.onnx` and `voices.npz` (name -> float32 (510, 1, 256): a style per count of
    phonemes). `threads` are used within one sentence; the result does not depend on them. Raises MissingWeights where
    a file is absent, BadInput where the graph draws random numbers.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        import onnxruntime
        from kokoro_onnx.config import DEFAULT_VOCAB

        model = folder / MODEL_FILE
        for path in (model, folder / VOICES_FILE):
            if not path.is_file():
                raise MissingWeights("is absent", where=str(path), remedy="Run `redub weights pull kokoro`.")
        graph = model.read_bytes()
        if drawn := [name.decode() for name in _RANDOM_OPERATORS if name in graph]:
            raise BadInput(
                f"draws random numbers ({', '.join(drawn)}), so the same text would not give the same samples",
                where=str(model),
                remedy="Use the 8-bit export that `redub weights pull kokoro` brings.",
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or default_threads()
        options.inter_op_num_threads = 1
        # Threads that wait by spinning took a third more CPU on a busy machine, for the same samples.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._vocabulary: dict[str, int] = DEFAULT_VOCAB
        with np.load(folder / VOICES_FILE) as voices:
            self._styles: dict[str, npt.NDArray[np.float32]] = {
                name: style.reshape(-1, style.shape[-1]) for name, style in voices.items()
            }

    def speak(self, text: str, voice: Voice, *, rate: float = 1.0) -> Waveform:
        """See `Speaker`. Text beyond 510 phonemes is spoken in parts that end at a sentence, a clause, else a word."""
        style = self._styles.get(voice.name)
        if style is None:
            raise BadInput(f"Kokoro has no voice {voice.name!r}", where=voice.id)
        spoken = phonemes.phonemize(text, accent_of(voice))
        known = "".join(letter for letter in spoken if letter in self._vocabulary)
        if not any(letter.isalpha() for letter in known):
            return np.zeros(0, np.float32)
        parts = phonemes.split(known, CONTEXT)
        waveforms = [trim(self._synthesize(part, style, rate), SAMPLE_RATE) for part in parts]
        return within_peak(join(waveforms, [_pause_s(part) / rate for part in parts], SAMPLE_RATE))

    def _synthesize(self, part: str, style: npt.NDArray[np.float32], rate: float) -> Waveform:
        tokens = [self._vocabulary[letter] for letter in part]
        inputs = {
            "input_ids": np.array([[0, *tokens, 0]], np.int64),
            "style": style[min(len(tokens), len(style)) - 1][None],
            "speed": np.full(1, rate, np.float32),
        }
        waveform = self._session.run(None, inputs)[0]
        return np.asarray(waveform, np.float32).ravel()


def accent_of(voice: Voice) -> str:
    """espeak-ng's name for how `voice` pronounces: British where its name starts with `b`, else by language."""
    if voice.language == "en":
        return "en-gb" if voice.name.startswith("b") else "en-us"
    return _ACCENTS.get(voice.language, voice.language)


def _pause_s(part: str) -> float:
    if part[-1] in phonemes.SENTENCE_END:
        return SENTENCE_PAUSE_S
    return CLAUSE_PAUSE_S if part[-1] in phonemes.CLAUSE_END else 0.0
