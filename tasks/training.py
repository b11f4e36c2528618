"""Training of the lip-sync networks on folders of shards: what is checked first, and taking up a run that stopped."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.files import no_space_told, require_writable
from manifests.errors import BadInput, MissingWeights
from models.training import config
from models.training.config import ExpertSettings, LipsyncSettings, Settings

if TYPE_CHECKING:
    from models.training.lipsync import FrozenExpert
    from models.training.loop import Trainee, Watcher
    from models.training.runs import Progress
    from models.training.shards import ClipRef, Shards
    from tasks.dataset import Report

_HELD_OUT_EVERY = 20
"""Where no clip is set apart for validation, about one of so many is."""
_LEAST_CLIPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person may say of a training: a preset's name, and what is to be other than in it (None: as there).

    `batch` counts clips for the expert, windows for the generator.
    """

    preset: str = "cpu"
    minutes: float | None = None
    steps: int | None = None
    batch: int | None = None
    width: float | None = None
    seed: int | None = None
    learning_rate: float | None = None
    threads: int | None = None


def expert_settings(options: Options) -> ExpertSettings:
    """The expert's settings; BadInput for an unknown preset."""
    settings = config.preset(config.EXPERT_PRESETS, options.preset)
    if options.batch is not None:
        settings = dataclasses.replace(settings, clips=options.batch)
    return _chosen(settings, options)


def lipsync_settings(options: Options) -> LipsyncSettings:
    """The generator's settings; BadInput for an unknown preset."""
    settings = config.preset(config.LIPSYNC_PRESETS, options.preset)
    if options.batch is not None:
        settings = dataclasses.replace(settings, windows=options.batch)
    return _chosen(settings, options)


