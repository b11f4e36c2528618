"""The engines behind the voices: which weights a voice needs, whether it can speak here, and the speakers themselves.

text = engines.spoken("3.5 % of 1,200 students", voice, pronunciations)
waveform = engines.load(voice.engine).speak(text, voice)
for waveform in engines.speak_all([SpeechRequest(text=text, voice=voice, rate=1.1), ...]): ...
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from manifests.errors import BadInput
from models import weights
from models.once import once
from models.speech import arabic, cloned, mbrola, pronunciation
from models.speech.contract import Pronunciation, Speaker, SpeechRequest, Voice
from models.speech.waveform import Waveform

ENGINES = ("kokoro", "piper", "mbrola")


def weights_of(voice: Voice) -> str | None:
    """The name in the table of weights that `voice` needs; None for a program of the system."""
    if voice.engine == "kokoro":
        return "kokoro"
    if voice.engine == "piper":
        locale, name, _ = voice.name.split("-")
        return f"piper-{locale.lower().replace('_', '-')}-{name}"
    return cloned.weights_of(voice.language) if voice.engine == cloned.ENGINE else None


def revision(voice: Voice) -> str:
    """What speaks, for keys of results: the weights' revision, or the name of the system's voice."""
    name = weights_of(voice)
    if voice.engine == cloned.ENGINE:
        return cloned.revision(voice.language)
    return f"{voice.engine}/{voice.name}" if name is None else weights.revision(name)


def available(voice: Voice) -> str | None:
    """Why `voice` cannot speak on this machine and what would mend it, or None where it can. Loads nothing."""
    name = weights_of(voice)
    if name is None:
        return mbrola.missing(voice)
    if voice.engine == cloned.ENGINE and not cloned.installed():
        return f"run `pip install {cloned.ENGINE}`"
    return None if weights.present(name) else f"run `redub weights pull {name}`"


def load(engine: str, *, threads: int | None = None) -> Speaker:
    """The speaker of `engine` (kokoro, piper or mbrola), one per process and count of threads.

    `threads` are used within one sentence: by default the cores of this machine, at most 4; the samples do not depend
    on them. Raises MissingWeights, and BadInput for a name that is no engine.
    """
    return _load(engine, threads or _cores())


def load_for(engine: str, requests: int) -> Speaker:
    """The speaker that `speak_all` speaks so many `requests` with.

    A lone one has all cores, unless a speaker for several at once is here already: each is a network in memory.
    """
    alone = requests == 1 and not _load.has(engine, 1)
    return load(engine, threads=None if alone else 1)


def spoken(text: str, voice: Voice, pronunciations: Sequence[Pronunciation] = ()) -> str:
    """Written `text` as `voice` is to say it: terms as told, numbers and signs in words, Arabic with its short vowels.

    A pronunciation in IPA is passed over where the engine takes none: the term is then said as it is written.
    """
    said, blocks = pronunciation.apply(text, voice.language, pronunciations, ipa=takes_ipa(voice))
    if voice.language == "ar":
        said = arabic.vocalise(said)
    return pronunciation.place(said, blocks)


def takes_ipa(voice: Voice) -> bool:
    """Whether what `voice` is given may hold IPA in double brackets."""
    return voice.engine in {"kokoro", "piper"}


def paces(voice: Voice) -> bool:
    """Whether `voice` can speak at another rate than its own; the caller stretches what one that cannot has spoken."""
    return voice.engine in ENGINES


def speak_all(
    requests: Sequence[SpeechRequest], *, workers: int | None = None, others: Mapping[str, Speaker] | None = None
) -> Iterator[Waveform]:
    """The waveforms of `requests`, in order, the same samples as `speak` gives one by one.

    `workers` sentences are spoken at once, each on one thread (by default as many as cores, at most 4). Kokoro then
    costs about 0.95 s of CPU per second of speech, against 1.1 s for one sentence on two threads. A single request has
    one thread too: a speaker with more would be a second network in memory. `others` are the speakers of voices that
    no engine of the table speaks, by the voice's id.
    """
    workers = max(1, min(workers or _cores(), len(requests) or 1))
    others = others or {}
    needed = sorted({each.voice.engine for each in requests if each.voice.id not in others})
    speakers = {engine: load_for(engine, len(requests)) for engine in needed}

    def speak(request: SpeechRequest) -> Waveform:
        speaker = others.get(request.voice.id) or speakers[request.voice.engine]
        return speaker.speak(request.text, request.voice, rate=request.rate)

    with ThreadPoolExecutor(workers, thread_name_prefix="speak") as pool:
        yield from pool.map(speak, requests)


def _cores() -> int:
    return min(os.cpu_count() or 1, 4)


@once
def _load(engine: str, threads: int) -> Speaker:
    if engine == "kokoro":
        from models.speech.kokoro import KokoroSpeaker

        return KokoroSpeaker(weights.locate("kokoro"), threads=threads)
    if engine == "piper":
        from models.speech.piper import PiperSpeaker

        return PiperSpeaker(lambda voice: weights.locate(weights_of(voice) or ""), threads=threads)
    if engine == "mbrola":
        return mbrola.MbrolaSpeaker()
    raise BadInput(f"no speech engine is called {engine!r}", remedy=f"There are: {', '.join(ENGINES)}.")
