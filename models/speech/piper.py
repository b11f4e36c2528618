"""Piper voices (VITS) on onnxruntime, with piper-tts's phonemes.

VITS draws noise twice: for the pace of each phoneme and for the fine structure of the sound. onnxruntime's generators
move on with every run, so both noise scales are 0 here and the same text gives the same samples: the distribution's
mean, a little flatter in melody and as well understood (character error rates in the tests).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from manifests.errors import BadInput, MissingWeights
from models.speech.contract import Voice
from models.speech.normalise import is_speakable
from models.speech.pronunciation import BLOCK
from models.speech.waveform import Waveform, join, trim, within_peak

if TYPE_CHECKING:
    from piper import PiperVoice

SENTENCE_PAUSE_S = 0.25

_PUNCTUATION_AFTER = re.compile(r"\]\]\s?([.,;:!?…]+)")
_SENTENCE_BORDER = re.compile(r"(?<=[.!?…])\s+|(?<=[.!?…]\]\])\s+")


class PiperSpeaker:
    """Speaks with any Piper voice; a voice's network is loaded when it first speaks, and kept.

    `folder_of` gives the folder of a voice: `NAME.onnx` and `NAME.onnx.json`, NAME being `voice.name`. It may raise
    MissingWeights, as `speak` does where a file is absent. `threads` are used within one sentence.
    """

    def __init__(self, folder_of: Callable[[Voice], Path], *, threads: int = 2) -> None:
        self._folder_of = folder_of
        self._threads = threads
        self._voices: dict[str, PiperVoice] = {}
        self._loading = threading.Lock()

    def speak(self, text: str, voice: Voice, *, rate: float = 1.0) -> Waveform:
        """See `Speaker`."""
        from piper import SynthesisConfig

        if not is_speakable(text):
            return np.zeros(0, np.float32)
        with self._loading:
            loaded = self._voices.get(voice.name)
            if loaded is None:
                loaded = self._voices[voice.name] = self._load(voice)
        still = SynthesisConfig(
            length_scale=loaded.config.length_scale / rate, noise_scale=0.0, noise_w_scale=0.0, normalize_audio=False
        )
        sentences = [
            trim(np.asarray(chunk.audio_float_array, np.float32).ravel(), voice.sample_rate)
            for part in _parts(text)
            for chunk in loaded.synthesize(part, still)
        ]
        spoken = [sentence for sentence in sentences if sentence.size]
        return within_peak(join(spoken, [SENTENCE_PAUSE_S / rate] * len(spoken), voice.sample_rate))

    def _load(self, voice: Voice) -> PiperVoice:
        import onnxruntime
        from piper import PiperVoice
        from piper.config import PiperConfig

        model = self._folder_of(voice) / f"{voice.name}.onnx"
        description = model.with_name(f"{model.name}.json")
        for path in (model, description):
            if not path.is_file():
                raise MissingWeights("is absent", where=str(path), remedy="Pull the voice's weights again.")
        config = PiperConfig.from_dict(json.loads(description.read_text(encoding="utf-8")))
        if config.sample_rate != voice.sample_rate:
            raise BadInput(
                f"speaks at {config.sample_rate} Hz, the voice table says {voice.sample_rate}", where=str(description)
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        return PiperVoice(session=session, config=config, use_tashkeel=False)  # `engines.spoken` has vocalised the text


def _parts(text: str) -> list[str]:
    """`text` in parts that piper reads right: a block of IPA takes along the punctuation after it, and its sentence.

    piper-tts puts a block into the sentence before it, and its espeak-ng forgets a part's leading punctuation.
    """
    folded = _PUNCTUATION_AFTER.sub(r"\1]]", " ".join(text.split()))
    return _SENTENCE_BORDER.split(folded) if BLOCK.search(folded) else [folded]
