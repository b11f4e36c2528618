"""Evaluation of a lip-sync engine: pairs are rendered, measured, and written down beside what they are held to."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol as Interface

import numpy as np
import numpy.typing as npt

from infra.files import published, require_writable
from infra.media.frames import read_frames
from infra.media.side_by_side import write_side_by_side
from infra.media.splice import RenderSettings as EncoderSettings
from infra.store import Store, sha256_of
from manifests import tables
from manifests.errors import BadInput, Degraded
from manifests.evaluation import Score
from manifests.keys import fingerprint
from manifests.time import Span
from models import weights
from models.lipsync import engines as lip_engines
from tasks import evaluation_report as report
from tasks.contact_sheet import SheetRow, sheet_row, write_contact_sheet
from tasks.engines import face_weights, lip_weights, require_lips
from tasks.evaluation_baselines import HOLD, HoldRenderer
from tasks.evaluation_pairs import Pair, Protocol, choose_pairs, read_words
from tasks.evaluation_scores import Rulers, Scorer
from tasks.evaluation_watch import watch
from tasks.faces import FaceSettings
from tasks.journal import Journal, Listener, Silent
from tasks.lips import LipSettings
from tasks.pool import InProcessPool
from tasks.render import RenderSettings
from tasks.rewriting import RewriteSettings
from tasks.settings import DubSettings, lecture
from tasks.talking import TalkJob, make_talk

VERSION = 1
"""Raised when a measure comes to give something else: pairs scored before are then scored again."""

STAGE = "evaluate"


class Renderer(Interface):
    """Makes a face speak: what is evaluated."""

    def render(self, face: Path, audio: Path, out: Path) -> None:
        """Write `out` (MP4): the face in the video `face`, lips following the sound of `audio`, heard with it.

        Degraded, with the reason, where it cannot; BadInput where an input is none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationJob:
    """What is asked for.

    `inputs` is a folder of clips, or SOURCE DUBBED files for the protocol "dubbed". `lips` names the engine, and
    `renderer_for` gives the renderer that keeps its finished work in the folder it is handed. `rerun` pairs are
    rendered a second time with nothing shared. `limit` None takes every clip.
    """

    inputs: tuple[Path, ...]
    out: Path
    lips: str
    renderer_for: Callable[[Path], Renderer]
    protocol: Protocol = "cross"
    limit: int | None = None
    seed: int = 0
    words: Path | None = None
    expert: Path | None = None
    without: frozenset[str] = frozenset()
    rerun: int = 1
    settings: DubSettings = field(default_factory=lecture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What it came to: the scores of every pair and of the set, and the files that were written."""

    scores: tuple[Score, ...]
    pairs: int
    rendered: int
    recalled: int
    seconds: float
    files: tuple[Path, ...]


BARRED_S = 0.5
"""In reconstruction, source frames nearer than this to the one that is made may not be used: they are the answer."""


def evaluation_settings(lips: str, protocol: Protocol = "cross", *, crf: int = 0) -> DubSettings:
    """The settings to render with: the lecture's, with the engine `lips`; crf 0 keeps the picture without loss."""
    engine = "none" if lips == HOLD else lips
    barred_s = BARRED_S if protocol == "reconstruction" else 0.0
    return dataclasses.replace(
        lecture(),
        lips=LipSettings(engine=engine, rewrite=RewriteSettings(barred_s=barred_s)),
        render=RenderSettings(encoder=EncoderSettings(crf=crf)),
    )


def renderers(lips: str, settings: DubSettings) -> Callable[[Path], Renderer]:
    """The renderer of `lips` ("hold" is a baseline, everything else an engine) for a folder of finished work."""
    if lips == HOLD:
        return lambda _: HoldRenderer(settings.render.encoder)
    return lambda cache: TalkRenderer(cache, settings)


@dataclass(frozen=True, slots=True)
class TalkRenderer:
    """The pipeline's own `lipsync`, in this process, with its finished work in the folder `cache`."""

    cache: Path
    settings: DubSettings

    def render(self, face: Path, audio: Path, out: Path) -> None:
        """See `Renderer`."""
        store = Store(self.cache)
        job = TalkJob(face=face, audio=audio, out=out, settings=self.settings)
        made = make_talk(job, InProcessPool(store, Journal()), store)
        if self.settings.lips.engine != "none" and not made.lip_frames:
            raise Degraded("; ".join(sorted({each.reason for each in made.degradations})) or "no lips were drawn")
        store.publish(made.files.video, out)


def check(job: EvaluationJob) -> list[Pair]:
    """The pairs, once everything that can be known to fail has been looked at: BadInput, MissingWeights, NoSpace."""
    pairs = choose_pairs(job.inputs, job.protocol, limit=job.limit, seed=job.seed)
    if job.protocol != "dubbed":
        require_lips(job.settings)
        if job.settings.lips.engine != "none" and lip_weights(job.settings.lips) is None:
            lip_engines.source_of(job.settings.lips.engine)  # says which weights are missing
        face_weights(FaceSettings())
    weights.locate("facemesh")
    require_writable(job.out.absolute())
    if job.words is not None:
        read_words(job.words)
    if job.expert is not None and not job.expert.is_file():
        raise BadInput("there is no such checkpoint;", where=str(job.expert), remedy="check the name")
    return pairs


def evaluate(job: EvaluationJob, listener: Listener | None = None) -> Evaluation:
    """Render and score every pair, and write the tables, the sheet and the clips to `job.out`.

    Pairs that were finished under the same settings, weights and inputs are recalled. A pair that cannot be rendered
    or shows no face is a row of its own with the reason.
    """
    started = time.perf_counter()
    pairs = check(job)
    journal = Journal(listener or Silent())
    journal.began(STAGE, len(pairs), None)
    rulers = Rulers(words=read_words(job.words) if job.words else {}, without=job.without, expert=job.expert)
    work = _Work(job, Scorer(rulers), _revisions(job, rulers))
    finished = []
    for index, pair in enumerate(pairs):
        clock = time.perf_counter()
        done = work.finish(pair, rerun=index < job.rerun)
        finished.append(done)
        seconds = time.perf_counter() - clock
        journal.performed(STAGE, Span(index, index + 1), None, done.key, hit=done.recalled, seconds=seconds)
    scores = (*(score for done in finished for score in done.scores), *_of_the_set(job, finished, work.scorer.absent))
    return _written(job, work, finished, scores, time.perf_counter() - started)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Finished:
    """A pair that was dealt with; `result` None where there is none."""

    pair: Pair
    key: str
    recalled: bool
    scores: tuple[Score, ...]
    result: Path | None
    drawn: npt.NDArray[np.float32] | None = None
    source: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """Deals with one pair after the other; each has a folder below `pairs/` that holds all that was made of it."""

    job: EvaluationJob
    scorer: Scorer
    revisions: dict[str, str]

    def finish(self, pair: Pair, *, rerun: bool) -> _Finished:
        folder = self.folder(pair)
        key = self._key(pair, rerun)
        if (recalled := self._recall(pair, folder, key)) is not None:
            return recalled
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "key.json").unlink(missing_ok=True)
        try:
            result = self._rendered(pair, folder, key)
            found = self.scorer.score(pair, result, protocol=self.job.protocol, lips=self.job.lips)
        except (Degraded, BadInput) as reason:
            absent = self._row(pair, "result", "all", None, str(reason))
            return _Finished(pair=pair, key=key, recalled=False, scores=(absent,), result=None)
        scores = list(found.scores)
        if rerun and pair.dubbed is None:
            scores.append(self._rerun(pair, result))
        panels = [pair.face, result, *([pair.truth] if pair.truth not in {None, pair.face} else [])]
        write_side_by_side([each for each in panels if each is not None], result, folder / "side_by_side.mp4")
        arrays = {}
        if found.drawn_features is not None and found.source_features is not None:
            arrays = {"drawn": found.drawn_features, "source": found.source_features}
        with published(folder / "features.npz") as draft:
            np.savez(draft, **arrays)  # type: ignore[arg-type]  # its stub takes the names for its own options
        with published(folder / "scores.parquet") as draft:
            tables.write_table(scores, Score, draft)
        with published(folder / "key.json") as draft:
            draft.write_text(json.dumps({"key": key, "result": result.name}) + "\n", encoding="utf-8")
        return _Finished(
            pair=pair,
            key=key,
            recalled=False,
            scores=tuple(scores),
            result=result,
            drawn=found.drawn_features,
            source=found.source_features,
        )

    def folder(self, pair: Pair) -> Path:
        return self.job.out / "pairs" / pair.name

    def _key(self, pair: Pair, rerun: bool) -> str:  # noqa: FBT001 (part of the key, no switch)
        files = {path for path in (pair.face, pair.audio, pair.truth, pair.other, pair.dubbed) if path is not None}
        words = sha256_of(self.job.words) if self.job.words else None
        content = sorted(sha256_of(path) for path in files)
        return fingerprint(
            "evaluation", VERSION, self.job.protocol, self.job.lips, self.job.settings, self.revisions,
            sorted(self.job.without), words, content, sha256_of(pair.face), sha256_of(pair.audio), rerun,
        )  # fmt: skip

    def _recall(self, pair: Pair, folder: Path, key: str) -> _Finished | None:
        note = folder / "key.json"
        if not note.is_file():
            return None
        held = json.loads(note.read_text(encoding="utf-8"))
        result = pair.dubbed or folder / held["result"]
        if held["key"] != key or not result.is_file():
            return None
        with np.load(folder / "features.npz", allow_pickle=False) as archive:
            features = {name: archive[name] for name in archive.files}
        return _Finished(
            pair=pair,
            key=key,
            recalled=True,
            scores=tuple(tables.read_table(Score, folder / "scores.parquet")),
            result=result,
            drawn=features.get("drawn"),
            source=features.get("source"),
        )

    def _rendered(self, pair: Pair, folder: Path, key: str) -> Path:
        """The result, rendered unless a run that died before it could score left it whole."""
        if pair.dubbed is not None:
            return pair.dubbed
        result = folder / f"result-{key[:12]}.mp4"
        if not result.is_file():
            for stale in folder.glob("result-*.mp4"):
                stale.unlink()
            self.job.renderer_for(self.job.out / "cache").render(pair.face, pair.audio, result)
        return result

    def _rerun(self, pair: Pair, result: Path) -> Score:
        """The largest difference of any pixel between the result and one made again from nothing."""
        with tempfile.TemporaryDirectory(prefix=".redub-rerun-", dir=self.job.out) as fresh:
            again = Path(fresh) / "again.mp4"
            self.job.renderer_for(Path(fresh) / "cache").render(pair.face, pair.audio, again)
            largest, frames = 0, 0
            for (_, one), (_, other) in zip(read_frames(result), read_frames(again), strict=True):
                largest = max(largest, int(np.abs(one.astype(np.int16) - other).max()))
                frames += 1
        return dataclasses.replace(self._row(pair, "rerun", "rerun_noise", float(largest), ""), samples=frames)

    def _row(self, pair: Pair, subject: str, measure: str, value: float | None, reason: str) -> Score:
        return Score(
            protocol=self.job.protocol,
            lips=self.job.lips,
            pair=pair.name,
            subject=subject,
            measure=measure,
            value=value,
            samples=0,
            reason=reason,
        )


