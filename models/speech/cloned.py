"""A person's own voice, imitated from a recording of it. Spoken only where that person has agreed (`tasks.consent`).

The engine is Pocket TTS by Kyutai, whose code is MIT and whose weights are CC-BY-4.0, under terms that ask for the
speaker's consent too. Neither comes with redub: `pip install pocket-tts`, accept the terms at its hub, fetch
`model.safetensors` and `tokenizer.json` of a language, and `redub weights pull pocket-tts-fr --from FOLDER`. It draws
random numbers, so each text is spoken from a seed of its own.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import tempfile
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from manifests.errors import BadInput, MissingWeights
from models import weights
from models.speech.contract import AgeBand, Gender, Voice
from models.speech.normalise import is_speakable
from models.speech.waveform import Waveform, trim, within_peak

ENGINE = "pocket-tts"
PREFIX = "clone:"
SAMPLE_RATE = 24_000
REFERENCE_S = 15
"""Seconds of a voice to imitate it from: more tell it little more."""

LANGUAGES = {
    "en": "english",
    "fr": "french",
    "de": "german",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
}
"""ISO 639-1 -> Pocket TTS's name."""


class CloningEngine(Protocol):
    """Speaks one language in the voice of a recording."""

    def imitate(self, text: str, reference: Waveform, *, seed: int) -> Waveform:
        """`text` (normalised) in the voice of `reference`, both mono at `SAMPLE_RATE` Hz; the same for the same seed.

        Called by one thread at a time.
        """
        ...


def voice_of(speaker_id: str, language: str, gender: Gender, age: AgeBand = AgeBand.ADULT) -> Voice:
    """The voice of the lecture's `speaker_id` ("speaker1") in `language`: its id is "clone:speaker1".

    BadInput where the engine does not speak `language`.
    """
    if language not in LANGUAGES:
        raise BadInput(
            f"cloned voices do not speak {language!r};",
            where=f"{PREFIX}{speaker_id}",
            remedy=f"they speak: {', '.join(LANGUAGES)}. Choose one of the table's voices for it.",
        )
    return Voice(
        id=f"{PREFIX}{speaker_id}",
        language=language,
        gender=gender,
        age=age,
        engine=ENGINE,
        name=speaker_id,
        sample_rate=SAMPLE_RATE,
        note="the speaker's own voice, imitated with consent",
    )


def is_clone(voice_id: str) -> bool:
    """Whether `voice_id` names a person's own voice."""
    return voice_id.startswith(PREFIX)


def speaker_of(voice_id: str) -> str:
    """The lecture's speaker whose voice `voice_id` ("clone:speaker1") is."""
    return voice_id.removeprefix(PREFIX)


def weights_of(language: str) -> str:
    """The name in the table of weights of the engine that speaks `language`."""
    return f"{ENGINE}-{language}"


def installed() -> bool:
    """Whether the library that imitates voices is here. Loads nothing."""
    return importlib.util.find_spec("pocket_tts") is not None


def revision(language: str) -> str:
    """What speaks, for keys of results. BadInput or MissingWeights, with what mends it, where it cannot speak here."""
    if not installed():
        raise BadInput(
            "the library that imitates voices is not installed:", where=ENGINE, remedy=f"pip install {ENGINE}"
        )
    name = weights_of(language)
    weights.locate(name)
    return f"{ENGINE}-{importlib.metadata.version(ENGINE)}/{weights.revision(name)}"


@dataclass(slots=True, eq=False)
class ClonedSpeaker:
    """A `Speaker` of one voice: `engine` imitates `reference` (mono at `SAMPLE_RATE` Hz).

    It speaks at the voice's natural rate only (`engines.paces`), and takes no IPA. BadInput for a silent reference.
    """

    engine: CloningEngine
    reference: Waveform

    def __post_init__(self) -> None:
        heard = trim(np.asarray(self.reference, np.float32), SAMPLE_RATE)[: REFERENCE_S * SAMPLE_RATE]
        if len(heard) < SAMPLE_RATE:
            raise BadInput("less than a second of the voice to imitate is heard;", remedy="choose a voice of the table")
        self.reference = heard

    def speak(self, text: str, voice: Voice, *, rate: float = 1.0) -> Waveform:
        """See `Speaker`. BadInput for another rate than 1."""
        if rate != 1.0:
            raise BadInput(
                "an imitated voice speaks at its own rate only;", where=voice.id, remedy="stretch it instead"
            )
        if not is_speakable(text):
            return np.zeros(0, np.float32)
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
        with _SPEAKING:
            waveform = self.engine.imitate(" ".join(text.split()), self.reference, seed=seed)
        return within_peak(trim(np.asarray(waveform, np.float32).ravel(), voice.sample_rate))


_SPEAKING = threading.Lock()


def load(language: str, reference: Waveform) -> ClonedSpeaker:
    """The speaker of `language` in the voice of `reference` (mono at `SAMPLE_RATE` Hz). See `revision` for errors."""
    return ClonedSpeaker(load_engine(language), reference)


@lru_cache(maxsize=2)
def load_engine(language: str) -> CloningEngine:
    """The engine that speaks `language`, one per process."""
    revision(language)
    return PocketTts(weights.locate(weights_of(language)), language)


class PocketTts:
    """Pocket TTS with the weights in `folder`; it fetches nothing itself."""

    def __init__(self, folder: Path, language: str) -> None:
        from pocket_tts import TTSModel

        for name in ("model.safetensors", "tokenizer.json"):
            if not (folder / name).is_file():
                raise MissingWeights("is absent", where=str(folder / name), remedy="Pull it again with --from FOLDER.")
        with tempfile.TemporaryDirectory() as made:
            file = Path(made, f"{LANGUAGES[language]}.yaml")
            file.write_text(_configuration(folder, language), encoding="utf-8")
            self._model: Any = TTSModel.load_model(config=file)
        self._state: tuple[bytes, Any] | None = None

    def imitate(self, text: str, reference: Waveform, *, seed: int) -> Waveform:
        """See `CloningEngine`."""
        import torch

        heard = hashlib.sha256(reference.tobytes()).digest()
        if self._state is None or self._state[0] != heard:
            prompt = torch.from_numpy(reference.copy())[None]
            self._state = heard, self._model.get_state_for_audio_prompt(prompt)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made: Waveform = self._model.generate_audio(self._state[1], text).numpy()
        return made


def _configuration(folder: Path, language: str) -> str:
    """The library's own description of its network for `language`, with the files of `folder` in place of the hub's."""
    import pocket_tts

    shipped = Path(pocket_tts.__file__).parent / "config" / f"{LANGUAGES[language]}.yaml"
    local = {"weights_path": folder / "model.safetensors", "tokenizer_path": folder / "tokenizer.json"}
    lines = []
    for line in shipped.read_text(encoding="utf-8").splitlines():
        name = line.split(":")[0].strip()
        if name in local:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}{name}: {json.dumps(str(local[name]))}")
        elif name != "weights_path_without_voice_cloning":
            lines.append(line)
    return "\n".join(lines) + "\n"
