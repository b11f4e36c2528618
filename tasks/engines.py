"""Which weights and voices the settings come to on this machine: revisions for keys, errors for what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from manifests.errors import BadInput, MissingWeights
from manifests.provenance import ModelUsed
from models import weights
from models.articulation import engines as articulation
from models.asr import engines as asr
from models.faces import engines as faces
from models.landmarks import engines as landmarks
from models.lipsync import engines as lipsync
from models.separation import engines as separation
from models.speech import cloned, voices
from models.speech import engines as speech
from models.speech.contract import Voice
from models.translation import engines as translation
from models.voiceprint import engines as voiceprint
from tasks.faces import FaceSettings
from tasks.lips import LipSettings
from tasks.listen import ListenSettings
from tasks.settings import DubSettings
from tasks.speak import SpeakSettings
from tasks.translate import TranslateSettings

LIP_ENGINES = ("rewrite", *lipsync.ENGINES, "none")


def _installed(name: str) -> str:
    """The revision of weights that are on this machine. MissingWeights, with the command that brings them, else."""
    weights.locate(name)
    return weights.revision(name)


def listening_weights(settings: ListenSettings) -> str:
    """The revision of the transcriber's weights. MissingWeights where they are not here."""
    return _installed(asr.weights_of(settings.engine))


def identifier_weights() -> str:
    """The revision of the language identifier's weights."""
    return _installed(asr.weights_of("whisper"))


def translation_weights(settings: TranslateSettings, source: str, target: str) -> str:
    """The revision of the translator's weights. BadInput for an unknown pair, MissingWeights for an absent one."""
    return _installed(translation.weights_of(settings.engine, source, target))


def require_translation_into(settings: TranslateSettings, target: str) -> None:
    """Whether this machine translates anything at all into `target`; told while the source's language is not known.

    BadInput where no model does, MissingWeights, with the command that brings them, where none of its weights are here.
    """
    offered = translation.weights_into(settings.engine, target)
    if not any(weights.present(name) for name in offered):
        weights.locate(offered[0])


def experimental(settings: TranslateSettings) -> bool:
    """Whether what this translator makes must be called a trial."""
    return settings.engine in translation.EXPERIMENTAL


def voice_for(language: str, settings: SpeakSettings) -> Voice:
    """The voice that speaks `language`: the pinned one, else the table's choice among those that can speak here."""
    if settings.voice is not None:
        voice = voices.find(settings.voice)
        if voice.language != language:
            near = ", ".join(each.id for each in voices.voices_for(language)) or "none"
            raise BadInput(
                f"it speaks {voice.language}, not {language};",
                where=f"--voice {voice.id}",
                remedy=f"voices for {language}: {near}.",
            )
        return voice
    return voices.choose(language, None, ())


def speaking_weights(voice: Voice) -> str:
    """The revision of what `voice` speaks with. BadInput or MissingWeights where it cannot speak here."""
    if cloned.is_clone(voice.id):
        return cloned.revision(voice.language)
    name = speech.weights_of(voice)
    if name is not None:
        weights.locate(name)
    elif (missing := speech.available(voice)) is not None:
        raise BadInput(f"the voice {voice.id} cannot speak on this machine:", remedy=missing)
    return speech.revision(voice)


def voiceprint_weights() -> str:
    """The revision of what tells voices apart. MissingWeights where it is not here."""
    return _installed(voiceprint.NAME)


def appearance_weights() -> str:
    """The revision of what reads gender and age off a face. MissingWeights where it is not here."""
    return _installed(faces.APPEARANCE_NAME)


def separation_weights() -> str | None:
    """The revision of what separates voice and background; None where it is not here: backgrounds are then Degraded."""
    return weights.revision(separation.NAME) if weights.present(separation.NAME) else None


def software() -> str:
    """Redub and its version, as in "redub 0.1.0"."""
    return f"redub {version('redub')}"


def face_weights(settings: FaceSettings) -> tuple[str, ...]:
    """The revisions of the detector's and the identity network's weights."""
    return tuple(_installed(name) for name in faces.weights_of(settings.detector))


def same_person_cosine() -> float:
    """The cosine from which two faces are one person."""
    return faces.same_person_cosine()


def lip_weights(settings: LipSettings) -> str | None:
    """The revision of the lip-sync weights, None where this machine has none: lips are then Degraded."""
    if settings.engine == "none":
        return None
    if settings.engine == "rewrite":
        return articulation_weights()
    try:
        return lipsync.source_of(settings.engine)[1]
    except MissingWeights:
        return None


def articulation_weights() -> str:
    """The revision of what hears how a mouth moves. MissingWeights where the encoder under it is not here."""
    _installed(articulation.WEIGHTS)
    return articulation.revision()


def mesh_weights() -> str:
    """The revision of the landmark network's weights."""
    return _installed(landmarks.NAME)


def require_lips(settings: DubSettings) -> None:
    """Whether the faces of a picture can be followed and heard. BadInput for an unknown engine; MissingWeights."""
    engine = settings.lips.engine
    if engine not in LIP_ENGINES:
        raise BadInput(
            f"no engine for lips is called {engine!r};", where="--lips", remedy=f"use one of {', '.join(LIP_ENGINES)}."
        )
    if engine == "none":
        return
    face_weights(settings.faces)
    mesh_weights()
    articulation_weights()


def needed_for(source: str, target: str) -> tuple[str, ...]:
    """The names of the weights that a default dub from `source` into `target` takes, lips apart; present or not.

    For the voice: those that anybody can bring, where the language has such a voice. BadInput for a pair or a language
    that redub has no model for.
    """
    return (
        asr.weights_of(ListenSettings().engine),
        *faces.weights_of(FaceSettings().detector),
        landmarks.NAME,
        faces.APPEARANCE_NAME,
        voiceprint.NAME,
        separation.NAME,
        translation.weights_of(TranslateSettings().engine, source, target),
        *_voice_weights(target),
    )


def _voice_weights(language: str) -> tuple[str, ...]:
    names = [name for voice in voices.voices_for(language) if (name := speech.weights_of(voice)) is not None]
    if not names:
        raise BadInput(f"no voice speaks {language!r}.", remedy=f"Voices: {', '.join(voices.languages())}.")
    return (next((name for name in names if weights.find(name).pinned), names[0]),)


def voices_used(heard: Iterable[Voice]) -> tuple[ModelUsed, ...]:
    """Voices that are heard, as a statement names them."""
    return tuple(ModelUsed(purpose="voice", name=each.id, revision=speaking_weights(each)) for each in heard)


def lips_used(settings: LipSettings, *, moved: bool) -> tuple[ModelUsed, ...]:
    """What moved the lips, as a statement names it; nothing where they were not moved."""
    revision = lip_weights(settings) if moved else None
    return (ModelUsed(purpose="lips", name=settings.engine, revision=revision),) if revision else ()
