"""Where a line of text may be broken: what belongs together stays together, by language.

A subtitle that ends where a clause ends is read once; one that parts an article from its noun, or a number from its
unit, is read twice. So each place between two words has a cost.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

SENTENCE, CLAUSE, PLAIN = 0.0, 2.0, 9.0
"""Costs of a break after a sentence, after a clause, and just anywhere."""
NEVER = 1000.0
_BEFORE_CONJUNCTION, _BEFORE_PREPOSITION = 4.0, 5.0
_AFTER_CONJUNCTION, _NAME, _PRONOUN, _PREPOSITION, _ARTICLE = 20.0, 25.0, 25.0, 35.0, 70.0
_INSIDE_CJK, _CJK_PHRASE = 12.0, 7.0

_SENTENCE_END = re.compile(r"[.!?…。！？؟۔।]+[\"'’”»)\]」』）]*$")
_CLAUSE_END = re.compile(r"[,;:،؛，；：、—–)»”）」』][\"'’”»)\]]*$")
_ONLY_CLOSING = re.compile(r"^[^\w\s(\[{«“‘#$€£+\-−*/=<>×÷&@—–]+$")
_ONLY_OPENING = re.compile(r"^[(\[{«“‘¿¡#$€£]+$")
_NUMBER = re.compile(r"^[+\-−~≈$€£]?\d[\d.,:/\u00a0\u202f٫٬]*$")
_INITIAL = re.compile(r"^[^\W\d_]\.$")
_ABBREVIATIONS = {
    "dr.", "mr.", "mrs.", "ms.", "prof.", "st.", "vs.", "fig.", "eq.", "nr.", "z.b.", "d.h.", "bzw.", "ca.", "e.g.",
    "i.e.", "mme.", "mlle.", "pp.", "cf.", "sr.", "sra.",
}  # fmt: skip

_ARTICLES = {
    "en": "a an the this that these those my your his her its our their some any no every each",
    "fr": "un une le la les des du au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leur"
          " leurs chaque quelques plusieurs",
    "de": "ein eine einen einem einer eines der die das den dem des kein keine keinen mein meine sein seine ihr ihre"
          " unser unsere dieser diese dieses diesen diesem jede jeder jedes zum zur im am vom beim ins ans",
    "es": "un una unos unas el la los las lo al del este esta estos estas ese esa mi mis tu tus su sus nuestro nuestra"
          " cada",
    "it": "un uno una il lo la i gli le al allo alla ai agli alle del dello della dei degli delle nel nello nella nei"
          " nelle dal dalla sul sulla questo questa questi queste mio mia suo sua ogni",
    "pt": "um uma uns umas o a os as ao aos do da dos das no na nos nas este esta estes estas seu sua seus suas cada",
    "nl": "een de het dit dat deze die mijn jouw zijn haar ons onze hun elke elk geen",
    "ar": "هذا هذه ذلك تلك هؤلاء كل بعض أي",
}  # fmt: skip
_PREPOSITIONS = {
    "en": "of in on at by for with from to into onto about between through during before after under over against"
          " without within as than like",
    "fr": "de d' à en dans par pour sur avec sans sous entre vers chez depuis pendant avant après contre comme",
    "de": "in an auf mit von zu bei nach aus für über unter vor hinter zwischen durch gegen ohne um seit als wie",
    "es": "de en a por para con sin sobre entre desde hasta hacia contra como según",
    "it": "di in a da per con su tra fra senza verso come sotto sopra dopo prima",
    "pt": "de em a por para com sem sobre entre desde até como pelo pela",
    "nl": "van in op aan met voor door bij naar uit over onder tussen tegen zonder om als dan te",
    "ru": "в во на с со к ко о об от до из у за по под над при без для через между",
    "uk": "в у на з зі із до від о об за по під над при без для через між",
    "pl": "w we na z ze do od o u za po pod nad przy bez dla przez między",
    "ar": "في من على إلى عن مع بين تحت فوق عند منذ حتى خلال بعد قبل دون مثل",
}  # fmt: skip
_PRONOUNS = {
    "en": "i you he she it we they not is are was were be been has have had will would can could may might must should"
          " do does did very more most to",
    "fr": "je j' tu il elle on nous vous ils elles ne n' se s' y est sont a ont sera très plus qui que qu'",
    "de": "ich du er sie es wir ihr nicht sich ist sind war hat haben wird werden kann sehr mehr",
    "es": "yo tú él ella no se me te le nos es son ha han fue será muy más que",
    "it": "io tu lui lei noi voi non si mi ti ci vi è sono ha hanno sarà molto più che",
    "pt": "eu tu ele ela nós não se me te é são foi tem será muito mais que",
    "nl": "ik jij je hij zij ze wij we niet zich is zijn was heeft hebben wordt kan zeer meer",
    "ru": "я ты он она мы вы они не ни",
    "uk": "я ти він вона ми ви вони не ні",
    "pl": "ja ty on ona my wy oni nie się",
    "ar": "لا لم لن ما قد سوف هو هي نحن أن إن الذي التي",
}  # fmt: skip
_CONJUNCTIONS = {
    "en": "and but or because so if when while although which who where that since unless whereas then",
    "fr": "et mais ou car donc si quand lorsque lorsqu' que qu' qui où parce puisque tandis alors dont",
    "de": "und aber oder denn weil wenn als während obwohl dass damit sondern sodass ob",
    "es": "y e pero o u porque si cuando mientras aunque que donde pues sino",
    "it": "e ed ma o perché se quando mentre benché che dove quindi poiché",
    "pt": "e mas ou porque se quando enquanto embora que onde pois",
    "nl": "en maar of want omdat als terwijl hoewel dat die waar dus",
    "ru": "и а но или что чтобы если когда потому хотя который где",
    "uk": "і й та а але або що щоб якщо коли тому хоча який де",
    "pl": "i a ale lub albo że żeby jeśli gdy bo ponieważ chociaż który gdzie",
    "ar": "ولكن لكن أو ثم لأن إذا عندما بينما حيث الذي التي",
    "tr": "ve ama veya çünkü eğer ki",
    "hi": "और लेकिन या क्योंकि अगर जब कि जो",
}  # fmt: skip
_POSTPOSITIONS = {
    "hi": "का के की को से में पर ने तक है हैं था थी थे ही भी",
    "tr": "mi mı mu mü da de ile için gibi kadar",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """What is never broken: a word, or one character of a script without spaces; `space` stands before it on a line."""

    text: str
    space: str = " "


def pieces(text: str) -> list[Piece]:
    """The pieces of `text`, in order."""
    return [
        Piece(part, " " if first else "")
        for word in text.split()
        for first, part in zip((True, *(False,) * len(word)), _parts(word), strict=False)
    ]


def joined(line: Sequence[Piece]) -> str:
    """The text of pieces on one line."""
    return "".join(piece.space + piece.text for piece in line).lstrip(" ")


def columns(text: str) -> int:
    """How wide `text` is, in columns: wide characters (Chinese, Japanese, Korean) take two, marks take none."""
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


_WIDE = re.compile(
    "[\u3041-\u309f]|[\u30a0-\u30ff]+|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々]|[\U00020000-\U0003ffff]"
    "|[\u3000-\u303f\uff00-\uffef]|[^\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]+"
)
_NOT_FIRST = frozenset("、。，．・：；？！」』）】〕〉》”’…‥ー々ぁぃぅぇぉっゃゅょゎ％")
_NOT_LAST = frozenset("「『（【〔〈《“‘")


def _parts(word: str) -> list[str]:
    """A word, cut into characters where its script writes no spaces; what may not start or end a line sticks."""
    parts: list[str] = []
    for part in _WIDE.findall(word):
        if parts and (part[0] in _NOT_FIRST or parts[-1][-1] in _NOT_LAST):
            parts[-1] += part
        else:
            parts.append(part)
    return parts or [word]


def break_costs(words: Sequence[Piece], language: str | None, terms: Sequence[str] = ()) -> list[float]:
    """What it costs to break before each of `words`; `terms` are phrases that stay whole. The first costs nothing."""
    tables = _tables(language)
    bare = [word.text.strip("\"'’‘“”«»()[]¿¡.,;:!?…،؛؟").casefold() for word in words]
    costs = [
        _cost(words[at - 1], words[at], bare[at - 1], bare[at], tables, language) if at else 0.0
        for at in range(len(words))
    ]
    for inside in _inside_terms(words, terms):
        costs[inside] = NEVER
    return costs


@dataclass(frozen=True, slots=True)
class _Tables:
    articles: frozenset[str]
    prepositions: frozenset[str]
    pronouns: frozenset[str]
    conjunctions: frozenset[str]
    postpositions: frozenset[str]


def _tables(language: str | None) -> _Tables:
    every = (_ARTICLES, _PREPOSITIONS, _PRONOUNS, _CONJUNCTIONS, _POSTPOSITIONS)
    return _Tables(*(frozenset(table.get(language or "", "").split()) for table in every))


def ends_sentence(word: str) -> bool:
    """Whether a sentence ends with `word`: a full stop that is no abbreviation's, or its like."""
    lowered = word.casefold()
    return bool(_SENTENCE_END.search(word)) and lowered not in _ABBREVIATIONS and not _INITIAL.match(word)


