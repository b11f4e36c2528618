"""Translations that hold given terms, by any engine: no training, no language model, no change inside the decoder.

A term's translation is put into the source sentence: Marian copies it and makes the sentence agree with it. Where
that fails, the sentence is translated with a made-up name in the term's place, the term takes the name's place, and
the decoder goes on behind each article that the term could have. The network itself ranks the whole sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from manifests.records import Hypothesis
from models.translation.agreement import definite, variants
from models.translation.contract import Constraint, Steerable, Translator
from models.translation.sentences import unique

LONGEST_RANKED = 600
"""Characters of a sentence beyond which engines translate it in parts, so that no score of the whole can be had."""

_LOOSE_MARK = re.compile(r"(?<=\w) +(?=[.,](?:\s|$))")
"""What a decoder that goes on from a beginning puts before the next mark."""
_WORST = 0.5
"""How far below the best candidate, in nats a token, those without the article that they need are found."""
_COMPLETED, _DRAFTS, _CONTINUED, _RANKED = 4, 8, 3, 10
"""How many translations with names get the terms, in how many ways each, how many go on, and how many are ranked."""
_WITH_ARTICLES = frozenset({"es", "fr", "it"})
_DETERMINED = re.compile(
    r"(?:\b(?:the|an?|this|that|these|those|my|your|our|his|her|its|their|whose|which|what|each|every|some|any|no|all"
    r"|both|many|several|few|one|two|three|another|other)|\d|\w's|s'|-)\s*$",
    re.IGNORECASE,
)
"""What stands before a noun that needs no article more."""
_SENTENCE_ENDS = ".!?…:;¿¡"


@dataclass(slots=True)
class _Sentence:
    """A sentence on its way; `found` are the texts that hold its terms, with the score of the decoder that gave them.

    `told` are the scores of (source, translation) that are known. `articles`: English names many a thing without an
    article where the target's language wants one.
    """

    text: str
    constraints: tuple[Constraint, ...]
    articles: bool
    found: dict[str, float]
    told: dict[tuple[str, str], float]

    def readings(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """The sentence with the terms in it, or with `names` for those that have one; with articles before them too."""
        plain = _with_terms(self.text, self.constraints, names, articles=False)
        return tuple(dict.fromkeys((plain, _with_terms(self.text, self.constraints, names, articles=self.articles))))


def translate(
    translator: Translator,
    sentences: Sequence[str],
    constraints: Sequence[Sequence[Constraint]],
    *,
    candidates: int = 1,
) -> list[tuple[Hypothesis, ...]]:
    """As `Translator.translate`, with candidates that hold all of a sentence's constraints (see `lacking`).

    `constraints` has an entry a sentence, in the order of their places, none overlapping. Where nothing that is tried
    holds all of them, the candidates are those that lack the fewest. Scores of one sentence's candidates compare.
    """
    plain = translator.translate(sentences, candidates=candidates)
    articles = translator.source == "en" and translator.target in _WITH_ARTICLES
    waiting: dict[int, _Sentence] = {}
    for index, (text, wanted, first) in enumerate(zip(sentences, constraints, plain, strict=True)):
        if not wanted:
            continue
        ordered = tuple(sorted(wanted, key=lambda each: each.start))
        sentence = _Sentence(text, ordered, articles, {}, {})
        _keep(sentence, ((each.text, each.score) for each in first))
        if lacking(with_case_of(first[0].text, ordered), ordered):
            waiting[index] = sentence
        else:
            plain[index] = _ranked(sentence.found, candidates)
    _copied(translator, list(waiting.values()), candidates)
    lost = [each for each in waiting.values() if not each.found]
    _named(translator, lost, [[True] * len(each.constraints) for each in lost], candidates)
    if isinstance(translator, Steerable):
        _continue(translator, translator, [each for each in lost if len(each.text) <= LONGEST_RANKED])
    for index, sentence in waiting.items():
        if sentence.found:
            plain[index] = _ranked(_scored(translator, sentence), candidates)
        else:
            fewest = min(len(lacking(each.text, sentence.constraints)) for each in plain[index])
            plain[index] = tuple(
                each for each in plain[index] if len(lacking(each.text, sentence.constraints)) == fewest
            )
    return plain


def lacking(text: str, constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """The constraints that `text` does not hold: each takes words of its own, so two of a term need two in it."""
    taken = text
    missing = []
    for constraint in sorted(constraints, key=lambda each: -max(map(len, each.forms))):
        place = next((found for form in constraint.forms if (found := _place(form, taken, text))), None)
        if place is None:
            missing.append(constraint)
        else:
            # Not a space: words on either side must not become one place for another term.
            taken = taken[: place[0]] + "\0" * (place[1] - place[0]) + taken[place[1] :]
    return tuple(missing)


def with_case_of(text: str, constraints: Iterable[Constraint]) -> str:
    """`text` with its terms in the letter case, and with the hyphens and spaces, of the form that they are."""
    for form in dict.fromkeys(form for constraint in constraints for form in constraint.forms):
        if len(form) < 3:  # "c" is found in half of all French sentences
            continue
        loose = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", form)))

        def exact(match: re.Match[str], form: str = form, whole: str = text) -> str:
            capital = form[:1].upper() + form[1:]
            return match[0] if match[0] == capital and _starts_sentence(whole, match.start()) else form

        text = re.sub(_bounded(loose, form), exact, text, flags=re.IGNORECASE)
    return text


def _copied(translator: Translator, sentences: Sequence[_Sentence], candidates: int) -> None:
    """Translate with the terms in their places, and once more with names for those that are kept, which are copied."""
    changed = [(each, reading) for each in sentences for reading in each.readings() if reading != each.text]
    answers = translator.translate([reading for _, reading in changed], candidates=max(candidates, _COMPLETED))
    for (sentence, reading), answer in zip(changed, answers, strict=True):
        sentence.told.update(((reading, each.text), each.score) for each in answer)
        _keep(sentence, ((each.text, each.score) for each in answer))
        _keep(sentence, ((text, answer[0].score) for text in _with_articles(sentence, translator.target)))
    lost = [each for each in sentences if not each.found]
    _named(translator, lost, [[_is_kept(each, of.text) for each in of.constraints] for of in lost], candidates)


def _named(
    translator: Translator, sentences: Sequence[_Sentence], chosen: Sequence[Sequence[bool]], candidates: int
) -> None:
    """Translate with names for the terms that are `chosen`, and put the terms in the names' places."""
    asked = [
        (sentence, names, reading)
        for sentence, which in zip(sentences, chosen, strict=True)
        if any(which)
        for names in [_names(sentence, which)]
        for reading in sentence.readings(names)
    ]
    answers = translator.translate([reading for _, _, reading in asked], candidates=max(candidates, _COMPLETED))
    for (sentence, names, reading), answer in zip(asked, answers, strict=True):
        sentence.told.update(((reading, each.text), each.score) for each in answer)
        for each in answer[:_COMPLETED]:
            drafts = _in_place(each.text, sentence, names, translator.target)
            _keep(sentence, ((draft, each.score) for draft in drafts))


