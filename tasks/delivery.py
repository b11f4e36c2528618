"""What is delivered beside the plain dub, as a person asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from manifests.errors import BadInput

SUBTITLES = ("soft", "bilingual", "burned")
NOTICES = ("none", "shown", "spoken")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """`subtitles`: "soft", "bilingual" (soft, with the source's words below) or "burned" (a copy that shows them).

    `notice`: "none", "shown" (a first subtitle that says that machines dubbed it) or "spoken" (said, too, before the
    lecture goes on). `one_file`: also one video with all languages as tracks.
    """

    subtitles: str = "soft"
    notice: str = "none"
    one_file: bool = False

    def __post_init__(self) -> None:
        for option, given, known in (("--subtitles", self.subtitles, SUBTITLES), ("--notice", self.notice, NOTICES)):
            if given not in known:
                raise BadInput(f"{given!r} is not known;", where=option, remedy=f"use one of {', '.join(known)}.")
