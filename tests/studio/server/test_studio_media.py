"""What projects are made from: looked at in a process with limits, before anything is made of it.

Media is real, made by ffmpeg; bombs are files that claim or unfold to more than they are.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from studio_client import client, made, settings, uploaded
from studio_media import CODECS, PICTURE, SOUND, ffmpeg, make_lecture

from manifests.errors import BadInput
from studio.answers import Refused
from studio.probe_process import examined
from studio.probing import probed
from studio.settings import Limits


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A lecture (picture and sound, 2 s), a silent video, a recording, an image."""
    folder = tmp_path_factory.mktemp("media")
    make_lecture(folder / "lecture.mp4")
    ffmpeg(*PICTURE, *CODECS, folder / "silent.mp4")
    ffmpeg(*SOUND, folder / "voice.wav")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64:duration=1", "-frames:v", "1", folder / "face.png")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def png(width: int, height: int, unfolds_to: int) -> bytes:
    """A PNG whose header says its size and whose data, some kilobytes, unfold to so many zeros."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(unfolds_to >> 20)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


async def ordered(asks: httpx.AsyncClient, **order: object) -> httpx.Response:
    return await asks.post("/api/projects", json=order)


def test_the_three_ways_in(tmp_path: Path, media: dict[str, bytes]) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            lecture = await uploaded(asks, media["lecture.mp4"], "Lecture 01 (final).mov")
            dub = await ordered(asks, kind="dub", source={"upload": lecture}, to=["fr"], voices={"fr": None})
            assert dub.status_code == 201, dub.text
            shown = dub.json()
            assert (shown["state"], shown["title"]) == ("new", "Lecture 01 (final)")
            source = shown["source"]
            assert (source["kind"], source["width"], source["height"], source["fps"]) == ("video", 320, 240, 25.0)
            assert source["duration_s"] == pytest.approx(2.0, abs=0.05)
            assert shown["estimate"]["seconds"] > 0
            (kept,) = tmp_path.rglob("upload/*.mp4")
            assert kept.name == "Lecture 01 (final).mp4", "a file is called by what it is"
            assert kept.read_bytes() == media["lecture.mp4"]
            again = await ordered(asks, kind="dub", source={"upload": lecture}, to=["fr"])
            assert again.status_code == 404, "an upload becomes one project"

            face, voice = (
                await uploaded(asks, media["face.png"], "me.png"),
                await uploaded(asks, media["voice.wav"], "me.png"),
            )
            speech = await ordered(asks, kind="speech", source={"upload": face}, audio={"upload": voice})
            assert speech.status_code == 201, speech.text
            project_id = speech.json()["id"]
            assert (await asks.get(f"/media/{project_id}/source")).content == media["face.png"]
            sound = await asks.get(f"/media/{project_id}/audio", headers={"range": "bytes=0-3"})
            assert (sound.status_code, sound.content) == (206, b"RIFF")
            assert sound.headers["content-type"] == "audio/wav"

            face = await uploaded(asks, media["face.png"])
            text = await ordered(asks, kind="text", source={"upload": face}, text="Bonjour.", to=["fr"])
            assert text.status_code == 201, text.text
            assert text.json()["source"]["kind"] == "image"

    asyncio.run(ask())


def test_what_does_not_fit_its_kind_is_told_and_makes_nothing(tmp_path: Path, media: dict[str, bytes]) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            for name, order, said in [
                ("silent.mp4", {"kind": "dub", "to": ["fr"]}, "no sound"),
                ("voice.wav", {"kind": "dub", "to": ["fr"]}, "no picture"),
                ("face.png", {"kind": "dub", "to": ["fr"]}, "image"),
                ("voice.wav", {"kind": "text", "to": ["fr"], "text": "Bonjour"}, "no picture"),
            ]:
                upload = await uploaded(asks, media[name])
                answer = await ordered(asks, source={"upload": upload}, **order)
                assert answer.status_code == 422
                assert said in answer.json()["error"]
                assert answer.json()["remedy"]
                assert (await asks.head(f"/api/uploads/{upload}")).status_code == 200, "it may be used otherwise"
            cut = await uploaded(asks, media["lecture.mp4"][: len(media["lecture.mp4"]) // 2])
            answer = await ordered(asks, kind="dub", source={"upload": cut}, to=["fr"])
            assert answer.status_code == 422
        assert not list(tmp_path.rglob("project.json"))

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"kind": "movie"}, "kind"),
        ({}, "kind"),
        ({"kind": "dub"}, "source"),
        ({"kind": "dub", "source": {"upload": "x", "uri": "s3://b/k"}}, "source"),
        ({"kind": "dub", "source": {"upload": "x"}}, "to"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": ["fr"], "from": "fr"}, "to"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": ["xx"]}, "to"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": "fr"}, "to"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": [["fr"]]}, "to"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": ["de"]}, "to"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": ["fr"], "voices": {"fr": "../../x"}}, "voices"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": ["fr"], "voices": {"fr": "fr-nobody"}}, "voices"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": ["fr"], "lips": "wav2lip"}, "lips"),
        ({"kind": "dub", "source": {"upload": "x"}, "to": ["fr"], "lips": "rm"}, "lips"),
        ({"kind": "speech", "source": {"upload": "x"}}, "audio"),
        ({"kind": "text", "source": {"upload": "x"}, "to": ["fr"], "text": "  "}, "text"),
        ({"kind": "text", "source": {"upload": "x"}, "to": ["fr"], "text": "a\0b"}, "text"),
        ({"kind": "text", "source": {"upload": "x"}, "text": "Bonjour"}, "to"),
    ],
)
def test_an_order_is_checked_before_anything_is_looked_at(tmp_path: Path, order: dict[str, object], field: str) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            answer = await ordered(asks, **order)
            assert answer.status_code == 422
            assert answer.json()["field"] == field

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("name", "limits", "said"),
    [
        ("lecture.mp4", {"duration_s": 1.0}, "lasts more"),
        ("lecture.mp4", {"pixels": 1000}, "pixels"),
        ("lecture.mp4", {"frame_rate": 10.0}, "pictures a second"),
        ("lecture.mp4", {"streams": 1}, "streams"),
        ("face.png", {"pixels": 100}, "pixels"),
    ],
)
def test_what_is_too_much_is_told_by_its_header(
    tmp_path: Path, media: dict[str, bytes], name: str, limits: dict[str, float], said: str
) -> None:
    file = tmp_path / "data"
    file.write_bytes(media[name])
    with pytest.raises(BadInput, match=said):
        examined(file, "picture", asdict(Limits()) | limits)


def test_what_a_browser_records_has_a_length_though_it_says_none(tmp_path: Path) -> None:
    """A recording as MediaRecorder makes it: WebM that was written as it came, without a length or an index."""
    picture, sound = tmp_path / "camera.webm", tmp_path / "microphone.webm"
    live = ("-f", "webm", "-live", "1")
    ffmpeg(
        *PICTURE, *SOUND, "-c:v", "libvpx", "-b:v", "200k", "-deadline", "realtime", "-c:a", "libopus", *live, picture
    )
    ffmpeg(*SOUND, "-c:a", "libopus", *live, sound)
    camera = asyncio.run(probed(picture, "lecture", Limits()))
    assert (camera.kind, camera.width, camera.sound) == ("video", 320, True)
    assert camera.duration_s == pytest.approx(2.0, abs=0.1)
    microphone = asyncio.run(probed(sound, "sound", Limits()))
    assert (microphone.kind, microphone.duration_s) == ("audio", pytest.approx(2.0, abs=0.1))
    for file, wanted in ((picture, "lecture"), (sound, "sound")):
        with pytest.raises(Refused, match="lasts more"):
            asyncio.run(probed(file, wanted, Limits(duration_s=1.0)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("width", "height", "unfolds_to"),
    [(60_000, 60_000, 1 << 20), (3000, 3000, 96 << 20), (0xFFFFFFF, 0xFFFFFFF, 1 << 20)],
    ids=["claims-pixels", "unfolds", "claims-the-most"],
)
def test_a_picture_that_unfolds_is_no_danger(tmp_path: Path, width: int, height: int, unfolds_to: int) -> None:
    file = tmp_path / "data"
    file.write_bytes(png(width, height, unfolds_to))
    if unfolds_to > width * height * 3:
        assert asyncio.run(probed(file, "picture", Limits())).width == width, "what it has too much is left unread"
    else:
        with pytest.raises(Refused):
            asyncio.run(probed(file, "picture", Limits()))


def test_a_file_that_names_others_is_not_followed(tmp_path: Path) -> None:
    """A playlist behind the first bytes of a video: by its name or content, FFmpeg would open what it names."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    for text in (
        f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
        "v=0\no=- 0 0\n",
    ):
        file = tmp_path / "data"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(BadInput) as refused:
            examined(file, "picture", asdict(Limits()))
        assert "secret" not in str(refused.value)


