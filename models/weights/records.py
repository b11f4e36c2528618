"""The records of the table of weights: files, where they come from, what is made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with (what is being fetched or made, bytes so far, bytes in all or 0 where unknown)."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file to fetch: `path` below the weights' folder (POSIX), its SHA-256 and its size.

    `sha256` is None where nobody of the project has seen the official file: the first pull is then trusted, and what
    it brought is recorded. An `optional` file may be missing at its source.
    """

    path: str
    sha256: str | None = None
    size_bytes: int | None = None
    optional: bool = False


class Source(Protocol):
    """One place that weights can come from."""

    def describe(self) -> str:
        """The place in a few words, without any host's name."""
        ...

    def fetch(self, files: Sequence[WeightFile], into: Path, progress: Progress) -> Iterator[str]:
        """Write `files` below the folder `into`, yielding each one's path when it is whole.

        The caller checks what is yielded before it asks for more. Files that are no part of the answer may be left
        behind only in `into/.fetch`. Raises Unavailable where the place does not answer or does not have a file.
        """
        ...


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is made of the fetched files, once, when they are pulled.

    `make` changes the folder that it is given in place; `version` goes up whenever its outcome changes, so that
    results made with the old files are not taken for results of the new ones.
    """

    name: str
    version: int
    make: Callable[[Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A row of the table: `files` from the first of `sources` that delivers them, then `conversion`."""

    name: str
    capability: str
    licence: str
    attribution: str
    homepage: str
    files: tuple[WeightFile, ...]
    sources: tuple[Source, ...] = ()
    conversion: Conversion | None = None
    note: str = ""

    @property
    def pinned(self) -> bool:
        """Whether the table knows the SHA-256 of every file."""
        return all(file.sha256 for file in self.files)

    @property
    def revision(self) -> str | None:
        """The name of these very bytes and of what is made of them; None for weights that are not pinned."""
        if not self.pinned:
            return None
        return revision_of({file.path: file.sha256 for file in self.files if file.sha256}, self.conversion)


def revision_of(sha256: dict[str, str], conversion: Conversion | None) -> str:
    """The revision of fetched files with these hashes (path -> SHA-256) once `conversion` was applied."""
    text = "".join(f"{sha256[path]}  {path}\n" for path in sorted(sha256))
    suffix = f"-{conversion.name}{conversion.version}" if conversion else ""
    return hashlib.sha256(text.encode()).hexdigest()[:16] + suffix