def ends_clause(word: str) -> bool:
    """Whether a comma or its like follows."""
    return bool(_CLAUSE_END.search(word))


def _cost(before: Piece, after: Piece, last: str, following: str, tables: _Tables, language: str | None) -> float:  # noqa: PLR0911
    if _ONLY_CLOSING.match(after.text) or _ONLY_OPENING.match(before.text):
        return NEVER
    if ends_sentence(before.text):
        return SENTENCE
    if ends_clause(before.text):
        return CLAUSE
    if not after.space:
        return _cost_without_space(before.text[-1], after.text[0])
    if _NUMBER.match(before.text) or before.text.casefold() in _ABBREVIATIONS or _INITIAL.match(before.text):
        return _ARTICLE
    if following in tables.postpositions or last in tables.articles:
        return _ARTICLE
    if last in tables.prepositions:
        return _PREPOSITION
    if last in tables.pronouns:
        return _PRONOUN
    if last in tables.conjunctions:
        return _AFTER_CONJUNCTION
    if language != "de" and before.text[:1].isupper() and after.text[:1].isupper():
        return _NAME
    if following in tables.conjunctions or after.text[0] in "(—–":
        return _BEFORE_CONJUNCTION
    return _BEFORE_PREPOSITION if following in tables.prepositions else PLAIN


