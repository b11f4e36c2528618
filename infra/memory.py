"""What this process may take of the machine's memory."""

from __future__ import annotations

import ctypes
import sys

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(8 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}
"""The environment of a process whose GNU allocator is to be as `tame_heap` leaves this one's."""

_PARAMETERS = {"MALLOC_ARENA_MAX": -8, "MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_TRIM_THRESHOLD_": -1}
"""What `mallopt` calls them: malloc.h of the GNU C library."""


def tame_heap() -> None:
    """Keep the GNU allocator from holding on to what was freed; elsewhere nothing happens.

    It gives each thread an arena of its own and keeps in it what was freed there: with the many threads of decoders and
    models a process then holds much more than it uses. And once a large block was freed, it takes such blocks from an
    arena too, by itself: the index of a long file, freed, then stays for what was put behind it.
    """
    for name, parameter in _PARAMETERS.items():
        _call("mallopt", parameter, int(ALLOCATOR[name]))


def give_back() -> None:
    """Give the machine back what the GNU allocator keeps of memory that was freed; elsewhere nothing happens.

    It gives back by itself only what lies at the end of an arena, where some small thing that stays may well lie.
    """
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    """Call a function of the GNU C library, where that is what this process runs on."""
    if sys.platform == "linux" and (function := getattr(ctypes.CDLL(None), name, None)) is not None:
        function(*numbers)
