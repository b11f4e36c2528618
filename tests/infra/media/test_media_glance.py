"""The length by the header alone: right for every container, a refusal for the rest, and no more than a few reads."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_recipes import Make, ffmpeg

from infra.media.glance import glanced_length_s
from manifests.errors import BadInput


class Counted(io.BytesIO):
    """Counts the bytes that are read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


@pytest.fixture(scope="session")
def variants(media: Make, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, source = tmp_path_factory.mktemp("glance"), media("h264_b.mp4")
    flags = {"fast": "faststart", "fragments": "frag_keyframe+empty_moov"}
    for name, flag in flags.items():
        ffmpeg("-i", source, "-c", "copy", "-movflags", flag, folder / f"{name}.mp4")
    ffmpeg("-i", source, "-vn", "-c", "copy", folder / "sound.mp4")
    (folder / "cut.mp4").write_bytes(source.read_bytes()[:90_000])
    return {path.stem: path for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["h264_b.mp4", "h264_b.mkv", "h264_b.mov", "h264_b.ts", "mpeg4.avi", "mpeg1.mpg"])
def test_it_is_right_for_each_container(media: Make, name: str) -> None:
    with media(name).open("rb") as file:
        assert glanced_length_s(file, name) == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("name", ["fast", "fragments"])
def test_it_is_right_wherever_the_index_lies(variants: dict[str, Path], name: str) -> None:
    with variants[name].open("rb") as file:
        assert glanced_length_s(file, name) == pytest.approx(4.0, abs=0.1)


def test_of_an_mp4_some_bytes_are_read(media: Make) -> None:
    file = Counted(media("h264_b.mp4").read_bytes())
    glanced_length_s(file, "a.mp4")
    assert file.taken < 1000


@pytest.mark.parametrize(("name", "what"), [("sound", "no moving picture"), ("cut", "cannot be read")])
def test_what_cannot_be_dubbed_says_why(variants: dict[str, Path], name: str, what: str) -> None:
    with variants[name].open("rb") as file, pytest.raises(BadInput, match=what):
        glanced_length_s(file, name)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damaged_headers_are_refused_or_told_and_never_break(media: Make, data: st.DataObject) -> None:
    content = bytearray(media("h264_b.mp4").read_bytes())
    index = content.index(b"moov")
    places = st.integers(0, 40) | st.integers(index - 4, index + 400)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        content[place] = value
    with suppress(BadInput):
        assert glanced_length_s(io.BytesIO(bytes(content)), "a.mp4") > 0
