"""Scores of one pair: what each measure says of the result, of the real video, and of the unsynced one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from infra.media.frames import read_frames
from infra.media.pixels import Rgb
from manifests.errors import MissingWeights
from manifests.evaluation import Score
from manifests.records import Word
from manifests.time import Span, merge, samples_duration
from models.faces import engines as face_engines
from models.faces.contract import Face
from models.lipsync.crop import crop_face
from models.metrics import changed, closures, correlation, fidelity, identity, regions, seam, silence
from models.metrics.landmark_distance import mouth_landmark_distance
from models.metrics.mouth import MouthShapes
from models.metrics.sharpness import sharpness
from tasks.evaluation_pairs import Pair, Protocol
from tasks.evaluation_watch import (
    FRAMES_PER_SECOND,
    SAMPLE_RATE,
    Heard,
    Watched,
    at_25,
    listen,
    spoken_and_silent,
    watch,
)

PERCEPTUAL_STRIDE = 5
"""Every how many frames LPIPS, seam and identity look: neighbours say the same, and they are slow."""

FID_STRIDE = 10
FACE_PX = 224
"""Side of the face crops that FID compares."""

SILENCE_MARGIN_S = 0.3
"""A real mouth opens and closes within this time before and after what is heard."""
CODEC_TOLERANCE = 16
"""By how many levels a lossy codec may move a pixel that nobody drew, in files that came from elsewhere."""

SEAM_REACH = 0.12
"""How far inside the border of what was redrawn a seam is looked for, as a share of the face's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulers:
    """What measures need from outside: `words` by clip name; `without` names optional measures to leave out.

    `expert` is the checkpoint of the sync expert, None for the one that ships.
    """

    words: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    expert: Path | None = None

    def absent(self) -> dict[str, str]:
        """Optional measure -> why it cannot be taken here."""
        reasons = {}
        for name, needs in (
            ("expert", self._need_expert),
            ("lse", _need_lse),
            ("lpips", _need_lpips),
            ("fid", _need_fid),
        ):
            if name in self.without:
                reasons[name] = "left out as asked"
                continue
            try:
                needs()
            except MissingWeights as error:
                reasons[name] = f"{error.what} {error.remedy}"
        return reasons

    def expert_file(self) -> Path:
        """The checkpoint of the sync expert. MissingWeights where this machine has none."""
        from models.metrics import sync_confidence

        return self.expert or sync_confidence.expert_checkpoint()

    def _need_expert(self) -> None:
        self.expert_file()


def _need_lse() -> None:
    from models import weights

    weights.locate("syncnet-v2")


def _need_lpips() -> None:
    from models import weights

    weights.locate("lpips-vgg")


