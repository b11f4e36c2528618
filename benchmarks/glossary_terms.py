"""Whether a glossary's terms are right in text and sound, English to French: 30 terms, two sentences of a lecture each.

    python -m benchmarks.glossary_terms [text] [sound]

In text a term is right where the translation holds what `SENTENCES` says by hand, letter by letter but for a capital at
its start. In sound it is right where a sentence of it, spoken by Kokoro's French voice and heard by Whisper base, holds
it in letters, or in sounds: the phonemes that espeak-ng gives to what was heard hold those of the term, as it is to be
said, with at most `MOST_WRONG` of them wrong.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np

from models.asr import contract as asr_contract
from models.asr import engines as asr
from models.metrics.text_error import as_heard
from models.speech import engines as speech
from models.speech.contract import Pronunciation
from models.speech.phonemes import phonemize
from models.speech.pronunciation import ipa_of
from models.speech.voices import find
from models.translation import engines as translation
from tasks.glossary import pronunciations, read_glossary
from tasks.translate import translated

SHEET = Path(__file__).with_suffix(".csv")
VOICE = "fr-kokoro-ff-siwis"
CANDIDATES = 8
MOST_WRONG = 0.25

# Term as the lecturer says it, what must be read in French, the sentence.
SENTENCES = (
    ("descente de gradient", "We use gradient descent to minimise the error."),
    ("descente de gradient", "Gradient descent takes small steps, and it may never arrive."),
    ("noyau", "The kernel tells us how similar two points are."),
    ("noyaux", "There are many kernels, and you have to choose one of them."),
    ("valeur propre", "Every eigenvalue is a root of this polynomial."),
    ("valeurs propres", "The eigenvalues of a symmetric matrix are real."),
    ("vecteur propre", "This arrow is an eigenvector, because its direction does not change."),
    ("vecteurs propres", "The eigenvectors are orthogonal to each other."),
    ("déterminant", "If the determinant is zero, the matrix has no inverse."),
    ("déterminant", "What is the determinant's sign?"),
    ("rang", "The rank of this matrix is two."),
    ("rang", "A matrix of full rank can be inverted."),
    ("sous-espace nul", "The null space holds all the vectors that are mapped to zero."),
    ("sous-espace nul", "So x lies in the null space of A."),
    ("décomposition en valeurs singulières", "The singular value decomposition exists for every matrix."),
    ("décomposition en valeurs singulières", "Please compute the singular value decomposition by hand."),
    ("analyse en composantes principales", "Principal component analysis finds the directions that matter most."),
    ("analyse en composantes principales", "Last week we saw principal component analysis."),
    ("multiplicateur de Lagrange", "We add a Lagrange multiplier for the constraint."),
    ("multiplicateurs de Lagrange", "The Lagrange multipliers must not be negative."),
    ("théorème de Bayes", "Bayes' rule turns the question around."),
    ("théorème de Bayes", "With Bayes' rule, you can answer that in one line."),
    ("variable aléatoire", "Let us call this random variable X."),
    ("variables aléatoires", "Two random variables are independent if one says nothing about the other."),
    ("taux d'apprentissage", "If the learning rate is too large, nothing converges."),
    ("taux d'apprentissage", "You should make the learning rate smaller every day."),
    ("fonction de perte", "The loss function has many valleys."),
    ("fonctions de perte", "These loss functions are convex."),
    ("surapprentissage", "Overfitting means that we have learnt the noise."),
    ("surapprentissage", "More data is the best remedy against overfitting."),
    ("rétropropagation", "Backpropagation is nothing but the chain rule."),
    ("rétropropagation", "We train the model with backpropagation."),
    ("réseau de neurones", "A neural network is a long chain of simple functions."),
    ("réseaux de neurones", "Neural networks were already known in the fifties."),
    ("machine à vecteurs de support", "A support vector machine looks for the widest street between the classes."),
    ("machines à vecteurs de support", "Before that, everybody used support vector machines."),
    ("plongement", "The embedding of a word is a list of numbers."),
    ("plongements", "Similar words have similar embeddings."),
    ("jeton", "The model predicts the next token."),
    ("jetons", "The sentence is cut into tokens before anything else happens."),
    ("lot", "Each batch contains 32 pictures."),
    ("lots", "We shuffle the data and cut it into batches."),
    ("table de hachage", "A hash table finds the name at once."),
    ("tables de hachage", "In practice, hash tables are faster than trees."),
    ("liste chaînée", "In a linked list, every element knows the next one."),
    ("listes chaînées", "Linked lists are slow when you look for something."),
    ("débordement de pile", "The program ended with a stack overflow."),
    ("débordement de pile", "A stack overflow is easy to cause and hard to find."),
    ("processeur graphique", "The training runs on one GPU for three days."),
    ("processeurs graphiques", "GPUs are good at multiplying large matrices."),
    ("softmax", "Softmax turns these scores into probabilities."),
    ("softmax", "The last layer is a softmax, as you can see on the slide."),
    ("dropout", "Because of that, we use dropout in every layer."),
    ("dropout", "Dropout is a strange idea, but it works."),
    ("NumPy", "NumPy does this in one line."),
    ("NumPy", "Please install NumPy before the exercise."),
    ("PyTorch", "The code is written in PyTorch."),
    ("PyTorch", "PyTorch computes the derivatives for you."),
    ("pull request", "Send me a pull request before Friday."),
    ("pull requests", "We read all pull requests on Monday."),
)


def right(text: str, expected: str) -> bool:
    """Whether `text` holds `expected` as whole words, a capital allowed at the very start."""
    capital = expected[:1].upper() + expected[1:]
    return bool(re.search(rf"(?<!\w){re.escape(expected)}(?!\w)", text)) or bool(
        re.match(rf"(?:\W*){re.escape(capital)}(?!\w)", text)
    )


def in_text() -> None:
    """Print both translations of every sentence, how many hold their term, and what the glossary costs."""
    translator = translation.load("ctranslate2", "en", "fr")
    terms = read_glossary(SHEET, "fr")
    sentences = [sentence for _, sentence in SENTENCES]
    translator.translate(sentences[:2])
    started = time.process_time()
    without = translator.translate(sentences, candidates=CANDIDATES)
    between = time.process_time()
    with_terms = translated(translator, sentences, terms, candidates=CANDIDATES)
    ended = time.process_time()
    kept = [[each.hypothesis.text for each in best] for best in with_terms]
    for (expected, sentence), before, after in zip(SENTENCES, without, kept, strict=True):
        print(f"{sentence}\n  {'   ' if right(before[0].text, expected) else 'no '} {before[0].text}")
        print(f"  {'yes' if right(after[0], expected) else 'NO '} {after[0]}")
        print(f"      of {len(after)} candidates {sum(right(each, expected) for each in after)} hold it")
    count = len(SENTENCES)
    plain = sum(right(each[0].text, expected) for (expected, _), each in zip(SENTENCES, without, strict=True))
    best = sum(right(each[0], expected) for (expected, _), each in zip(SENTENCES, kept, strict=True))
    every = [right(text, expected) for (expected, _), texts in zip(SENTENCES, kept, strict=True) for text in texts]
    print(f"\n{len(terms)} terms, {count} sentences, {CANDIDATES} candidates asked for")
    print(f"right in text without the glossary: {plain} of {count}; with it: {best} of {count}")
    print(f"of all {len(every)} candidates with it: {sum(every)}; mean {len(every) / count:.1f} a sentence")
    fractions = between - started, ended - between
    print(f"CPU seconds without {fractions[0]:.1f}, with {fractions[1]:.1f}: {fractions[1] / fractions[0]:.2f} times")


def in_sound() -> None:
    """Speak the first sentence of each term, hear it back, and print what was heard of the term."""
    translator, voice = translation.load("ctranslate2", "en", "fr"), find(VOICE)
    terms, whisper = read_glossary(SHEET, "fr"), asr.load("whisper")
    told = pronunciations(terms, "fr")
    first = SENTENCES[::2]
    spoken = [
        best[0].hypothesis.text
        for best in translated(translator, [sentence for _, sentence in first], terms, candidates=1)
    ]
    counts = {"as written": 0, "as told": 0}
    for (expected, _), text in zip(first, spoken, strict=True):
        own = next((each for each in told if each.term == expected), None)
        meant = sounds(expected, own)
        for name, used in (("as written", ()), ("as told", tuple(told))):
            said = speech.spoken(text, voice, used)
            waveform = speech.load(voice.engine).speak(said, voice)
            at_16k = resampled(waveform, voice.sample_rate, asr_contract.SAMPLE_RATE)
            heard = " ".join(word.text for word in whisper.transcribe(at_16k, "fr"))
            in_letters = f" {as_heard(expected, 'fr')} " in f" {as_heard(heard, 'fr')} "
            wrong = nearest(meant, sounds(heard, None)) / len(meant)
            fine = in_letters or wrong <= MOST_WRONG
            counts[name] += fine
            how = "in letters" if in_letters else f"{wrong:.0%} of its sounds wrong"
            print(f"{'yes' if fine else 'NO '} {expected:38} {name:10} {how}: {heard}")
            if own is None:  # nothing was told of it: it sounds as before
                counts["as told"] += fine
                break
    for name, count in counts.items():
        print(f"right in sound, terms {name}: {count} of {len(first)} (at most {MOST_WRONG:.0%} of the sounds wrong)")


def sounds(text: str, told: Pronunciation | None) -> str:
    """The phonemes of `text` as French reads it, or as was `told`; without stress, length, blanks and punctuation."""
    ipa = ipa_of(told) if told else None
    if ipa is None:
        ipa = phonemize(speech.spoken(told.spoken if told else text, find(VOICE)), "fr-fr")
    return re.sub(r"[^\w\u0303]|[ˈˌː]", "", ipa)


def nearest(part: str, whole: str) -> int:
    """The least edits between `part` and any stretch of `whole`."""
    row = [0] * (len(whole) + 1)
    for at, wanted in enumerate(part, start=1):
        diagonal, row[0] = row[0], at
        for other, got in enumerate(whole, start=1):
            diagonal, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, diagonal + (wanted != got))
    return min(row)


def resampled(waveform: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """`waveform` of `rate` Hz at `wanted` Hz."""
    import librosa

    return np.asarray(librosa.resample(waveform, orig_sr=rate, target_sr=wanted), dtype=np.float32)


def main() -> None:
    parts = sys.argv[1:] or ["text", "sound"]
    if "text" in parts:
        in_text()
    if "sound" in parts:
        in_sound()


if __name__ == "__main__":
    main()
