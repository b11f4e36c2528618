"""The flow that makes a face speak: a skin over `tasks.talking`."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from flows.exchange import brought, delivered
from flows.logs import tell_degradations
from flows.mirrored_weights import bring_weights
from flows.pool import PrefectPool
from flows.progress import tag_run
from flows.recording import recorded
from flows.runners import RunnerOfTheSetting
from flows.watched import watched
from flows.worded import worded
from infra import locations
from infra.store import cache_store
from tasks.progress import talk_plan
from tasks.provenance import SIDECAR_SUFFIX
from tasks.runs import LanguageOutcome, RunRecord
from tasks.settings import DubSettings, lecture
from tasks.talking import TalkJob, make_talk


def run_name() -> str:
    """What the Prefect page calls this run."""
    return f"{locations.stem(locations.location(flow_run.parameters['face']))} talks"


def _whole(text: str) -> str:
    """A place as people would find it again from any folder."""
    place = locations.location(text)
    return str(place.absolute() if isinstance(place, Path) else place)


@flow(
    name="talk",
    flow_run_name=run_name,
    task_runner=RunnerOfTheSetting(),
    validate_parameters=False,
    persist_result=False,
)
@worded
def talk(
    face: str,
    out: str,
    audio: str | None = None,
    text: str | None = None,
    language: str | None = None,
    voice: str | None = None,
    settings: DubSettings | None = None,
) -> RunRecord:
    """Make the face in the video or image `face` say `text` (in `language`) or the recording `audio`.

    Writes `out`, an .mp4, and the signed statement beside it (`tasks.provenance`).
    All three may be paths or addresses in an object store (s3://BUCKET/KEY). Raises BadInput, MissingWeights,
    Unavailable or NoSpace, worded for people.
    """
    chosen = settings or lecture()
    tag_run("redub", "talk", *([language] if language else []))
    place = _whole(out)
    with (
        watched(run_name(), talk_plan(chosen, language)) as run,
        recorded(
            command="talk", title=locations.stem(locations.location(out)), source=_whole(face), journal=run.journal
        ) as record,
        delivered(out, (face, audio), beside=SIDECAR_SUFFIX) as target,
    ):
        bring_weights()
        store = cache_store()
        spoken = brought(audio)
        job = TalkJob(
            face=(brought(face) or Path()).absolute(),
            out=target,
            audio=spoken.absolute() if spoken else None,
            text=text,
            language=language,
            voice=voice,
            settings=chosen,
        )
        made = make_talk(job, run.watching(PrefectPool(store, run.journal)), store)
        store.publish_together({target: made.files.video, target.with_suffix(SIDECAR_SUFFIX): made.sidecar})
        record.duration_s = made.video.span.duration_s
        record.languages = (
            LanguageOutcome(
                language=language or "und",
                files=(place, f"{place.removesuffix(target.suffix)}{SIDECAR_SUFFIX}"),
                copied_frames=made.files.copied_frames,
                rendered_frames=made.files.rendered_frames,
                lip_frames=made.lip_frames,
                loudness_lufs=made.files.loudness_lufs,
                degradations=made.degradations,
            ),
        )
        tell_degradations(run.log, language or "und", made.degradations)
    return record.finished()
