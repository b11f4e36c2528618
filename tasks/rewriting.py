"""Lips by rewriting: each new frame's mouth is one that the speaker has made, brought to the shape that is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.store import Store
from manifests.records import Chunk, FaceTrack, MeshTrack
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks
from models.articulation import engines
from models.articulation.contract import SAMPLE_RATE
from models.articulation.retarget import mouths_of
from models.faces.smoothing import smooth
from models.rewrite.library import face_size_px
from models.rewrite.path import PathSettings, blends, choose
from tasks.arrays import get_arrays
from tasks.library import OpenLibrary, SpeakerLibrary, angles_rad, open_library, usable
from tasks.moments import runs, within

_RAMP_S = 0.12
"""Time in which a mouth goes from rest to speech and back."""
_AROUND_S = 0.22
"""A mouth opens this long before it is heard, and closes this long after."""
_QUIET_DB = 40.0
"""Sound this far below the loudest of the chunk is silence between words, not speech."""
_STEADY_S = 0.16
"""Landmarks tremble by a few tenths of a pixel; where a mouth is laid must not. A line over this window has no lag."""
_MANNER_S = 1.2
"""What of a mouth its shape does not tell (a turned head, a crooked smile) changes no faster than this."""
_LEAST_RUN_S = 0.2
"""Stretches of usable frames shorter than this are not worth a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteSettings:
    """`barred_s`: source frames nearer than this to the frame they would change are not used (0 bars none).

    Barring is for measurement: with the speaker's own sound, the best mouth for a frame is the frame itself.
    """

    path: PathSettings = PathSettings()  # noqa: RUF009 - frozen
    barred_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """The dubbed sound of a chunk, in which somebody speaks in `heard`; `waveform` (mono, 16 kHz) begins with it."""

    waveform: npt.NDArray[np.float32]
    heard: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Rewritten:
    """Frames to change, and spans of the wanted ones that had to be left alone."""

    arrays: dict[str, npt.NDArray[Any]]
    left_alone: tuple[Span, ...]


def rewrite(
    chunk: Chunk,
    faces: Sequence[tuple[FaceTrack, MeshTrack, tuple[Span, ...]]],
    libraries: Sequence[SpeakerLibrary],
    speech: Speech,
    max_yaw_rad: float,
    settings: RewriteSettings,
    store: Store,
) -> Rewritten:
    """The recipe for every frame of `faces` (face, its meshes, the spans to change in it), for `tasks.painting`.

    Rows of different faces follow each other; `library` counts in `libraries`.
    """
    index_of = {library.identity: index for index, library in enumerate(libraries)}
    opened: dict[int, OpenLibrary] = {}
    parts: list[dict[str, npt.NDArray[Any]]] = []
    left_alone: list[Span] = []
    for face, mesh, spans in faces:
        meshes = get_arrays(store, mesh.meshes)
        wanted = within(meshes["time"], spans)
        shown, poses = usable(engines.mouth_model(), meshes, max_yaw_rad)
        fit = wanted & _long_enough(meshes["time"], shown)
        number = index_of.get(face.identity or face.id)
        if number is None:
            left_alone.extend(_spans(meshes["time"], wanted))
            continue
        if number not in opened:
            opened[number] = open_library(libraries[number], store)
        if settings.barred_s > 0:
            times, (before, after) = opened[number].frames.times, _barred(meshes["time"], settings).T
            fit &= (times[0] < before) | (times[-1] >= after)
        left_alone.extend(_spans(meshes["time"], wanted & ~fit))
        if not fit.any():
            continue
        rows = {name: array[fit] for name, array in meshes.items()}
        part = _recipe(chunk, rows, angles_rad(poses)[fit], opened[number], speech, settings)
        part["library"] = np.full(int(fit.sum()), number, np.int32)
        parts.append(part)
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    return Rewritten(arrays=arrays, left_alone=tuple(left_alone))


