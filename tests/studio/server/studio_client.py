"""A studio for tests: the application in this process, or behind a real server on loopback; and what asks of it."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from flows.watch.receiver import Limits as HttpLimits
from flows.watch.serving import listener, server
from infra.objects.uri import ObjectUri
from studio.app import Studio, studio
from studio.probing import Source
from studio.projects import Projects
from studio.records import Project
from studio.running import Command
from studio.settings import Limits, Settings
from studio.tokens import digest

HOST = "127.0.0.1:8790"
MARK = {"x-redub": "1", "host": HOST}
PNG = b"\x89PNG\r\n\x1a\n"

OFFER: dict[str, Any] = {
    "sources": [{"code": "en", "name": "English", "native_name": "English"}],
    "targets": [
        {
            "code": "fr",
            "name": "French",
            "native_name": "Français",
            "direction": "ltr",
            "from": ["en"],
            "voices": [{"id": "fr-kokoro-ff-siwis", "name": "Siwis", "gender": "female", "note": "", "lips": True}],
        }
    ],
    "lips": [{"id": "rewrite", "name": "", "help": ""}, {"id": "none", "name": "", "help": ""}],
    "machine": {"cores": 2, "gpu": None},
}
OFFER["spoken"] = OFFER["targets"]
"""What a machine offers, said by nobody: the process that asks needs trained weights."""


def settings(folder: Path, **values: Any) -> Settings:
    limits = replace(Limits(), **{key: values.pop(key) for key in list(values) if key in Limits.__slots__})
    return Settings(folder=folder, limits=limits, **values)


def made(given: Settings, command: Command | None = None) -> Studio:
    """A studio that offers what is written above, whose process with the voices only says again what it is asked."""
    found = studio(given, **({} if command is None else {"command": command}))
    found.voices.command = ("cat",)
    found.offer._found, found.offer._found_s = OFFER, time.monotonic()
    return found


def client(found: Studio, **headers: str) -> httpx.AsyncClient:
    """Asks as the page does, of the application itself."""
    transport = httpx.ASGITransport(app=found.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", headers={**MARK, **headers})


def tokens(folder: Path, *users: str) -> dict[str, Any]:
    """Settings for a studio in which these people log in, each by a token that is their name twice."""
    file = folder / "tokens.txt"
    file.write_text("".join(f"{user}:{digest(user * 2)}\n" for user in users), encoding="utf-8")
    return {"tokens": file}


async def logged_in(found: Studio, user: str) -> httpx.AsyncClient:
    asks = client(found)
    answer = await asks.post("/api/login", json={"token": user * 2})
    assert answer.status_code == 200, answer.text
    return asks


def announced(length: int, name: str = "lecture.mp4") -> dict[str, str]:
    return {"upload-length": str(length), "upload-metadata": f"name {base64.b64encode(name.encode()).decode()}"}


async def uploaded(asks: httpx.AsyncClient, content: bytes, name: str = "lecture.mp4") -> str:
    """The id of an upload that is complete."""
    made_ = await asks.post("/api/uploads", headers=announced(len(content), name))
    assert made_.status_code == 201, made_.text
    sent = await asks.patch(made_.headers["location"], headers=at(0), content=content)
    assert sent.status_code == 204, sent.text
    return made_.headers["location"].rpartition("/")[2]


def at(offset: int) -> dict[str, str]:
    return {"upload-offset": str(offset), "content-type": "application/offset+octet-stream"}


def project(projects: Projects, title: str, owner: str = "local", **values: Any) -> Project:
    """A project whose source is no media: for what never looks at it."""
    source = Source(
        name="a.mp4", file="upload/a.mp4", kind="video", size_bytes=10, media_type="video/mp4", duration_s=10.0
    )

    def make(id_: str, now_s: float) -> Project:
        given: dict[str, Any] = {"kind": "dub", "to": ("fr",), "state": "new", "source": source, **values}
        return Project(id=id_, owner=owner, title=title, created_s=now_s, touched_s=now_s, **given)

    def fill(folder: Path) -> None:
        (folder / "upload").mkdir()
        (folder / "upload" / "a.mp4").write_bytes(b"0123456789")

    return projects.add(make, fill)


@dataclass(frozen=True, slots=True)
class Standing:
    """A studio behind a real server."""

    found: Studio
    url: str


@contextmanager
def standing(given: Settings, command: Command | None = None) -> Iterator[Standing]:
    """A studio behind uvicorn, as `studio.serving` puts it there, without a Prefect server."""
    with listener("127.0.0.1", 0) as here:
        port = here.getsockname()[1]
        found = made(given, command)
        http = server(found.app, HttpLimits(header_s=given.limits.header_s, connections=given.limits.connections))
        stop: list[Callable[[], None]] = []

        async def serve() -> None:
            loop, stopping = asyncio.get_running_loop(), asyncio.Event()
            stop.append(lambda: loop.call_soon_threadsafe(stopping.set))
            queue = asyncio.create_task(found.queue.work())
            serving = asyncio.create_task(http.serve(sockets=[here]))
            await stopping.wait()
            found.end_streams()
            http.should_exit = True
            await found.queue.stop()
            queue.cancel()
            await serving

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        until(lambda: http.started)
        try:
            yield Standing(found, f"http://127.0.0.1:{port}")
        finally:
            stop[0]()
            thread.join(20)
            assert not thread.is_alive()


def until(holds: Callable[[], object], limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def bucket(text: str) -> ObjectUri:
    name, _, key = text.removeprefix("s3://").partition("/")
    return ObjectUri(name, key)
