"""Lines for the stand-in of the studio's server: as many as asked for, in French or Arabic, some doubtful."""

from __future__ import annotations

from typing import Any

SOURCES = (
    "Today we look at how the moon moves the sea.",
    "Look at this slide: the water rises on both sides of the earth.",
    "So what happens if the sun pulls in the same line?",
    "The tide is higher, but the rhythm stays the same.",
    "That is what we call a spring tide.",
)
TRANSLATIONS = {
    "fr": (
        "Aujourd'hui, nous regardons comment la lune déplace la mer.",
        "Regardez cette diapositive : l'eau monte des deux côtés de la terre.",
        "Que se passe-t-il donc si le soleil tire dans le même sens ?",
        "La marée est plus haute, mais le rythme reste le même.",
        "C'est ce qu'on appelle une grande marée.",
    ),
    "ar": (
        "ننظر اليوم كيف يحرك القمر البحر.",
        "انظروا إلى هذه الشريحة: يرتفع الماء على جانبي الأرض.",
        "فماذا يحدث إذا جذبت الشمس في الاتجاه نفسه؟",
        "يكون المد أعلى، لكن الإيقاع يبقى كما هو.",
        "هذا ما نسميه المد العالي.",
    ),
}
DOUBTS = (
    {"kind": "rate", "text": "spoken at 1.24 of the voice's own rate", "weight": 2.1},
    {"kind": "misheard", "text": "heard back as another sentence: 31% of the words differ", "weight": 4.2},
    {"kind": "translation", "text": "the translation may miss a part of the sentence", "weight": 3.0},
)
LINE_S, PAUSE_S = 4.2, 0.8
HOLD_S = 1.5


def made_lines(language: str, count: int, line_s: float = LINE_S) -> list[dict[str, Any]]:
    """`count` lines of `line_s`, as many pauses; every fourth is doubtful, the second holds its slide."""
    texts = TRANSLATIONS[language]
    lines = []
    for index in range(count):
        start = round(0.5 + index * (line_s + PAUSE_S), 3)
        end = round(start + line_s, 3)
        held = HOLD_S if index == 1 else 0.0
        delay = HOLD_S if index > 1 else 0.0
        own = {
            "speaker": "speaker1" if index % 7 else "speaker2",
            "voice": "ff_siwis",
            "source": SOURCES[index % len(SOURCES)],
            "translation": texts[index % len(texts)],
            "start_s": start,
            "end_s": end,
        }
        lines.append(
            {
                "id": f"bdfk-{index // 10:04d}-{index % 10:03d}",
                **own,
                "dub_start_s": start + delay,
                "dub_end_s": end + delay + held,
                "note": "",
                "reviewed": False,
                "doubts": [DOUBTS[index // 4 % len(DOUBTS)]] if index % 4 == 2 else [],
                "held_s": held,
                "rate": 1.24 if index % 4 == 2 else 1.0,
                "edited": [],
            }
        )
    return lines


def holds_of(lines: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Where the dub's picture waits, on the source's clock: at the end of the second line."""
    return [{"at_s": lines[1]["end_s"], "held_s": HOLD_S}] if len(lines) > 1 else []