def _need_fid() -> None:
    from models import weights

    weights.locate("inception-fid")


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """What `Scorer.score` found: `scores`, and Inception's features of the faces drawn and of the source's, or None."""

    scores: list[Score]
    drawn_features: npt.NDArray[np.float32] | None
    source_features: npt.NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Collects the scores of one pair; a measure that cannot be taken is left out with its reason."""

    protocol: Protocol
    lips: str
    pair: str
    scores: list[Score] = field(default_factory=list)

    def add(self, subject: str, measure: str, value: float, samples: int) -> None:
        self._note(subject, measure, value, samples, "")

    def absent(self, subject: str, measure: str, reason: str) -> None:
        self._note(subject, measure, None, 0, reason)

    def take(self, subject: str, measure: str, compute: Callable[[], tuple[float, int]]) -> None:
        """Add what `compute` gives (value, samples); its ValueError is the reason why there is none."""
        try:
            value, samples = compute()
        except ValueError as error:
            self.absent(subject, measure, str(error))
        else:
            self.add(subject, measure, value, samples)

    def _note(self, subject: str, measure: str, value: float | None, samples: int, reason: str) -> None:
        self.scores.append(
            Score(
                protocol=self.protocol,
                lips=self.lips,
                pair=self.pair,
                subject=subject,
                measure=measure,
                value=value,
                samples=samples,
                reason=reason,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Subject:
    """What is looked at: a face in motion with a sound, the mouth that the sound should have, and who it belongs to."""

    name: str
    video: Watched
    sound: Heard
    words: tuple[Word, ...] | None
    truth: Watched | None
    own: Watched


class Scorer:
    """Scores pairs; keeps what it saw of the last few clips, as each comes up in more than one pair."""

    _KEPT_CLIPS = 6

    def __init__(self, rulers: Rulers) -> None:
        self._rulers = rulers
        self.absent = rulers.absent()
        self._watched: dict[Path, Watched] = {}
        self._heard: dict[Path, Heard] = {}
        self._lips: dict[Path, npt.NDArray[np.float32]] = {}
        self._voices: dict[Path, npt.NDArray[np.float32]] = {}

    def score(self, pair: Pair, result: Path, *, protocol: Protocol, lips: str) -> PairScores:
        """Every measure of `pair`, whose rendered (or found) video is `result`. BadInput where no face shows in it."""
        sheet = _Sheet(protocol, lips, pair.name)
        for subject in self._subjects(pair, result):
            self._sync(subject, sheet)
            self._mouth(subject, sheet)
        return self._pictures(pair, result, sheet)

    def _subjects(self, pair: Pair, result: Path) -> list[_Subject]:
        face, real = self._watch(pair.face), self._watch(pair.truth or pair.face)
        spoken = self._listen(pair.audio)
        other_truth = self._watch(pair.other) if pair.dubbed is None else None
        real_file = pair.truth or pair.face
        return [
            _Subject(
                name="result",
                video=self._watch(result),
                sound=listen(result, spoken.speech),
                words=self._words(pair.audio),
                truth=real if pair.truth is not None else None,
                own=face,
            ),
            _Subject(
                name="real",
                video=real,
                sound=self._listen(real_file),
                words=self._words(real_file),
                truth=None,
                own=real,
            ),
            _Subject(
                name="unsynced",
                video=face,
                sound=self._listen(pair.other),
                words=self._words(pair.other),
                truth=other_truth,
                own=face,
            ),
        ]

    def _watch(self, path: Path) -> Watched:
        return _kept(self._watched, path, lambda: watch(path, crop_px=self._crop_px), self._KEPT_CLIPS)

    def _listen(self, path: Path) -> Heard:
        words = self._words(path)
        speech = None if words is None else merge(word.span for word in words)
        return _kept(self._heard, path, lambda: listen(path, speech), self._KEPT_CLIPS)

    def _words(self, path: Path) -> tuple[Word, ...] | None:
        return self._rulers.words.get(path.stem)

    @cached_property
    def _crop_px(self) -> int:
        return 96 if "expert" in self.absent else int(self._expert.config.face_px)

    @cached_property
    def _expert(self) -> Any:
        from models.metrics.sync_confidence import load_expert

        return load_expert(self._rulers.expert_file())

    @cached_property
    def _syncnet(self) -> Any:
        from models.metrics.lse import load_syncnet

        return load_syncnet()

    def _sync(self, subject: _Subject, sheet: _Sheet) -> None:
        names = ("expert_distance", "expert_confidence", "expert_offset")
        self._agreement(subject, sheet, names, "expert", self._expert_says)
        self._agreement(subject, sheet, ("lse_d", "lse_c", "lse_offset"), "lse", self._syncnet_says)

    def _agreement(
        self,
        subject: _Subject,
        sheet: _Sheet,
        names: tuple[str, str, str],
        optional: str,
        judge: Callable[[_Subject], tuple[float, float, int]],
    ) -> None:
        reason = self.absent.get(optional)
        if reason is None:
            try:
                for name, value in zip(names, judge(subject), strict=True):
                    sheet.add(subject.name, name, value, len(subject.video.seen))
            except ValueError as error:
                reason = str(error)
        if reason is not None:
            for name in names:
                sheet.absent(subject.name, name, reason)

    def _expert_says(self, subject: _Subject) -> tuple[float, float, int]:
        from models.metrics.sync_confidence import confidence, embed_faces, embed_sound
        from models.wav2lip.mel import mel_spectrogram

        video, sound = subject.video, subject.sound
        lips = _kept(self._lips, video.path, lambda: embed_faces(self._expert, video.crops), self._KEPT_CLIPS)
        heard = _kept(
            self._voices,
            sound.path,
            lambda: embed_sound(self._expert, mel_spectrogram(sound.samples)),
            self._KEPT_CLIPS,
        )
        found = confidence(lips, heard)
        return found.expert_distance, found.expert_confidence, found.offset_frames

    def _syncnet_says(self, subject: _Subject) -> tuple[float, float, int]:
        from models.metrics.lse import lse, syncnet_face

        faces = [
            syncnet_face(frame, box)
            for (_, frame), box, seen in zip(
                at_25(read_frames(subject.video.path)), subject.video.boxes, subject.video.seen, strict=False
            )
            if seen
        ]
        if len(faces) != len(subject.video.seen):
            raise ValueError("the face is lost for some frames, and SyncNet needs every one")
        found = lse(self._syncnet, np.stack(faces), subject.sound.samples)
        return found.distance, found.confidence, found.offset_frames

    def _mouth(self, subject: _Subject, sheet: _Sheet) -> None:
        curves: tuple[tuple[str, Callable[[MouthShapes], npt.NDArray[np.float32]]], ...] = (
            ("inner_opening_r", lambda shapes: shapes.inner_opening),
            ("outer_opening_r", lambda shapes: shapes.outer_opening),
            ("width_r", lambda shapes: shapes.width),
        )
        for name, curve in curves:
            if subject.truth is not None:
                sheet.take(subject.name, name, _following(subject.video, subject.truth, curve))
            elif subject.name != "real":  # the real video follows itself
                sheet.absent(subject.name, name, "there is no real video of this sound")
        sheet.take(subject.name, "motion_in_silence", lambda: _silence(subject))
        sheet.take(subject.name, "closures", lambda: _closures(subject))

    def _pictures(self, pair: Pair, result: Path, sheet: _Sheet) -> PairScores:
        found = _compare(pair.face, result, self._watch(pair.face), 0 if pair.dubbed is None else CODEC_TOLERANCE)
        for name, values in found.values.items():
            sheet.take("result", name, _mean_of(values, found.reasons.get(name, "no frame of the two can be compared")))
        if pair.truth != pair.face:
            for name in ("ssim", "psnr", "lpips", "lmd"):
                sheet.absent("result", name, "no true picture: nobody filmed this face saying this")
        else:
            self._fidelity(found, sheet)
            sheet.take("result", "lmd", lambda: _landmarks_apart(self._watch(result), self._watch(pair.face)))
        if "fid" in self.absent:
            return PairScores(sheet.scores, None, None)
        from models.metrics.frechet import inception_features

        drawn, source = (inception_features(some) for some in (found.drawn_faces, found.source_faces))
        return PairScores(sheet.scores, drawn, source)

    def _fidelity(self, found: _Compared, sheet: _Sheet) -> None:
        sheet.take("result", "ssim", _mean_of(found.ssim, "no frame shows a face"))
        finite = [value for value in found.psnr if np.isfinite(value)]
        sheet.take("result", "psnr", _mean_of(finite, "every frame equals the true one"))
        if "lpips" in self.absent:
            sheet.absent("result", "lpips", self.absent["lpips"])
            return
        from models.metrics.perceptual import lpips

        distances = lpips(found.drawn_lower_faces, found.source_lower_faces)
        sheet.take("result", "lpips", _mean_of(distances, "no frame shows a face"))


_Held = TypeVar("_Held")


def _kept(held: dict[Path, _Held], path: Path, make: Callable[[], _Held], most: int) -> _Held:
    """What is held for `path`, made where it is not; the oldest goes where there are too many."""
    if path in held:
        held[path] = held.pop(path)
        return held[path]
    made = held[path] = make()
    while len(held) > most:
        del held[next(iter(held))]
    return made


def _mean_of(values: Sequence[float], otherwise: str) -> Callable[[], tuple[float, int]]:
    def compute() -> tuple[float, int]:
        if not values:
            raise ValueError(otherwise)
        return float(np.mean(values)), len(values)

    return compute


def _following(
    video: Watched, truth: Watched, curve: Callable[[MouthShapes], npt.NDArray[np.float32]]
) -> Callable[[], tuple[float, int]]:
    """Pearson's r of `curve` in two videos over the frames in which both show a face."""

    def compute() -> tuple[float, int]:
        count = min(len(video.seen), len(truth.seen))
        left, right = (each.curve(curve(each.mouth))[:count] for each in (video, truth))
        both = np.isfinite(left) & np.isfinite(right)
        return correlation.pearson(left[both], right[both]), int(np.count_nonzero(both))

    return compute