def _of_the_set(job: EvaluationJob, finished: Sequence[_Finished], absent: dict[str, str]) -> list[Score]:
    """FID, which is of the whole set of pairs."""
    from models.metrics.frechet import frechet_distance

    drawn, source = (
        [part for done in finished if (part := getattr(done, kind)) is not None] for kind in ("drawn", "source")
    )
    count = sum(len(part) for part in drawn)
    reason = absent.get("fid", "" if count >= 2 else "fewer than two faces were drawn")
    value = None if reason else frechet_distance(np.concatenate(drawn), np.concatenate(source))
    return [
        Score(
            protocol=job.protocol,
            lips=job.lips,
            pair=None,
            subject="result",
            measure="fid",
            value=value,
            samples=count,
            reason=reason,
        )
    ]


def _revisions(job: EvaluationJob, rulers: Rulers) -> dict[str, str]:
    """Every weight that draws or measures, by its revision; a checkpoint given by path by its hash."""
    names = {"yunet", "sface", "facemesh", "lpips-vgg", "inception-fid", "syncnet-v2"}
    found = {name: weights.revision(name) for name in sorted(names) if weights.present(name)}
    if "expert" not in rulers.absent():
        found["expert"] = sha256_of(rulers.expert_file())[:16]
    if job.protocol != "dubbed" and (revision := lip_weights(job.settings.lips)) is not None:
        found[f"lips {job.lips}"] = revision
    return found