def _cost_without_space(last: str, following: str) -> float:
    """Inside a text without spaces: Japanese phrases start where kana end; Latin letters keep to themselves."""
    return _CJK_PHRASE if "\u3041" <= last <= "\u309f" and not "\u3041" <= following <= "\u309f" else _INSIDE_CJK


def _inside_terms(words: Sequence[Piece], terms: Sequence[str]) -> Iterator[int]:
    """The places inside an occurrence of a term."""
    bare = [word.text.strip("\"'“”«»()[].,;:!?،؛؟。，").casefold() for word in words]
    for term in terms:
        wanted = [piece.text.casefold() for piece in pieces(term)]
        if len(wanted) < 2:
            continue
        for start in range(len(bare) - len(wanted) + 1):
            if bare[start : start + len(wanted)] == wanted:
                yield from range(start + 1, start + len(wanted))


_LEFT_TO_RIGHT = re.compile(r"[A-Za-zÀ-ɏͰ-ԯ]")
_PLAIN_WORD = re.compile(r"^[\w.\-_'’@/]*\w$")
_FORMULA = re.compile(r"[+*=<>^×÷√∑∫]|^[-−]\d|\d\s*[-−]\s*\d\s*=")
_EMBED, _ISOLATE, _POP_EMBED, _POP_ISOLATE = "\u202b", "\u2066", "\u202c", "\u2069"
_EDGES = "()[]{}«»“”\"'.,;:!?…،؛؟"


def right_to_left_line(line: str) -> str:
    """A line of Arabic as a player shows it right whichever way it takes the line to run.

    The whole line is embedded right to left, so that its punctuation and numbers stand where they are read; Latin terms
    with signs of their own, and formulae, are isolated left to right.
    """
    islands = [list(words) for _, words in groupby(line.split(" "), _has_right_to_left)]
    return _EMBED + " ".join(_isolated(" ".join(island)) for island in islands) + _POP_EMBED


def _has_right_to_left(text: str) -> bool:
    """Whether a letter of it runs right to left; punctuation and numbers run as their neighbours do."""
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def _isolated(text: str) -> str:
    """`text` between words of Arabic, its edges of punctuation left outside, isolated where it would be reordered."""
    core = text.strip(_EDGES + " ")
    if not core or _has_right_to_left(text):
        return text
    foreign = _LEFT_TO_RIGHT.search(core)
    if not (_FORMULA.search(core) or (foreign and not _PLAIN_WORD.match(core))):
        return text
    start = text.index(core)
    return f"{text[:start]}{_ISOLATE}{core}{_POP_ISOLATE}{text[start + len(core) :]}"
