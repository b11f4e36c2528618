"""Stills of a run: the picture as it was, and as it is with new lips, as soon as a piece of it is rendered.

They are taken in a thread beside the run, one at a time, and a still that cannot be taken is none: nothing waits for
them and nothing fails by them.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.files import published
from manifests.errors import RedubError
from manifests.time import FLICKS_PER_SECOND, Span
from studio import events
from tasks.journal import Entry

if TYPE_CHECKING:
    from infra.media.pixels import Rgb
    from infra.store import Store

FOLDER = "stills"
_WIDTH_PX = 480
_AT_FIRST = 4
_MOST_RENDERED = 16
_QUALITY = 80
_PATIENCE_S = 20.0

Work = Callable[[], None]


@dataclass(slots=True)
class Stills:
    """Takes stills for the project in `folder`; `url` begins the address of its files on the page."""

    folder: Path
    url: str
    source: Path
    store: Store
    _rendered: int = 0
    _work: queue.Queue[Work | None] = field(default_factory=lambda: queue.Queue(maxsize=64))
    _thread: threading.Thread | None = None

    def begin(self, duration_s: float) -> None:
        """Start, with some pictures of the source."""
        self._thread = threading.Thread(target=self._take_all, name="stills", daemon=True)
        self._thread.start()
        for index in range(_AT_FIRST):
            at_s = duration_s * (index + 0.5) / _AT_FIRST
            self._put(lambda at_s=at_s: self._of_source(at_s))  # type: ignore[misc]

    def piece(self, entry: Entry) -> None:
        """A piece of the run is done: where it was rendered, its middle is shown, beside the source's."""
        if entry.stage == "render" and self._rendered < _MOST_RENDERED:
            self._rendered += 1
            self._put(lambda: self._of_rendered(entry))

    def end(self) -> None:
        """Wait a moment for those that are under way."""
        if self._thread is not None:
            with suppress(queue.Full):
                self._work.put(None, timeout=_PATIENCE_S)
            self._thread.join(_PATIENCE_S)

    def _put(self, work: Work) -> None:
        with suppress(queue.Full):
            self._work.put_nowait(work)

    def _take_all(self) -> None:
        while (work := self._work.get()) is not None:
            with suppress(RedubError, OSError, ValueError, KeyError, TypeError):
                work()

    def _of_source(self, at_s: float) -> None:
        from infra.media.frames import frame_at

        _, rgb = frame_at(self.source, round(at_s * FLICKS_PER_SECOND), width=_WIDTH_PX)
        self._show(rgb, at_s, "before", None)

    def _of_rendered(self, entry: Entry) -> None:
        from infra.media.frames import frame_at, read_frames

        outcome = self.store.recall(entry.stage, entry.key)
        if outcome is None:
            return
        picture, run = _picture_of(json.loads(outcome), self.store)
        count, middle = 0, None
        span = run or entry.span
        half = (span.end - span.start) // 2
        for moment, rgb in read_frames(picture, width=_WIDTH_PX):
            middle, count = rgb, count + 1
            if moment >= half:
                break
        if middle is None:
            return
        at = (span.start + span.end) // 2
        with suppress(RedubError):
            _, before = frame_at(self.source, at, width=_WIDTH_PX)
            self._show(before, at / FLICKS_PER_SECOND, "before", None)
        self._show(middle, at / FLICKS_PER_SECOND, "after", entry.language)

    def _show(self, rgb: Rgb, at_s: float, kind: str, language: str | None) -> None:
        from PIL import Image

        name = f"{round(at_s * 1000):09d}.{language or 'source'}.jpg"
        target = self.folder / FOLDER / name
        if kind == "after" or not target.exists():
            with published(target) as draft:
                Image.fromarray(rgb).save(draft, "JPEG", quality=_QUALITY, optimize=True)
        data: dict[str, Any] = {
            "url": f"{self.url}/{FOLDER}/{name}",
            "time_s": round(at_s, 3),
            "kind": kind,
            "language": language,
        }
        events.append(self.folder, "still", data)


def _picture_of(outcome: dict[str, Any], store: Store) -> tuple[Path, Span | None]:
    """The file of a rendered run, and where in the lecture it is; None where it is the whole picture."""
    from manifests.records import Blob

    run = outcome["run"]
    span = None if run is None else Span(int(run["span"]["start"]), int(run["span"]["end"]))
    return store.path(Blob(**outcome["picture"])), span
