"""Publishing: the files a person takes home, and the manifests beside them. Names appear whole, the video last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.files import published
from infra.store import Store
from manifests.records import (
    Chunk,
    DubbedVideo,
    FaceTrack,
    Placement,
    Shot,
    SpeechClip,
    SyncedChunk,
    Translation,
    Utterance,
    Video,
)
from manifests.tables import write_table
from tasks.lecture import Dub, DubbedLecture
from tasks.runs import LanguageOutcome


def manifest_folder(stem: str, folder: Path) -> Path:
    """Where the manifests of the lecture `stem` go."""
    return folder / f"{stem}.redub"


def publish_dubs(dubbed: DubbedLecture, stem: str, folder: Path, store: Store) -> tuple[LanguageOutcome, ...]:
    """Publish every dub of a lecture in `folder`: subtitles, manifests, then the videos."""
    outcomes = []
    videos: list[DubbedVideo] = []
    for dub in dubbed.dubs:
        files = _publish_files(dub, dubbed.heard.language, stem, folder, store)
        videos.append(_record(dub, dubbed.heard.video, files[0]))
        outcomes.append(
            LanguageOutcome(
                language=dub.language,
                files=tuple(str(file) for file in files),
                copied_frames=dub.files.copied_frames,
                rendered_frames=dub.files.rendered_frames,
                lip_frames=sum(chunk.frame_count for chunk in dub.synced),
                loudness_lufs=dub.files.loudness_lufs,
                degradations=dub.degradations,
            )
        )
    _publish_manifests(dubbed, videos, manifest_folder(stem, folder))
    return tuple(outcomes)


def _publish_files(dub: Dub, source_language: str, stem: str, folder: Path, store: Store) -> list[Path]:
    blobs = {
        folder / f"{stem}.{source_language}.srt": dub.files.source_srt,
        folder / f"{stem}.{source_language}.vtt": dub.files.source_vtt,
        folder / f"{stem}.{dub.language}.srt": dub.files.target_srt,
        folder / f"{stem}.{dub.language}.vtt": dub.files.target_vtt,
        folder / f"{stem}.{dub.language}.mp4": dub.files.video,
    }
    for target, blob in blobs.items():
        store.publish(blob, target)
    return list(reversed(blobs))


def _record(dub: Dub, video: Video, file: Path) -> DubbedVideo:
    return DubbedVideo(
        id=f"{video.id}/{dub.language}",
        video_id=video.id,
        language=dub.language,
        uri=str(file),
        sha256=dub.files.video.sha256,
        span=video.span,
        copied_frames=dub.files.copied_frames,
        rendered_frames=dub.files.rendered_frames,
        loudness_lufs=dub.files.loudness_lufs,
        degradations=dub.degradations,
    )


def _publish_manifests(dubbed: DubbedLecture, videos: Sequence[DubbedVideo], folder: Path) -> None:
    heard = dubbed.heard
    tables: dict[str, tuple[type[Any], Sequence[Any]]] = {
        "videos": (Video, [heard.video]),
        "shots": (Shot, heard.shots),
        "chunks": (Chunk, heard.chunks),
        "face_tracks": (FaceTrack, heard.tracks),
        "utterances": (Utterance, heard.utterances),
        "translations": (Translation, [each for dub in dubbed.dubs for each in dub.translations]),
        "speech_clips": (SpeechClip, [each for dub in dubbed.dubs for each in dub.clips]),
        "placements": (Placement, [each for dub in dubbed.dubs for each in dub.placements]),
        "synced_chunks": (SyncedChunk, [each for dub in dubbed.dubs for each in dub.synced]),
        "dubbed_videos": (DubbedVideo, videos),
    }
    for name, (kind, records) in tables.items():
        with published(folder / f"{name}.parquet") as draft:
            write_table(records, kind, draft)