def _written(
    job: EvaluationJob, work: _Work, finished: Sequence[_Finished], scores: tuple[Score, ...], seconds: float
) -> Evaluation:
    """Write what is about the whole set, and say what was done."""
    table, page, sheet, run = (
        job.out / name for name in ("scores.parquet", "scores.md", "contact_sheet.png", "run.json")
    )
    with published(table) as draft:
        tables.write_table(scores, Score, draft)
    write_contact_sheet(_sheet_rows(finished), sheet)
    recalled = sum(done.recalled for done in finished)
    facts = report.RunFacts(
        protocol=job.protocol,
        lips=job.lips,
        seed=job.seed,
        limit=job.limit,
        inputs=tuple(path.name for path in job.inputs),
        pairs=tuple(done.pair for done in finished),
        settings=job.settings,
        without=tuple(sorted(job.without)),
        revisions=work.revisions,
        seconds=round(seconds, 1),
        recalled=recalled,
    )
    report.write_page(page, scores, facts)
    report.write_run(run, facts)
    clips = [work.folder(done.pair) / "side_by_side.mp4" for done in finished if done.result is not None]
    return Evaluation(
        scores=scores,
        pairs=len(finished),
        rendered=len(finished) - recalled,
        recalled=recalled,
        seconds=seconds,
        files=tuple(path for path in (page, table, sheet, run, *clips) if path.is_file()),
    )


def _sheet_rows(finished: Sequence[_Finished]) -> list[SheetRow]:
    return [
        sheet_row(done.pair.name, watch(done.pair.face, crop_px=16), done.result)
        for done in finished
        if done.result is not None
    ]
