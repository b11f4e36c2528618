"""`redub` over networks that are made up: they stand in for trained weights, all else is what it is in earnest.

python made_up_networks.py dub lecture.mp4 --to fr --preset draft
python made_up_networks.py here lecture.mp4 OUT                      # the same without Prefect, for its quickness
python made_up_networks.py really lecture.mp4 OUT                    # and over trained networks, lips included

What is heard is told from the loudness, what is spoken is a buzz as long as its text: quick, and the same each time.
Chunks are cut short, so that a few seconds have several. REDUB_FAULT ("STAGE INDEX KIND", comma between several) has a
stage fail on its INDEX-th chunk: KIND is `raise`, `memory`, `kill` (SIGKILL) or `wait N` (N seconds, once).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.apart import call_apart
from infra.store import Store
from manifests.records import Hypothesis
from manifests.time import Span, flicks

Floats = npt.NDArray[np.float32]

RATE = 16_000
FAULT = "REDUB_FAULT"
MARKS = "REDUB_FAULT_MARKS"
_SLICE = RATE // 50
_LOUD = 0.02
_WORDS = ("so", "the", "sea", "rises", "and", "falls", "with", "the", "moon.")
_FRENCH = "la mer monte et descend"


def stretches(waveform: Floats, longest_pause_s: float) -> list[tuple[int, int]]:
    """Where `waveform` is loud, as samples; pauses up to `longest_pause_s` belong to it."""
    count = len(waveform) // _SLICE
    loud = np.abs(waveform[: count * _SLICE]).reshape(count, _SLICE).max(axis=1) > _LOUD if count else np.zeros(0)
    found: list[tuple[int, int]] = []
    for index in np.flatnonzero(loud):
        start, end = int(index) * _SLICE, int(index + 1) * _SLICE
        if found and start - found[-1][1] <= longest_pause_s * RATE:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


class LoudIsSpeech:
    """Stands in for the voice activity detector."""

    def speech(self, blocks: Iterable[Floats]) -> list[Span]:
        whole = np.concatenate([np.zeros(0, np.float32), *blocks])
        return [_span(*each) for each in stretches(whole, 0.3)]


@dataclass
class LoudIsWords:
    """Stands in for the recogniser, and for what tells the language."""

    languages: frozenset[str] | None = None
    punctuates: bool = True

    def transcribe(self, waveform: Floats, language: str) -> list[Any]:
        from models.asr.contract import HeardWord

        words = []
        for start, end in stretches(waveform, 0.3):
            step = max((end - start) // len(_WORDS), 1)
            words += [
                HeardWord(text=word, span=_span(start + at * step, start + (at + 1) * step), confidence=0.9)
                for at, word in enumerate(_WORDS)
            ]
        return words

    def language_probabilities(self, waveform: Floats) -> dict[str, float]:
        return {"en": 1.0}


@dataclass
class SameFrench:
    """Stands in for the translator."""

    source: str = "en"
    target: str = "fr"
    experimental: bool = False

    def translate(self, sentences: Sequence[str], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        offered = [f"{_FRENCH}{more}." for more in ("", " toujours")]
        return [
            tuple(Hypothesis(text=t, score=-1.0 - at) for at, t in enumerate(offered[:candidates])) for _ in sentences
        ]


class Buzz:
    """Stands in for the synthesizer."""

    def speak(self, text: str, voice: Any, *, rate: float = 1.0) -> Floats:
        length = int(len(text) * 0.05 / rate * voice.sample_rate)
        at = np.arange(length) / voice.sample_rate
        return (0.1 * np.sin(2 * np.pi * (110 + len(text)) * at)).astype(np.float32)


class OnePerson:
    """Stands in for the encoder of voices."""

    same_speaker_cosine = 0.7

    def embed(self, speech: Floats) -> Floats:
        return np.ones(256, np.float32) / 16


def _span(start: int, end: int) -> Span:
    return Span(flicks(start / RATE), flicks(end / RATE))


def install() -> None:
    """Put them in the place of the trained ones."""
    from models import weights
    from models.asr import engines as asr
    from models.speech import engines as speech
    from models.translation import engines as translation
    from models.vad import engines as vad
    from models.voiceprint import engines as voiceprint
    from tasks import engines, isolation

    vad.load = lambda name="silero": LoudIsSpeech()
    asr.load = lambda name: LoudIsWords()
    asr.load_identifier = LoudIsWords
    translation.load = lambda engine, source, target: SameFrench(source, target)
    speech.load = lambda engine, threads=None: Buzz()
    weights.present = lambda name: True
    voiceprint.load = OnePerson
    for name in ("listening", "identifier", "translation", "speaking", "voiceprint"):
        setattr(engines, f"{name}_weights", lambda *given: "made up")
    engines.separation_weights = lambda: None
    engines.require_translation_into = lambda *given: None

    isolation.call_apart = _call_apart
    cut_short()


def _call_apart(function: Any, *given: Any) -> Any:
    return call_apart(_call_installed, function, *given)


def _call_installed(function: Any, *given: Any) -> Any:
    """In the other process, where nothing stands in for anything yet."""
    install()
    return function(*given)


def cut_short() -> None:
    """Have chunks of a few seconds, and stages that fail as the environment says."""
    from tasks import settings

    real = dict(settings.PRESETS)
    cut = replace(settings.lecture().chunks, target_s=4.0, max_s=7.0)
    for name, make in real.items():
        settings.PRESETS[name] = lambda make=make: replace(make(), chunks=cut)
    if FAULT in os.environ:
        break_stages(os.environ[FAULT])


def break_stages(told: str) -> None:
    """Have stages fail as `told`."""
    from tasks import background, faces, heard_back, lips, listen, mix, speak, translate, voice_samples

    chunked: Mapping[str, tuple[Any, str]] = {
        "listen": (listen, "LISTEN"),
        "voice_samples": (voice_samples, "VOICE_SAMPLES"),
        "background": (background, "BACKGROUND"),
        "translate": (translate, "TRANSLATE"),
        "speak": (speak, "SPEAK"),
        "mix": (mix, "MIX"),
        "heard_back": (heard_back, "HEARD_BACK"),
        "faces": (faces, "FACES"),
        "lips": (lips, "LIPS"),
    }
    for each in told.split(","):
        stage, which, *kind = each.split()
        module, name = chunked[stage]
        found = getattr(module, name)
        setattr(module, name, replace(found, compute=Broken(found.compute, which, tuple(kind))))


@dataclass(frozen=True)
class Broken:
    """A stage's work that fails on one chunk, or on all of them ("*"). It travels to other processes."""

    compute: Any
    which: str
    kind: tuple[str, ...]

    def __call__(self, work: Any, store: Store) -> Any:
        if self.which == "*" or f"chunk{int(self.which):05d}" in repr(work):
            self._fail()
        return self.compute(work, store)

    def _fail(self) -> None:
        if self.kind[0] == "raise":
            raise ValueError("this chunk is poisoned")
        if self.kind[0] == "memory":
            raise MemoryError
        if self.kind[0] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind[0] == "wait":
            mark = Path(os.environ[MARKS]) / "waited"
            if not mark.exists():
                mark.touch()
                time.sleep(float(self.kind[1]))


