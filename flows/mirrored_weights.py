"""Trained weights that lie in an object store: `REDUB_WEIGHTS=s3://BUCKET/PREFIX`.

Models read files. So whoever is about to use one, a command or a flow's run on a worker, brings the weights to this
machine first and lets the models look there.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from infra import locations
from infra.locations import Location
from infra.places import cache_folder

VARIABLE = "REDUB_WEIGHTS"


def remote_weights() -> Location | None:
    """The place in a store that the environment names for weights; None where it names a folder, or nothing."""
    place = locations.location(os.environ.get(VARIABLE, ""))
    return place if locations.is_remote(place) else None


def bring_weights() -> None:
    """Bring what lies at `remote_weights`, unless it is here; from then on this process's weights are the copies.

    Processes that ask at one time take turns. BadInput where nothing lies there; Unavailable, NoSpace.
    """
    place = remote_weights()
    if place is None:
        return
    folder = cache_folder() / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        here: Path = locations.mirrored(place, folder)
    os.environ[VARIABLE] = str(here)
