"""Keys: the same work has the same name in every run, on every machine.

A key is the SHA-256 of a canonical JSON text: dataclasses by class name and fields, floats by their shortest
round-trip form, mappings (of strings) sorted. Fields marked `metadata={"key": False}` (where a file happens to lie) do
not count.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from enum import Enum
from fractions import Fraction
from functools import cache
from operator import attrgetter
from pathlib import PurePath
from typing import Any, TypeAlias

from manifests.embedding import Embedding

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None

KEY_LENGTH = 32
"""Hexadecimal digits of a key: 128 bits, short enough for a flat file name."""


def _plain(value: object) -> object:
    """`value`, which JSON does not know, in terms of what it knows. TypeError for anything with no canonical form."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(type(value))(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, Embedding):
        return list(value)
    if isinstance(value, PurePath):
        raise TypeError(f"a path is no part of a key: {value}; use the content's hash")
    raise TypeError(f"{type(value).__name__} has no canonical form to make a key of")


@cache
def _fields(kind: type[Any]) -> Callable[[object], dict[str, object]]:
    """What reads an instance of the dataclass `kind` out. Kept: a lecture has a million of them in its keys."""
    names = tuple(sorted(entry.name for entry in dataclasses.fields(kind) if entry.metadata.get("key", True)))
    labelled = ("", *names)
    if len(names) < 2:  # of one name, `attrgetter` gives no tuple
        return lambda value: {"": kind.__name__, **{name: getattr(value, name) for name in names}}
    read = attrgetter(*names)
    return lambda value: dict(zip(labelled, (kind.__name__, *read(value)), strict=True))


# Records are trees, so nobody looks for circles in them.
_JSON = json.JSONEncoder(
    default=_plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False
)


def fingerprint(*parts: object) -> str:
    """A key of `KEY_LENGTH` hexadecimal digits for `parts`, in their order.

    They are records, plain data, fractions and members of enumerations; TypeError for anything else.
    """
    return hashlib.sha256(_JSON.encode(parts).encode()).hexdigest()[:KEY_LENGTH]


def canonical(value: object) -> Plain:
    """`value` as plain JSON data, the same for equal values. TypeError for anything with no canonical form."""
    plain: Plain = json.loads(_JSON.encode(value))
    return plain


def child_id(parent: str, kind: str, index: int) -> str:
    """The id of the `index`-th `kind` of `parent`: readable, sortable, the same in every run."""
    return f"{parent}/{kind}{index:05d}"
