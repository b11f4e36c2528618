"""The store's second home: blobs and finished work in a bucket, shared by all workers, laid out as on disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.objects.download import download
from infra.objects.faults import Conflict, Replaced, WrongBytes
from infra.objects.reading import ObjectVersion, find, read_small
from infra.objects.uri import ObjectUri
from infra.objects.writing import ABSENT, delete, upload, upload_bytes
from manifests.errors import Unavailable
from manifests.records import Blob

_TRIES = 5


@dataclass(frozen=True, slots=True)
class RemoteCache:
    """Finished work below one prefix. Every call raises BadInput or Unavailable where the store does not serve."""

    root: ObjectUri

    def holds(self, blob: Blob) -> bool:
        """Whether the blob was written here, as far as the store tells without sending it."""
        found = find(self._blob(blob))
        return found is not None and (found.size_bytes, found.sha256) == (blob.size_bytes, blob.sha256)

    def bring(self, blob: Blob, target: Path, workspace: Path) -> bool:
        """Bring the blob to `target`; whether it was there and hashes to its name. One that does not is removed."""
        uri = self._blob(blob)
        for _ in range(_TRIES):
            found = find(uri)
            if found is None:
                return False
            if found.size_bytes == blob.size_bytes and found.sha256 in (None, blob.sha256):
                try:
                    download(dataclasses.replace(found, sha256=blob.sha256), target, workspace)
                except Replaced:
                    continue  # someone mends it
                except WrongBytes:
                    pass
                else:
                    return True
            delete(uri)
            return False
        return False

    def send(self, blob: Blob, file: Path) -> None:
        """Write the blob, whose bytes are in `file`, unless it is here."""
        if not self.holds(blob):
            upload(file, self._blob(blob))

    def recall(self, stage: str, key: str) -> str | None:
        """What this work came to, None where nobody has done it. What is damaged is removed, and counts as not done."""
        found = self._recalled(stage, key)
        return None if found is None else found[0]

    def remember(self, stage: str, key: str, outcome: str, stands: Callable[[str], bool]) -> str:
        """Record what this work came to, once: gives what stands now, which is another worker's where that was first.

        Another outcome gives way only where it does not stand by `stands`, as when its blobs are gone.
        """
        uri, content = self._work(stage, key), outcome.encode()
        for _ in range(_TRIES):
            found = self._recalled(stage, key)
            if found is not None and (found[0] == outcome or stands(found[0])):
                return found[0]
            try:
                upload_bytes(
                    content,
                    uri,
                    only_if=ABSENT if found is None else found[1].etag,
                    content_type="application/json",
                )
            except Conflict:
                continue  # someone was quicker: look again at what stands
            return outcome
        raise Unavailable(f"{uri}: it is being written again and again by others")

    def _recalled(self, stage: str, key: str) -> tuple[str, ObjectVersion] | None:
        uri = self._work(stage, key)
        try:
            found = read_small(uri)
            return None if found is None else (found[0].decode(), found[1])
        except (WrongBytes, UnicodeDecodeError):
            delete(uri)
            return None

    def _blob(self, blob: Blob) -> ObjectUri:
        return self.root.child("blobs", blob.sha256[:2], f"{blob.sha256}{blob.suffix}")

    def _work(self, stage: str, key: str) -> ObjectUri:
        return self.root.child("work", stage, f"{key}.json")
