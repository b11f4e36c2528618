"""Speaking translations: one clip an utterance, at the voice's natural rate."""

from __future__ import annotations

from dataclasses import dataclass

from infra.media.audio import write_wav
from infra.store import Store
from manifests.keys import child_id
from manifests.records import SpeechClip, Translation
from manifests.time import samples_duration
from models.speech import engines
from models.speech.contract import Voice
from models.speech.normalise import normalise
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakSettings:
    """`voice` pins a voice of the table by its id; None takes the table's first choice for the language."""

    voice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakWork:
    """Translations of one chunk, and the voice that speaks them."""

    translations: tuple[Translation, ...]
    voice: Voice
    weights: str


def speak(work: SpeakWork, store: Store) -> tuple[SpeechClip, ...]:
    """One clip a translation that has something to say, in their order."""
    requests = [(normalise(each.text, each.language), work.voice) for each in work.translations]
    clips = []
    for translation, waveform in zip(work.translations, engines.speak_all(requests), strict=True):
        if not len(waveform):
            continue
        with store.scratch() as folder:
            file = folder / "clip.wav"
            write_wav(file, waveform, work.voice.sample_rate)
            audio = store.put(file)
        clips.append(
            SpeechClip(
                id=child_id(translation.id, "clip", 0),
                translation_id=translation.id,
                utterance_id=translation.utterance_id,
                voice=work.voice.id,
                audio=audio,
                sample_rate=work.voice.sample_rate,
                duration=samples_duration(len(waveform), work.voice.sample_rate),
            )
        )
    return tuple(clips)


SPEAK: Stage[SpeakWork, tuple[SpeechClip, ...]] = Stage("speak", 1, tuple[SpeechClip, ...], speak, alone=True)
