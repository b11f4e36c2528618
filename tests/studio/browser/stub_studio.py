"""A stand-in for the studio's server: docs/studio/api.md in memory, for tests of the pages alone.

Nothing is computed: a run is a few events, a dub is a file made beforehand. Tests that end to end mean something run
against `studio` itself.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from stub_lines import holds_of, made_lines

PAGES = Path(__file__).parents[3] / "studio" / "pages"
OWN = "what the machine said"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STAGES = ("listen", "look", "translate", "speak", "lips", "finish")
NAMES = {"fr": ("French", "français", "ltr"), "ar": ("Arabic", "العربية", "rtl"), "es": ("Spanish", "español", "ltr")}


@dataclass
class Stub:
    """What the stand-in knows. Tests set it up and look at it."""

    media: Path
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    events: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    needs_login: bool = False
    cut_after: int | None = None
    prefixes: tuple[str, ...] = ()
    version: int = 1

    def add(self, state: str, *, kind: str = "dub", to: tuple[str, ...] = ("fr",), **given: Any) -> dict[str, Any]:
        """A project in `state`; with results where it is done."""
        name = f"p{next(self.counter)}"
        results = [self.result(name, language) for language in to] if state == "done" else []
        project = {
            "id": name,
            "kind": kind,
            "title": "Lecture 3: the tides",
            "created": "2026-11-29T09:12:00Z",
            "state": state,
            "place_in_queue": 2 if state == "queued" else None,
            "source": {
                "name": "lecture.mp4",
                "kind": "video",
                "duration_s": 26.0,
                "width": 640,
                "height": 360,
                "fps": 25,
            },
            "audio": None,
            "from": "en",
            "to": list(to),
            "voices": {},
            "lips": "rewrite",
            "review": False,
            "text": None,
            "estimate": {
                "seconds": 1620,
                "basis": "Four talks of this kind took 6.2 times their length on this machine.",
            },
            "progress": {"fraction": 0.0, "stage": "", "label": "", "language": None, "eta_s": None},
            "error": None,
            "run_page": "http://127.0.0.1:4200/runs/flow-run/1",
            "results": results,
            "expires": "2026-12-29T09:12:00Z",
            "edited": False,
            **given,
        }
        self.projects[name] = project
        self.events.setdefault(name, [])
        return project

    def result(self, project: str, language: str) -> dict[str, Any]:
        """What a run of `project` into `language` left."""

        def file(name: str, kind: str, size: int) -> dict[str, Any]:
            return {
                "name": name,
                "kind": kind,
                "language": language,
                "size_bytes": size,
                "url": f"/media/{project}/{name}",
            }

        stem = f"lecture.{language}"
        files = [
            file(f"{stem}.mp4", "video", 84_200_000),
            file(f"{stem}.srt", "subtitles", 4_210),
            file(f"{stem}.vtt", "subtitles", 4_230),
            file(f"{stem}.csv", "sheet", 9_120),
            file(f"report.{language}.html", "report", 812_000),
            file(f"{stem}.c2pa", "disclosure", 12_400),
        ]
        voices = {"ar": ["ar2"]}.get(language, ["ff_siwis"])
        return {
            "language": language,
            "direction": NAMES[language][2],
            "video": files[0],
            "subtitles": files[1:3],
            "sheet": files[3],
            "report": files[4],
            "disclosure": {
                "signer": "redub on lecturebox",
                "known": False,
                "synthetic": ["speech", "lips"],
                "languages": ["en", language],
                "voices": voices,
                "software": "redub 0.1.0",
                "source_sha256": "ab" * 32,
                "file": files[5],
            },
            "mended": "",
            "degraded": [{"reason": "a face too small for new lips", "spans": 1, "seconds": 3.2}],
            "files": files,
        }

    def tell(self, project: str, event: str, **data: Any) -> None:
        """An event of a project; a state also changes the project."""
        if event == "state":
            self.projects[project].update(data)
        self.events[project].append((event, data))

    def progress(self, project: str, stage: str, **data: Any) -> None:
        """Progress in which `stage` is at work, all before it are done."""
        at = STAGES.index(stage)
        states = ["done"] * at + ["running"] + ["waiting"] * (len(STAGES) - at - 1)
        stages = [
            {"id": each, "label": each, "state": state, "done": 1, "of": 2}
            for each, state in zip(STAGES, states, strict=True)
        ]
        self.tell(project, "progress", **{"stage": stage, "language": None, "stages": stages, **data})

    def answer(self, project: str, language: str) -> dict[str, Any]:
        """The lines of a project, as the API gives them."""
        lines = self.lines.setdefault((project, language), made_lines(language, 5))
        length = max(26.0, lines[-1]["end_s"] + 1)
        return {
            "etag": f'"{self.version}"',
            "language": language,
            "direction": NAMES[language][2],
            "source_language": "en",
            "source_direction": "ltr",
            "duration_s": length,
            "dub_duration_s": length + 1.5,
            "holds": holds_of(lines),
            "speakers": [
                {"id": "speaker1", "name": "Speaker 1", "voice": "ff_siwis"},
                {"id": "speaker2", "name": "Speaker 2", "voice": "af_heart"},
            ],
            "voices": [
                {"id": "ff_siwis", "name": "Siwis", "gender": "female"},
                {"id": "af_heart", "name": "Heart", "gender": "female"},
            ],
            "lines": lines,
        }


@dataclass
class Desk:
    """Answers as the studio's server does."""

    stub: Stub

    async def page(self, _: Request) -> Response:
        return FileResponse(PAGES / "index.html", headers={"Content-Security-Policy": POLICY})

    async def login_page(self, _: Request) -> Response:
        return FileResponse(PAGES / "login.html", headers={"Content-Security-Policy": POLICY})

    async def asset(self, request: Request) -> Response:
        kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        file = PAGES / request.path_params["name"]
        return FileResponse(file, media_type=kinds[file.suffix], headers={"Cache-Control": "no-cache"})

    async def session(self, _: Request) -> Response:
        return JSONResponse(
            {
                "user": None if self.stub.needs_login else "local",
                "login": self.stub.needs_login,
                "needs_login": self.stub.needs_login,
            }
        )

    async def login(self, request: Request) -> Response:
        if (await request.json())["token"] != "right":  # noqa: S105 (of nothing)
            return JSONResponse({"error": "That token is not known here.", "remedy": ""}, 401)
        self.stub.needs_login = False
        return JSONResponse({"user": "ada", "login": True, "needs_login": False})

    async def offer(self, _: Request) -> Response:
        await asyncio.sleep(0.05)
        return JSONResponse(_offer(self.stub))

    async def projects(self, request: Request) -> Response:
        if self.stub.needs_login:
            return JSONResponse({"error": "Sign in first.", "remedy": ""}, 401)
        if request.method == "GET":
            return JSONResponse({"projects": list(reversed(self.stub.projects.values()))})
        wanted = await request.json()
        made = self.stub.add("new", kind=wanted["kind"], to=tuple(wanted["to"]) or ("und",), text=wanted.get("text"))
        made.update(
            title=wanted.get("title") or self.stub.names.get(wanted["source"].get("upload", ""), "lecture"),
            asked=wanted,
        )
        return JSONResponse(made, 201)

    async def project(self, request: Request) -> Response:
        name = request.path_params["id"]
        if name not in self.stub.projects:
            return JSONResponse({"error": "There is no such video.", "remedy": "Look at your videos."}, 404)
        if request.method == "DELETE":
            del self.stub.projects[name]
            return Response(status_code=204)
        return JSONResponse(self.stub.projects[name])

    async def act(self, request: Request) -> Response:
        name, action = request.path_params["id"], request.path_params["action"]
        state = {
            "start": "queued",
            "resume": "queued",
            "render": "queued",
            "continue": "running",
            "cancel": "cancelled",
        }
        self.stub.tell(
            name,
            "state",
            state=state[action],
            place_in_queue=1 if state[action] == "queued" else None,
            error=None,
            run_page=None,
        )
        return JSONResponse(self.stub.projects[name])

    async def events(self, request: Request) -> Response:
        name = request.path_params["id"]

        async def stream() -> AsyncIterator[str]:
            at = 0
            while True:
                for kind, data in self.stub.events[name][at:]:
                    at += 1
                    yield f"id: {at}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
                if await request.is_disconnected():
                    return
                await asyncio.sleep(0.03)

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def lines(self, request: Request) -> Response:
        name, language = request.path_params["id"], request.query_params["language"]
        if request.method == "PUT":
            if request.headers["If-Match"] != f'"{self.stub.version}"':
                return JSONResponse({"error": "The sheet is another by now.", "remedy": "Load it again."}, 412)
            changes = (await request.json())["changes"]
            self.stub.changes.extend(changes)
            fault = _change(self.stub.lines[name, language], changes)
            if fault:
                return JSONResponse(fault, 422)
            self.stub.version += 1
            self.stub.projects[name]["edited"] = True
        return JSONResponse(self.stub.answer(name, language))

    async def hear(self, _: Request) -> Response:
        await asyncio.sleep(0.05)
        return FileResponse(self.stub.media / "line.wav", media_type="audio/wav")

    async def waveform(self, request: Request) -> Response:
        from infra.media.peaks import compact, read_peaks

        name = "source.mp4" if request.query_params["language"] == "source" else "dub.mp4"
        peaks = await asyncio.to_thread(lambda: list(compact(read_peaks(self.stub.media / name, per_s=50.0))))
        return JSONResponse({"per_s": 50, "duration_s": len(peaks) / 50, "peaks": peaks})

    async def media(self, request: Request) -> Response:
        name = request.path_params["name"]
        ending = Path(name).suffix
        file = {"source": "source.mp4", ".mp4": "dub.mp4", ".jpg": "still.jpg"}.get(
            name if name == "source" else ending
        )
        attached = (
            {"Content-Disposition": f'attachment; filename="{name}"'} if "download" in request.query_params else {}
        )
        if file is None:
            text = (
                "WEBVTT\n\n00:00.500 --> 00:04.700\nUne transformée décompose un signal.\n" if ending == ".vtt" else "x"
            )
            return Response(text, media_type="text/vtt" if ending == ".vtt" else "text/plain", headers=attached)
        return FileResponse(self.stub.media / file, headers=attached)

    async def create_upload(self, request: Request) -> Response:
        name = f"u{next(self.stub.counter)}"
        given = dict(part.split(" ") for part in request.headers["Upload-Metadata"].split(","))
        self.stub.uploads[name] = bytearray()
        self.stub.names[name] = base64.b64decode(given["name"]).decode()
        self.stub.lengths[name] = int(request.headers["Upload-Length"])
        return Response(status_code=201, headers={"Location": f"/api/uploads/{name}", "Tus-Resumable": "1.0.0"})

    async def upload(self, request: Request) -> Response:
        name = request.path_params["id"]
        if name not in self.stub.uploads:
            return JSONResponse({"error": "There is no such upload.", "remedy": "Begin anew."}, 404)
        kept = self.stub.uploads[name]
        if request.method == "DELETE":
            del self.stub.uploads[name]
            return Response(status_code=204)
        if request.method == "PATCH":
            if int(request.headers["Upload-Offset"]) != len(kept):
                return JSONResponse({"error": "Another offset.", "remedy": ""}, 409)
            async for piece in request.stream():
                kept.extend(piece)
                if self.stub.cut_after is not None and len(kept) > self.stub.cut_after:
                    self.stub.cut_after = None
                    return JSONResponse({"error": "Cut.", "remedy": ""}, 503)
            if bytes(kept[:5]) == b"nope!":
                del self.stub.uploads[name]
                return JSONResponse(
                    {"error": "This is no video.", "remedy": "Choose an MP4, MOV, MKV or WebM file."}, 415
                )
        headers = {
            "Upload-Offset": str(len(kept)),
            "Upload-Length": str(self.stub.lengths[name]),
            "Tus-Resumable": "1.0.0",
        }
        return Response(status_code=204 if request.method == "PATCH" else 200, headers=headers)

    async def sample(self, _: Request) -> Response:
        return FileResponse(self.stub.media / "line.wav", media_type="audio/wav")


