"""Addresses of objects: `s3://bucket/key`, taken to the letter (a key is no path and nothing in it is escaped)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from manifests.errors import BadInput

SCHEME = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_LONGEST_KEY_BYTES = 1024
_WRITE_IT = "write it as s3://BUCKET/KEY"


@dataclass(frozen=True, slots=True)
class ObjectUri:
    """An object, or with a key that is empty or ends in "/" all that lies below. BadInput where it is none."""

    bucket: str
    key: str = ""

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket):
            raise BadInput(f"{self.bucket!r} is no name of a bucket;", where=str(self), remedy=_WRITE_IT)
        if len(self.key.encode("utf-8", "surrogatepass")) > _LONGEST_KEY_BYTES:
            raise BadInput(f"the key is longer than {_LONGEST_KEY_BYTES} bytes;", where=f"{SCHEME}{self.bucket}")

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key: what a file of it would be called."""
        return self.key.rstrip("/").rpartition("/")[2]

    @property
    def is_prefix(self) -> bool:
        """Whether it stands for what lies below it, not for one object."""
        return not self.key or self.key.endswith("/")

    def child(self, *names: str) -> ObjectUri:
        """The object (or prefix) of these names below this one."""
        start = f"{self.key.rstrip('/')}/" if self.key.rstrip("/") else ""
        return ObjectUri(self.bucket, start + "/".join(name.strip("/") for name in names))

    def below(self) -> ObjectUri:
        """The prefix of all that lies below this one: the same with a "/" at its end."""
        return self if self.is_prefix else ObjectUri(self.bucket, f"{self.key}/")


def is_object_uri(text: str) -> bool:
    """Whether `text` means an object rather than a local path, well formed or not."""
    return text[:3].lower() == "s3:"


def parse_uri(text: str) -> ObjectUri:
    """The address that `text` gives. BadInput where it is not of the form s3://BUCKET/KEY."""
    if not text.startswith(SCHEME):
        raise BadInput("this is no address of an object;", where=text, remedy=_WRITE_IT)
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise BadInput("it names no bucket;", where=text, remedy=_WRITE_IT)
    if any(ord(character) < 32 or ord(character) == 127 for character in key):
        raise BadInput("it holds a line break or another control character;", where=repr(text), remedy=_WRITE_IT)
    return ObjectUri(bucket, key)
