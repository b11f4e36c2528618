"""Lines for the stand-in of the studio's server: as many as asked for, in French or Arabic, some doubtful."""

from __future__ import annotations

from typing import Any

SOURCES = (
    "A transform takes a signal apart into waves, each with its own frequency.",
    "Look at this slide: the slow waves carry the shape, the quick ones the edges.",
    "So what happens if we throw half of them away?",
    "We lose detail, but the ear hardly notices.",
    "That is the whole idea behind compression.",
)
TRANSLATIONS = {
    "fr": (
        "Une transformée décompose un signal en ondes, chacune avec sa fréquence.",
        "Regardez cette diapositive : les ondes lentes portent la forme, les rapides les contours.",
        "Que se passe-t-il donc si nous en jetons la moitié ?",
        "Nous perdons du détail, mais l'oreille le remarque à peine.",
        "C'est toute l'idée de la compression.",
    ),
    "ar": (
        "يحلل التحويل الإشارة إلى موجات، لكل منها ترددها الخاص.",
        "انظروا إلى هذه الشريحة: الموجات البطيئة تحمل الشكل، والسريعة تحمل الحواف.",
        "فماذا يحدث إذا تخلصنا من نصفها؟",
        "نفقد بعض التفاصيل، لكن الأذن لا تكاد تلاحظ ذلك.",
        "هذه هي الفكرة الكاملة وراء الضغط.",
    ),
}
DOUBTS = (
    {"kind": "rate", "text": "spoken at 1.24 of the voice's own rate", "weight": 2.1},
    {"kind": "misheard", "text": "heard back as another sentence: 31% of the words differ", "weight": 4.2},
    {"kind": "translation", "text": "the translation may miss a part of the sentence", "weight": 3.0},
)
LINE_S, PAUSE_S = 4.2, 0.8
HOLD_S = 1.5


def made_lines(language: str, count: int) -> list[dict[str, Any]]:
    """`count` lines, one every five seconds; every fourth is doubtful, the second holds its slide."""
    texts = TRANSLATIONS[language]
    lines = []
    for index in range(count):
        start = round(0.5 + index * (LINE_S + PAUSE_S), 3)
        end = round(start + LINE_S, 3)
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