def dub_here(source: Path, out: Path, preset_name: str) -> Any:
    """The lecture dubbed in this process and published, under the environment's cache; gives what it came to."""
    from infra.store import cache_store
    from tasks import publish
    from tasks.journal import Journal
    from tasks.lecture import DubJob, dub_lecture
    from tasks.pool import InProcessPool
    from tasks.settings import preset

    store = cache_store()
    job = DubJob(source=source, targets=("fr",), source_language="en", audio_track=None, settings=preset(preset_name))
    dubbed = dub_lecture(job, InProcessPool(store, Journal()))
    publish.publish_reports(dubbed, source.stem, out, job.settings.gate, store)
    publish.publish_dubs(dubbed, source.stem, out, store, {})
    return dubbed


if __name__ == "__main__":
    # Work travels to processes in which this file is a module like others.
    import made_up_networks

    if sys.argv[1] == "really":
        made_up_networks.cut_short()
        made_up_networks.dub_here(Path(sys.argv[2]), Path(sys.argv[3]), "lecture")
    else:
        made_up_networks.install()
        if sys.argv[1] == "here":
            made_up_networks.dub_here(Path(sys.argv[2]), Path(sys.argv[3]), "draft")
        else:
            from flows.cli.main import main

            sys.argv[0] = "redub"
            main()