def _silence(subject: _Subject) -> tuple[float, int]:
    until = samples_duration(len(subject.sound.samples), SAMPLE_RATE)
    speaking, silent = spoken_and_silent(subject.video.times, subject.sound.speech, until, margin_s=SILENCE_MARGIN_S)
    ratio = silence.motion_in_silence(subject.video.mouth, silent, speaking, frame_rate=FRAMES_PER_SECOND)
    return ratio, int(np.count_nonzero(silent))


def _closures(subject: _Subject) -> tuple[float, int]:
    if subject.words is None:
        raise ValueError("no word times are known for this sound; give --words")
    end = int(subject.video.times[-1]) if len(subject.video.times) else 0
    windows: list[Span] = [each for each in closures.closure_windows(subject.words) if each.end <= end]
    threshold = closures.closed_threshold(subject.own.mouth.inner_opening)
    return closures.closed_share(subject.video.mouth.inner_opening, subject.video.times, windows, threshold)


def _landmarks_apart(result: Watched, truth: Watched) -> tuple[float, int]:
    count = min(len(result.seen), len(truth.seen))
    both = result.seen[:count] & truth.seen[:count]
    return mouth_landmark_distance(result.points[:count][both], truth.points[:count][both]), int(np.count_nonzero(both))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """Frames of a result beside the source's: one number a frame looked at, and the parts that others measure."""

    values: dict[str, list[float]] = field(
        default_factory=lambda: {"sharpness": [], "seam": [], "identity": [], "changed_outside": []}
    )
    reasons: dict[str, str] = field(default_factory=dict)
    ssim: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)
    drawn_lower_faces: list[Rgb] = field(default_factory=list)
    source_lower_faces: list[Rgb] = field(default_factory=list)
    drawn_faces: list[Rgb] = field(default_factory=list)
    source_faces: list[Rgb] = field(default_factory=list)