def _recipe(
    chunk: Chunk,
    meshes: dict[str, npt.NDArray[Any]],
    angles: npt.NDArray[np.float32],
    library: OpenLibrary,
    speech: Speech,
    settings: RewriteSettings,
) -> dict[str, npt.NDArray[Any]]:
    articulator = engines.load()
    model = articulator.mouth
    times = meshes["time"]
    points = smooth(times, meshes["points"], _STEADY_S)
    times_s = (times - chunk.span.start) / FLICKS_PER_SECOND
    heard = articulator.listen(speech.waveform, times_s)
    voiced = voicing(speech, chunk, times)
    poses = model.poses(points)
    own = model.mouths(points, poses)
    told = library.speaker.mean + np.pad(
        model.offsets(model.shapes(own, library.speaker.mean)), ((0, 0), (0, 0), (0, 1))
    )
    manner = smooth(times, own - told, _MANNER_S)
    shapes, mouths = mouths_of(model, library.speaker, heard, voiced, manner)
    wanted = np.stack([pose.to_picture(mouth)[:, :2] for pose, mouth in zip(poses, mouths, strict=True)])
    breaks = np.ones(len(times), np.bool_)
    if len(times) > 1:
        steps = np.diff(times)
        breaks[1:] = steps > 1.5 * np.median(steps)
    barred = _barred(times, settings) if settings.barred_s > 0 else None
    rows = choose(
        shapes * model.visibility,
        angles,
        breaks,
        library.frames,
        settings.path,
        barred=barred,
        wanted_sizes_px=face_size_px(points),
        wanted_light=meshes["light"],
    )
    mixed = blends(rows, breaks, library.frames)
    other = np.array([each.other for each in mixed], np.int32)
    share = np.array([each.share for each in mixed], np.float32)
    if barred is not None:
        source = library.frames.times[other]
        share[(source >= barred[:, 0]) & (source < barred[:, 1])] = 0
    return {
        "time": times,
        "points": points,
        "wanted": wanted.astype(np.float32),
        "row": rows.astype(np.int32),
        "other": other,
        "share": share,
    }


def _barred(times: npt.NDArray[np.int64], settings: RewriteSettings) -> npt.NDArray[np.int64]:
    """(T, 2) the times, half-open, of the source frames that each of the frames at `times` may not use."""
    reach = flicks(settings.barred_s)
    return np.stack([times - reach, times + reach + 1], axis=1)


def voicing(speech: Speech, chunk: Chunk, times: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """How far the voice speaks at each of `times` (N,), 0..1: within `heard`, not silent, with soft edges."""
    step = SAMPLE_RATE // 100
    blocks = len(speech.waveform) // step
    if not blocks:
        return np.zeros(len(times), np.float32)
    power = (speech.waveform[: blocks * step].reshape(blocks, step) ** 2).mean(axis=1)
    level_db = 10 * np.log10(power + 1e-12)
    loud = level_db > level_db.max() - _QUIET_DB
    at = chunk.span.start + (np.arange(blocks) * step + step // 2) * (FLICKS_PER_SECOND // SAMPLE_RATE)
    loud &= within(at, [span.widen(flicks(0.02)) for span in speech.heard])
    # So pauses within a phrase are no rest either.
    width = round(_RAMP_S * 100)
    closed = _dilated(loud, round(_AROUND_S * 100)) if loud.any() else loud
    kernel = np.hanning(2 * width + 3)[1:-1]
    soft = np.convolve(closed.astype(np.float64), kernel / kernel.sum(), mode="same")
    return np.interp(times, at, soft).astype(np.float32)


def _dilated(flags: npt.NDArray[np.bool_], reach: int) -> npt.NDArray[np.bool_]:
    count = np.convolve(flags.astype(np.int64), np.ones(2 * reach + 1, np.int64), mode="same")
    return np.asarray(count > 0)


def _long_enough(times: npt.NDArray[np.int64], shown: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """`shown` without its runs that are too short."""
    kept = shown.copy()
    for first, end in runs(shown):
        if times[end - 1] - times[first] < flicks(_LEAST_RUN_S) and end - first < len(times):
            kept[first:end] = False
    return kept


def _spans(times: npt.NDArray[np.int64], flags: npt.NDArray[np.bool_]) -> list[Span]:
    """The stretches of `times` at which `flags` holds."""
    step: Flicks = int(np.median(np.diff(times))) if len(times) > 1 else 1
    return [Span(int(times[first]), int(times[end - 1]) + step) for first, end in runs(flags)]
