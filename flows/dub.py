"""The flow that dubs one lecture: a skin over `tasks.lecture`, with Prefect's tasks, tags, artifacts and page."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.pool import PrefectPool
from infra.files import require_writable
from infra.places import cache_folder
from infra.store import Store
from manifests.errors import RedubError
from tasks import publish, runs
from tasks.journal import Journal, Listener, Silent
from tasks.lecture import DubbedLecture, DubJob, dub_lecture
from tasks.settings import DubSettings, preset

WORKERS = 2
"""Pieces of work at once in one process: one decodes while another computes. Each engine uses all cores by itself."""


def run_name() -> str:
    """What the Prefect page calls this run: the lecture and its languages."""
    parameters = flow_run.parameters
    return f"{Path(parameters['source']).stem} to {', '.join(parameters['to'])}"


@flow(
    name="dub-lecture",
    flow_run_name=run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=WORKERS),
    validate_parameters=False,
    persist_result=False,
)
def dub(
    source: str,
    to: list[str],
    source_language: str | None = None,
    out: str | None = None,
    preset_name: str = "lecture",
    audio_track: int | None = None,
    settings: DubSettings | None = None,
    listener: Listener | None = None,
) -> runs.RunRecord:
    """Dub the lecture at `source` into the languages `to`; the files appear in `out`, by default beside the source.

    `source_language` is an ISO 639-1 code, None to find it out. `settings` overrides `preset_name`. The run is
    recorded whatever becomes of it. Raises BadInput, MissingWeights, Unavailable or NoSpace with the message for people.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    path = Path(source).absolute()
    folder = Path(out).absolute() if out else path.parent
    journal = Journal(listener or Silent())
    outcome, dubbed, outcomes = "finished", None, ()
    name = runs.next_name(f"{path.stem}-{'-'.join(to)}")
    try:
        require_writable(folder)
        store = Store(cache_folder())
        job = DubJob(
            source=path,
            targets=tuple(to),
            source_language=source_language,
            audio_track=audio_track,
            settings=settings or preset(preset_name),
        )
        dubbed = dub_lecture(job, PrefectPool(store, journal))
        outcomes = publish.publish_dubs(dubbed, path.stem, folder, store)
    except RedubError as error:
        outcome = str(error)
        raise
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
        raise
    finally:
        record = runs.RunRecord(
            name=name,
            command="dub",
            source=str(path),
            source_duration_s=dubbed.heard.video.span.duration_s if dubbed else 0.0,
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            outcome=outcome,
            page=flow_run.ui_url or "",
            entries=tuple(journal.entries),
            languages=outcomes,
        )
        runs.write_record(record, publish.manifest_folder(path.stem, folder) if dubbed else None)
    _leave_artifact(record, dubbed)
    return record


def _leave_artifact(record: runs.RunRecord, dubbed: DubbedLecture) -> None:
    rows = [
        {
            "language": each.language,
            "file": each.files[0],
            "frames copied": each.copied_frames,
            "frames rendered": each.rendered_frames,
            "loudness (LUFS)": each.loudness_lufs,
            "degraded spans": len(each.degradations),
        }
        for each in record.languages
    ]
    create_table_artifact(
        table=rows,
        key="dubs",
        description=f"{len(dubbed.heard.chunks)} chunks, {record.seconds:.0f} s for {record.source_duration_s:.0f} s",
    )
