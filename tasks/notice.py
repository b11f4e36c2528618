"""The notice before a dub: its first picture waits while viewers are told, in their language, that it was dubbed."""

from __future__ import annotations

from dataclasses import dataclass

from manifests.clock import Hold
from manifests.errors import BadInput
from manifests.keys import child_id
from manifests.records import Hypothesis, Placement, Translation, Video
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks
from models.speech.contract import Voice
from tasks import engines, mix, speak
from tasks.pool import Pool

SENTENCES = {
    "ar": "دُبلجت هذه المحاضرة آليًّا، والصوت اصطناعي.",
    "de": "Dieser Vortrag wurde von einer Maschine synchronisiert; die Stimme ist künstlich.",
    "en": "This lecture was dubbed by a machine; the voice is synthetic.",
    "es": "Esta clase ha sido doblada por una máquina; la voz es sintética.",
    "fr": "Ce cours a été doublé par une machine ; la voix est synthétique.",
    "it": "Questa lezione è stata doppiata da una macchina; la voce è sintetica.",
    "pt": "Esta aula foi dublada por uma máquina; a voz é sintética.",
}

_READING_TIME: Flicks = flicks(4)
_MARGIN: Flicks = flicks(0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What stands before a dub: `hold` is how long its first picture waits, the rest is on the dub's clock.

    `speech` is None where the notice is only shown.
    """

    hold: Hold
    translation: Translation
    placement: Placement
    speech: tuple[mix.ChunkSpeech, ...] = ()


def give_notice(kind: str, video: Video, language: str, voice: Voice, pool: Pool) -> Notice | None:
    """The notice of `kind` ("none", "shown", "spoken") before `video`. BadInput for a language without one."""
    if kind == "none":
        return None
    if language not in SENTENCES:
        raise BadInput(
            f"there is no notice in {language!r};", where="--notice", remedy=f"there are: {', '.join(SENTENCES)}."
        )
    name = child_id(video.id, "notice", 0)
    translation = Translation(
        id=child_id(name, language, 0),
        utterance_id=name,
        language=language,
        text=SENTENCES[language],
        hypotheses=(Hypothesis(text=SENTENCES[language], score=0.0),),
    )
    frame = round(FLICKS_PER_SECOND / video.frame_rate)
    start = video.span.start + frame
    if kind == "shown":
        span = Span(start, start + _READING_TIME)
        return Notice(
            hold=_hold(start, _READING_TIME, frame), translation=translation, placement=_place(name, "", span)
        )
    line = speak.LineToSpeak(translation=translation, voice=voice, weights=engines.speaking_weights(voice))
    work = speak.SpeakWork(lines=(line,))
    clip = pool.submit(speak.SPEAK, [work], [video.span], language=language).values()[0][0]
    placement = _place(name, clip.id, Span(start + _MARGIN, start + _MARGIN + clip.duration))
    speech = pool.submit(
        mix.MIX, [mix.MixWork(clips=(clip,), placements=(placement,), gains_db=(0.0,))], [video.span], language=language
    ).values()[0]
    hold = _hold(start, clip.duration + 2 * _MARGIN, frame)
    return Notice(hold=hold, translation=translation, placement=placement, speech=speech)


def _hold(at: Flicks, duration: Flicks, frame: Flicks) -> Hold:
    """Whole frames, so that the picture's rhythm is kept."""
    return Hold(at, -(-duration // frame) * frame)


def _place(name: str, clip_id: str, span: Span) -> Placement:
    return Placement(clip_id=clip_id, utterance_id=name, span=span, rate=1.0, overrun=0)
