"""The constants of models/speech/duration.py, and how far its predictions are off.

    python -m benchmarks.duration_fit DURATIONS.jsonl

Speaks the sentences of `benchmarks.lecture_sentences` with Kokoro (French: as the packaged Marian translates them) and
keeps in DURATIONS.jsonl how long each took, so that a second run only fits; the first takes some twenty minutes of one
core. Prints the weights of each language, the pace of each voice, and the relative error on sentences that no fit has
seen, before and after ten clips of the voice were heard.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from benchmarks.lecture_sentences import ENGLISH, GERMAN, SPANISH
from manifests.time import Flicks, samples_duration, seconds
from models.speech import engines
from models.speech.duration import FEATURES, DurationModel, calibrated, features, prior
from models.speech.kokoro import accent_of
from models.speech.normalise import normalise
from models.speech.voices import find
from models.translation import engines as translation

FITTED = {"fr": "fr-kokoro-ff-siwis", "en": "en-kokoro-af-heart", "de": "de-kokoro-if-sara", "es": "es-kokoro-ef-dora"}
FIT_ON = 30
"""French sentences that the prior is fitted on; the others are kept for the errors."""
HEARD = 10
"""Clips of the voice that calibrate it; the errors are of the rest."""

PACED = {
    "fr": ("fr-kokoro-im-nicola", "fr-kokoro-if-sara", "fr-kokoro-ef-dora", "fr-kokoro-pm-alex"),
    "en": ("en-kokoro-am-michael", "en-kokoro-bf-emma"),
    "de": ("de-kokoro-pm-alex",),
    "es": ("es-kokoro-em-alex",),
}
PACED_ON = 8
STRANGER = "fr-kokoro-em-alex"
"""A voice of which the prior knows nothing."""

GENERIC = np.array([0.25, 0.07, 0.06, 0.02, 0.02, 0.15, 0.3])
"""Seconds a feature that the fit leans on where the sentences say little (`_LEAN` is how much)."""
_LEAN = 3e-4

Durations = dict[tuple[str, str], Flicks]


def main(file: Path) -> None:
    """Speak what was not spoken yet, fit, print."""
    french = [found[0].text for found in translation.load("ctranslate2", "en", "fr").translate(ENGLISH)]
    sentences = {"fr": french[:FIT_ON], "en": list(ENGLISH[:24]), "de": list(GERMAN), "es": list(SPANISH)}
    pairs = {
        language: [" ".join(texts[at : at + 2]) for at in range(0, 12, 2)] for language, texts in sentences.items()
    }
    wanted = [(FITTED[language], text) for language in sentences for text in sentences[language]]
    wanted += [(FITTED[language], text) for language in pairs for text in pairs[language]]
    wanted += [
        (voice, text) for language in PACED for voice in PACED[language] for text in sentences[language][:PACED_ON]
    ]
    held_out = french[FIT_ON:]
    wanted += [(voice, text) for voice in (FITTED["fr"], STRANGER) for text in held_out]
    durations = _spoken(wanted, file)

    print(f"_PRIORS = {{  # seconds of {', '.join(FEATURES)}")
    for language, voice in FITTED.items():
        weights = _fit(voice, [*sentences[language], *pairs[language]], durations)
        print(f'    "{language}": ({", ".join(f"{each:.4f}" for each in weights)}),')
        fitted = DurationModel(accent=accent_of(find(voice)), weights=tuple(weights))
        for paced in PACED.get(language, ()):
            ratios = [
                durations[paced, text] / fitted.predict(normalise(text, language))
                for text in sentences[language][:PACED_ON]
            ]
            print(f'    # pace of "{paced}": {np.median(ratios):.3f}')
    print("}\n\n| French, sentences not seen | clips heard | error, median | p90 |\n|---|---|---|---|")
    for voice in (FITTED["fr"], STRANGER):
        for heard in (0, HEARD):
            errors = _errors(voice, held_out, durations, heard)
            print(f"| {voice} | {heard} | {np.median(errors):.1%} | {np.quantile(errors, 0.9):.1%} |")


def _spoken(wanted: list[tuple[str, str]], file: Path) -> Durations:
    durations: Durations = {}
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for voice, text, samples in map(json.loads, lines):
        durations[voice, text] = samples_duration(samples, find(voice).sample_rate)
    speaker = engines.load("kokoro", threads=1)
    with file.open("a", encoding="utf-8") as out:
        for voice, text in wanted:
            if (voice, text) not in durations:
                row = find(voice)
                samples = len(speaker.speak(normalise(text, row.language), row))
                durations[voice, text] = samples_duration(samples, row.sample_rate)
                out.write(json.dumps([voice, text, samples], ensure_ascii=False) + "\n")
                out.flush()
    return durations


def _fit(voice: str, texts: list[str], durations: Durations) -> npt.NDArray[np.float64]:
    """Weights of least squared relative error, none negative."""
    language = find(voice).language
    rows = np.array([features(normalise(text, language), accent_of(find(voice))) for text in texts])
    lengths = np.array([seconds(durations[voice, text]) for text in texts])
    lean = np.diag(np.sqrt(_LEAN * len(texts)) / GENERIC)
    found: npt.NDArray[np.float64] = nnls(
        np.vstack([rows / lengths[:, None], lean]), np.concatenate([np.ones(len(texts)), lean @ GENERIC])
    )[0]
    return found


def _errors(voice: str, texts: list[str], durations: Durations, heard: int) -> npt.NDArray[np.float64]:
    """Relative errors on the texts after the first `HEARD`, when the first `heard` calibrate the prior."""
    spoken = [(normalise(text, find(voice).language), durations[voice, text]) for text in texts]
    model = calibrated(prior(find(voice)), spoken[:heard])
    return np.array([abs(model.predict(text) / length - 1) for text, length in spoken[HEARD:]])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
