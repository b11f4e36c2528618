"""The offer: what this machine can dub, with the limits of this studio; asked of a process, and kept for a while."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.places import cache_folder
from studio.helper import once
from studio.settings import Settings

_FRESH_S = 600.0
_LIMIT_S = 120.0


@dataclass(slots=True)
class Offer:
    """Keeps what the process said for ten minutes: weights may be brought while the studio stands."""

    settings: Settings
    prefect_page: str | None
    _found: dict[str, Any] | None = None
    _found_s: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def now(self) -> dict[str, Any]:
        """The offer as the page gets it. Unavailable where the process does not answer."""
        async with self._turn:
            if self._found is None or time.monotonic() - self._found_s > _FRESH_S:
                self._found = await once((sys.executable, "-m", "studio.offer_process"), limit_s=_LIMIT_S)
                self._found_s = time.monotonic()
        limits = self.settings.limits
        return {
            **self._found,
            "machine": self._found["machine"] | {"free_bytes": await asyncio.to_thread(_free_bytes)},
            "limits": {
                "upload_bytes": limits.upload_bytes,
                "owner_bytes": limits.owner_bytes,
                "duration_s": limits.duration_s,
                "pixels": limits.pixels,
                "text_characters": limits.text_characters,
                "retention_days": limits.retention_days,
            },
            "s3_prefixes": [str(each) for each in self.settings.allowed],
            "prefect_page": self.prefect_page,
        }

    def route(self) -> Route:
        """The route of the offer."""
        return Route("/api/offer", self._show, methods=["GET"])

    async def _show(self, _: Request) -> Response:
        return JSONResponse(await self.now())

    async def voice(self, voice_id: str) -> dict[str, Any] | None:
        """The voice of that id, with its `language`, where it is offered."""
        for target in (await self.now())["spoken"]:
            for each in target["voices"]:
                if each["id"] == voice_id:
                    return {**each, "language": target["code"]}
        return None


def _free_bytes() -> int:
    folder = cache_folder()
    return shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
