"""How fast speech is synthesized: real-time factors (seconds of work per second of speech), per engine and setting.

python benchmarks/speech_speed.py [VOICE_ID ...]

Prints wall and CPU seconds per second of speech for one sentence at a time on 1 and on 2 threads, and for sentences
spoken two at once (`engines.speak_all`), which is what a chunk of a lecture uses.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import numpy as np

from models.speech import engines
from models.speech.contract import SpeechRequest, Voice
from models.speech.voices import find

SENTENCES = {
    "en": (
        "The gradient of the loss tells us in which direction each weight should move, and the learning rate how far.",
        "So let us look at a simple example before we go on with the proof.",
        "Students who joined today should read the second chapter before Thursday.",
        "In the kitchen, the water boils faster under lower pressure, and nobody notices.",
    ),
    "fr": (
        "Le gradient de la perte nous indique dans quelle direction chaque poids doit se déplacer.",
        "Regardons un exemple simple avant de continuer la démonstration.",
        "Les étudiants qui arrivent aujourd'hui doivent lire le deuxième chapitre avant jeudi.",
        "La lumière traverse le verre et change légèrement de direction.",
    ),
}
VOICE_IDS = ("en-kokoro-af-heart", "fr-kokoro-ff-siwis", "en-piper-joe")


def measured(speak: Callable[[], list[np.ndarray]], sample_rate: int) -> tuple[float, float, float]:
    """Seconds of speech, and the wall and CPU seconds spent per second of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    waveforms = speak()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    duration = sum(map(len, waveforms)) / sample_rate
    return duration, wall / duration, cpu / duration


def report(voice: Voice) -> None:
    sentences = SENTENCES[voice.language]
    for threads in (1, 2):
        started = time.perf_counter()
        speaker = engines.load(voice.engine, threads=threads)
        speaker.speak("One.", voice)
        load = time.perf_counter() - started
        duration, wall, cpu = measured(lambda: [speaker.speak(text, voice) for text in sentences], voice.sample_rate)  # noqa: B023
        print(
            f"{voice.id:22} {threads} thread(s)  load {load:4.1f} s  {duration:5.1f} s  RTF {wall:.3f}  CPU {cpu:.3f}"
        )
    requests = [SpeechRequest(text=text, voice=voice) for text in sentences]
    duration, wall, cpu = measured(lambda: list(engines.speak_all(requests, workers=2)), voice.sample_rate)
    print(f"{voice.id:22} 2 at once                {duration:5.1f} s  RTF {wall:.3f}  CPU {cpu:.3f}")


def main() -> None:
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    for voice_id in sys.argv[1:] or VOICE_IDS:
        voice = find(voice_id)
        if reason := engines.available(voice):
            print(f"{voice.id:22} cannot speak here: {reason}")
            continue
        report(voice)


if __name__ == "__main__":
    main()