def test_a_look_that_takes_too_long_is_ended(tmp_path: Path, media: dict[str, bytes]) -> None:
    file = tmp_path / "data"
    file.write_bytes(media["lecture.mp4"])
    with pytest.raises(Refused, match="memory or time"):
        asyncio.run(probed(file, "picture", Limits(), limit_s=0.05))


@pytest.mark.parametrize(
    "uri",
    [
        "s3://lectures/private/a.mp4",
        "s3://lectures/incoming/../private/a.mp4",
        "s3://lectures/incomingx/a.mp4",
        "s3://lectures/incoming/",
        "s3://other/incoming/a.mp4",
        "s3:///incoming/a.mp4",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "/etc/passwd",
    ],
)
def test_an_address_outside_what_is_allowed_is_not_read(tmp_path: Path, uri: str) -> None:
    from studio_client import bucket

    async def ask() -> None:
        async with client(made(settings(tmp_path, allowed=(bucket("s3://lectures/incoming/"),)))) as asks:
            answer = await ordered(asks, kind="dub", source={"uri": uri}, to=["fr"])
            assert answer.status_code in (403, 422)
            assert "AccessDenied" not in answer.text, "nobody was asked for it"

    asyncio.run(ask())


def test_by_default_no_address_is_read(tmp_path: Path) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            answer = await ordered(asks, kind="dub", source={"uri": "s3://lectures/a.mp4"}, to=["fr"])
            assert answer.status_code == 403

    asyncio.run(ask())


