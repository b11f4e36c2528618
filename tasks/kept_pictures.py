"""What a report shows, kept in the store: taken once of the same file, so a report written again decodes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from infra.media.peaks import Peaks
from infra.store import Store
from manifests.records import Blob
from manifests.time import Flicks
from tasks.illustrations import Shoot, Trace, shoot_stills, trace_sound
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class StillWork:
    """The frame on show at a time of a file, which its SHA-256 names."""

    file: str
    path: str = field(metadata={"key": False})
    at: Flicks


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceWork:
    """The peaks of an audio track of a file, `per_s` a second."""

    file: str
    path: str = field(metadata={"key": False})
    track: int
    per_s: float


def take_still(work: StillWork, store: Store) -> Blob:
    """A small JPEG."""
    (jpeg,) = shoot_stills(Path(work.path), (work.at,))
    return _put(jpeg, store)


def _put(jpeg: bytes, store: Store) -> Blob:
    with store.scratch() as folder:
        made = folder / "still.jpg"
        made.write_bytes(jpeg)
        return store.put(made)


def take_trace(work: TraceWork, store: Store) -> Blob:
    """An .npy of float32 (N,), 0..1."""
    with store.scratch() as folder:
        made = folder / "peaks.npy"
        np.save(made, trace_sound(Path(work.path), work.track, work.per_s), allow_pickle=False)
        return store.put(made)


STILL: Stage[StillWork, Blob] = Stage("still", 1, Blob, take_still)
TRACE: Stage[TraceWork, Blob] = Stage("trace", 1, Blob, take_trace)


def keeping(store: Store, files: Mapping[Path, str]) -> tuple[Shoot, Trace]:
    """Ways to take stills and peaks of `files` (path: SHA-256) that keep them in `store`."""

    def shoot(path: Path, times: Sequence[Flicks]) -> list[bytes]:
        works = [StillWork(file=files[path], path=str(path), at=at) for at in times]

        def shoot_missing(missing: Sequence[StillWork]) -> list[Blob]:
            return [
                _put(jpeg, store) for jpeg in shoot_stills(path, [each.at for each in missing])
            ]  # it is opened once

        kept = STILL.finish_together(works, store, shoot_missing)
        return [store.path(kept[each]).read_bytes() for each in works]

    def trace(path: Path, track: int, per_s: float) -> Peaks:
        kept = TRACE.perform(TraceWork(file=files[path], path=str(path), track=track, per_s=per_s), store)
        peaks: Peaks = np.load(store.path(kept.value), allow_pickle=False)
        return peaks

    return shoot, trace
