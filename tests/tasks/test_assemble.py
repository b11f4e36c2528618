"""Files of a dub, put together from a small real video whose picture waits."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pysubs2
import pytest

from infra.media.audio import read_waveform, write_wav
from infra.media.probe import probe
from infra.media.splice import plan_groups
from infra.store import Store
from manifests.clock import HeldClock, Hold
from manifests.records import Placement, Translation, Utterance, Video, Word
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks
from tasks.assemble import (
    BURN,
    AssembleSettings,
    AssembleWork,
    ChapterMark,
    DubFiles,
    assemble,
    burn_work,
)
from tasks.mix import VoiceTrack
from tasks.one_file import DubbedSound, OneFileWork, assemble_many, shared_clock, waiting
from tasks.render import RENDER, RenderSettings, RenderWork
from tasks.stage import blobs

SECOND = FLICKS_PER_SECOND
RATE = 48_000
CLOCK = HeldClock((Hold(2 * SECOND, 3 * SECOND), Hold(3 * SECOND, SECOND)))


def made_by_ffmpeg(path: Path, *codec: str) -> Video:
    """Six seconds of a picture; its sound clicks at 1 and at 4 s."""
    wav = path.with_suffix(".wav")
    clicks = np.zeros(6 * RATE, np.float32)
    clicks[[RATE, 4 * RATE]] = 0.8
    write_wav(wav, clicks, RATE)
    picture = "testsrc2=size=320x180:rate=25:duration=6"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture, "-i", str(wav), *codec,
               "-threads", "1", "-pix_fmt", "yuv420p", "-c:a", "flac", str(path)]  # fmt: skip
    subprocess.run(command, check=True)
    return probe(path)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    path = tmp_path_factory.mktemp("lecture") / "lecture.mkv"
    return made_by_ffmpeg(path, "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def uttered(name: str, text: str, start: float, end: float) -> Utterance:
    words, span = text.split(), Span.of_seconds(start, end)
    step = span.duration // len(words)
    return Utterance(
        id=name, chunk_id="chunk", span=span, text=text, language="en",
        words=tuple(
            Word(text=word, confidence=1.0, span=Span(span.start + i * step, span.start + (i + 1) * step))
            for i, word in enumerate(words)
        ),
    )  # fmt: skip


UTTERANCES = (uttered("one", "The sea was calm.", 0.5, 1.5), uttered("two", "Then the tide came.", 3.5, 4.5))
FRENCH = ("La mer était calme.", "Puis la marée est venue.")
ARABIC = ("كان البحر هادئا.", "ثم جاء المد.")


def dub(texts: tuple[str, str], *starts: float) -> tuple[tuple[Translation, ...], tuple[Placement, ...]]:
    """Translations, each heard for 1.2 s from its start on the dub's clock."""
    return (
        tuple(
            Translation(id=each.id, utterance_id=each.id, language="fr", text=text, hypotheses=())
            for each, text in zip(UTTERANCES, texts, strict=True)
        ),
        tuple(
            Placement(
                clip_id=each.id, utterance_id=each.id, span=Span.of_seconds(start, start + 1.2), rate=1, overrun=0
            )
            for each, start in zip(UTTERANCES, starts, strict=True)
        ),
    )


def voice(store: Store, tmp_path: Path, clock: HeldClock, placements: tuple[Placement, ...]) -> VoiceTrack:
    """A tone where it speaks."""
    samples = np.zeros(round((6 * SECOND + clock.held) * RATE / SECOND), np.float32)
    for placed in placements:
        first, end = placed.span.samples(RATE)
        samples[first:end] = 0.3 * np.sin(np.arange(end - first) * 0.1)
    write_wav(tmp_path / "voice.wav", samples, RATE)
    return VoiceTrack(audio=store.put(tmp_path / "voice.wav"), loudness_lufs=-16.0)


def work_for(video: Video, store: Store, tmp_path: Path, clock: HeldClock, **changes: object) -> AssembleWork:
    translations, placements = dub(FRENCH, 0.5, clock.dub_time(flicks(3.5)) / SECOND)
    given: dict[str, object] = {
        "video": video, "plan": plan_groups(Path(video.uri)), "track": 0, "source_language": "en",
        "target_language": "fr", "utterances": UTTERANCES, "translations": translations, "placements": placements,
        "voice": voice(store, tmp_path, clock, placements), "disclosures": ("It is synthetic.",), "rendered": (),
        "chapters": (ChapterMark(span=Span.of_seconds(0, 2), title="Slide 1"),
                     ChapterMark(span=Span.of_seconds(2, 6), title="Slide 2")),
        "settings": AssembleSettings(), "clock": clock, **changes,
    }  # fmt: skip
    return AssembleWork(**given)  # type: ignore[arg-type]


