"""How long a video lasts, by its header alone: a look at thousands of files without reading them."""

from __future__ import annotations

from typing import BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition

from manifests.errors import BadInput

# The headers that redub's formats have are read whatever these are; no packets are wanted beside them.
_OPTIONS = {"probesize": "65536", "analyzeduration": "0"}
_REMUX = "copy it into a new container: ffmpeg -i IN -c copy OUT.mkv"


def glanced_length_s(file: BinaryIO, name: str) -> float:
    """The length in seconds that the header of `file`, called `name`, declares.

    BadInput where it is no media, has no moving picture or declares no length; also what reading `file` raises.
    """
    try:
        with av.open(file, "r", options=_OPTIONS) as container:
            return _length_s(container, name)
    except av.error.FFmpegError as error:
        what = f"it cannot be read as a video ({error.strerror});"
        raise BadInput(what, where=name, remedy="copy it there again, or take it out of the archive") from error


def _length_s(container: InputContainer, name: str) -> float:
    if not any(not each.disposition & Disposition.attached_pic for each in container.streams.video):
        raise BadInput("it has no moving picture;", where=name, remedy="take it out of the archive")
    lengths = [
        float(each.duration * each.time_base)
        for each in container.streams.video
        if each.duration is not None and each.time_base is not None
    ]
    if container.duration is not None:
        lengths.append(container.duration / 1_000_000)
    if not lengths or max(lengths) <= 0:
        raise BadInput("it does not say how long it is;", where=name, remedy=_REMUX)
    return max(lengths)
