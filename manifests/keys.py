"""Keys: the same work has the same name in every run, on every machine.

A key is the SHA-256 of a canonical JSON text: dataclasses by class name and fields, floats by their shortest
round-trip form, mappings sorted. Fields marked `metadata={"key": False}` (where a file happens to lie) do not count.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import TypeAlias

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None

KEY_LENGTH = 32
"""Hexadecimal digits of a key: 128 bits, short enough for a flat file name."""


def canonical(value: object) -> Plain:
    """`value` as plain JSON data, the same for equal values. TypeError for anything with no canonical form."""
    if isinstance(value, Enum):
        return canonical(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        counted = [entry for entry in dataclasses.fields(value) if entry.metadata.get("key", True)]
        return {
            "": type(value).__name__,
            **{entry.name: canonical(getattr(value, entry.name)) for entry in counted},
        }
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, PurePath):
        raise TypeError(f"a path is no part of a key: {value}; use the content's hash")
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        return {str(name): canonical(value[name]) for name in sorted(value, key=str)}
    raise TypeError(f"{type(value).__name__} has no canonical form to make a key of")


def fingerprint(*parts: object) -> str:
    """A key of `KEY_LENGTH` hexadecimal digits for `parts`, in their order."""
    text = json.dumps([canonical(part) for part in parts], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def child_id(parent: str, kind: str, index: int) -> str:
    """The id of the `index`-th `kind` of `parent`: readable, sortable, the same in every run."""
    return f"{parent}/{kind}{index:05d}"