def _continue(translator: Translator, steerable: Steerable, sentences: Sequence[_Sentence]) -> None:
    """Keep also what the decoder makes of the best drafts' beginnings: what follows a term must agree with it too."""
    asked = []
    for sentence in sentences:
        if any(not _is_kept(each, sentence.text) for each in sentence.constraints):
            best = sorted(_scored(translator, sentence).items(), key=lambda each: -each[1])[:_CONTINUED]
            asked += [(sentence, each) for each in _beginnings((text for text, _ in best), sentence.constraints)]
    answers = steerable.go_on([(sentence.readings()[-1], beginning) for sentence, beginning in asked], candidates=2)
    for (sentence, _), answer in zip(asked, answers, strict=True):
        _keep(sentence, ((each.text, each.score) for each in answer))


def _in_place(text: str, sentence: _Sentence, names: Sequence[str], language: str) -> tuple[str, ...]:
    """`text` with the terms for their names; behind every article, where the network may not know the term's gender.

    A kept term stands behind the article of its name. Empty where a name is lost or said twice.
    """
    drafts = [text]
    for constraint, name in zip(sentence.constraints, names, strict=True):
        if not name:
            continue
        kept = _is_kept(constraint, sentence.text)
        longer = []
        for draft in drafts:
            parts = re.split(rf"(?<!\w){name}(?!\w)", draft)
            if len(parts) != 2:
                return ()
            for form in constraint.forms[:1] if kept else constraint.forms:
                at_start = _starts_sentence(draft, len(parts[0]))
                term = form[:1].upper() + form[1:] if at_start and not _has_case(form) else form
                before = variants(parts[0], term, language)
                longer += [each + term + parts[1] for each in ((parts[0],) if kept and parts[0] in before else before)]
        drafts = longer[:_DRAFTS]
    return tuple(drafts)


