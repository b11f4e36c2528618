"""Whether speakers are told apart and given the right gender, on people of known gender.

    python -m benchmarks.speaker_gender ../shared/data

The truth of GRID's others was read off their frames (the 40th of each clip): long hair and make-up or a beard, stubble
and receding hair leave no doubt, and all ten voices fit. `id2_vcd_swwp2s` and `pwij3p` show one man. s1 is a man
(the data's README); the genders of the lecture's two talking heads stand in `lecture_en.json`. The narrator's is not
documented, so no verdict on it is counted.

Talks are joined as records, not as files: each clip is one utterance, sampled by the same stages as in a lecture, laid
one after the other. `voices`: nothing but sound, as with off-screen speakers. `voices and faces`: also who is seen.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infra.media.probe import probe
from infra.store import Store
from manifests.records import Appearance, Casting, Chunk, CourseVoice, FaceTrack, LectureSpeaker, Utterance, VoiceSample
from manifests.time import Flicks, Span, flicks
from models.faces import engines
from tasks.appearances import AppearanceWork, read_appearances
from tasks.course import CourseSettings, entered, face_prints, recognise
from tasks.faces import FaceSettings, FaceWork, join_identities, track_faces
from tasks.speakers import SpeakerSettings, tell_apart
from tasks.speaking import largest
from tasks.voice_samples import VoiceSampleWork, sample_voices

GENDERS = {
    "brbk7n": "female",
    "id2_vcd_swwp2s": "male",
    "lbax4n": "male",
    "lbbc2a": "female",
    "lrwp9a": "female",
    "lwbsza": "female",
    "pwij3p": "male",
    "sbia1a": "male",
    "sbwe5n": "male",
    "swiz3n": "male",
}
SAME = {"id2_vcd_swwp2s": "second man", "pwij3p": "second man"}
S1 = "s1"
_EVERY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One utterance of one person, with all that the stages say of it."""

    person: str
    gender: str | None
    utterance: Utterance
    sample: VoiceSample
    tracks: tuple[FaceTrack, ...]
    appearances: tuple[Appearance, ...]


def look_at(path: Path, name: str, person: str, gender: str | None, span: Span | None, store: Store) -> Clip:
    """A clip, or the `span` of a video, as one utterance."""
    video = probe(path)
    chunk = Chunk(id=name, video_id=video.id, index=0, span=span or video.span)
    utterance = Utterance(id=name, chunk_id=name, span=chunk.span, text="", words=(), language="en")
    faces = track_faces(FaceWork(video=video, chunk=chunk, cuts=(), settings=FaceSettings(), weights=()), store)
    (sample,) = sample_voices(
        VoiceSampleWork(video=video, track=0, chunk=chunk, utterances=(utterance,), weights=""), store
    )
    return Clip(
        person=person,
        gender=gender,
        utterance=utterance,
        sample=sample,
        tracks=faces,
        appearances=read_appearances(AppearanceWork(video=video, chunk=chunk, tracks=faces, weights=""), store),
    )


def shifted(clip: Clip, by: Flicks) -> Clip:
    return dataclasses.replace(
        clip,
        utterance=dataclasses.replace(clip.utterance, span=clip.utterance.span.shift(by)),
        tracks=tuple(dataclasses.replace(track, span=track.span.shift(by)) for track in clip.tracks),
    )


def joined(clips: Sequence[Clip]) -> tuple[list[Clip], list[FaceTrack]]:
    """`clips` laid one after the other, and their face tracks with identities over all of them."""
    laid: list[Clip] = []
    at: Flicks = 0
    for clip in clips:
        laid.append(shifted(clip, at - clip.utterance.span.start))
        at += clip.utterance.span.duration
    same = engines.load_embedder().same_person_cosine
    return laid, join_identities([track for clip in laid for track in clip.tracks], same)


def talk(clips: Sequence[Clip], *, seen: bool) -> tuple[LectureSpeaker, ...]:
    """The speakers of a talk made of `clips` in this order."""
    laid, tracks = joined(clips)
    return tell_apart(
        [clip.utterance for clip in laid],
        [clip.sample for clip in laid],
        tracks if seen else (),
        largest(tracks, 64) if seen else (),
        [each for clip in laid for each in clip.appearances] if seen else (),
        SpeakerSettings(),
    )


