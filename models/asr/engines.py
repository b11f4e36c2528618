"""Recognisers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from manifests.errors import BadInput
from models import weights
from models.asr.contract import LanguageIdentifier, Transcriber
from models.once import once


def _whisper(folder: Path) -> Transcriber:
    from models.asr.whisper import WhisperTranscriber

    return WhisperTranscriber(folder)


def _parakeet(folder: Path) -> Transcriber:
    from models.asr.parakeet import ParakeetTranscriber

    return ParakeetTranscriber.restore(folder)


def _wav2vec2(folder: Path) -> Transcriber:
    from models.asr.wav2vec2 import Wav2Vec2Transcriber

    return Wav2Vec2Transcriber(folder)


ENGINES: Mapping[str, tuple[str, Callable[[Path], Transcriber]]] = MappingProxyType(
    {
        "whisper": ("whisper-base", _whisper),
        "parakeet": ("parakeet-tdt-v3", _parakeet),
        "wav2vec2": ("wav2vec2-base-960h", _wav2vec2),
    }
)
"""Engine -> the name of its weights, and what makes it from their folder."""


def weights_of(name: str) -> str:
    """The name of the weights of the engine `name`, for `weights.revision`; BadInput for an unknown engine."""
    if name not in ENGINES:
        raise BadInput(f"no recogniser is called {name!r}.", where="asr", remedy=f"Use one of {', '.join(ENGINES)}.")
    return ENGINES[name][0]


def load(name: str) -> Transcriber:
    """The recogniser called `name`, loaded once a process, whichever thread asks first.

    BadInput for an unknown name or an extra that is not installed; MissingWeights where the weights are not here.
    """
    weights_name = weights_of(name)
    return _load(name, weights_name)


@once
def _load(name: str, weights_name: str) -> Transcriber:
    return ENGINES[name][1](weights.locate(weights_name))


def load_identifier() -> LanguageIdentifier:
    """What tells the language: Whisper, the same instance that `load("whisper")` gives."""
    from models.asr.whisper import WhisperTranscriber

    loaded = load("whisper")
    if not isinstance(loaded, WhisperTranscriber):
        raise TypeError(f"the engine whisper is a {type(loaded).__name__}, which tells no language")
    return loaded
