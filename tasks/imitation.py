"""The recordings that cloned voices are made from: each speaker's own utterances, heard alone."""

from __future__ import annotations

from collections.abc import Mapping

from manifests.errors import BadInput
from models.speech import cloned
from tasks.hearing import Heard
from tasks.pool import Pool
from tasks.speak import ClonedVoice
from tasks.voice_reference import REFERENCE, ReferenceWork, choose_spans


def imitated_voices(heard: Heard, consents: Mapping[str, str], pool: Pool) -> dict[str, ClonedVoice]:
    """What each voice of `consents` ("clone:speaker1" -> SHA-256 of the consent) is imitated from.

    BadInput for a speaker that the lecture does not have, or who is never heard alone.
    """
    said = {each.id: each.span for each in heard.utterances}
    speakers = {each.id: each for each in heard.speakers}
    voices = {}
    for voice_id, consent in sorted(consents.items()):
        speaker = speakers.get(cloned.speaker_of(voice_id))
        own = [said[name] for name in speaker.utterance_ids] if speaker else []
        others = [span for name, span in said.items() if speaker and name not in speaker.utterance_ids]
        spans = choose_spans(own, others)
        if not spans:
            raise BadInput(
                "this speaker is never heard alone;" if own else "the lecture has no such speaker;",
                where=voice_id,
                remedy=f"there are: {', '.join(speakers)}.",
            )
        work = ReferenceWork(video=heard.video, track=heard.track, spans=spans)
        reference = pool.submit(REFERENCE, [work], [heard.video.span]).values()[0]
        voices[voice_id] = ClonedVoice(reference=reference, consent=consent)
    return voices
