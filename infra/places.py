"""Where redub keeps things on this machine, and what the environment says about it."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Finished work that can be made again: `REDUB_CACHE`, else `redub` in the user's cache folder."""
    given = os.environ.get("REDUB_CACHE")
    return Path(given).expanduser() if given else _base("XDG_CACHE_HOME", ".cache") / "redub"


def state_folder() -> Path:
    """Records of runs and the embedded server's database: `REDUB_STATE`, else `redub` in the user's state folder."""
    given = os.environ.get("REDUB_STATE")
    return Path(given).expanduser() if given else _base("XDG_STATE_HOME", ".local/state") / "redub"


def _base(variable: str, fallback: str) -> Path:
    given = os.environ.get(variable)
    return Path(given) if given and Path(given).is_absolute() else Path.home() / fallback
