"""What this machine has: weights, engines, voices; for the command line, which may not look into models itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import MissingWeights
from models import devices as compute
from models import weights
from models.articulation import engines as articulation
from models.landmarks import engines as landmarks
from models.lipsync import engines as lipsync
from models.speech import engines as speech
from models.speech import voices
from models.translation import engines as translation
from tasks.engines import needed_for

__all__ = [
    "VoiceRow",
    "WeightsRow",
    "devices",
    "lip_engines",
    "needed_for",
    "present",
    "pull",
    "translation_rows",
    "voice_rows",
    "weights_table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsRow:
    """A row of `redub weights list`."""

    name: str
    capability: str
    licence: str
    present: bool
    revision: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRow:
    """A voice, and why it cannot speak here (None where it can)."""

    id: str
    language: str
    gender: str
    engine: str
    missing: str | None
    note: str


def weights_table() -> list[WeightsRow]:
    """All weights that redub knows, with their state on this machine."""
    return [
        WeightsRow(
            name=each.name,
            capability=each.capability,
            licence=each.licence,
            present=weights.present(each.name),
            revision=weights.revision(each.name) if weights.present(each.name) else each.revision,
            note=each.note,
        )
        for each in weights.table()
    ]


def voice_rows() -> list[VoiceRow]:
    """The voice table, with what keeps a voice from speaking here."""
    return [
        VoiceRow(
            id=voice.id,
            language=voice.language,
            gender=voice.gender.value,
            engine=voice.engine,
            missing=speech.available(voice),
            note=voice.note,
        )
        for voice in voices.VOICES
    ]


def lip_engines() -> list[str]:
    """The lip-sync engines that work on this machine, with what they are made of.

    Every one of them needs what follows faces and what hears how mouths move.
    """
    if not (weights.present(articulation.WEIGHTS) and weights.present(landmarks.NAME)):
        return []
    working = [f"rewrite ({articulation.revision()})"]
    for name in lipsync.ENGINES:
        with contextlib.suppress(MissingWeights):
            working.append(f"{name} ({lipsync.source_of(name)[1]})")
    return working


def translation_rows() -> list[tuple[str, str, str, bool]]:
    """(source, target, weights, whether they are here) for every pair of languages in the table."""
    return [(pair.source, pair.target, pair.weights, weights.present(pair.weights)) for pair in translation.pairs()]


def present(name: str) -> bool:
    """Whether the weights called `name` are here."""
    return weights.present(name)


def pull(name: str, source: Path | None, progress: Callable[[str, int, int], None]) -> Path:
    """Bring the weights called `name`, from `source` where given; their folder."""
    return weights.pull(name, source=source, progress=progress)


def devices() -> str:
    """What models can compute on here, in words."""
    return compute.describe()