def cues(store: Store, blob: object) -> list[tuple[float, str]]:
    read = pysubs2.load(str(store.path(blob)))  # type: ignore[arg-type]
    return [(cue.start / 1000, cue.plaintext) for cue in read]


def chapters(path: Path) -> list[tuple[float, float]]:
    with av.open(str(path)) as container:
        return [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]))
            for c in container.chapters() if c["time_base"]
        ]  # fmt: skip


def clicks_at(path: Path, track: int) -> list[float]:
    loud = np.flatnonzero(np.abs(read_waveform(path, sample_rate=RATE, track=track)) > 0.25) / RATE
    return [float(loud[0]), *(float(b) for a, b in pairwise(loud) if b - a > 0.1)]


def frame_times(path: Path) -> list[Flicks]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base
        return [flicks(f.pts * stream.time_base) for f in container.decode(stream) if f.pts is not None]


def test_everything_in_the_file_is_on_the_held_clock(video: Video, store: Store, tmp_path: Path) -> None:
    work = work_for(video, store, tmp_path, CLOCK, provenance=(("redub:provenance", '{"speech": "synthetic"}'),))
    files = assemble(work, store)
    out = store.path(files.video)
    assert frame_times(out) == [CLOCK.dub_time(flicks(Fraction(number, 25))) for number in range(150)]
    assert chapters(out) == [(0, 5), (5, 10)]
    assert clicks_at(out, 1) == pytest.approx([1, 8], abs=0.001)
    with av.open(str(out)) as container:
        assert container.metadata["comment"] == "It is synthetic."
        assert container.metadata["redub:provenance"] == '{"speech": "synthetic"}'
        assert [s.language for s in container.streams.audio] == ["fra", "eng"]
        texts = {
            stream.language: [packet.pts * packet.time_base for packet in container.demux(stream) if packet.size > 2]
            for stream in container.streams.subtitles
            if not container.seek(0)
        }
    assert [float(time) for time in texts["eng"]] == [0.5, 7.5]
    assert cues(store, files.source_srt) == [(0.5, "The sea was calm."), (3.5, "Then the tide came.")]
    assert cues(store, files.target_srt) == [(0.5, FRENCH[0]), (7.5, FRENCH[1])]
    assert files.bilingual_srt is not None
    assert cues(store, files.bilingual_srt)[0] == (0.5, f"{FRENCH[0]}\nThe sea was calm.")
    assert (files.copied_frames, files.rendered_frames, files.fast_cues) == (150, 0, 0)
    assert all(store.intact(blob) for blob in blobs(files))


def test_without_holds_the_original_sound_is_copied(video: Video, store: Store, tmp_path: Path) -> None:
    files = assemble(work_for(video, store, tmp_path, HeldClock()), store)
    with av.open(str(store.path(files.video))) as container:
        assert [s.codec_context.name for s in container.streams.audio] == ["aac", "flac"]
    again = assemble(work_for(video, store, tmp_path, HeldClock()), store)
    assert again == files


def test_provenance_cannot_replace_the_disclosures(video: Video, store: Store, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="disclosures"):
        assemble(work_for(video, store, tmp_path, HeldClock(), provenance=(("comment", "all real"),)), store)


def test_a_picture_that_must_be_encoded_whole_waits_too(store: Store, tmp_path: Path) -> None:
    odd = made_by_ffmpeg(tmp_path / "odd.mkv", "-c:v", "mpeg4", "-q:v", "5")
    plan = plan_groups(Path(odd.uri))
    assert plan.obstacle
    whole = RENDER.compute(
        RenderWork(video=odd, plan=plan, run=None, mouths=(), libraries=(), settings=RenderSettings()), store
    )
    files = assemble(work_for(odd, store, tmp_path, CLOCK, rendered=(whole,)), store)
    assert frame_times(store.path(files.video)) == [CLOCK.dub_time(flicks(Fraction(n, 25))) for n in range(150)]
    assert "encoded again" in files.degradations[0].reason