def _chosen(settings: Settings, options: Options) -> Settings:
    schedule = settings.schedule
    if options.minutes is not None or options.steps is not None:
        schedule = dataclasses.replace(schedule, minutes=options.minutes, steps=options.steps)
    schedule = dataclasses.replace(
        schedule,
        learning_rate=schedule.learning_rate if options.learning_rate is None else options.learning_rate,
        threads=schedule.threads if options.threads is None else options.threads,
    )
    return dataclasses.replace(
        settings,
        width=settings.width if options.width is None else options.width,
        seed=settings.seed if options.seed is None else options.seed,
        schedule=schedule,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """How a run stands: `step` steps done, `finished` or stopped; its folder and, once validated, its best weights."""

    folder: Path
    step: int
    finished: bool
    best_step: int | None
    best: Path | None


def train_expert(
    data: Path, out: Path, settings: ExpertSettings, watcher: Watcher, *, start: Path | None = None
) -> TrainingRecord:
    """Train a sync expert on the shards in `data` into the folder of a run `out`, or go on with the run there.

    `start` are weights to begin from. BadInput where data, settings and folder do not go together.
    """
    shards = _open(data)
    _require_agreement(out, settings)
    training, held_out = split_clips(shards.clips, data)
    from models.training.expert import ExpertTrainee
    from models.wav2lip.checkpoint import read_expert

    begun = None if start is None else read_expert(start)
    if begun is not None:
        _require_same_size(begun.config.width, begun.config.face_px, settings, start)
    trainee = ExpertTrainee(shards, training, held_out, settings, start=begun)
    return _train(out, trainee, settings, watcher, data, start)


def train_lipsync(
    data: Path,
    out: Path,
    settings: LipsyncSettings,
    watcher: Watcher,
    *,
    expert: Path | None = None,
    start: Path | None = None,
) -> TrainingRecord:
    """Train a generator on the shards in `data` into the folder of a run `out`, or go on with the run there.

    `expert` are the weights of the expert that gives the sync loss, by default the one that ships; `start` those to
    begin from. BadInput where data, weights, settings and folder do not go together; MissingWeights where the
    perceptual loss has no network.
    """
    shards = _open(data)
    from models.training.lipsync import LipsyncTrainee
    from models.wav2lip.checkpoint import read_generator

    listener = _listener(expert, settings)
    begun = None if start is None else read_generator(start)
    if begun is not None:
        _require_same_size(begun.config.width, begun.config.face_px, settings, start)
    _require_agreement(out, settings)
    training, held_out = split_clips(shards.clips, data)
    trainee = LipsyncTrainee(shards, training, held_out, settings, listener, start=begun)
    return _train(out, trainee, settings, watcher, data, start)


def adapt(
    lecture: Path,
    out: Path,
    options: Options,
    watcher: Watcher,
    report: Report,
    *,
    expert: Path | None = None,
    start: Path | None = None,
) -> TrainingRecord:
    """Specialise a generator on the speakers of `lecture`: data in `out`/data, the run in `out`/run.

    `start` are the weights to begin from, by default those that redub dubs with. `report` is told of the data's making
    (see `tasks.dataset`). BadInput where too little of the lecture shows a face that speaks; MissingWeights.
    """
    from models.lipsync.engines import source_of
    from models.wav2lip.checkpoint import read_generator
    from tasks.dataset import DatasetSettings, prepare

    start = source_of("wav2lip")[0] if start is None else start
    begun = read_generator(start).config
    settings = dataclasses.replace(
        lipsync_settings(dataclasses.replace(options, width=begun.width)),
        arrangement=begun.arrangement,
        attention=begun.attention,
        face_px=begun.face_px,
    )
    _listener(expert, settings)
    data = out / "data"
    prepared = prepare(lecture, data, DatasetSettings(jobs=max(1, options.threads or 1)), report)
    if len(prepared.kept) < _LEAST_CLIPS:
        reasons = sorted({clip.reason for clip in prepared.clips if not clip.kept and clip.reason})
        raise BadInput(
            f"only {len(prepared.kept)} stretches of it show a face that speaks ({'; '.join(reasons) or 'too short'}).",
            where=str(lecture),
            remedy=f"Give a recording that shows the speaker's face for longer; {data / 'clips.parquet'} says more.",
        )
    return train_lipsync(data, out / "run", settings, watcher, expert=expert, start=start)


def _listener(expert: Path | None, settings: LipsyncSettings) -> FrozenExpert | None:
    """The expert that gives the sync loss; BadInput where there is none, or where it judges faces of another size."""
    if expert is None and not settings.sync_weight:
        return None
    from models.metrics.sync_confidence import expert_checkpoint
    from models.training.lipsync import frozen_expert

    try:
        path = expert_checkpoint() if expert is None else expert
    except MissingWeights as missing:
        raise BadInput(
            "the sync loss needs a trained expert.",
            where="--expert",
            remedy="Train one: redub train expert DATA --out runs/expert; then --expert runs/expert/best.safetensors.",
        ) from missing
    listener = frozen_expert(path)
    if listener.network.config.face_px != settings.face_px:
        raise BadInput(
            f"this expert judges faces of {listener.network.config.face_px} pixels, not {settings.face_px}.",
            where=str(path),
            remedy="Train an expert for that size first.",
        )
    return listener


def split_clips(clips: Sequence[ClipRef], data: Path) -> tuple[list[ClipRef], list[ClipRef]]:
    """The clips to train on, and those to validate on: by their split, else some of those to train on, by name.

    Clips of the split "test" are in neither. BadInput where nothing is left to train or to validate on.
    """
    training = [clip for clip in clips if clip.split == "train"]
    held_out = [clip for clip in clips if clip.split == "validation"]
    if not held_out:
        ordered = sorted(training, key=lambda clip: hashlib.sha256(clip.name.encode()).digest())
        held_out = ordered[: max(1, len(ordered) // _HELD_OUT_EVERY)] if len(ordered) > 1 else []
        names = {(clip.shard, clip.index) for clip in held_out}
        training = [clip for clip in training if (clip.shard, clip.index) not in names]
    if not training or not held_out:
        raise BadInput(
            f"{len(training)} clips to train on and {len(held_out)} to validate on: one of each is needed at least.",
            where=str(data),
            remedy="Prepare more clips: redub data prepare.",
        )
    return training, held_out


def _open(data: Path) -> Shards:
    from models.training.shards import open_shards

    try:
        return open_shards(data)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(
            "there are no shards of training data here.", where=str(data), remedy="Make some: redub data prepare."
        ) from error


def _require_agreement(out: Path, settings: Settings) -> None:
    """BadInput where `out` holds other things, or a run that was begun with other settings."""
    from models.training.runs import SETTINGS, read_progress

    kept = out / SETTINGS
    if not kept.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise BadInput(
                "the folder holds other things.", where=str(out), remedy="Train into a folder of its own: --out."
            )
        return
    try:
        before = config.from_json(type(settings), kept.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(
            "a run of another kind lies here.", where=str(out), remedy="Train into another folder: --out."
        ) from error
    changed = config.differences(before, settings)
    if changed and read_progress(out) is not None:
        name, (was, now) = next(iter(changed.items()))
        raise BadInput(
            f"the run here was begun with {name} {was!r}, not {now!r}.",
            where=str(out),
            remedy="Give the same options to go on with it, or another --out to begin a new one.",
        )


def _require_same_size(width: float, face_px: int, settings: Settings, start: Path | None) -> None:
    if (width, face_px) != (settings.width, settings.face_px):
        raise BadInput(
            f"the weights are of width {width:g} for {face_px} px, not {settings.width:g} for {settings.face_px}.",
            where=str(start),
            remedy=f"Give --width {width:g}, or leave --init out.",
        )


def _train(
    out: Path, trainee: Trainee[Any], settings: Settings, watcher: Watcher, data: Path, start: Path | None
) -> TrainingRecord:
    from models.training.loop import train
    from models.training.runs import SETTINGS

    require_writable(out.absolute())
    with no_space_told(out):
        out.mkdir(parents=True, exist_ok=True)
        config.save(settings, out / SETTINGS)
    about = {
        "data": data.absolute().name,
        "seed": str(settings.seed),
        "settings": config.to_json(settings),
        **({} if start is None else {"start": start.name}),
    }
    return _record(out, train(out, trainee, settings.schedule, watcher, about))


def _record(out: Path, progress: Progress) -> TrainingRecord:
    from models.training.runs import BEST

    best = out / BEST
    return TrainingRecord(
        folder=out,
        step=progress.step,
        finished=progress.finished,
        best_step=progress.best_step,
        best=best if best.is_file() else None,
    )
