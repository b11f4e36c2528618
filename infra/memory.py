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
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            for name, parameter in _PARAMETERS.items():
                mallopt(parameter, int(ALLOCATOR[name]))


def give_back() -> None:
    """Give the machine back what the GNU allocator keeps of memory that was freed; elsewhere nothing happens.

    It gives back by itself only what lies at the end of an arena, where some small thing that stays may well lie.
    """
    if sys.platform == "linux":
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if malloc_trim is not None:
            malloc_trim(0)
