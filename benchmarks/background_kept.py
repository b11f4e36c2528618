"""What of a background a dub keeps, on a made lecture: speech with music, then applause under it, then a clean part.

python -m benchmarks.background_kept [--speech-over-background DB]

Speech is Kokoro's, music and applause are made of sines and noise, the source is AAC in MP4, in stereo. Printed are the
level of the background in the dub's pauses beside the source's, what is left of the source's voice, which of its words
are still heard where the dub is silent, and loudness and true peak as WAV and as AAC.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from infra.media.audio import read_wav_channels, read_waveform, resample, write_wav
from infra.media.loudness import measure
from infra.media.mux import AudioOut, mux
from infra.media.probe import probe
from infra.media.still import write_video
from infra.store import Store
from manifests.records import Chunk, Placement, SpeechClip, Video
from manifests.time import Span, flicks, gaps, samples_duration
from models import weights
from models.acoustics.levels import level_dbfs, speech_level
from models.asr import engines as asr
from models.separation import engines as separation
from models.speech import engines, voices
from models.speech.normalise import normalise
from models.vad import engines as vad
from tasks import background, mix

RATE = 48_000
SOURCE = (
    "The moon pulls on the water that is nearest to it.",
    "On the far side of the earth its force is weaker, and there the water rises as well.",
    "When the sun and the moon pull in one line, the tide is highest.",
    "Students who joined today should read the second chapter before Thursday.",
    "The gradient of the loss tells us in which direction each weight should move.",
    "So let us look at a simple example before we go on with the proof.",
)
DUB = (
    "La lune attire l'eau qui est la plus proche d'elle.",
    "De l'autre côté de la terre sa force est plus faible, et l'eau y monte aussi.",
    "Quand le soleil et la lune tirent ensemble, la marée est la plus haute.",
    "Les étudiants qui arrivent aujourd'hui liront le deuxième chapitre avant jeudi.",
    "Le gradient nous indique dans quelle direction chaque poids doit se déplacer.",
    "Regardons un exemple simple avant de continuer la démonstration.",
)
PAUSE_S = 2.0
PARTS = ("music", "applause", "nothing")

Sound = npt.NDArray[np.float32]


def music(length: int) -> Sound:
    """Chords and a drum, (2, length), unit power: decaying partials that change every second, wider than mono."""
    at = np.arange(length) / RATE
    sides = np.zeros((2, length))
    for beat in range(int(length / RATE) + 1):
        inside = (at >= beat) & (at < beat + 1.5)
        since = at[inside] - beat
        for side, chord in enumerate(((220.0, 277.2, 329.6), (174.6, 220.0, 261.6))):
            for note in chord:
                for partial in range(1, 7):
                    tone = np.sin(2 * np.pi * note * partial * since + partial + side)
                    sides[side, inside] += tone * np.exp(-1.5 * since) / partial**1.2
        drum = 4 * np.exp(-25 * since) * np.sin(2 * np.pi * (50 + 60 * np.exp(-40 * since)) * since)
        sides[:, inside] += drum
    return np.asarray(sides / sides.std(), dtype=np.float32)


def applause(length: int) -> Sound:
    """300 claps a second, (2, length), unit power."""
    random = np.random.default_rng(2)
    sides = np.zeros((2, length + RATE))
    for side in sides:
        for _ in range(300 * length // RATE):
            start, size = random.integers(0, length), round(RATE * random.uniform(0.004, 0.012))
            clap = random.uniform(0.2, 1) * random.standard_normal(size) * np.exp(-4 * np.arange(size) / size)
            side[start : start + size] += clap
    shaped = sosfilt(butter(2, (600, 7000), "band", fs=RATE, output="sos"), sides[:, :length])
    return np.asarray(shaped / shaped.std(), dtype=np.float32)


def spoken(sentences: Sequence[str], voice_id: str) -> list[Sound]:
    voice = voices.find(voice_id)
    speaker = engines.load(voice.engine)
    return [
        resample(speaker.speak(normalise(text, voice.language), voice), voice.sample_rate, RATE) for text in sentences
    ]


def made_source(folder: Path, over_db: float) -> tuple[Path, Sound, Sound, list[Span]]:
    """The file, its speech and its background by themselves, and where each sentence is."""
    clips = spoken(SOURCE, "en-kokoro-am-michael")
    pause = round(PAUSE_S * RATE)
    spans, pieces, at = [], [np.zeros(pause, np.float32)], pause
    for clip in clips:
        spans.append(Span(samples_duration(at, RATE), samples_duration(at + len(clip), RATE)))
        pieces += [clip, np.zeros(pause, np.float32)]
        at += len(clip) + pause
    speech = np.concatenate(pieces)
    speech *= 0.05 / speech.std()
    level = level_dbfs(np.concatenate([speech[slice(*span.samples(RATE))] for span in spans])) - over_db
    third = len(speech) // 3
    beside = np.zeros((2, len(speech)), np.float32)
    beside[:, :third] = music(third)
    beside[:, third : 2 * third] = applause(third)
    beside *= 10 ** (level / 20)
    wav, picture, out = folder / "source.wav", folder / "picture.mp4", folder / "source.mp4"
    write_wav(wav, speech + beside, RATE)
    frames = ((flicks(Fraction(n, 5)), np.zeros((64, 64, 3), np.uint8)) for n in range(5 * len(speech) // RATE))
    write_video(frames, picture, rate=Fraction(5))
    mux(picture=picture, audio=[AudioOut(source=wav, language="en")], out=out)
    return out, speech, beside, spans


def backgrounds(video: Video, store: Store) -> tuple[list[background.ChunkBackground], float]:
    """Each third by itself, and the seconds of work a second of sound."""
    speech = vad.load().speech([read_waveform(Path(video.uri), sample_rate=16_000)])
    kept, started = [], time.process_time()
    for index in range(len(PARTS)):
        span = Span(video.span.end * index // len(PARTS), video.span.end * (index + 1) // len(PARTS))
        work = background.BackgroundWork(
            video=video,
            track=0,
            chunk=Chunk(id=f"part{index}", video_id=video.id, index=index, span=span),
            speech=tuple(part for each in speech if (part := each.intersection(span)) is not None),
            settings=background.BackgroundSettings(),
            weights=weights.revision(separation.NAME),
        )
        kept.append(background.keep_background(work, store))
    return kept, (time.process_time() - started) / video.span.duration_s


def mixed(spans: Sequence[Span], store: Store) -> mix.ChunkSpeech:
    """The dub's sentences, each where its source's is."""
    voice = voices.find("fr-kokoro-ff-siwis")
    clips, placements = [], []
    for index, (sound, span) in enumerate(zip(spoken(DUB, voice.id), spans, strict=True)):
        with store.scratch() as folder:
            write_wav(folder / "clip.wav", sound, RATE)
            audio = store.put(folder / "clip.wav")
        length = samples_duration(len(sound), RATE)
        name = f"clip{index}"
        clips.append(
            SpeechClip(
                id=name, translation_id=name, utterance_id=name, voice=voice.id, audio=audio, sample_rate=RATE,
                duration=length,
            )
        )  # fmt: skip
        placements.append(Placement(clip_id=name, utterance_id=name, span=span.stretch_to(length), rate=1.0, overrun=0))
    gains = tuple(0.0 for _ in clips)
    return mix.mix_chunk(mix.MixWork(clips=tuple(clips), placements=tuple(placements), gains_db=gains), store)[0]


def projected_db(found: Sound, on: Sound) -> float:
    """The level of what of `on` is in `found`, in dB of `on`."""
    share = float(np.vdot(found.astype(np.float64), on)) / float(np.vdot(on.astype(np.float64), on))
    return 20 * np.log10(max(abs(share), 1e-6))


def still_heard(sound: Sound) -> tuple[int, int]:
    """How many of the source's words Whisper hears, and of how many."""
    wanted = {word.strip(".,").lower() for text in SOURCE for word in text.split() if len(word) > 3}
    transcriber = asr.load("whisper")
    found = transcriber.transcribe(resample(sound, RATE, 16_000), "en")
    return len(wanted & {word.text.strip(" .,").lower() for word in found}), len(wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech-over-background", type=float, default=12.0, metavar="DB")
    over_db = parser.parse_args().speech_over_background
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder / "store")
        source, speech, beside, spans = made_source(folder, over_db)
        video = probe(source)
        kept, factor = backgrounds(video, store)
        print(f"speech {over_db:.0f} dB over its background; {factor:.2f} s of CPU a second of sound")
        for part, each in zip(PARTS, kept, strict=True):
            print(f"  {part:9} judged {each.kind!r}, {each.channels} channel(s), {each.level_dbfs:.1f} dBFS")
        dubbed = mixed(spans, store)
        whole = mix.VoiceTrackWork(
            span=video.span, speech=(dubbed,), target_lufs=-16.0, true_peak_dbtp=-1.0, background=tuple(kept)
        )
        track = mix.lay_voice_track(whole, store)
        sound, _ = read_wav_channels(store.path(track.audio))
        report(sound, speech, beside, [*spans, *dubbed.heard], video.span)
        residue(kept, speech, spans, store)
        final = folder / "final.mp4"
        mux(picture=folder / "picture.mp4", audio=[AudioOut(source=store.path(track.audio))], out=final)
        encoded = measure(final)
        print(f"WAV  {track.loudness_lufs} LUFS, {track.true_peak_dbtp} dBTP")
        print(f"AAC  {encoded.integrated_lufs} LUFS, {encoded.true_peak_dbtp} dBTP")
        before, total = still_heard((speech + beside).mean(axis=0))
        after, _ = still_heard(_alone(kept, store))
        print(f"words of the source heard: {before} of {total} in the source, {after} in the background alone")


