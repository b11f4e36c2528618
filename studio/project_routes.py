"""Projects over HTTP: made of uploads or of what lies in a store, started, cancelled, looked at, removed."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra import locations
from studio.answers import Refused, json_body
from studio.bringing import UPLOAD, allowed_place, with_facts
from studio.helper import once
from studio.offer import Offer
from studio.probing import Source, Wanted, probed
from studio.project_orders import ProjectOrder, read_order
from studio.projects import Projects
from studio.queue import Queue
from studio.records import Kind, Project
from studio.settings import Settings
from studio.uploads import Upload, Uploads, safe_name
from studio.views import project_view

_GLANCE_S = 60.0


@dataclass(slots=True)
class ProjectDesk:
    """Where projects are made and told what to do."""

    projects: Projects
    queue: Queue
    settings: Settings
    offer: Offer
    uploads_of: Callable[[Request], Uploads]
    shows_prefect: bool
    _making: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def routes(self) -> list[Route]:
        """The routes of projects."""
        one = "/api/projects/{id}"
        return [
            Route("/api/projects", self.list, methods=["GET"]),
            Route("/api/projects", self.make, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.remove, methods=["DELETE"]),
            Route(f"{one}/start", self._changed(self._start), methods=["POST"]),
            Route(f"{one}/cancel", self._changed(self.queue.cancel), methods=["POST"]),
            Route(f"{one}/resume", self._changed(self._resume), methods=["POST"]),
            Route(f"{one}/continue", self._changed(self.queue.go_on), methods=["POST"]),
            Route(f"{one}/render", self._changed(self._render), methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """All of whoever asks."""
        found = self.projects.of(request.state.user)
        return JSONResponse({"projects": [await self._view(each) for each in found]})

    async def show(self, request: Request) -> Response:
        """One."""
        project = self._project(request)
        await run_in_threadpool(self.projects.touch, project.id)
        return JSONResponse(await self._view(project))

    async def remove(self, request: Request) -> Response:
        """One goes, with all its files; a run of it ends first."""
        project = self._project(request)
        await self.queue.forget(project)
        await run_in_threadpool(self.projects.remove, project.id)
        return Response(status_code=204)

    async def make(self, request: Request) -> Response:
        """Make one. What it is made from is looked at before anything is made of it."""
        limits = self.settings.limits
        order = read_order(await json_body(request, limits), limits)
        owner = request.state.user
        async with self._making[owner]:  # an upload becomes one project, and the count holds
            if len(self.projects.of(owner)) >= limits.projects:
                raise Refused(507, f"you have {limits.projects} projects here", "delete some that you no longer need")
            await self._require_offered(order)
            project = await self._made(order, owner, self.uploads_of(request))
        return JSONResponse(await self._view(project), status_code=201)

    async def _made(self, order: ProjectOrder, owner: str, uploads: Uploads) -> Project:
        taken: dict[str, Upload] = {}
        if order.uri is not None:
            source = await self._of_store(order.uri)
        else:
            taken["source"] = await self._upload(uploads, order.upload or "")
            source = await self._looked_at(uploads, taken["source"], _wanted(order.kind))
        audio = None
        if order.audio is not None:
            if order.audio == order.upload:
                raise Refused(422, "the recording is the picture's file", "upload both")
            taken["audio"] = await self._upload(uploads, order.audio)
            audio = await self._looked_at(uploads, taken["audio"], "sound")
            if audio.file == source.file:
                audio = replace(audio, file=f"{UPLOAD}/sound-{Path(audio.file).name}")

        def made(id_: str, now_s: float) -> Project:
            return Project(
                id=id_,
                owner=owner,
                kind=order.kind,
                title=order.title or Path(source.name).stem,
                created_s=now_s,
                touched_s=now_s,
                state="new",
                source=source,
                audio=audio,
                uri=order.uri,
                text=order.text,
                from_=order.from_,
                to=order.to,
                voices=order.voices,
                lips=order.lips,
                review=order.review,
            )

        def fill(folder: Path) -> None:
            (folder / UPLOAD).mkdir()
            for name, upload in taken.items():
                upload.data.rename(folder / (source if name == "source" else audio or source).file)

        project = await run_in_threadpool(self.projects.add, made, fill)
        for upload in taken.values():
            await run_in_threadpool(shutil.rmtree, upload.folder, ignore_errors=True)
        return project

    async def _upload(self, uploads: Uploads, id_: str) -> Upload:
        upload = await run_in_threadpool(uploads.get, id_)
        if not upload.complete:
            raise Refused(409, "the upload is not complete", "go on with it from where it stands", at=upload.offset)
        return upload

    async def _looked_at(self, uploads: Uploads, upload: Upload, wanted: Wanted) -> Source:
        sniffed = await run_in_threadpool(uploads.sniffed, upload)
        if sniffed is None:
            raise Refused(415, "this is no video, image or sound that redub reads", "give another file")
        facts = await probed(upload.data, wanted, self.settings.limits)
        # The suffix is what redub and players go by, so it is that of what the file is, not what it is called.
        stem = Path(upload.name).stem if Path(upload.name).suffix else upload.name
        source = Source(
            name=upload.name,
            file=f"{UPLOAD}/{stem}{sniffed.suffix}",
            kind=facts.kind,
            size_bytes=upload.length,
            media_type=sniffed.media_type,
        )
        return with_facts(source, facts)

    async def _of_store(self, uri: str) -> Source:
        """A source that lies in a store, as far as its header tells; it is brought when its turn comes."""
        place = allowed_place(uri, self.settings.allowed)
        version = await run_in_threadpool(locations.version_of, place)
        if version is None:
            raise Refused(422, "there is no such object", "check the address")
        if version.size_bytes > self.settings.limits.upload_bytes:
            raise Refused(413, "the object is larger than what may be uploaded", "choose a smaller one")
        glanced = await once((sys.executable, "-m", "studio.glance_process", str(place)), limit_s=_GLANCE_S)
        length_s = float(glanced["duration_s"])
        if length_s > self.settings.limits.duration_s:
            raise Refused(422, f"it lasts {length_s / 3600:.1f} hours", "cut it into parts")
        name = safe_name(locations.name(place))
        return Source(
            name=name,
            file=f"{UPLOAD}/{name}",
            kind="video",
            size_bytes=version.size_bytes,
            media_type="application/octet-stream",
            duration_s=round(length_s, 3),
        )

    async def _require_offered(self, order: ProjectOrder) -> None:
        """Whether this machine can make it: languages and voices that are installed."""
        offer = await self.offer.now()
        known = {each["code"]: each for each in (offer["targets"] if order.kind == "dub" else offer["spoken"])}
        for code in order.to:
            if code not in known:
                remedy = f"this machine offers: {', '.join(sorted(known)) or 'none'}"
                raise Refused(422, f"{code} is not offered here", remedy, field="to")
            if order.kind == "dub" and order.from_ is not None and order.from_ not in known[code]["from"]:
                remedy = f"into {code} it translates from: {', '.join(known[code]['from'])}"
                raise Refused(422, f"nothing here translates {order.from_} into {code}", remedy, field="from")
        for code, voice in order.voices:
            if voice not in {each["id"] for each in known[code]["voices"]}:
                raise Refused(422, f"the voice {voice} is not offered here", "choose another", field="voices")
        if order.lips not in (None, *(each["id"] for each in offer["lips"])):
            raise Refused(422, f"lips by {order.lips} are not offered here", "choose another", field="lips")

    async def _start(self, project: Project) -> Project:
        return await self.queue.enqueue(project, frozenset({"new"}))

    async def _resume(self, project: Project) -> Project:
        return await self.queue.enqueue(project, frozenset({"cancelled", "failed"}))

    async def _render(self, project: Project) -> Project:
        # A sheet that was mended was looked at: the run does not stop for that again.
        return await self.queue.enqueue(project, frozenset({"done", "failed", "cancelled"}), reviewed=True)

    def _changed(self, work: Callable[[Project], Awaitable[Project]]) -> Callable[[Request], Awaitable[Response]]:
        async def changed(request: Request) -> Response:
            return JSONResponse(await self._view(await work(self._project(request))))

        return changed

    def _project(self, request: Request) -> Project:
        return self.projects.get(request.state.user, request.path_params["id"])

    async def _view(self, project: Project) -> dict[str, Any]:
        progress, place = self.queue.progress.get(project.id), self.queue.place(project)
        return await run_in_threadpool(
            lambda: project_view(
                project,
                progress,
                place,
                retention_days=self.settings.limits.retention_days,
                shows_prefect=self.shows_prefect,
            )
        )


def _wanted(kind: Kind) -> Wanted:
    return "lecture" if kind == "dub" else "picture"
