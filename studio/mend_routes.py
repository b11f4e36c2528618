"""Mending over HTTP: the lines of a dub, a line said again at once, and the waveform under them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from manifests.errors import RedubError
from studio import lines
from studio.answers import Refused, json_body, not_there
from studio.helper import Helper, once
from studio.offer import Offer
from studio.projects import Projects
from studio.queue import Queue
from studio.records import Project
from studio.settings import Settings

PER_S = 50
_HEAR_S = 60.0
_WAVEFORM_S = 900.0
_LONGEST_SAID = 2_000
_SAMPLES = {
    "ar": "مرحبا بكم في هذه المحاضرة.",
    "de": "Guten Tag und willkommen zu dieser Vorlesung.",
    "en": "Hello, and welcome to this lecture.",
    "es": "Buenos días y bienvenidos a esta clase.",
    "fr": "Bonjour et bienvenue à ce cours.",
    "it": "Buongiorno e benvenuti a questa lezione.",
    "pt": "Bom dia e bem-vindos a esta aula.",
}


@dataclass(slots=True)
class MendDesk:
    """Where lines are shown, changed and heard. `voices` is the process that speaks."""

    projects: Projects
    queue: Queue
    settings: Settings
    voices: Helper
    offer: Offer
    _warming: set[asyncio.Task[None]] = field(default_factory=set)
    _drawing: dict[str, asyncio.Lock] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """The routes of lines, and of voices' samples."""
        return [
            Route("/api/projects/{id}/lines", self.show, methods=["GET"]),
            Route("/api/projects/{id}/lines", self.change, methods=["PUT"]),
            Route("/api/projects/{id}/lines/{line}/hear", self.hear, methods=["POST"]),
            Route("/api/projects/{id}/waveform", self.waveform, methods=["GET"]),
            Route("/api/voices/{voice}/sample", self.sample, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The lines of a language."""
        project = self._project(request)
        language = request.query_params.get("language", "")
        found = await run_in_threadpool(lines.lines_view, project, self.projects.place(project), language)
        await run_in_threadpool(self.projects.touch, project.id)
        self._make_ready(project, language, found)
        return _tagged(found)

    def _make_ready(self, project: Project, language: str, found: Mapping[str, Any]) -> None:
        """Whoever looks at lines will want to hear some: load their voices meanwhile."""
        voices = sorted({each["voice"] for each in found["lines"]} & {each["id"] for each in found["voices"]})
        if self.voices.busy or self.queue.at_work(project.id) or not voices:
            return
        question = {"warm": str(self.projects.place(project)), "language": language, "voices": voices}
        task = asyncio.create_task(self._ask_quietly(question))
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def _ask_quietly(self, question: Mapping[str, Any]) -> None:
        with suppress(RedubError):
            await self.voices.ask(question, limit_s=_HEAR_S)

    async def change(self, request: Request) -> Response:
        """Change lines, all or none."""
        project, language = self._project(request), request.query_params.get("language", "")
        etag = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
        if not etag:
            raise Refused(428, "which state of the sheet is changed", "send its etag as If-Match")
        if project.state in ("queued", "running") or self.queue.at_work(project.id):
            raise Refused(409, "a run is at work with the sheet", "wait until it is done, or cancel it")
        body = await json_body(request, self.settings.limits)
        changes = body.get("changes")
        if not isinstance(changes, list) or not all(isinstance(each, Mapping) for each in changes):
            raise Refused(422, "the changes are not well formed", "send {changes: [{..}]}")
        place = self.projects.place(project)
        found = await run_in_threadpool(lines.change_lines, project, place, language, changes, etag)
        if any(each.keys() - {"id", "reviewed"} for each in changes):
            await run_in_threadpool(lambda: self.projects.change(project.id, edited=True))
        return _tagged(found)

    async def hear(self, request: Request) -> Response:
        """Say a line as it is written now, saved or not."""
        project = self._project(request)
        body = await json_body(request, self.settings.limits)
        language = body.get("language")
        texts = {name: body.get(name) or "" for name in ("translation", "voice")}
        if language not in project.to or not all(isinstance(each, str) for each in texts.values()):
            raise Refused(422, "the line is not well formed", "send its language, translation and voice")
        if len(texts["translation"]) > _LONGEST_SAID:
            raise Refused(422, "the line is too long to be heard at once", "split it")
        voice = await self.offer.voice(texts["voice"]) if texts["voice"] else None
        if texts["voice"] and (voice is None or voice["language"] != language):
            raise Refused(422, "this voice does not speak the language here", "choose one that is offered")
        question = {
            "project": str(self.projects.place(project)),
            "stem": lines.stem_of(project),
            "language": language,
            "line": request.path_params["line"],
            **texts,
        }
        answer = await self.voices.ask(question, limit_s=_HEAR_S)
        rate = {"x-rate": str(answer["rate"])}
        return FileResponse(answer["audio"], media_type="audio/wav", headers=rate)

    async def sample(self, request: Request) -> Response:
        """A voice, as it sounds: said once, then kept."""
        voice_id = request.path_params["voice"]
        voice = await self.offer.voice(voice_id)
        if voice is None:
            raise not_there()
        text = _SAMPLES.get(voice["language"])
        if text is None:
            raise not_there()
        question = {"sample": voice_id, "language": voice["language"], "text": text}
        answer = await self.voices.ask(question, limit_s=_HEAR_S)
        return FileResponse(answer["audio"], media_type="audio/wav", headers={"cache-control": "private, max-age=3600"})

    async def waveform(self, request: Request) -> Response:
        """How loud the source or a dub is from moment to moment, drawn once for each file."""
        project = self._project(request)
        which = request.query_params.get("language", "source")
        media = self._media(project, which)
        stat = await run_in_threadpool(_stat_of, media)
        target = self.projects.place(project) / "waves" / f"{which}.{stat}.peaks"
        async with self._drawing.setdefault(str(target), asyncio.Lock()):
            if not await run_in_threadpool(target.is_file):
                command = (sys.executable, "-m", "studio.waveform_process", str(media), str(target), str(PER_S))
                await once(command, limit_s=_WAVEFORM_S)
        self._drawing.pop(str(target), None)
        length_s = (await run_in_threadpool(target.stat)).st_size / PER_S
        headers = {"x-per-s": str(PER_S), "x-duration-s": f"{length_s:.3f}", "vary": "accept"}
        if "application/octet-stream" in request.headers.get("accept", ""):
            return FileResponse(target, media_type="application/octet-stream", headers=headers)
        peaks = list(await run_in_threadpool(target.read_bytes))
        return JSONResponse({"per_s": PER_S, "duration_s": length_s, "peaks": peaks}, headers={"vary": "accept"})

    def _media(self, project: Project, which: str) -> Path:
        folder = self.projects.place(project)
        if which == "source":
            return folder / project.source.file
        result = next((each for each in project.results if each.language == which), None)
        video = None if result is None else next((each for each in result.files if each.kind == "video"), None)
        if video is None:
            raise Refused(404, "there is no dub in that language yet", "wait until it is made")
        return folder / video.place

    def _project(self, request: Request) -> Project:
        return self.projects.get(request.state.user, request.path_params["id"])


def _stat_of(media: Path) -> str:
    try:
        stat = media.stat()
    except OSError:
        raise not_there() from None
    return f"{stat.st_size:x}-{stat.st_mtime_ns:x}"


def _tagged(found: dict[str, Any]) -> Response:
    body = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, media_type="application/json", headers={"etag": f'"{found["etag"]}"'})
