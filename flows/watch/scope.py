"""Which objects are lectures: where they lie, what they are called, and that redub did not write them itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.objects.uri import ObjectUri, is_object_uri, parse_uri
from infra.store import is_blob
from manifests.errors import BadInput

VIDEO_SUFFIXES = (".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".mpeg", ".mts", ".ts", ".webm")
_OUTPUT = re.compile(r"(?P<stem>.+?)\.(?:[a-z]{2}|all|multi)(?:\.[a-z]+)?\.(?:mp4|mkv)", re.DOTALL)
_MANIFESTS = ".redub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """`places` are the prefixes that are watched, `ignored` those below which redub writes."""

    places: tuple[ObjectUri, ...]
    ignored: tuple[ObjectUri, ...] = ()
    suffixes: tuple[str, ...] = VIDEO_SUFFIXES

    def refusal(self, uri: ObjectUri) -> str | None:
        """Why this is no lecture, by its name alone, in one word; None where it may be one."""
        if not any(_lies_below(uri, place) for place in self.places):
            return "elsewhere"
        parts = uri.key.split("/")
        if (
            any(_lies_below(uri, place) for place in self.ignored)
            or any(part.endswith(_MANIFESTS) for part in parts[:-1])
            or is_blob(f"/{uri.key}")
        ):
            return "output"
        if not parts[-1].lower().endswith(self.suffixes) or parts[-1].startswith("."):
            return "kind"
        return None


def manifests_beside(uri: ObjectUri) -> ObjectUri | None:
    """Where redub's manifests would lie if this were a dub, NAME.fr.mp4 beside NAME.redub/; None where it cannot be."""
    found = _OUTPUT.fullmatch(uri.name)
    if found is None:
        return None
    return ObjectUri(uri.bucket, f"{uri.key.removesuffix(uri.name)}{found['stem']}{_MANIFESTS}/")


def place(text: str) -> ObjectUri:
    """A place to watch from `s3://BUCKET/PREFIX`, or a bucket's name. BadInput where it is neither."""
    uri = parse_uri(text) if is_object_uri(text) else ObjectUri(text.strip("/"))
    return uri.below()


def chosen_suffixes(text: str | None) -> tuple[str, ...]:
    """Suffixes from `mp4,.mkv`; the usual ones of videos for none. BadInput where one is empty."""
    if text is None:
        return VIDEO_SUFFIXES
    found = tuple(f".{part.strip().lstrip('.').lower()}" for part in text.split(","))
    if "." in found:
        raise BadInput("one of the suffixes is empty;", where="--suffixes", remedy="write them as mp4,mkv")
    return found


def _lies_below(uri: ObjectUri, above: ObjectUri) -> bool:
    return uri.bucket == above.bucket and uri.key.startswith(above.key)
