"""Uploads: offsets, sizes, types, names and quotas, whatever order they come in."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from studio_client import PNG, announced, at, client, made, settings, uploaded

from studio.answers import Refused
from studio.settings import Limits
from studio.sniffing import HEAD_BYTES, sniff
from studio.uploads import Uploads, safe_name

MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"


@given(
    content=st.binary(min_size=1, max_size=4000),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
    wrong=st.lists(st.integers(0, 9000), max_size=12),
)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_arrive_once_each_wherever_the_line_is_cut(
    tmp_path: Path, content: bytes, cuts: list[int], wrong: list[int]
) -> None:
    """Pieces at the right offset are taken, all others are refused, and what comes of it is the file."""
    content = PNG + content

    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            place = (await asks.post("/api/uploads", headers=announced(len(content)))).headers["location"]
            edges = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
            for index, (start, end) in enumerate(itertools.pairwise(edges)):
                if index < len(wrong) and wrong[index] != start:
                    refused = await asks.patch(place, headers=at(wrong[index]), content=content[start:end])
                    assert refused.status_code == 409
                stands = await asks.head(place)
                assert stands.headers["upload-offset"] == str(start)
                taken = await asks.patch(place, headers=at(start), content=content[start:end])
                assert taken.status_code == 204
                assert taken.headers["upload-offset"] == str(end)
            id_ = place.rpartition("/")[2]
            (data,) = tmp_path.rglob(f"{id_}/data")
            assert data.read_bytes() == content
            assert (await asks.delete(place)).status_code == 204
            assert (await asks.head(place)).status_code == 404

    asyncio.run(ask())


def test_more_than_was_announced_is_not_taken(tmp_path: Path) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            place = (await asks.post("/api/uploads", headers=announced(600))).headers["location"]
            answer = await asks.patch(place, headers=at(0), content=PNG + bytes(900))
            assert answer.status_code == 413
            assert int((await asks.head(place)).headers["upload-offset"]) <= 600

    asyncio.run(ask())


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-VERSION:3\n/etc/passwd\n" + bytes(600),
        b"ffconcat version 1.0\nfile /etc/passwd\n" + b" " * 600,
        b"<html><script>alert(1)</script></html>" * 20,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 20,
        b"%PDF-1.7" + bytes(600),
        b"MZ" + bytes(600),
        b"PK\x03\x04" + bytes(600),
        bytes(700),
    ],
    ids=["playlist", "list-of-files", "html", "svg", "pdf", "program", "archive", "zeros"],
)
def test_what_is_no_media_is_turned_away_by_its_first_bytes(tmp_path: Path, content: bytes) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            place = (await asks.post("/api/uploads", headers=announced(10_000_000))).headers["location"]
            answer = await asks.patch(place, headers=at(0), content=content)
            assert answer.status_code == 415
            assert (await asks.head(place)).status_code == 404
            assert not list(tmp_path.rglob("data"))

    asyncio.run(ask())


def test_a_small_file_is_told_by_all_of_it(tmp_path: Path) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            await uploaded(asks, PNG + b"small")
            place = (await asks.post("/api/uploads", headers=announced(5))).headers["location"]
            assert (await asks.patch(place, headers=at(0), content=b"hello")).status_code == 415

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (MP4, ".mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", ".mov"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", ".webm"),
        (b"RIFF\0\0\0\0WAVEfmt ", ".wav"),
        (b"RIFF\0\0\0\0AVI LIST", ".avi"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", ".jpg"),
        (b"ID3\x04\0\0\0\0\0\0", ".mp3"),
        (b"\xff\xfb\x90\x64", ".mp3"),
        (b"\xff\xf1\x50\x80", ".aac"),
        (b"OggS\0\x02", ".ogg"),
        ((b"G" + bytes(187)) * 3, ".ts"),
    ],
)
def test_media_is_known_by_its_first_bytes(head: bytes, suffix: str) -> None:
    found = sniff(head.ljust(HEAD_BYTES, b"\0"))
    assert found is not None
    assert found.suffix == suffix


@given(st.binary(max_size=HEAD_BYTES))
def test_any_first_bytes_are_something_or_nothing(head: bytes) -> None:
    found = sniff(head)
    assert found is None or found.suffix.startswith(".")


@given(
    st.text(max_size=300) | st.sampled_from(["../../etc/passwd", "..", "...", "a/../b", "C:\\x", "-rf", ".bashrc", "/"])
)
def test_a_name_is_never_a_path_nor_hidden_nor_an_option(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert Path(safe).name == safe
    assert safe not in (".", "..")
    assert not safe.startswith((".", "-"))
    assert len(safe.encode()) < 255 - len(".fr.upcoming.parquet")
    assert not any(ord(character) < 32 or character in '\\/:*?"<>|\u202e' for character in safe)


def test_what_one_person_keeps_is_bounded(tmp_path: Path) -> None:
    given_ = settings(tmp_path, upload_bytes=5000, owner_bytes=9000)

    async def ask() -> None:
        async with client(made(given_)) as asks:
            assert (await asks.post("/api/uploads", headers=announced(5001))).status_code == 413
            answers = await asyncio.gather(*(asks.post("/api/uploads", headers=announced(4000)) for _ in range(4)))
            assert sorted(answer.status_code for answer in answers) == [201, 201, 507, 507], "promises count, too"

    asyncio.run(ask())


@pytest.mark.parametrize("length", ["", "-1", "1e9", "0x10", "0", "9" * 40, "١٢"])
def test_a_length_is_a_number(tmp_path: Path, length: str) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            headers = {b"upload-length": length.encode()}
            assert (await asks.post("/api/uploads", headers=headers)).status_code in (400, 413)

    asyncio.run(ask())


@pytest.mark.parametrize("id_", ["..", "x", "%2e%2e", "..%2f..%2fetc", "A" * 22, "a" * 500])
def test_an_id_is_no_way_out_of_the_folder(tmp_path: Path, id_: str) -> None:
    (tmp_path / "upload.json").write_text("{}", encoding="utf-8")

    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            assert (await asks.head(f"/api/uploads/{id_}")).status_code in (404, 405)
            assert (await asks.delete(f"/api/uploads/{id_}")).status_code in (404, 405)

    asyncio.run(ask())
    assert (tmp_path / "upload.json").exists()


def test_uploads_that_became_nothing_go_after_a_day(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, Limits())
    old, new = (uploads.create(name, 100) for name in ("old.mp4", "new.mp4"))
    past = time.time() - 2 * 86_400
    os.utime(old.data, (past, past))
    assert uploads.sweep(time.time()) == 0, "it was announced only now"
    assert uploads.sweep(time.time() + 86_401) == 2
    with pytest.raises(Refused):
        uploads.get(new.id)


def test_only_so_many_uploads_at_once(tmp_path: Path) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path, uploads_at_once=2))) as asks:

            async def slow() -> int:
                place = (await asks.post("/api/uploads", headers=announced(2000))).headers["location"]

                async def pieces() -> AsyncIterator[bytes]:
                    yield PNG + bytes(600)
                    await asyncio.sleep(0.3)
                    yield random.Random(0).randbytes(2000 - 608)

                return (await asks.patch(place, headers=at(0), content=pieces())).status_code

            assert sorted(await asyncio.gather(*(slow() for _ in range(3)))) == [204, 204, 429]

    asyncio.run(ask())
