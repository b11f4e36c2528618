"""The flow that dubs one lecture: a skin over `tasks.lecture`, with Prefect's tasks, tags, artifacts and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from flows.exchange import Exchange, brought, exchange
from flows.logs import tell_degradations
from flows.mirrored_weights import bring_weights
from flows.pool import PrefectPool
from flows.progress import tag_run
from flows.recording import recorded
from flows.review import await_review
from flows.runners import RunnerOfTheSetting
from flows.showing import leave_dubs, leave_report, leave_stills, links_given
from flows.watched import watched
from flows.worded import worded
from infra import locations
from infra.memory import give_back
from infra.store import Store, cache_store
from manifests.errors import GateFailed
from manifests.records import Edit
from manifests.report import DubReport
from tasks import publish, sheets
from tasks.archive import Wanted
from tasks.archive_desk import record_dub, require_own_place
from tasks.drafting import Draft
from tasks.lecture import DubbedLecture, DubJob, dub_lecture
from tasks.progress import plan_of
from tasks.report_files import report_files
from tasks.runs import LanguageOutcome, RunRecord
from tasks.settings import DubSettings, preset

_WORST_LINES = 8


def run_name() -> str:
    """What the Prefect page calls this run: the lecture, its languages, and how, where that is not the usual way."""
    parameters = flow_run.parameters
    how = parameters.get("preset_name") or "lecture"
    named = f"{locations.stem(locations.location(parameters['source']))} to {', '.join(parameters['to'])}"
    return named if how == "lecture" else f"{named} ({how})"


@flow(
    name="dub-lecture",
    flow_run_name=run_name,
    task_runner=RunnerOfTheSetting(),
    validate_parameters=False,
    persist_result=False,
)
@worded
def dub(
    source: str,
    to: list[str],
    source_language: str | None = None,
    out: str | None = None,
    preset_name: str = "lecture",
    audio_track: int | None = None,
    settings: DubSettings | None = None,
    glossary: str | None = None,
    course: str | None = None,
    voices: dict[str, str] | None = None,
    consent: str | None = None,
    etag: str | None = None,
    *,
    review: bool = False,
    gate: bool = False,
) -> RunRecord:
    """Dub the lecture at `source` into the languages `to`; the files appear in `out`, or beside the source.

    Both, `glossary`, `course` and `consent` may be paths or addresses in an object store (s3://BUCKET/KEY). With `etag`
    that content of the source is dubbed and no other one (`infra.locations.SourceVersion`).

    `source_language` is an ISO 639-1 code, None to find it out. `settings` overrides `preset_name`. `voices` maps
    speakers ("speaker1") to voices; `course` is the folder whose lectures keep their speakers' voices, by default the
    one that is written to. What a person edited in the sheets that lie in `out` is done; with `review` the run pauses
    before anything is spoken. With `gate` nothing is published that fails the preset's thresholds. The run is recorded
    whatever becomes of it. Raises BadInput, MissingWeights, Unavailable, NoSpace or GateFailed, worded for people.
    """
    place, chosen = locations.location(source), settings or preset(preset_name)
    links_given()
    tag_run("redub", "dub", _course_tag(course, place), *to)
    title = f"{locations.stem(place)}-{'-'.join(to)}"
    shown = str(place if locations.is_remote(place) else Path(source).absolute())
    with (
        watched(run_name(), plan_of(chosen, to, source_known=source_language is not None)) as run,
        recorded(command="dub", title=title, source=shown, journal=run.journal) as record,
        exchange(source, out, to, etag) as exchanged,
    ):
        if locations.is_remote(exchanged.place):
            require_own_place(locations.location(exchanged.version.location), exchanged.place)
        bring_weights()
        path, folder, stem = exchanged.source, exchanged.folder, exchanged.title
        store = cache_store()
        job = DubJob(
            source=path,
            title=stem,
            targets=tuple(to),
            source_language=source_language,
            audio_track=audio_track,
            settings=chosen,
            glossary=brought(glossary),
            course=locations.location(course) if course else exchanged.place,
            voices=tuple(sorted((voices or {}).items())),
            consent=brought(consent),
        )
        desk = sheets.Desk.open(folder, stem, job.targets)

        def mend(drafts: Sequence[Draft]) -> dict[str, tuple[Edit, ...]]:
            if not review:
                return desk.edits(drafts)
            files = [exchanged.address(str(file)) for file in desk.lay_out(drafts)]
            exchanged.deliver_sheets()

            def read_again() -> dict[str, tuple[Edit, ...]]:
                exchanged.bring_sheets()
                return desk.read_again(drafts)

            return await_review(files, desk.worst(_WORST_LINES), read_again, key=stem)

        dubbed = dub_lecture(job, run.watching(PrefectPool(store, run.journal)), mend)
        record.duration_s = dubbed.heard.video.span.duration_s
        changes = desk.changes(dubbed.heard)
        give_back()  # here and below: what follows is this process's own work, in no batch that would do it
        reports = publish.publish_reports(dubbed, stem, folder, job.settings.gate, store)
        desk.put_away(dubbed.dubs)
        _show(dubbed, reports, exchanged, store)
        give_back()
        for each in dubbed.dubs:
            tell_degradations(run.log, each.language, each.degradations)
        if gate:
            _require_passed(reports, exchanged)
        outcomes = publish.publish_dubs(dubbed, stem, folder, store, changes, exchanged.address)
        exchanged.deliver(to)
        if settings is None and locations.is_remote(exchanged.place):
            # An archive over the same bucket then counts this lecture as made.
            wanted = Wanted(
                root="",
                out_root="",
                languages=tuple(to),
                preset=preset_name,
                source_language=source_language,
                glossary=glossary,
                gate=gate,
            )
            record_dub(exchanged.version, wanted, exchanged.place, tuple(to), record.duration_s)
        record.languages = tuple(_addressed(each, exchanged) for each in outcomes)
        record.beside = locations.join(exchanged.place, publish.manifest_folder(stem, folder).name)
    leave_dubs(record.finished(), stem, len(dubbed.heard.chunks))
    return record.finished()


def _course_tag(course: str | None, source: locations.Location) -> str:
    """The tag of the course that a lecture is of: the folder or prefix that it lies in, where none is given."""
    name = locations.name(locations.location(course) if course else locations.parent(source))
    return f"course:{name}" if name else ""


def _require_passed(reports: Mapping[str, DubReport], exchanged: Exchange) -> None:
    """GateFailed where a dub did not pass; its report and its sheet are published all the same."""
    try:
        publish.require_passed(reports, exchanged.title, exchanged.folder)
    except GateFailed:
        exchanged.deliver(())
        raise


def _addressed(outcome: LanguageOutcome, exchanged: Exchange) -> LanguageOutcome:
    files = tuple(exchanged.address(file) for file in outcome.files)
    return replace(outcome, files=files, report=exchanged.address(outcome.report))


def _show(dubbed: DubbedLecture, reports: Mapping[str, DubReport], exchanged: Exchange, store: Store) -> None:
    """What was measured, and stills, on the run's page, whether or not the gate lets the dub pass."""
    for dub in dubbed.dubs:
        report = reports[dub.language]
        page = report_files(publish.manifest_folder(exchanged.title, exchanged.folder), dub.language).page
        leave_report(report, exchanged.address(str(page)))
        leave_stills(report, store.path(dub.files.video), exchanged.source)
