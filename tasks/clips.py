"""From a stretch of video to a clip that a network can learn from: one face, its landmarks, and the sound it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.media.audio import read_waveform
from infra.media.frames import read_frames
from infra.media.pixels import Rgb
from infra.media.probe import inspect
from infra.media.still import read_image
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks, Span, flicks
from models.faces import engines as face_engines
from models.faces.contract import Face, RGBImage
from models.faces.tracking import Track, TrackingSettings, track_faces
from models.landmarks.contract import LandmarkDetector, Points
from models.landmarks.engines import load_detector
from models.landmarks.regions import region_of_box, region_of_points
from models.landmarks.topology import KEPT
from models.training.crops import in_shares, mouth_opening, stored_crop
from models.training.offset import FARTHEST, Offset, find_offset, loudness_opening
from models.training.shards import FRAMES_PER_SECOND, STORED_PX, encode
from models.wav2lip.mel import SAMPLE_RATE, mel_spectrogram
from tasks.layouts import VIDTIMIT_FRAME_RATE

Frame = tuple[Flicks, Rgb]

FRAME: Flicks = FLICKS_PER_SECOND // FRAMES_PER_SECOND
"""How long a frame of a prepared clip lasts."""

_SOUND_AFTER: Flicks = 5 * FRAME  # what a mel window of the last frame hears beyond it


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSettings:
    """What a prepared clip is, and what it is dropped for.

    `size_px` is the side of the stored crop, `detector` what finds faces. A face is dropped where the median height of
    its box is below `min_face_px`, where it lasts less than `min_s`, or where its landmarks are found (a score of
    `least_score`) in fewer than `least_found` of its frames. A single speaker's clip needs its face in `least_cover`
    of its frames and no other of more than `rival_height` times its height beside it for more than
    `rival_time` of the time. Sound whose loudest half second stays below `silence_db` (full scale 0) is silent. The
    lips must be at most `most_offset` frames from the sound, with a confidence of `least_confidence` (see
    `models.training.offset`).
    """

    size_px: int = STORED_PX
    detector: str = "yunet"
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    min_face_px: float = 96.0
    min_s: float = 1.0
    least_score: float = 0.5
    least_found: float = 0.8
    least_cover: float = 0.5
    rival_height: float = 0.6
    rival_time: float = 0.2
    silence_db: float = -55.0
    most_offset: int = 5
    least_confidence: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.most_offset <= FARTHEST:
            raise BadInput(f"{self.most_offset} frames are not within 0..{FARTHEST}.", where="--max-offset")
        if not 16 <= self.size_px <= 1024:
            raise BadInput(f"{self.size_px} pixels are not within 16..1024.", where="--size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What clips are to be made of: `picture` (a video, or a folder of images at 25/s) within `span`, None for all.

    `sound` is a file of its own where the video's own sound is not to be taken. `single` where one person is to be
    seen: the whole is one clip or none. Else each face of the stretch becomes a clip. `uncut` where it is known to be
    one shot, so that nobody need be told apart from who was there before a cut.
    """

    picture: Path
    sound: Path | None
    span: Span | None
    single: bool
    uncut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """A clip as a shard takes it: JPEG faces, `points` (F, 202, 2) in shares of the crop, `mel` (80, M)."""

    faces: list[bytes]
    points: npt.NDArray[np.float32]
    mel: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one face, or of a whole stretch: `material`, or why not. What is unknown is 0 or None."""

    span: Span
    reason: str = ""
    material: Material | None = None
    frame_count: int = 0
    frame_rate: float = 0.0
    face_px: float = 0.0
    offset: Offset | None = None


def prepare_clips(stretch: Stretch, settings: ClipSettings) -> list[Outcome]:
    """What comes of `stretch`, at least one outcome; faces by the time they appear.

    MissingWeights where a model is not on this machine. What is wrong with the stretch is its outcome, no error.
    """
    span = stretch.span or Span(0, 0)
    try:
        source = _Source.open(stretch)
        if source.span.duration_s < settings.min_s:
            return [source.dropped(f"too short: {source.span.duration_s:.2f} s")]
        if not source.has_sound:
            return [source.dropped("no sound")]
        if _is_silent(source.waveform(source.span), settings.silence_db):
            return [source.dropped("silent")]
        detector = face_engines.load_detector(settings.detector)
        embedder = _Anyone() if stretch.uncut else face_engines.load_embedder()
        tracks = track_faces(source.frames(), (), detector, embedder, settings.tracking)
        if stretch.single:
            return [_single(source, tracks, settings)]
        outcomes = [_of_track(source, track, settings) for track in tracks]
        return outcomes or [source.dropped("no face")]
    except BadInput as fault:
        return [Outcome(span=span, reason=f"cannot be decoded: {fault.what.rstrip(';')}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A stretch that was found to be readable."""

    stretch: Stretch
    span: Span
    frame_rate: Fraction
    has_sound: bool

    @classmethod
    def open(cls, stretch: Stretch) -> _Source:
        if stretch.picture.is_dir():
            rate = Fraction(VIDTIMIT_FRAME_RATE)
            whole = Span(0, flicks(len(_images(stretch.picture)) / rate))
            has_sound = stretch.sound is not None
        else:
            video = inspect(stretch.picture)
            rate, whole = video.frame_rate, video.span
            has_sound = stretch.sound is not None or bool(video.audio_tracks)
        span = whole if stretch.span is None else stretch.span.intersection(whole) or Span(0, 0)
        return cls(stretch=stretch, span=span, frame_rate=rate, has_sound=has_sound)

    def frames(self, within: Span | None = None) -> Iterator[Frame]:
        wanted = within or self.span
        if self.stretch.picture.is_dir():
            for index, path in enumerate(_images(self.stretch.picture)):
                time = flicks(index / self.frame_rate)
                if time in wanted:
                    yield time, read_image(path)
        else:
            yield from read_frames(self.stretch.picture, wanted)

    def waveform(self, span: Span) -> npt.NDArray[np.float32]:
        """The sound within `span`, silence where that is before the beginning."""
        lead, end = span.samples(SAMPLE_RATE)
        start = max(span.start, 0)
        sound = read_waveform(
            self.stretch.sound or self.stretch.picture, sample_rate=SAMPLE_RATE, span=Span(start, max(span.end, start))
        )
        return np.concatenate([np.zeros(max(-lead, 0), np.float32), sound])[: end - lead]

    def dropped(self, reason: str, *, face_px: float = 0.0, span: Span | None = None) -> Outcome:
        return Outcome(span=span or self.span, reason=reason, face_px=face_px, frame_rate=float(self.frame_rate))


