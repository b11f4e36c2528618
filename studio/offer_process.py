"""What this machine can dub, as JSON, said by a process that loads what it takes to know: `studio.offer_process`."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from manifests.errors import BadInput
from manifests.languages import language as known_language
from studio.records import direction
from studio.voice_names import voice_names

_LIPS = {
    "rewrite": ("The speaker's own mouth", "Uses the speaker's own pictures, in a new order. Slowest, most faithful."),
    "wav2lip": ("Drawn by a network", "Draws a new mouth. Softer, and the same for everybody."),
    "wav2lip-gan": ("Drawn by a network, sharper", "As above with sharper teeth, which may flicker."),
}
_NO_LIPS = {"id": "none", "name": "Leave the lips alone", "help": "The picture stays as it is. Quickest."}


def main() -> None:
    """Say it."""
    sys.stdout.write(json.dumps(offer()))


def offer() -> dict[str, Any]:
    """Sources, targets with their voices, ways of making lips, and the machine, as `docs/studio/api.md` has them."""
    from tasks import installed

    lips = [engine.split(" ")[0] for engine in installed.lip_engines()]
    voices: dict[str, list[dict[str, Any]]] = defaultdict(list)
    here = [row for row in installed.voice_rows() if row.missing is None]
    for language in dict.fromkeys(row.language for row in here):
        of_language = [row for row in here if row.language == language]
        names = voice_names(row.id for row in of_language)
        for row in of_language:
            voices[language].append(
                {
                    "id": row.id,
                    "name": names[row.id],
                    "gender": row.gender,
                    "note": row.note,
                    "sample": f"/api/voices/{row.id}/sample",
                    "lips": bool(lips),
                }
            )
    into: dict[str, list[str]] = defaultdict(list)
    for source, target, _, present in installed.translation_rows():
        if present and target in voices:
            into[target].append(source)
    return {
        "sources": [_named(code) for code in sorted({code for codes in into.values() for code in codes})],
        "targets": [_target(code, voices[code], sorted(into[code])) for code in sorted(into)],
        "spoken": [_target(code, voices[code], sorted(into.get(code, ()))) for code in sorted(voices)],
        "lips": [*_ways(lips), _NO_LIPS],
        "machine": {"cores": _cores(), "gpu": _gpu()},
    }


def _target(code: str, voices: list[dict[str, Any]], sources: list[str]) -> dict[str, Any]:
    return _named(code) | {"direction": direction(code), "from": sources, "voices": voices}


def _named(code: str) -> dict[str, Any]:
    try:
        found = known_language(code)
    except BadInput:
        return {"code": code, "name": code, "native_name": code}
    return {"code": found.code, "name": found.name, "native_name": found.own}


def _ways(lips: Iterable[str]) -> list[dict[str, str]]:
    return [{"id": each, "name": _LIPS[each][0], "help": _LIPS[each][1]} for each in lips if each in _LIPS]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpu() -> str | None:
    from tasks import installed

    _, marker, names = installed.devices().partition("CUDA: ")
    return names if marker else None


if __name__ == "__main__":
    main()
