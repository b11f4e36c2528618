"""What people call voices: `fr-kokoro-ff-siwis` is Siwis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def voice_names(ids: Iterable[str]) -> dict[str, str]:
    """A name for each voice of one language, by its id; those that would be called alike are numbered."""
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for id_ in ids:
        name = id_.rpartition("-")[2].capitalize()
        seen[name] += 1
        names[id_] = name if seen[name] == 1 else f"{name} {seen[name]}"
    return names
