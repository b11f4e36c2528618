"""Rendering: the groups of pictures that show a new mouth, each run of them by itself; the others are never touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.media.splice import (
    GroupOfPictures,
    GroupPlan,
    GroupRun,
    groups_to_render,
    reencode_picture,
    render_run,
)
from infra.media.splice import RenderSettings as EncoderSettings
from infra.store import Store
from manifests.records import Blob, SyncedChunk, Video
from manifests.time import Flicks, Span, flicks, merge
from tasks.library import SpeakerLibrary
from tasks.painting import painter
from tasks.pool import Pending, Pool
from tasks.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """How rendered groups are encoded, and how long a run of them may be: a long one is worked on in pieces."""

    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    max_run_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderWork:
    """One run of groups, and the mouths that show in it. `run` None stands for the whole picture."""

    video: Video
    plan: GroupPlan = field(metadata={"key": False})  # follows from the video
    run: GroupRun | None
    mouths: tuple[Blob, ...]
    libraries: tuple[SpeakerLibrary, ...]
    settings: RenderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedRun:
    """A run as rendered; `run` None where the whole picture was."""

    run: GroupRun | None
    picture: Blob
    frame_count: int


def render(work: RenderWork, store: Store) -> RenderedRun:
    """Decode the run, put the new mouths in, encode it to match the source."""
    change = painter(work.mouths, work.libraries, store)
    source = Path(work.video.uri)
    with store.scratch() as folder:
        if work.run is None:
            file = folder / "picture.mp4"
            count = reencode_picture(source, change, file, work.settings.encoder)
        else:
            file = folder / "run.nut"
            count = render_run(source, work.plan, work.run, change, file, work.settings.encoder)
        return RenderedRun(run=work.run, picture=store.put(file), frame_count=count)


RENDER: Stage[RenderWork, RenderedRun | None] = Stage("render", 3, RenderedRun | None, render)


def split_runs(groups: Sequence[GroupOfPictures], runs: Sequence[GroupRun], longest: Flicks) -> list[GroupRun]:
    """The same groups in runs of at most `longest` where their closed groups allow it, in order."""
    pieces = []
    for run in runs:
        first = run.first
        for at in range(run.first + 1, run.end):
            if groups[at].closed and groups[at].span.end - groups[first].span.start > longest:
                pieces.append(_run_of(groups, first, at))
                first = at
        pieces.append(_run_of(groups, first, run.end))
    return pieces


def _run_of(groups: Sequence[GroupOfPictures], first: int, end: int) -> GroupRun:
    return GroupRun(first=first, end=end, span=Span.hull(group.span for group in groups[first:end]))


def submit_runs(
    video: Video,
    plan: GroupPlan,
    synced: Sequence[SyncedChunk],
    libraries: tuple[SpeakerLibrary, ...],
    settings: RenderSettings,
    language: str,
    pool: Pool,
) -> Pending[RenderedRun | None] | None:
    """Hand over every run that shows a new mouth; the whole picture where it cannot be spliced; None for nothing.

    A run that cannot be rendered comes to None: its pictures stay as they are.
    """
    if plan.obstacle is not None:
        mouths = tuple(chunk.mouths for chunk in synced if chunk.mouths is not None)
        whole = RenderWork(video=video, plan=plan, run=None, mouths=mouths, libraries=libraries, settings=settings)
        return pool.submit(RENDER, [whole], [video.span], language=language)
    changed = merge(span for chunk in synced if chunk.mouths is not None for span in chunk.changed)
    runs = split_runs(plan.groups, groups_to_render(plan.groups, changed), flicks(settings.max_run_s))
    if not runs:
        return None
    work = [
        RenderWork(
            video=video,
            plan=plan,
            run=run,
            mouths=tuple(
                chunk.mouths
                for chunk in synced
                if chunk.mouths is not None and any(span.overlaps(run.span) for span in chunk.changed)
            ),
            libraries=libraries,
            settings=settings,
        )
        for run in runs
    ]
    return pool.submit(RENDER, work, [run.span for run in runs], language=language, instead=_not_rendered)


def _not_rendered(work: RenderWork) -> None:
    """The run's own pictures stay."""