def test_projects_are_counted(tmp_path: Path, media: dict[str, bytes]) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path, projects=1))) as asks:
            for code in (201, 507):
                upload = await uploaded(asks, media["face.png"])
                answer = await ordered(asks, kind="text", source={"upload": upload}, text="Bonjour.", to=["fr"])
                assert answer.status_code == code

    asyncio.run(ask())


def test_nothing_but_its_own_files_can_be_had_of_a_project(tmp_path: Path, media: dict[str, bytes]) -> None:
    async def ask() -> None:
        async with client(made(settings(tmp_path))) as asks:
            upload = await uploaded(asks, media["face.png"])
            answer = await ordered(asks, kind="text", source={"upload": upload}, text="Bonjour.", to=["fr"])
            one = answer.json()["id"]
            for name in (
                "project.json", "events.jsonl", "../project.json", "%2e%2e/project.json", "..%2fproject.json",
                "upload/face.png", "..%2f..%2f..%2f..%2fsessions.json", "stills/../project.json",
                "stills/..%2fproject.json", "lecture.png%00",
            ):  # fmt: skip
                assert (await asks.get(f"/media/{one}/{name}")).status_code == 404, name
            for name in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "%2fetc%2fpasswd"):
                assert (await asks.get(f"/assets/{name}")).status_code == 404, name
            source = await asks.get(f"/media/{one}/source", params={"download": ""})
            assert source.headers["content-disposition"].startswith("attachment")
            assert "sandbox" in source.headers["content-security-policy"]

    asyncio.run(ask())