def application(stub: Stub) -> Starlette:
    """The stand-in as an ASGI app."""
    desk = Desk(stub)
    routes = [
        Route("/", desk.page),
        Route("/login", desk.login_page),
        Route("/assets/{name}", desk.asset),
        Route("/api/session", desk.session),
        Route("/api/login", desk.login, methods=["POST"]),
        Route("/api/offer", desk.offer),
        Route("/api/logout", desk.session, methods=["POST"]),
        Route("/api/voices/{id}/sample", desk.sample),
        Route("/api/projects", desk.projects, methods=["GET", "POST"]),
        Route("/api/projects/{id}", desk.project, methods=["GET", "DELETE"]),
        Route("/api/projects/{id}/events", desk.events),
        Route("/api/projects/{id}/lines", desk.lines, methods=["GET", "PUT"]),
        Route("/api/projects/{id}/lines/{line}/hear", desk.hear, methods=["POST"]),
        Route("/api/projects/{id}/waveform", desk.waveform),
        Route("/api/projects/{id}/{action}", desk.act, methods=["POST"]),
        Route("/media/{id}/{name:path}", desk.media),
        Route("/api/uploads", desk.create_upload, methods=["POST"]),
        Route("/api/uploads/{id}", desk.upload, methods=["HEAD", "PATCH", "DELETE"]),
    ]
    return Starlette(routes=routes)