def _compare(source: Path, result: Path, seen: Watched, tolerance: int) -> _Compared:
    """Both videos frame by frame; ends with the shorter, as a video played back and forth has no source after that."""
    compared = _Compared(reasons={"seam": "nothing was redrawn"})
    frames = zip(at_25(read_frames(source)), at_25(read_frames(result)), seen.seen, strict=False)
    for index, ((_, before), (_, after), shows) in enumerate(frames):
        if before.shape != after.shape:
            compared.reasons.update(dict.fromkeys(compared.values, "the result has another size than the source"))
            break
        if shows:
            _compare_frame(compared, index, before, after, seen, tolerance)
    return compared


def _compare_frame(compared: _Compared, index: int, before: Rgb, after: Rgb, seen: Watched, tolerance: int) -> None:
    height, width = before.shape[:2]
    points, box = seen.points[index], seen.boxes[index]
    values = compared.values
    differs = changed.changed_pixels(before, after, tolerance=tolerance)
    values["changed_outside"].append(changed.share_changed_outside(differs, regions.may_change(points, width, height)))
    mouth = regions.mouth(points, width, height)
    own = sharpness(regions.cut(before, mouth))
    if own > 0:
        values["sharpness"].append(sharpness(regions.cut(after, mouth)) / own)
    lower = regions.lower_face(points, width, height)
    drawn, true = regions.cut(after, lower), regions.cut(before, lower)
    if min(true.shape[:2]) >= fidelity.LEAST_PX:
        compared.ssim.append(fidelity.ssim(drawn, true))
        compared.psnr.append(fidelity.psnr(drawn, true))
        if index % PERCEPTUAL_STRIDE == 0:
            compared.drawn_lower_faces.append(drawn)
            compared.source_lower_faces.append(true)
    if index % FID_STRIDE == 0:
        compared.drawn_faces.append(crop_face(after, box, FACE_PX))
        compared.source_faces.append(crop_face(before, box, FACE_PX))
    if index % PERCEPTUAL_STRIDE == 0:
        mask = seam.soft_mask(differs, reach_px=SEAM_REACH * float(box[2]))
        if mask.any():
            values["seam"].append(seam.seam_visibility(before, after, mask))
        alike = _identity(before, after)
        if alike is not None:
            values["identity"].append(alike)


def _identity(before: Rgb, after: Rgb) -> float | None:
    """The cosine of the largest faces of two frames, None where one of them shows none."""
    detector = face_engines.load_detector()
    faces: list[Face] = [found[0] for frame in (before, after) if (found := detector.detect(frame))]
    if len(faces) < 2:
        return None
    return identity.identity_similarity(face_engines.load_embedder(), after, faces[1], before, faces[0])
