"""Publishing: the files a person takes home, and the manifests beside them. Names appear whole, the videos last."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.files import published
from infra.store import Store
from manifests.errors import GateFailed
from manifests.records import (
    Appearance,
    Casting,
    Chunk,
    DubbedVideo,
    FaceTrack,
    LectureSpeaker,
    Placement,
    Shot,
    SpeechClip,
    SyncedChunk,
    Translation,
    Utterance,
    Video,
    VoiceSample,
)
from manifests.report import DubReport
from manifests.tables import write_table
from tasks import gate as gates
from tasks import report_files
from tasks.finishing import Dub
from tasks.illustrations import illustrate
from tasks.kept_pictures import keeping
from tasks.lecture import DubbedLecture
from tasks.provenance import SIDECAR_SUFFIX
from tasks.runs import LanguageOutcome

_UNMENDED: Mapping[str, str] = {}


def manifest_folder(stem: str, folder: Path) -> Path:
    """Where the manifests of the lecture `stem` go."""
    return folder / f"{stem}.redub"


def publish_reports(
    dubbed: DubbedLecture,
    stem: str,
    folder: Path,
    settings: gates.GateSettings,
    store: Store,
) -> dict[str, DubReport]:
    """Judge every dub and publish its report, whether or not the dub itself will follow; the reports, by language."""
    reports = {}
    for dub in dubbed.dubs:
        judged = dataclasses.replace(
            dub.report,
            gate=gates.judge(dub.report, settings),
        )
        video, source = store.path(dub.files.video), Path(dubbed.heard.video.uri)
        shoot, trace = keeping(store, {video: dub.files.video.sha256, source: dubbed.heard.video.id})
        pictures = illustrate(judged, video, source, shoot=shoot, trace=trace)
        report_files.write_report(judged, manifest_folder(stem, folder), pictures)
        reports[dub.language] = judged
    return reports


def require_passed(reports: Mapping[str, DubReport], stem: str, folder: Path) -> None:
    """GateFailed, naming every failure, where one of the dubs did not pass."""
    failures = tuple(
        f"{language}: {gates.told(failure)}"
        for language, judged in reports.items()
        for failure in (judged.gate.failures if judged.gate else ())
    )
    if failures:
        first = next(language for language, judged in reports.items() if judged.gate and not judged.gate.passed)
        page = report_files.report_files(manifest_folder(stem, folder), first).page
        raise GateFailed(failures, str(page))


def publish_dubs(
    dubbed: DubbedLecture,
    stem: str,
    folder: Path,
    store: Store,
    mended: Mapping[str, str] = _UNMENDED,
    address: Callable[[str], str] = str,
) -> tuple[LanguageOutcome, ...]:
    """Publish every dub of a lecture in `folder`: manifests, subtitles, statements, then the videos.

    `mended` says what edits cost, by language; `address` what people call a file of this machine that is named in the
    manifests.
    """
    outcomes = []
    videos: list[DubbedVideo] = []
    for dub in dubbed.dubs:
        files = _publish_files(dub, dubbed.heard.language, stem, folder, store)
        videos.append(_record(dub, dubbed.heard.video, address(str(files[0]))))
        page = report_files.report_files(manifest_folder(stem, folder), dub.language).page
        outcomes.append(
            LanguageOutcome(
                language=dub.language,
                files=tuple(str(file) for file in files),
                copied_frames=dub.files.copied_frames,
                rendered_frames=dub.files.rendered_frames,
                lip_frames=sum(chunk.frame_count for chunk in dub.synced),
                loudness_lufs=dub.files.loudness_lufs,
                degradations=dub.degradations,
                report=str(page),
                mended=mended.get(dub.language, ""),
            )
        )
    source = dataclasses.replace(dubbed.heard.video, uri=address(dubbed.heard.video.uri))
    _publish_manifests(dubbed, source, videos, manifest_folder(stem, folder))
    for extra in reversed(dubbed.joined):
        store.publish(extra.blob, folder / f"{stem}.{extra.name}")
    return tuple(outcomes)


def _publish_files(dub: Dub, source_language: str, stem: str, folder: Path, store: Store) -> list[Path]:
    blobs = {
        folder / f"{stem}.{source_language}.srt": dub.files.source_srt,
        folder / f"{stem}.{source_language}.vtt": dub.files.source_vtt,
        folder / f"{stem}.{dub.language}.srt": dub.files.target_srt,
        folder / f"{stem}.{dub.language}.vtt": dub.files.target_vtt,
        **{folder / f"{stem}.{extra.name}": extra.blob for extra in dub.extras},
        folder / f"{stem}.{dub.language}{SIDECAR_SUFFIX}": dub.sidecar,
        folder / f"{stem}.{dub.language}.mp4": dub.files.video,
    }
    for target, blob in blobs.items():
        store.publish(blob, target)
    return list(reversed(blobs))


def _record(dub: Dub, video: Video, uri: str) -> DubbedVideo:
    return DubbedVideo(
        id=f"{video.id}/{dub.language}",
        video_id=video.id,
        language=dub.language,
        uri=uri,
        sha256=dub.files.video.sha256,
        span=video.span,
        copied_frames=dub.files.copied_frames,
        rendered_frames=dub.files.rendered_frames,
        loudness_lufs=dub.files.loudness_lufs,
        degradations=dub.degradations,
    )


def _publish_manifests(dubbed: DubbedLecture, source: Video, videos: Sequence[DubbedVideo], folder: Path) -> None:
    heard = dubbed.heard
    tables: dict[str, tuple[type[Any], Sequence[Any]]] = {
        "videos": (Video, [source]),
        "shots": (Shot, heard.shots),
        "chunks": (Chunk, heard.chunks),
        "face_tracks": (FaceTrack, heard.tracks),
        "utterances": (Utterance, heard.utterances),
        "voice_samples": (VoiceSample, heard.samples),
        "appearances": (Appearance, heard.appearances),
        "speakers": (LectureSpeaker, heard.speakers),
        "castings": (Casting, [each for dub in dubbed.dubs for each in dub.voiced.draft.castings]),
        "translations": (Translation, [each for dub in dubbed.dubs for each in dub.voiced.translations]),
        "speech_clips": (SpeechClip, [each for dub in dubbed.dubs for group in dub.voiced.clips for each in group]),
        "placements": (Placement, [each for dub in dubbed.dubs for each in dub.voiced.placements]),
        "synced_chunks": (SyncedChunk, [each for dub in dubbed.dubs for each in dub.synced]),
        "dubbed_videos": (DubbedVideo, videos),
    }
    for name, (kind, records) in tables.items():
        with published(folder / f"{name}.parquet") as draft:
            write_table(records, kind, draft)
