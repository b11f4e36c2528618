"""Arabic's short vowels, which writing leaves out and a synthesizer needs: piper-tts's tashkeel network."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from piper.tashkeel import TashkeelDiacritizer

_LONGEST = 2_000
"""Letters at once: the network refuses 12,000, and its memory grows with them."""

_LOADING = threading.Lock()


def vocalise(text: str) -> str:
    """`text` with its short vowels written; those that it has are taken as hints. Other scripts stay as they are."""
    words = re.findall(r"\S+\s*", text)
    parts, part = [], ""
    for word in words:
        if part and len(part) + len(word) > _LONGEST:
            parts.append(part)
            part = ""
        part += word
    return " ".join(_diacritizer()(each) for each in (*parts, part) if each.strip())


def _diacritizer() -> TashkeelDiacritizer:
    with _LOADING:
        return _loaded()


@lru_cache
def _loaded() -> TashkeelDiacritizer:
    from piper.tashkeel import TashkeelDiacritizer

    return TashkeelDiacritizer()