def accuracy(clips: Sequence[Clip], speakers: Sequence[LectureSpeaker]) -> float:
    """Share of utterances in the group that is their person's, groups and people matched one to one, best first."""
    person_of = {clip.utterance.id: clip.person for clip in clips}
    counts: dict[tuple[int, str], int] = {}
    for number, speaker in enumerate(speakers):
        for name in speaker.utterance_ids:
            place = number, person_of[name]
            counts[place] = counts.get(place, 0) + 1
    right, numbers, people = 0, set[int](), set[str]()
    for (number, person), count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        if number not in numbers and person not in people:
            right += count
            numbers.add(number)
            people.add(person)
    return right / len(clips)


def genders(clips: Sequence[Clip]) -> None:
    """The verdict on each clip by itself: right, wrong or unsure; with its face, and by its voice alone."""
    told: dict[str, dict[str, int]] = {}
    for clip in clips:
        verdicts, evidence = {}, ""
        for seen in (True, False):
            (speaker,) = talk([clip], seen=seen)
            way = "voice and face" if seen else "voice alone"
            verdict = "unsure" if speaker.gender == "unsure" else "right" if speaker.gender == clip.gender else "wrong"
            verdicts[way] = f"{speaker.gender} ({speaker.female:.2f}), {speaker.age}"
            if clip.gender is not None:
                told.setdefault(way, {"right": 0, "unsure": 0, "wrong": 0})[verdict] += 1
            evidence = speaker.evidence if seen else evidence
        print(f"{clip.utterance.id:16s} {clip.gender or '?':6s} {verdicts}; {evidence}")
    for way, counts in told.items():
        print(f"{way}: {counts}")


def talks(s1: Sequence[Clip], others: Mapping[str, Clip]) -> None:
    """Talks of s1 with each of the others, of everybody, and of s1 alone."""
    for seen in (False, True):
        way = "voices and faces" if seen else "voices"
        found = []
        for name, other in others.items():
            clips = [s1[0], s1[1], other, s1[2], s1[3], s1[4], s1[5]]
            speakers = talk(clips, seen=seen)
            found.append(accuracy(clips, speakers))
            if found[-1] < 1:
                print(f"  {way}: s1 with {name}: {len(speakers)} speakers, {found[-1]:.2f}")
        print(
            f"{way}: ten talks of two: {np.mean(found):.3f} of the utterances right, {sum(f == 1 for f in found)} whole"
        )
        everybody = [*s1[:6], *others.values()]
        speakers = talk(everybody, seen=seen)
        print(f"{way}: all in one talk: {len(speakers)} speakers of 10, {accuracy(everybody, speakers):.3f} right")
        pair = [others["id2_vcd_swwp2s"], others["lwbsza"], others["pwij3p"]]
        print(f"{way}: a man, a woman, the same man: {accuracy(pair, talk(pair, seen=seen)):.3f} right")
        alone = talk(s1, seen=seen)
        print(f"{way}: {len(s1)} clips of s1 alone: {len(alone)} speakers, {accuracy(s1, alone):.3f} right")


