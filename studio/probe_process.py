"""A look at a file that somebody sent, in a process of its own: whatever the file does to a decoder, it does it here.

python -m studio.probe_process PATH KIND < LIMITS

KIND is what is wanted of it: picture (a video or an image), lecture (a video with sound), or sound. The limits come as
JSON on standard input; the facts, or what is wrong, go to standard output as one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import BadInput

if TYPE_CHECKING:
    from infra.media.facts import MediaFacts

MEMORY_BYTES = 4 << 30
CPU_S = 120
_SMALLER = "make it smaller first"


def main() -> None:
    """Limit this process, look, answer."""
    path, wanted = Path(sys.argv[1]), sys.argv[2]
    limits = json.loads(sys.stdin.read())
    confine()
    try:
        answer = examined(path, wanted, limits)
    except BadInput as error:
        answer = {"error": error.what.rstrip(";:"), "remedy": error.remedy}
    except MemoryError:
        answer = {"error": "it takes too much memory to look at", "remedy": _SMALLER}
    sys.stdout.write(json.dumps(answer))


def confine() -> None:
    """No more memory, time or files than a look takes, nothing written, no core left."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 128),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def examined(path: Path, wanted: str, limits: dict[str, float]) -> dict[str, Any]:
    """The facts of `path` as far as it is what is `wanted` and within `limits`. BadInput where not.

    First what the header says, for whose sake nothing has to be decoded; then, of a video, every packet's times and
    the first and the last pictures.
    """
    from infra.media.audio import require_sound
    from infra.media.facts import measured_length_s, read_facts
    from infra.media.probe import inspect
    from infra.media.still import read_image

    facts = read_facts(path)
    _require_bounded(facts, limits)
    _require_wanted(facts, wanted)
    found: dict[str, Any] = {
        "kind": facts.kind,
        "duration_s": facts.duration_s,
        "width": facts.width,
        "height": facts.height,
        "fps": facts.frame_rate,
        "sound": facts.sound,
        "language": None,
    }
    if facts.kind == "image":
        height, width = read_image(path).shape[:2]
        return found | {"width": width, "height": height}
    if wanted == "sound":
        require_sound(path)
        length_s = facts.duration_s or measured_length_s(path)
        if length_s > limits["duration_s"]:
            raise _too_long(limits)
        return found | {"duration_s": round(length_s, 3)}
    video = inspect(path)
    if video.span.duration_s > limits["duration_s"]:
        raise _too_long(limits)
    return found | {
        "duration_s": round(video.span.duration_s, 3),
        "width": video.width,
        "height": video.height,
        "fps": round(float(video.frame_rate), 3),
        "sound": bool(video.audio_tracks),
        "language": next((each.language for each in video.audio_tracks if each.language), None),
    }


def _require_wanted(facts: MediaFacts, wanted: str) -> None:
    if wanted == "sound":
        if not facts.sound:
            raise BadInput("there is no sound in it;", remedy="give a recording")
    elif facts.kind == "audio":
        raise BadInput("there is no picture in it;", remedy="give a video or an image")
    elif wanted == "lecture" and facts.kind == "image":
        raise BadInput("this is an image;", remedy="to dub, give a video; to make a face speak, choose that way in")
    elif wanted == "lecture" and not facts.sound:
        raise BadInput("there is no sound in it, so nothing to dub;", remedy="give a video in which somebody speaks")


def _require_bounded(facts: MediaFacts, limits: dict[str, float]) -> None:
    """Whether the header claims no more than is taken. What it claims falsely, this process's own limits end."""
    pixels = (facts.width or 0) * (facts.height or 0)
    if pixels > limits["pixels"]:
        raise BadInput(f"its picture has {pixels / 1e6:.0f} million pixels;", remedy=_SMALLER)
    if (facts.duration_s or 0) > limits["duration_s"]:
        raise _too_long(limits)
    if (facts.frame_rate or 0) > limits["frame_rate"] and facts.duration_s is not None:
        raise BadInput(f"it has {facts.frame_rate:.0f} pictures a second;", remedy="give one with fewer")
    if facts.streams > limits["streams"]:
        raise BadInput(f"it holds {facts.streams} streams;", remedy="keep the picture and the sound alone")


def _too_long(limits: dict[str, float]) -> BadInput:
    return BadInput(f"it lasts more than {limits['duration_s'] / 3600:.3g} hours;", remedy="cut it into parts")


if __name__ == "__main__":
    main()
