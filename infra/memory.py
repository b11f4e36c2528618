"""What this process may take of the machine's memory."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8  # malloc.h of the GNU C library
_ARENAS = 2


def limit_arenas() -> None:
    """Keep the GNU allocator to a few arenas; elsewhere nothing happens.

    It gives each thread an arena of its own and keeps in it what was freed there. With the many threads of decoders and
    models a process then holds much more than it uses.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENAS)