def course(s1: Sequence[Clip], others: Mapping[str, Clip]) -> None:
    """Who of a second lecture is known from the first: s1 and the second man are in both, in other clips."""
    first = [*s1[:6], others["id2_vcd_swwp2s"], *(others[name] for name in ("brbk7n", "lbax4n", "lwbsza"))]
    second = [
        *s1[6:12],
        others["pwij3p"],
        *(others[name] for name in ("lbbc2a", "lrwp9a", "sbia1a", "sbwe5n", "swiz3n")),
    ]
    for seen in (False, True):
        rows: tuple[CourseVoice, ...] = ()
        names: dict[str, set[str]] = {}
        for number, clips in enumerate((first, second), 1):
            speakers = talk(clips, seen=seen)
            faces = face_prints(speakers, joined(clips)[1]) if seen else {}
            known = recognise(f"lecture {number}", speakers, faces, rows, CourseSettings())
            castings = [Casting(speaker_id=each.id, language="fr", voice_id="v", why="chosen") for each in speakers]
            rows = entered(rows, f"lecture {number}", speakers, faces, known, castings)
            person_of = {clip.utterance.id: clip.person for clip in clips}
            told = {row.speaker_id: row.person_id for row in rows if row.lecture == number}
            for speaker in speakers:
                for name in speaker.utterance_ids:
                    names.setdefault(person_of[name], set()).add(told[speaker.id])
        mixed = len(names) - len({next(iter(each)) for each in names.values()})
        again = [person for person in (S1, "second man") if len(names[person]) == 1]
        print(
            f"course, {'voices and faces' if seen else 'voices'}: known again {again}; "
            f"{len(names)} people as {len({row.person_id for row in rows})}, {mixed} taken for another"
        )


def equal_error(s1: Sequence[Clip], others: Sequence[Clip]) -> None:
    """Equal error rate of the voice prints, clip against clip."""
    everybody = [*s1, *others]
    same, different = [], []
    for one, other in itertools.combinations(everybody, 2):
        cosine = float(np.dot(one.sample.embedding, other.sample.embedding))
        (same if one.person == other.person else different).append(cosine)
    at = np.sort(same + different)
    missed = np.array([np.mean(np.array(same) < value) for value in at])
    taken = np.array([np.mean(np.array(different) >= value) for value in at])
    best = int(np.argmin(np.abs(missed - taken)))
    print(
        f"voice prints: equal error {(missed[best] + taken[best]) / 2:.3f} at cosine {at[best]:.2f}; one voice "
        f"{np.min(same):.2f} and more, mean {np.mean(same):.2f}; two voices mean {np.mean(different):.2f}, "
        f"95% below {np.percentile(different, 95):.2f}, all below {np.max(different):.2f}"
    )
    faces = [(clip.person, clip.tracks[0].embedding) for clip in everybody]
    pairs = [(one[0] == other[0], float(np.dot(one[1], other[1]))) for one, other in itertools.combinations(faces, 2)]
    print(
        f"faces: one person {min(cosine for same, cosine in pairs if same):.2f} and more, "
        f"two people {max(cosine for same, cosine in pairs if not same):.2f} and less"
    )


def lecture(folder: Path, store: Store) -> list[Clip]:
    """The shots of the sample lecture, one utterance each."""
    shots = json.loads((folder / "lecture_en.json").read_text())["shots"]
    ends = [*(shot["start_s"] for shot in shots[1:]), 45.3]
    clips = []
    for number, (shot, end) in enumerate(zip(shots, ends, strict=True)):
        name = f"{number} {shot['kind']}"
        span = Span(flicks(shot["start_s"]), flicks(end))
        person = f"head{number}" if shot["kind"] == "face" else "narrator"
        clips.append(look_at(folder / "lecture_en.mp4", name, person, shot.get("gender"), span, store))
    return clips


def main(folder: Path) -> None:
    """Print genders and talks."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch))
        grid = folder / "grid"
        others = {
            path.stem: look_at(path, path.stem, SAME.get(path.stem, path.stem), GENDERS[path.stem], None, store)
            for path in sorted((grid / "others").glob("*.mpg"))
        }
        s1 = [look_at(path, path.stem, S1, "male", None, store) for path in sorted((grid / S1).glob("*.mp4"))[::_EVERY]]
        heard = lecture(folder / "lecture", store)
        genders([*others.values(), *s1, *heard])
        equal_error(s1, list(others.values()))
        talks(s1, others)
        course(s1, others)
        for seen in (False, True):
            speakers = talk(heard, seen=seen)
            print(f"the lecture, {'voices and faces' if seen else 'voices'}: {accuracy(heard, speakers):.3f} right")
            for each in speakers:
                print(f"  {each.id}: {', '.join(each.utterance_ids)}: {each.gender}, {each.age}; {each.evidence}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