def _beginnings(texts: Iterable[str], constraints: Sequence[Constraint]) -> tuple[str, ...]:
    """Of each text what leads up to its last term, the term included; nothing where it ends with the term."""
    beginnings = []
    for text in texts:
        ends = [found[1] for each in constraints for form in each.forms if (found := _place(form, text, text))]
        if ends and any(letter.isalnum() for letter in text[max(ends) :]):
            beginnings.append(text[: max(ends)])
    return tuple(dict.fromkeys(beginnings))


def _scored(translator: Translator, sentence: _Sentence) -> dict[str, float]:
    """The best of what was found with scores that compare: means over the sentence as said, with its terms, with names.

    Names stand for what is kept: nothing tells the network that a foreign word is a noun, a name it takes for one.
    """
    if not isinstance(translator, Steerable) or len(sentence.text) > LONGEST_RANKED:
        return sentence.found
    texts, first = list(sentence.found), sentence.readings()[-1]
    if len(texts) > _RANKED:
        _tell(translator, sentence, [(first, text) for text in texts])
        texts = sorted(texts, key=lambda text: -sentence.told[first, text])[:_RANKED]
    pairs = [(source, text) for source in dict.fromkeys((sentence.text, *sentence.readings())) for text in texts]
    if any(kept := [_is_kept(each, sentence.text) for each in sentence.constraints]):
        names = _names(sentence, kept)
        named = [_with_names(text, sentence.constraints, names) for text in texts]
        pairs += [(source, text) for source in sentence.readings(names) for text in named]
    _tell(translator, sentence, pairs)
    scores = [sentence.told[pair] for pair in pairs]
    return {text: fmean(scores[at :: len(texts)]) for at, text in enumerate(texts)}


def _tell(translator: Steerable, sentence: _Sentence, pairs: Iterable[tuple[str, str]]) -> None:
    unknown = [pair for pair in dict.fromkeys(pairs) if pair not in sentence.told]
    sentence.told.update(zip(unknown, translator.score(unknown), strict=True))


def _with_articles(sentence: _Sentence, language: str) -> list[str]:
    """What was found, with each definite article before a term that has none, here as in the sentence."""
    texts = []
    for constraint in sentence.constraints if sentence.articles else ():
        if not _takes_article(constraint.forms[0], sentence.text[: constraint.start]):
            continue
        for text in sentence.found:
            place = next((found for form in constraint.forms if (found := _place(form, text, text))), None)
            if place is None or variants(text[: place[0]], constraint.forms[0], language) != (text[: place[0]],):
                continue
            before, term = text[: place[0]], text[place[0] : place[1]]
            term = term if _has_case(constraint.forms[0]) else term[:1].lower() + term[1:]
            texts += [each + term + text[place[1] :] for each in definite(before, term, language)]
    return texts