def report(sound: Sound, speech: Sound, beside: Sound, voiced: Sequence[Span], within: Span) -> None:
    """The background where neither voice is heard, to each speech's own loudness, in the dub and in the source."""
    said = np.concatenate([speech[slice(*span.samples(RATE))] for span in voiced[: len(SOURCE)]])
    dub = np.concatenate([sound.mean(axis=0)[slice(*span.samples(RATE))] for span in voiced[len(SOURCE) :]])
    gain = (speech_level(dub, RATE) or 0.0) - (speech_level(said, RATE) or 0.0)
    free = [span for span in gaps((each.widen(flicks(0.55)) for each in voiced), within) if span.duration_s > 0.2]
    length = min(sound.shape[1], beside.shape[1])
    for number, part in enumerate(PARTS[:2]):
        third = Span(within.end * number // 3, within.end * (number + 1) // 3)
        inside = [cut for span in free if (cut := span.intersection(third.widen(-flicks(0.1)))) is not None]
        kept = [
            level_dbfs(sound[:, first:end]) - gain - level_dbfs(beside[:, first:end])
            for first, end in (span.samples(RATE) for span in inside)
            if end <= length
        ]
        print(f"  {part:9} in {len(kept)} pauses: {min(kept):+.2f} .. {max(kept):+.2f} dB of the source's own")


def residue(kept: Sequence[background.ChunkBackground], speech: Sound, spans: Sequence[Span], store: Store) -> None:
    """How much of the source's voice is in the background under it."""
    alone = _alone(kept, store)
    for part, each in zip(PARTS, kept, strict=True):
        cuts = [span.samples(RATE) for span in spans if span.intersection(each.span) == span]
        if cuts:
            found = np.concatenate([alone[first:end] for first, end in cuts])
            print(
                f"  {part:9} voice left: {projected_db(found, np.concatenate([speech[a:b] for a, b in cuts])):.1f} dB"
            )


def _alone(kept: Sequence[background.ChunkBackground], store: Store) -> Sound:
    end = max(each.heard.samples(RATE)[1] for each in kept)
    alone = np.zeros(end, np.float32)
    for each in kept:
        if each.audio is not None:
            first, _ = each.heard.samples(RATE)
            sound = read_wav_channels(store.path(each.audio))[0].mean(axis=0)
            alone[first : first + len(sound)] = sound[: end - first]
    return alone


if __name__ == "__main__":
    main()
