"""Training data from talking videos: shards of face crops and sound, and a manifest of what became of each clip.

Work is done shard by shard, each a fixed run of stretches of the source in their order. A shard appears whole or not at
all, with the key of what it was made from; a shard that is there with that key is not made again. So the same command,
run again after an interruption, does what is left, and ends with the same bytes.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for_end
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from infra.files import no_space_told, published, require_writable
from infra.media.probe import inspect
from manifests.errors import BadInput, MissingWeights, NoSpace, RedubError
from manifests.keys import fingerprint
from manifests.tables import read_table, write_table
from manifests.time import Span, flicks
from manifests.training import TrainingClip
from models import weights
from models.faces import engines as face_engines
from models.training.shards import PREFIX, UNFINISHED, ShardWriter, shard_folder
from tasks.clips import ClipSettings, Outcome, Stretch, prepare_clips
from tasks.layouts import LAYOUTS, Layout, SourceClip, find_clips
from tasks.splits import Split, split_speakers

MANIFEST_FILE = "clips.parquet"
_KEY_FILE = "key"
_VERSION = 1
"""To be raised when the same clip comes to give another shard."""

_USUAL_CLIP_S = 3.0

Report = Callable[[str, int, int], None]
"""Told of progress: what is done ("looking" or "preparing"), how many stretches are done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSettings:
    """How training data is made.

    `layout` is how the corpus is laid out, None to find out. `limit` takes that many of its clips, evenly spread.
    Videos of a plain folder longer than `longest_clip_s` are taken in stretches of that length, and every face in them
    that speaks, and so is a source that is one video, in stretches of `stretch_s`; all others must show a single face.
    `validation` and `test` are shares of the speakers, or of the clips where all have one speaker. A shard holds about
    `shard_s` of source. `jobs` processes share the work, with no influence on the result.
    """

    clip: ClipSettings = field(default_factory=ClipSettings)
    layout: Layout | None = None
    limit: int | None = None
    longest_clip_s: float = 60.0
    stretch_s: float = 20.0
    validation: float = 0.05
    test: float = 0.05
    shard_s: float = 150.0
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.layout is not None and self.layout not in LAYOUTS:
            raise BadInput(f"{self.layout!r} is no layout.", where="--layout", remedy=f"Use one of {LAYOUTS}.")
        if self.limit is not None and self.limit < 1:
            raise BadInput("at least one clip must be taken.", where="--limit")
        if self.jobs < 1:
            raise BadInput("at least one process must work.", where="--jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was made: `clips` as in the manifest, in `folder`; `layout` as given or found."""

    folder: Path
    layout: Layout
    clips: tuple[TrainingClip, ...]
    shards_made: int
    shards_found: int

    @property
    def kept(self) -> tuple[TrainingClip, ...]:
        """The clips that lie in a shard."""
        return tuple(clip for clip in self.clips if clip.kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A stretch with its name and place in the data set. `content` tells files apart: sizes and times of change."""

    name: str
    path: str
    stretch: Stretch
    speaker: str
    split: Split
    split_by: str
    weight: float
    content: tuple[str, ...]

    @property
    def key(self) -> tuple[object, ...]:
        return (
            self.name,
            self.path,
            self.stretch.span,
            self.stretch.single,
            self.stretch.uncut,
            self.speaker,
            self.split,
            self.content,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ShardWork:
    number: int
    folder: Path
    pieces: tuple[_Piece, ...]
    settings: ClipSettings
    key: str

    def finished(self) -> bool:
        key_file = self.folder / _KEY_FILE
        return key_file.is_file() and key_file.read_text(encoding="utf-8") == self.key


def prepare(source: Path, out: Path, settings: DatasetSettings, report: Report) -> Prepared:
    """Make training data of `source` (a corpus, a folder of videos, or one video) in the folder `out`.

    What another run left unfinished there is finished; shards of other sources or settings are replaced. The manifest
    is written last. BadInput where `source` holds no video, or another run works on `out`; MissingWeights; NoSpace.
    What is wrong with a clip is written beside it in the manifest.
    """
    layout, clips = find_clips(source, settings.layout)
    require_writable(out.absolute())
    revisions = tuple(weights.revision(name) for name in (*face_engines.weights_of(settings.clip.detector), "facemesh"))
    for name in (*face_engines.weights_of(settings.clip.detector), "facemesh"):
        weights.locate(name)
    with no_space_told(out):
        out.mkdir(parents=True, exist_ok=True)
        with _alone_in(out):
            pieces = _pieces(source, _spread(clips, settings.limit), layout, settings, report)
            works = _shards(out, pieces, settings, revisions)
            return _run(out, layout, works, settings, report)


def _run(out: Path, layout: Layout, works: Sequence[_ShardWork], settings: DatasetSettings, report: Report) -> Prepared:
    missing = [work for work in works if not work.finished()]
    manifest = out / MANIFEST_FILE
    if missing:
        manifest.unlink(missing_ok=True)
    _clear(out, len(works))
    total = sum(len(work.pieces) for work in works)
    found = total - sum(len(work.pieces) for work in missing)
    report("preparing", found, total)

    def told(done: int) -> None:
        report("preparing", found + done, total)

    if settings.jobs == 1 or len(missing) <= 1:
        done = 0
        for work in missing:
            for _ in _make(work):
                done += 1
                told(done)
    else:
        _make_in_processes(missing, min(settings.jobs, len(missing)), told)
    rows = [row for work in works for row in read_table(TrainingClip, work.folder / MANIFEST_FILE)]
    with published(manifest) as draft:
        write_table(rows, TrainingClip, draft)
    return Prepared(
        folder=out,
        layout=layout,
        clips=tuple(rows),
        shards_made=len(missing),
        shards_found=len(works) - len(missing),
    )


def _spread(clips: Sequence[SourceClip], limit: int | None) -> list[SourceClip]:
    """`limit` of `clips`, evenly spread over them, so that a few of a corpus show many of its speakers."""
    if limit is None or limit >= len(clips):
        return list(clips)
    return [clips[index * len(clips) // limit] for index in range(limit)]


def _pieces(
    source: Path, clips: Sequence[SourceClip], layout: Layout, settings: DatasetSettings, report: Report
) -> list[_Piece]:
    """The stretches that `clips` are taken in, in order."""
    root = source.parent if source.is_file() else source
    cut: list[tuple[SourceClip, str, Stretch, float]] = []
    for index, clip in enumerate(clips):
        if layout == "folder":
            report("looking", index, len(clips))
            spans = _spans(clip.picture, settings.stretch_s if source.is_file() else settings.longest_clip_s)
        else:
            spans = [None]
        single = spans == [None] and not source.is_file()
        for number, span in enumerate(spans):
            name = clip.name if len(spans) == 1 else f"{clip.name}@{number:04d}"
            stretch = Stretch(
                picture=clip.picture, sound=clip.sound, span=span, single=single, uncut=layout != "folder"
            )
            cut.append((clip, name, stretch, span.duration_s if span else _USUAL_CLIP_S))
    splits, split_by = _splits(cut, settings)
    return [
        _Piece(
            name=name,
            path=clip.picture.relative_to(root).as_posix(),
            stretch=stretch,
            speaker=clip.speaker,
            split=clip.split or splits[clip.speaker if split_by == "speaker" else name],
            split_by="corpus" if clip.split else split_by,
            weight=weight,
            content=_content(clip),
        )
        for clip, name, stretch, weight in cut
    ]


def _splits(
    cut: Sequence[tuple[SourceClip, str, Stretch, float]], settings: DatasetSettings
) -> tuple[dict[str, Split], str]:
    speakers = {clip.speaker for clip, _, _, _ in cut}
    split_by = "speaker" if len(speakers) > 1 else "clip"
    names = speakers if split_by == "speaker" else {name for _, name, _, _ in cut}
    return split_speakers(names, validation=settings.validation, test=settings.test), split_by


def _spans(video: Path, longest_s: float) -> list[Span | None]:
    """None alone where `video` is taken as it is, else equal stretches of at most `longest_s`."""
    try:
        whole = inspect(video).span
    except BadInput:
        return [None]  # the clip is dropped for it in its turn
    count = -(-whole.duration // flicks(longest_s))
    if count <= 1:
        return [None]
    edges = [whole.duration * index // count for index in range(count + 1)]
    return [Span(start, end) for start, end in itertools.pairwise(edges)]


def _content(clip: SourceClip) -> tuple[str, ...]:
    files = [each for each in (clip.picture, clip.sound) if each is not None]
    return tuple(f"{file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)


def _shards(
    out: Path, pieces: Sequence[_Piece], settings: DatasetSettings, revisions: tuple[str, ...]
) -> list[_ShardWork]:
    """Runs of pieces of about `shard_s`."""
    runs: list[list[_Piece]] = []
    held = 0.0
    for piece in pieces:
        if not runs or held + piece.weight > settings.shard_s:
            runs.append([])
            held = 0.0
        runs[-1].append(piece)
        held += piece.weight
    return [
        _ShardWork(
            number=number,
            folder=shard_folder(out, number),
            pieces=tuple(run),
            settings=settings.clip,
            key=fingerprint(_VERSION, settings.clip, revisions, number, [list(piece.key) for piece in run]),
        )
        for number, run in enumerate(runs)
    ]


def _clear(out: Path, count: int) -> None:
    """Take away what earlier runs left: unfinished shards, and shards beyond the `count` that there are now."""
    wanted = {shard_folder(out, number).name for number in range(count)}
    for folder in out.glob(f"{PREFIX}*"):
        if folder.name.endswith(UNFINISHED) or ((folder / _KEY_FILE).is_file() and folder.name not in wanted):
            shutil.rmtree(folder)


def _make(work: _ShardWork) -> Iterator[None]:
    """Make one shard; yields after each of its pieces."""
    rows: list[TrainingClip] = []
    with no_space_told(work.folder.parent), ShardWriter(work.folder, work.settings.size_px) as shard:
        for piece in work.pieces:
            outcomes = _outcomes(piece, work.settings)
            for number, outcome in enumerate(outcomes):
                name = piece.name if len(outcomes) == 1 else f"{piece.name}#{number}"
                index = shard.clip_count
                if outcome.material is not None:
                    made = outcome.material
                    shard.add_encoded(name, piece.speaker, piece.split, made.faces, made.points, made.mel)
                rows.append(_row(piece, name, outcome, work.number, index))
            yield
        write_table(rows, TrainingClip, shard.unfinished / MANIFEST_FILE)
        (shard.unfinished / _KEY_FILE).write_text(work.key, encoding="utf-8")


def _outcomes(piece: _Piece, settings: ClipSettings) -> list[Outcome]:
    try:
        return prepare_clips(piece.stretch, settings)
    except (MissingWeights, NoSpace):
        raise
    except Exception as fault:  # noqa: BLE001 (one odd file among a hundred thousand must not end the run)
        return [Outcome(span=Span(0, 0), reason=f"fault while it was prepared: {fault!r}")]


def _row(piece: _Piece, name: str, outcome: Outcome, shard: int, index: int) -> TrainingClip:
    kept = outcome.material is not None
    return TrainingClip(
        name=name,
        path=piece.path,
        span=outcome.span,
        speaker=piece.speaker,
        split=piece.split,
        split_by=piece.split_by,
        kept=kept,
        reason=outcome.reason,
        frame_count=outcome.frame_count,
        frame_rate=outcome.frame_rate,
        face_px=outcome.face_px,
        offset_frames=outcome.offset.frames if outcome.offset else None,
        offset_confidence=outcome.offset.confidence if outcome.offset else None,
        shard=shard if kept else None,
        index=index if kept else None,
    )


def _make_in_processes(works: Sequence[_ShardWork], jobs: int, told: Callable[[int], None]) -> None:
    """Make `works` in `jobs` processes of their own; `told` hears how many pieces are done, about twice a second."""
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", 0)
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_process, initargs=(done,))
    try:
        pending = {pool.submit(_make_here, work) for work in works}
        while pending:
            ended, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
            for each in ended:
                each.result()
            told(done.value)
    except BrokenProcessPool as fault:
        raise RedubError(
            "a process was ended from outside, perhaps for want of memory; run the same command with fewer --jobs"
        ) from fault
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_done_here: Synchronized[int] | None = None


def _begin_process(done: Synchronized[int]) -> None:
    """In a new process: end with the parent, whatever it ended of, so that no two ever write the same shard."""
    global _done_here  # noqa: PLW0603 (the one way to hand a shared value to a pool's work)
    _done_here = done
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            wait_for_end([parent.sentinel])
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _make_here(work: _ShardWork) -> None:
    for _ in _make(work):
        if _done_here is not None:
            with _done_here.get_lock():
                _done_here.value += 1


@contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    """Hold the folder `out` against another run; released even where this process is killed."""
    if os.name != "posix":
        yield
        return
    import fcntl

    handle = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput("another run is writing here;", where=str(out), remedy="wait for it to end") from None
        yield
    finally:
        os.close(handle)