def test_bilingual_subtitles_go_into_the_file_where_asked(video: Video, store: Store, tmp_path: Path) -> None:
    settings = AssembleSettings(subtitles="bilingual")
    files = assemble(work_for(video, store, tmp_path, HeldClock(), settings=settings), store)
    with av.open(str(store.path(files.video))) as container:
        texts = [
            bytes(packet)[2:].decode() for packet in container.demux(container.streams.subtitles[0]) if packet.size > 2
        ]
    assert texts[0] == f"{FRENCH[0]}\nThe sea was calm."


def test_a_burned_copy_says_that_it_was_encoded_again(video: Video, store: Store, tmp_path: Path) -> None:
    work = work_for(video, store, tmp_path, HeldClock())
    files: DubFiles = assemble(work, store)
    burned = BURN.perform(burn_work(work, files, RenderSettings().encoder), store).value
    assert "encoded again" in burned.degradations[0].reason
    made = probe(store.path(burned.video))
    assert made.frame_count == 150
    assert [track.language for track in made.audio_tracks] == ["fra", "eng"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_one_file_holds_all_languages_on_one_clock(video: Video, store: Store, tmp_path: Path, suffix: str) -> None:
    longer = HeldClock((Hold(2 * SECOND, 4 * SECOND),))
    dubs = []
    for code, texts, clock, starts in (("fr", FRENCH, CLOCK, (0.5, 7.5)), ("ar", ARABIC, longer, (1.5, 7.5))):
        translations, placements = dub(texts, *starts)
        dubs.append(
            DubbedSound(
                language=code, translations=translations, placements=placements, clock=clock,
                voice=voice(store, tmp_path, clock, placements),
            )
        )  # fmt: skip
    work = work_for(video, store, tmp_path, CLOCK)
    made = assemble_many(
        OneFileWork(
            video=video, plan=work.plan, track=0, source_language="en", utterances=UTTERANCES, dubs=tuple(dubs),
            rendered=(), chapters=work.chapters, disclosures=work.disclosures, suffix=suffix,  # type: ignore[arg-type]
        ),
        store,
    )  # fmt: skip
    assert made.clock == HeldClock((Hold(2 * SECOND, 4 * SECOND), Hold(3 * SECOND, SECOND)))
    out = store.path(made.video)
    assert out.suffix == suffix
    default = av.stream.Disposition.default
    with av.open(str(out)) as container:
        tracks = [(s.language, bool(s.disposition & default)) for s in container.streams.audio]
        assert tracks == [("fra", True), ("ara", False), ("eng", False)]
        assert [s.language for s in container.streams.subtitles] == ["fra", "ara", "eng"]
        # FFmpeg's MP4 writer switches the first text on where none is asked for.
        shown = [bool(s.disposition & default) for s in container.streams.subtitles]
        assert shown == [suffix == ".mp4", False, False]
        names = [s.metadata["handler_name" if suffix == ".mp4" else "title"] for s in container.streams.audio]
    assert names == ["Français (synthetic speech)", "العربية (synthetic speech)", "English (original)"]
    wanted = [made.clock.dub_time(flicks(Fraction(number, 25))) for number in range(150)]
    assert frame_times(out) == pytest.approx(wanted, abs=FLICKS_PER_SECOND // 1000)
    # French waits a second longer before 2 s of the source, Arabic a second before 3 s.
    assert clicks_at(out, 0) == pytest.approx([0.5, 8.5], abs=0.03)
    assert clicks_at(out, 1) == pytest.approx([1.5, 8.5], abs=0.03)
    assert clicks_at(out, 2) == pytest.approx([1, 9], abs=0.001)


def test_clocks_of_several_languages_come_together() -> None:
    first, second = HeldClock((Hold(10, 5), Hold(20, 1))), HeldClock((Hold(10, 2), Hold(30, 4)))
    shared = shared_clock([first, second])
    assert shared == HeldClock((Hold(10, 5), Hold(20, 1), Hold(30, 4)))
    speaking = (Placement(clip_id="", utterance_id="", span=Span(11, 15), rate=1, overrun=0),)
    moved = waiting(second, shared, speaking)
    # At 12 of its own clock it speaks, until 15; the hold at 20 falls on 22.
    assert moved == HeldClock((Hold(15, 3), Hold(22, 1)))
    for time in (0, 40):
        assert moved.dub_time(second.dub_time(time)) == shared.dub_time(time)
