"""Sampling voices and faces: of recordings with known pitch and pauses, and of GRID's clips with trained weights."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from infra.media.audio import write_wav
from infra.media.probe import probe
from infra.media.still import write_video
from infra.store import Store
from manifests.embedding import Embedding
from manifests.records import Chunk, Utterance, Video, Word
from manifests.time import FLICKS_PER_SECOND, Span
from models import weights
from tasks.appearances import APPEARANCES, AppearanceSettings, AppearanceWork, Seen, vote, well_spread
from tasks.faces import FaceSettings, FaceWork, join_identities, track_faces
from tasks.speakers import SpeakerSettings, tell_apart
from tasks.speaking import largest
from tasks.voice_samples import VOICE_SAMPLES, VoiceSampleWork

RATE = 16_000
FRAME = FLICKS_PER_SECOND // 25
GRID = Path(__file__).parents[2] / ".." / "shared" / "data" / "grid"


def buzz(hz: float, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    moments = np.arange(round(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * hz * number * moments) / number for number in range(1, 10))
    return np.asarray(0.1 * sound, np.float32)


def recording(folder: Path, *parts: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Video:
    """A grey picture over `parts`, one after the other."""
    sound = np.concatenate(parts)
    count = round(len(sound) / RATE * 25)
    write_wav(folder / "sound.wav", sound, RATE)
    grey = np.full((64, 64, 3), 128, np.uint8)
    write_video(
        ((index * Span.of_seconds(0, 1).end // 25, grey) for index in range(count)),
        folder / "grey.mp4",
        rate=Fraction(25),
    )
    with (
        av.open(str(folder / "grey.mp4")) as picture,
        av.open(str(folder / "sound.wav")) as voice,
        av.open(str(folder / "talk.mkv"), "w") as target,
    ):
        copied = target.add_stream_from_template(picture.streams.video[0])
        heard = target.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for packet in picture.demux(video=0):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
        for frame in voice.decode(audio=0):
            target.mux(heard.encode(frame))
        target.mux(heard.encode(None))
    return probe(folder / "talk.mkv")


def utterance(name: str, *words: tuple[float, float]) -> Utterance:
    said = tuple(Word(text="so", span=Span.of_seconds(*word), confidence=1) for word in words)
    return Utterance(
        id=name, chunk_id="chunk", span=Span.hull(word.span for word in said), text="so", words=said, language="en"
    )


def work(video: Video, span: Span, *utterances: Utterance) -> VoiceSampleWork:
    chunk = Chunk(id="chunk", video_id=video.id, index=0, span=span)
    return VoiceSampleWork(video=video, track=0, chunk=chunk, utterances=utterances, weights="")


@pytest.mark.weights
def test_each_utterance_is_sampled_where_its_words_are(tmp_path: Path) -> None:
    if not weights.present("ge2e"):
        pytest.skip("the speaker encoder's weights are not on this machine: make weights")
    silence = np.zeros(RATE, np.float32)
    video = recording(tmp_path, silence, buzz(110, 2), silence, buzz(220, 2), silence, buzz(300, 0.3), silence)
    said = (
        utterance("low", (1, 2), (2, 3)),
        utterance("high", (4, 6)),
        utterance("word", (7, 7.3)),
        utterance("nothing", (7.6, 8)),
        utterance("outside", (20, 21)),
    )
    store = Store(tmp_path / "store")
    done = VOICE_SAMPLES.perform(work(video, Span.of_seconds(0.5, 8.2), *said), store)
    low, high, word, nothing, outside = done.value
    assert [each.utterance_id for each in done.value] == [each.id for each in said]
    assert low.pitch_hz == pytest.approx(110, rel=0.02)
    assert high.pitch_hz == pytest.approx(220, rel=0.02)
    assert low.speech_s == pytest.approx(2, abs=0.2)
    assert low.loudness_dbfs == pytest.approx(-21.1, abs=0.6)
    assert len(low.embedding) == len(high.embedding) == 256
    assert word.embedding == nothing.embedding == outside.embedding == Embedding()
    assert nothing.pitch_hz is None
    assert outside.speech_s == 0
    assert VOICE_SAMPLES.perform(work(video, Span.of_seconds(0.5, 8.2), *said), store).value == done.value


def test_music_alone_has_no_utterances_and_asks_for_no_weights(tmp_path: Path) -> None:
    video = recording(tmp_path, buzz(200, 1))
    assert VOICE_SAMPLES.compute(work(video, video.span), Store(tmp_path / "store")) == ()
    chunk = Chunk(id="chunk", video_id=video.id, index=0, span=video.span)
    nobody = AppearanceWork(video=video, chunk=chunk, tracks=(), weights="")
    assert APPEARANCES.compute(nobody, Store(tmp_path / "store")) == ()


def seen(count: int, *, turned: frozenset[int] = frozenset(), height_px: float = 120) -> Seen:
    """A face at 25 frames a second, turned away in some."""
    frontal = np.array([[40, 40], [80, 40], [60, 60], [45, 80], [75, 80]], np.float32)
    landmarks = np.repeat(frontal[None], count, axis=0)
    landmarks[list(turned), 2] = (90, 60)
    return Seen(
        times=np.arange(count) * FRAME,
        boxes=np.tile(np.array([20, 10, 90, height_px], np.float32), (count, 1)),
        landmarks=landmarks,
        scores=np.ones(count, np.float32),
    )


def test_frames_are_spread_over_the_track_and_show_the_face() -> None:
    settings = AppearanceSettings()
    rows = well_spread(seen(250), settings)
    assert len(rows) == settings.frame_count
    assert rows == sorted(set(rows))
    assert max(np.diff(rows)) <= 2 * 250 / settings.frame_count
    turned = frozenset(range(0, 250, 2))
    assert not turned & set(well_spread(seen(250, turned=turned), settings))
    assert well_spread(seen(250, turned=frozenset(range(250))), settings) == []
    assert well_spread(seen(250, height_px=20), settings) == []
    assert well_spread(seen(0), settings) == []
    assert well_spread(seen(3), settings) == [0, 1, 2]


def test_one_bad_frame_does_not_change_the_vote() -> None:
    from models.faces.contract import Look

    clear, bad = Look(0.97, 33), Look(0.01, 78)
    assert vote("t", [clear] * 6 + [bad]) == dataclasses.replace(vote("t", [clear] * 7))
    with pytest.raises(ValueError, match="at least one"):
        vote("t", [])


@pytest.mark.weights
@pytest.mark.shared_data
def test_a_woman_and_a_man_of_grid_from_file_to_speaker(tmp_path: Path) -> None:
    needed = ("ge2e", "age-gender", "yunet", "sface")
    if not all(weights.present(name) for name in needed):
        pytest.skip(f"weights that are not on this machine: {', '.join(needed)} (make weights)")
    store = Store(tmp_path)
    for name, gender in (("lbbc2a", "female"), ("swiz3n", "male")):
        path = GRID / "others" / f"{name}.mpg"
        if not path.is_file():
            pytest.skip("the team's GRID clips are not on this machine")
        video = probe(path)
        chunk = Chunk(id="chunk", video_id=video.id, index=0, span=Span.of_seconds(0, 2.5))
        faces = FaceWork(video=video, chunk=chunk, cuts=(), settings=FaceSettings(), weights=())
        tracks = join_identities(track_faces(faces, store), 0.363)
        appearances = APPEARANCES.compute(
            AppearanceWork(video=video, chunk=chunk, tracks=tuple(tracks), weights=""), store
        )
        said = (utterance("u", (0.5, 2.2)),)
        samples = VOICE_SAMPLES.compute(work(video, chunk.span, *said), store)
        (speaker,) = tell_apart(said, samples, tracks, largest(tracks, 64), appearances, SpeakerSettings())
        assert (speaker.gender, speaker.age, speaker.identity) == (gender, "adult", "person0")
        assert 5 <= appearances[0].frame_count <= 12