def _with_names(text: str, constraints: Sequence[Constraint], names: Sequence[str]) -> str:
    """A translation with `names` for the terms that have one, in the order in which they stand in the source."""
    for constraint, name in sorted(zip(constraints, names, strict=True), key=lambda each: -len(each[0].forms[0])):
        if name:
            form = constraint.forms[0]
            text = re.sub(_bounded(re.escape(form), form), name, text, count=1, flags=re.IGNORECASE)
    return text


def _is_kept(constraint: Constraint, text: str) -> bool:
    return constraint.forms[0].casefold() == text[constraint.start : constraint.end].casefold()


def _keep(sentence: _Sentence, texts: Iterable[tuple[str, float]]) -> None:
    for text, score in texts:
        exact = with_case_of(_LOOSE_MARK.sub("", text), sentence.constraints)
        if not lacking(exact, sentence.constraints):
            sentence.found.setdefault(exact, score)


def _ranked(found: dict[str, float], candidates: int) -> tuple[Hypothesis, ...]:
    best = max(found.values())
    good = (Hypothesis(text=text, score=score) for text, score in found.items() if score >= best - _WORST)
    return unique(good, candidates)


def _with_terms(text: str, constraints: Sequence[Constraint], names: Sequence[str], *, articles: bool) -> str:
    """`text` with a name for each constraint that has one, else its preferred form, capital where a sentence starts.

    With `articles`, English ones stand before those that nothing determines.
    """
    terms = []
    for each, name in zip(constraints, names or [""] * len(constraints), strict=True):
        form = each.forms[0]
        bare = articles and _takes_article(form, text[: each.start])
        word = f"the {name or form}" if bare else name or form
        capital = _starts_sentence(text, each.start) and text[each.start].isupper() and (bare or not _has_case(word))
        terms.append(word[:1].upper() + word[1:] if capital else word)
    return _replaced(text, constraints, terms)


def _takes_article(form: str, before: str) -> bool:
    """Whether a term may want an article behind `before`: not where it has one, nor NumPy, np.array and x."""
    return (not _has_case(form) or " " in form) and not _DETERMINED.search(before)


def _has_case(form: str) -> bool:
    """Whether the letter case of `form` means something: NumPy, np.array, x; not softmax."""
    return len(form) < 2 or form != form.lower() or not all(each.isalpha() or each in " '-" for each in form)


def _replaced(text: str, constraints: Sequence[Constraint], by: Sequence[str]) -> str:
    for constraint, word in reversed(list(zip(constraints, by, strict=True))):
        text = text[: constraint.start] + word + text[constraint.end :]
    return text


def _names(sentence: _Sentence, chosen: Sequence[bool]) -> list[str]:
    """Names that look like ones, which networks copy and do not decline, for those `chosen`; "" for the others."""
    made = (f"{letters}{number}" for letters in ("XQ", "ZK", "QX", "KZ") for number in range(1, 100))
    free = (name for name in made if name not in sentence.text)
    return [next(free) if each else "" for each in chosen]


def _place(form: str, text: str, whole: str) -> tuple[int, int] | None:
    """Where `form` first stands in `text` as whole words; `whole` is the text before words were taken from it."""
    for match in re.finditer(_bounded(re.escape(form[:1]) + re.escape(form[1:]), form), text):
        return match.span()
    capital = form[:1].upper() + form[1:]
    for match in re.finditer(_bounded(re.escape(capital), capital), text):
        if _starts_sentence(whole, match.start()):
            return match.span()
    return None


@lru_cache(maxsize=1024)
def _bounded(pattern: str, form: str) -> str:
    before = r"(?<!\w)" if re.match(r"\w", form) else ""
    after = r"(?!\w)" if re.search(r"\w$", form) else ""
    return f"{before}{pattern}{after}"


def _starts_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \t\n\"'«“([")
    return not before or before[-1] in _SENTENCE_ENDS
