"""Whether speech is understood: spoken, heard by Whisper base, and compared by character error rate (CER)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models import weights
from models.speech import engines
from models.speech.voices import find

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

pytestmark = [pytest.mark.weights, pytest.mark.slow]

SENTENCES = {
    "en": [
        "The gradient of the loss tells us in which direction each weight should move.",
        "So let us look at a simple example before we go on with the proof.",
        "In the kitchen, the water boils faster under lower pressure.",
        "This little button changes the shape of every picture in the book.",
        "Students who joined today should read the second chapter before Thursday.",
    ],
    "fr": [
        "Le gradient de la perte nous indique dans quelle direction chaque poids doit se déplacer.",
        "Regardons un exemple simple avant de continuer la démonstration.",
        "Les étudiants qui arrivent aujourd'hui doivent lire le deuxième chapitre avant jeudi.",
        "La lumière traverse le verre et change légèrement de direction.",
        "Nous avons mesuré la température de l'eau toutes les heures pendant trois jours.",
    ],
    "de": [
        "Der Gradient zeigt uns, in welche Richtung sich jedes Gewicht bewegen soll.",
        "Betrachten wir ein einfaches Beispiel, bevor wir mit dem Beweis fortfahren.",
        "Die Studierenden, die heute kommen, sollten das zweite Kapitel vor Donnerstag lesen.",
        "Das Licht durchquert das Glas und ändert leicht seine Richtung.",
        "Wir haben drei Tage lang jede Stunde die Temperatur des Wassers gemessen.",
    ],
    "es": [
        "El gradiente nos indica en qué dirección debe moverse cada peso.",
        "Veamos un ejemplo sencillo antes de continuar con la demostración.",
        "Los estudiantes que llegan hoy deben leer el segundo capítulo antes del jueves.",
        "La luz atraviesa el vidrio y cambia ligeramente de dirección.",
        "Medimos la temperatura del agua cada hora durante tres días.",
    ],
    "ar": [
        "اليوم سوف نتعلم كيف يعمل الحاسوب.",
        "درس الطلاب تاريخ العلوم في الجامعة.",
        "نقيس درجة حرارة الماء كل ساعة.",
        "الضوء يمر عبر الزجاج ويغير اتجاهه.",
        "هذا مثال بسيط قبل أن نكمل الدرس.",
    ],
}


def character_error_rate(said: str, heard: str) -> float:
    """Levenshtein distance over the count of characters said; case and punctuation do not count."""
    said, heard = (" ".join(re.sub(r"[^\w\s]", " ", text.lower()).split()) for text in (said, heard))
    above = list(range(len(heard) + 1))
    for row, letter in enumerate(said, 1):
        current = [row]
        for column, other in enumerate(heard, 1):
            current.append(min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other)))
        above = current
    return above[-1] / len(said)


@pytest.fixture(scope="module")
def listener() -> WhisperModel:
    from faster_whisper import WhisperModel

    if not weights.present("whisper-base"):
        pytest.skip("the weights whisper-base are absent: run `redub weights pull whisper-base`")
    return WhisperModel(str(weights.locate("whisper-base")), device="cpu", compute_type="int8", cpu_threads=2)


@pytest.mark.parametrize(
    ("voice_id", "highest"),
    [
        ("en-kokoro-af-heart", 0.02),
        ("fr-kokoro-ff-siwis", 0.04),
        ("fr-kokoro-em-alex", 0.05),
        ("de-kokoro-if-sara", 0.05),
        ("es-kokoro-ef-dora", 0.02),
        ("en-piper-joe", 0.05),
        ("ar-mbrola-ar2", 0.45),
    ],
)
def test_a_listener_understands(listener: WhisperModel, voice_id: str, highest: float) -> None:
    voice = find(voice_id)
    if reason := engines.available(voice):
        pytest.skip(f"{voice.id} cannot speak here: {reason}")
    import scipy.signal

    speaker = engines.load(voice.engine)
    rates = []
    for sentence in SENTENCES[voice.language]:
        waveform = speaker.speak(engines.spoken(sentence, voice), voice)
        level = waveform * (0.7 / np.abs(waveform).max())  # as the mix will bring every voice to one loudness
        at_16_khz = scipy.signal.resample_poly(level, 16_000, voice.sample_rate)
        quiet = np.zeros(3_200)
        segments, _ = listener.transcribe(
            np.concatenate([quiet, at_16_khz, quiet]).astype(np.float32), language=voice.language
        )
        rates.append(character_error_rate(sentence, " ".join(segment.text for segment in segments)))
    assert sum(rates) / len(rates) <= highest, rates
