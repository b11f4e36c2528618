"""How long a video in a store is, by its header, in a process with limits: python -m studio.glance_process s3://..."""

from __future__ import annotations

import json
import sys

from infra import locations
from infra.media.glance import glanced_length_s
from manifests.errors import RedubError
from studio.answers import told
from studio.probe_process import confine


def main() -> None:
    """Look, say."""
    place = locations.location(sys.argv[1])
    confine()
    try:
        with locations.opened(place) as file:
            answer: dict[str, object] = {"duration_s": glanced_length_s(file, locations.name(place))}
    except RedubError as error:
        answer = told(error)
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
