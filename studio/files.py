"""Files that the page may have: those of a project that the server itself listed, by their names, and the page's own.

What a request names is looked up among what is there, and is never made into a path.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from studio.answers import not_there
from studio.projects import Projects
from studio.records import Project
from studio.stills import FOLDER

PAGES = Path(__file__).parent / "pages"

_STILL = re.compile(r"[0-9]{9,12}\.[a-z]{2,8}\.jpg")
_TYPES = {
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "application/x-subrip; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".c2pa": "application/c2pa",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
# A report is a page of its own: its pictures are inside it, and its one script is named by its hash in a policy
# of the page's own, which holds beside this one. Sandboxed, it has no origin, and so none of the studio's rights.
_REPORT_POLICY = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        "script-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
_INERT = "sandbox; default-src 'none'"
_CACHED = {"cache-control": "private, no-cache"}


@dataclass(slots=True)
class FileDesk:
    """Hands out files: with ranges and ETags, as an attachment where `?download` asks for one."""

    projects: Projects

    def routes(self) -> list[Route]:
        """The routes of media, and of the page's own files."""
        return [
            Route("/media/{id}/stills/{name}", self.still, methods=["GET"]),
            Route("/media/{id}/{name}", self.media, methods=["GET"]),
            Route("/assets/{name}", self.asset, methods=["GET"]),
            Route("/login", self.login, methods=["GET"]),
            Route("/", self.page, methods=["GET"]),
        ]

    async def media(self, request: Request) -> Response:
        """A project's source, its recording, or a file of its results."""
        project = self._project(request)
        name = request.path_params["name"]
        found = files_of(project).get(name)
        if found is None:
            raise not_there()
        place, shown, media_type = found
        path = self.projects.place(project) / place
        if not await run_in_threadpool(path.is_file):
            raise not_there()
        headers = {**_CACHED, "content-security-policy": _REPORT_POLICY if path.suffix == ".html" else _INERT}
        if "download" in request.query_params or path.suffix in (".csv", ".c2pa", ".srt"):
            headers["content-disposition"] = f"attachment; filename*=utf-8''{quote(shown, safe='')}"
        return FileResponse(path, media_type=media_type, headers=headers)

    async def still(self, request: Request) -> Response:
        """A still of a project's run."""
        project, name = self._project(request), request.path_params["name"]
        path = self.projects.place(project) / FOLDER / name
        if not _STILL.fullmatch(name) or not await run_in_threadpool(path.is_file):
            raise not_there()
        return FileResponse(path, media_type="image/jpeg", headers=_CACHED)

    async def asset(self, request: Request) -> Response:
        """A file of the page."""
        name = request.path_params["name"]
        if name not in await run_in_threadpool(_assets):
            raise not_there()
        return _own(PAGES / name)

    async def page(self, _: Request) -> Response:
        """The page."""
        return _own(PAGES / "index.html")

    async def login(self, _: Request) -> Response:
        """The page on which people log in."""
        return _own(PAGES / "login.html")

    def _project(self, request: Request) -> Project:
        return self.projects.get(request.state.user, request.path_params["id"])


def files_of(project: Project) -> Mapping[str, tuple[str, str, str]]:
    """What may be had of a project, by the name in its address: place below its folder, name to keep it by, type."""
    found = {"source": (project.source.file, project.source.name, project.source.media_type)}
    if project.audio is not None:
        found["audio"] = (project.audio.file, project.audio.name, project.audio.media_type)
    for result in project.results:
        for each in result.files:
            found[each.name] = (each.place, each.name, type_of(each.name))
    return found


def type_of(name: str) -> str:
    """The media type of a file by its suffix; bytes for what is not known."""
    suffix = Path(name).suffix.lower()
    return _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


@cache
def _assets() -> frozenset[str]:
    return frozenset(path.name for path in PAGES.iterdir() if path.is_file())


def _own(path: Path) -> Response:
    if not path.is_file():
        raise not_there()
    return FileResponse(path, media_type=type_of(path.name), headers={"cache-control": "no-cache"})