class _Anyone:
    """A `FaceEmbedder` that tells nobody apart, at no cost: boxes alone decide which face is which."""

    same_person_cosine = 1.0

    def embed(self, image: RGBImage, face: Face) -> npt.NDArray[np.float32]:  # noqa: ARG002
        """A zero vector, which stands for a face that could not be embedded."""
        return np.zeros(1, np.float32)


def _images(folder: Path) -> list[Path]:
    return sorted((each for each in folder.iterdir() if each.stem.isdecimal()), key=lambda each: int(each.stem))


def _is_silent(waveform: npt.NDArray[np.float32], silence_db: float) -> bool:
    half_second = SAMPLE_RATE // 2
    whole = waveform[: len(waveform) // half_second * half_second] if len(waveform) >= half_second else waveform
    if not len(whole):
        return True
    power = (whole.astype(np.float64) ** 2).reshape(-1, min(half_second, len(whole))).mean(axis=1).max()
    return bool(power <= 10 ** (silence_db / 10))


def _single(source: _Source, tracks: Sequence[Track], settings: ClipSettings) -> Outcome:
    """The clip of the one face that is to be seen in `source`."""
    if not tracks:
        return source.dropped("no face in most frames: none at all")
    main = max(tracks, key=lambda track: float(track.boxes[:, 3].sum()))
    height = _height(main)
    covered = float(main.detected.sum()) * float(1 / source.frame_rate) / source.span.duration_s
    if covered < settings.least_cover:
        return source.dropped(f"no face in most frames: {100 * covered:.0f} % show it", face_px=height)
    for other in tracks:
        beside = len(np.intersect1d(other.times, main.times)) / len(main.times)
        if other is not main and beside > settings.rival_time and _height(other) > settings.rival_height * height:
            return source.dropped(
                f"several faces of comparable size: {height:.0f} and {_height(other):.0f} pixels high", face_px=height
            )
    return _of_track(source, main, settings)


def _height(track: Track) -> float:
    return float(np.median(track.boxes[:, 3]))


def _of_track(source: _Source, track: Track, settings: ClipSettings) -> Outcome:
    """The clip of one face."""
    last = flicks(1 / source.frame_rate)
    count = (int(track.times[-1]) + last - int(track.times[0])) // FRAME
    span = Span(int(track.times[0]), int(track.times[0]) + count * FRAME)
    height = _height(track)
    if span.duration_s < settings.min_s:
        return source.dropped(f"too short: the face shows for {span.duration_s:.2f} s", face_px=height, span=span)
    if height < settings.min_face_px:
        reason = f"face too small: {height:.0f} pixels high, not {settings.min_face_px:.0f}"
        return source.dropped(reason, face_px=height, span=span)
    if _is_silent(source.waveform(span), settings.silence_db):
        return source.dropped("silent while the face shows", face_px=height, span=span)
    faces, shares, openings, scores = _look(source, track, span, settings)
    found = float((scores >= settings.least_score).mean())
    if found < settings.least_found:
        reason = f"landmarks not found: in {100 * found:.0f} % of its frames alone (turned away or covered)"
        return source.dropped(reason, face_px=height, span=span)
    offset = find_offset(openings, _predicted(source, span))
    facts = {"span": span, "frame_count": count, "frame_rate": float(source.frame_rate), "face_px": height}
    reason = _out_of_sync(offset, settings)
    if reason:
        return Outcome(reason=reason, offset=offset, **facts)  # type: ignore[arg-type] # each of its own type
    heard = Span(span.start, span.end + _SOUND_AFTER).shift(offset.frames * FRAME)
    mel = mel_spectrogram(source.waveform(heard))
    material = Material(faces=faces, points=shares, mel=mel)
    return Outcome(material=material, offset=offset, **facts)  # type: ignore[arg-type]


def _look(
    source: _Source, track: Track, span: Span, settings: ClipSettings
) -> tuple[list[bytes], npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The face of `track` at 25/s: JPEG crops, points in shares of them, the mouth's opening, and the mesh's scores."""
    mesh = load_detector()
    wanted = [span.start + index * FRAME for index in range(span.duration // FRAME)]
    faces, shares, points, scores = [], [], [], []
    before: Points | None = None
    last = int(track.times[-1])
    seen = source.frames(Span(int(track.times[0]), last + 1))
    for time, image in at_times(seen, wanted):
        row = int(np.searchsorted(track.times, time).clip(0, len(track.times) - 1))
        found, score = _mesh(mesh, image, track, row, before, settings.least_score)
        before = found if score >= settings.least_score else None
        box = track.boxes[row]
        faces.append(encode(stored_crop(image, box, settings.size_px)))
        points.append(found[list(KEPT)])
        shares.append(in_shares(points[-1], box))
        scores.append(score)
    if len(faces) != len(wanted):
        raise BadInput("its frames cannot be read twice alike;", where=str(source.stretch.picture))
    return faces, np.stack(shares), mouth_opening(np.stack(points)), np.array(scores, np.float32)


def _mesh(
    detector: LandmarkDetector, image: Rgb, track: Track, row: int, before: Points | None, least_score: float
) -> tuple[Points, float]:
    """The mesh near that of the frame before; where there is none or it is lost, near the face's box."""
    if before is not None:
        followed = detector.locate(image, region_of_points(before))
        if followed.score >= least_score:
            return followed.points, followed.score
    fresh = detector.locate(image, region_of_box(track.boxes[row], track.landmarks[row]))
    return fresh.points, fresh.score


def at_times(frames: Iterable[Frame], wanted: Sequence[Flicks]) -> Iterator[Frame]:
    """For each rising time `wanted` the nearest of `frames`, the earlier of two; as (the frame's own time, image).

    `frames` are streamed; nothing comes where there is none.
    """
    place = 0
    held: Frame | None = None
    for frame in frames:
        while held is not None and place < len(wanted) and wanted[place] - held[0] <= frame[0] - wanted[place]:
            yield held
            place += 1
        held = frame
    while held is not None and place < len(wanted):
        yield held
        place += 1


def _predicted(source: _Source, span: Span) -> npt.NDArray[np.float32]:
    """The mouth's opening by the sound around `span`, as `find_offset` takes it."""
    frames = span.duration // FRAME + 2 * FARTHEST
    mel = mel_spectrogram(source.waveform(Span(span.start - FARTHEST * FRAME, span.end + (FARTHEST + 1) * FRAME)))
    return loudness_opening(mel)[:frames]


def _out_of_sync(offset: Offset, settings: ClipSettings) -> str:
    if abs(offset.frames) > settings.most_offset:
        return f"audio-visual offset not found: the best is {offset.frames:+d} frames, beyond {settings.most_offset}"
    if offset.confidence < settings.least_confidence:
        return f"audio-visual offset not found: confidence {offset.confidence:.2f}, not {settings.least_confidence}"
    return ""
