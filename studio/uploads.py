"""Uploads as they lie on disk: each a folder with what was announced and the bytes so far, which outlive any cut.

Methods read and write files: to be called from threads. An id is 128 random bits and names a folder of its owner.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from infra.files import no_space_told, published
from studio.answers import Refused, not_there
from studio.settings import Limits
from studio.sniffing import HEAD_BYTES, Sniffed, sniff

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_KEPT_FREE_BYTES = 2_000_000_000
_LONGEST_NAME_BYTES = 150
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NO_MEDIA = Refused(
    415, "this is no video, image or sound that redub reads", "give MP4, MOV, MKV, WebM, AVI, MPEG, JPEG, PNG, WAV, MP3"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload: how long it will be, what it is called, and where its folder is. `offset` is how much is here."""

    id: str
    name: str
    length: int
    created_s: float
    folder: Path
    offset: int = 0

    @property
    def data(self) -> Path:
        """The bytes so far."""
        return self.folder / "data"

    @property
    def complete(self) -> bool:
        """Whether all of it is here."""
        return self.offset == self.length


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploads below one owner's folder."""

    folder: Path
    limits: Limits

    def create(self, name: str, length: int) -> Upload:
        """Announce an upload of `length` bytes. Refused where it, or all that is its owner's, would be too much."""
        if length <= 0:
            raise Refused(400, "an upload needs bytes", "give a file that is not empty")
        if length > self.limits.upload_bytes:
            most = f"{self.limits.upload_bytes / 1e9:.3g} GB"
            raise Refused(413, f"the file is larger than {most}", "make it smaller, or cut it into parts")
        promised = sum(each.length for each in self.all())
        if promised + folder_bytes(self.folder.parent, without=self.folder) + length > self.limits.owner_bytes:
            most = f"{self.limits.owner_bytes / 1e9:.3g} GB"
            raise Refused(507, f"your {most} here are used up", "delete projects that you no longer need")
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free - length < _KEPT_FREE_BYTES:
            raise Refused(507, "this machine's disk is nearly full", "try a smaller file, or ask its operator")
        id_ = secrets.token_urlsafe(16)
        upload = Upload(
            id=id_,
            name=safe_name(name),
            length=length,
            created_s=time.time(),
            folder=self.folder / id_,
        )
        with no_space_told(self.folder):
            upload.folder.mkdir(mode=0o700)
            upload.data.touch(mode=0o600)
            with published(upload.folder / "upload.json") as draft:
                kept = {key: value for key, value in asdict(upload).items() if key not in ("folder", "offset")}
                draft.write_text(json.dumps(kept), encoding="utf-8")
        return upload

    def get(self, id_: str) -> Upload:
        """The upload of that id, with what is here of it now. Refused (404) where there is none."""
        if not _ID.fullmatch(id_):
            raise not_there()
        folder = self.folder / id_
        try:
            kept = json.loads((folder / "upload.json").read_text(encoding="utf-8"))
            offset = (folder / "data").stat().st_size
        except (OSError, ValueError):
            raise not_there() from None
        return Upload(**kept, folder=folder, offset=offset)

    def append(self, upload: Upload, piece: bytes) -> Upload:
        """Write the next bytes. Refused where they are more than announced, or begin as no media does; it then goes."""
        if upload.offset + len(piece) > upload.length:
            raise Refused(413, "more bytes came than were announced", "start the upload anew")
        try:
            with no_space_told(upload.folder), upload.data.open("r+b") as file:
                file.seek(upload.offset)
                file.write(piece)
                if upload.offset + len(piece) == upload.length:
                    file.flush()
                    os.fsync(file.fileno())
        except FileNotFoundError:
            raise not_there() from None
        grown = replace(upload, offset=upload.offset + len(piece))
        if (
            upload.offset < HEAD_BYTES
            and (grown.offset >= HEAD_BYTES or grown.complete)
            and self.sniffed(grown) is None
        ):
            self.remove(grown)
            raise _NO_MEDIA
        return grown

    def sniffed(self, upload: Upload) -> Sniffed | None:
        """What the first bytes tell of it."""
        with upload.data.open("rb") as file:
            return sniff(file.read(HEAD_BYTES))

    def remove(self, upload: Upload) -> None:
        """It goes, with all its bytes."""
        shutil.rmtree(upload.folder, ignore_errors=True)

    def all(self) -> Iterator[Upload]:
        """Every upload here."""
        for folder in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            try:
                yield self.get(folder.name)
            except Refused:
                continue  # announced only this moment, or gone by now

    def sweep(self, now_s: float) -> int:
        """Remove what became no project in time; how many went."""
        late = [each for each in self.all() if now_s - self.last_touched(each) > self.limits.upload_days * 86_400]
        for each in late:
            self.remove(each)
        return len(late)

    def last_touched(self, upload: Upload) -> float:
        """When a byte of it last came (Unix, s)."""
        try:
            return max(upload.created_s, upload.data.stat().st_mtime)
        except OSError:
            return upload.created_s


def safe_name(name: str) -> str:
    """`name` as a file here may be called: no path, not hidden, not endless, nothing that turns the text round."""
    plain = _UNSAFE.sub("_", name.encode("utf-8", "replace").decode("utf-8").rpartition("/")[2]).strip(" .")
    plain = plain.lstrip("-.") or "lecture"
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix) > 8:
        stem, suffix = plain, ""
    while len(stem.encode()) > _LONGEST_NAME_BYTES:
        stem = stem[:-1]
    return f"{stem.rstrip()}.{suffix}" if suffix and stem else stem or plain[:40]


def folder_bytes(folder: Path, *, without: Path | None = None) -> int:
    """How much the files below `folder` take, links not followed, those below `without` not counted."""
    total = 0
    for here, folders, names in os.walk(folder):
        if without is not None and Path(here) == without:
            folders.clear()
            continue
        for name in names:
            try:
                total += os.lstat(Path(here) / name).st_size
            except OSError:
                continue
    return total
