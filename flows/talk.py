"""The flow that makes a face speak: a skin over `tasks.talking`."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from flows.logs import tell_degradations
from flows.pool import PrefectPool
from flows.progress import tag_run
from flows.recording import recorded
from flows.runners import RunnerOfTheSetting
from flows.watched import watched
from flows.worded import worded
from infra.files import require_writable
from infra.places import cache_folder
from infra.store import Store
from tasks.progress import talk_plan
from tasks.runs import LanguageOutcome, RunRecord
from tasks.settings import DubSettings, lecture
from tasks.talking import TalkJob, make_talk


def run_name() -> str:
    """What the Prefect page calls this run."""
    return f"{Path(flow_run.parameters['face']).stem} talks"


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
    """Make the face in the video or image `face` say `text` (in `language`) or the recording `audio`; writes `out`."""
    chosen = settings or lecture()
    tag_run("redub", "talk", *([language] if language else []))
    target = Path(out).absolute()
    shown = str(Path(face).absolute())
    with (
        watched(run_name(), talk_plan(chosen, language)) as run,
        recorded(command="talk", title=target.stem, source=shown, journal=run.journal) as record,
    ):
        require_writable(target.parent)
        store = Store(cache_folder())
        job = TalkJob(
            face=Path(face).absolute(),
            out=target,
            audio=Path(audio).absolute() if audio else None,
            text=text,
            language=language,
            voice=voice,
            settings=chosen,
        )
        made = make_talk(job, run.watching(PrefectPool(store, run.journal)), store)
        store.publish(made.files.video, target)
        record.duration_s = made.video.span.duration_s
        record.languages = (
            LanguageOutcome(
                language=language or "und",
                files=(str(target),),
                copied_frames=made.files.copied_frames,
                rendered_frames=made.files.rendered_frames,
                lip_frames=made.lip_frames,
                loudness_lufs=made.files.loudness_lufs,
                degradations=made.degradations,
            ),
        )
        tell_degradations(run.log, language or "und", made.degradations)
    return record.finished()