def _change(lines: list[dict[str, Any]], changes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Makes the changes; what is wrong with them where they cannot be made."""
    places = {line["id"]: index for index, line in enumerate(lines)}
    for change in changes:
        if "split" in change:
            at = places[change["split"]]
            whole = lines[at]
            source, said = change["at_source"], change["at_translation"]
            first = whole | {
                "id": f"{whole['id']}.1",
                "source": whole["source"][:source].strip(),
                "translation": whole["translation"][:said].strip(),
                "end_s": change["at_s"],
            }
            second = whole | {
                "id": f"{whole['id']}.2",
                "source": whole["source"][source:],
                "translation": whole["translation"][said:],
                "start_s": change["at_s"],
            }
            lines[at : at + 1] = [first, second]
        elif "merge" in change:
            at = places[change["merge"][0]]
            first, second = lines[at : at + 2]
            texts = {column: f"{first[column]} {second[column]}" for column in ("source", "translation")}
            name = first["id"][:-2] if first["id"].endswith(".1") else f"{first['id']}+{second['id'][-3:]}"
            lines[at : at + 2] = [first | texts | {"id": name, "end_s": second["end_s"]}]
        else:
            line = lines[places[change["id"]]]
            if "FAULT" in change.get("translation", ""):
                return {
                    "error": "it is too long to be said;",
                    "remedy": "shorten it.",
                    "row": places[change["id"]] + 2,
                    "column": "translation",
                }
            own = {column: OWN for column in ("source", "translation") if change.get(column) == ""}
            line.update(change | own)
            line["edited"] = sorted({*line["edited"], *(change.keys() - {"id", "reviewed"})})
        places = {line["id"]: index for index, line in enumerate(lines)}
    return None


def _offer(stub: Stub) -> dict[str, Any]:
    def target(code: str) -> dict[str, Any]:
        name, native, direction = NAMES[code]
        voices = [("ff_siwis", "Siwis", "female", "native"), ("em_alex", "Alex", "male", "with an accent")]
        return {
            "code": code,
            "name": name,
            "native_name": native,
            "direction": direction,
            "from": ["en"],
            "voices": [
                {
                    "id": f"{code}_{key}",
                    "name": label,
                    "gender": gender,
                    "note": note,
                    "lips": True,
                    "sample": f"/api/voices/{key}/sample",
                }
                for key, label, gender, note in voices
            ],
        }

    return {
        "sources": [{"code": "en", "name": "English"}, {"code": "fr", "name": "French"}],
        "targets": [target(code) for code in NAMES],
        "spoken": [target(code) for code in NAMES],
        "limits": {
            "upload_bytes": 4_000_000_000,
            "owner_bytes": 20_000_000_000,
            "duration_s": 14400,
            "pixels": 8_300_000,
            "text_characters": 20_000,
            "retention_days": 30,
        },
        "machine": {"cores": 2, "gpu": None, "free_bytes": 61_000_000_000},
        "s3_prefixes": list(stub.prefixes),
        "lips": [
            {
                "id": "rewrite",
                "name": "The speaker's own",
                "help": "Mouths of the same person, put in a new order. Best for a talk of some minutes.",
            },
            {"id": "none", "name": "As they are", "help": "Only the sound changes. Much quicker."},
        ],
        "prefect_page": None,
    }


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """`app` on a free port of loopback, in a thread; its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()
