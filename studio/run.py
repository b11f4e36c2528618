"""One run of one project, in a process of its own.

python -m studio.run FOLDER LIMITS (as JSON)

It runs the flow that the project asks for on the studio's Prefect server, and tells what happens in the project's
events. It changes nothing else that the server holds: what a run came to is the server's to keep.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import TypeAdapter

from manifests.errors import RedubError
from studio import events
from studio.answers import told
from studio.orders import Orders
from studio.outcome import results_of
from studio.projects import read_project
from studio.records import Project, Result
from studio.settings import Limits
from studio.stills import Stills
from studio.telling import Teller

if TYPE_CHECKING:
    from tasks.lecture import DubJob
    from tasks.runs import RunRecord
    from tasks.settings import DubSettings

OUT = "out"
FAULT = {"error": "something went wrong in redub", "remedy": "resume it; if it happens again, tell the operator"}
_RESULTS: TypeAdapter[tuple[Result, ...]] = TypeAdapter(tuple[Result, ...])


def main() -> None:
    """Run the project of the folder that is named; exit code 0 where it came to its end or waits, else as redub's."""
    from flows.cli.interrupt import EXIT_CODE

    folder, limits = Path(sys.argv[1]), Limits(**json.loads(sys.argv[2]))
    project, orders = read_project(folder), Orders(folder)
    os.nice(5)  # the page should not wait for the work
    orders.listen()
    code = 0
    try:
        began_s = time.monotonic()
        results = results_of(worked(project, folder, orders, limits), folder)
        _say(folder, results)
        found = {"results": _RESULTS.dump_python(results, mode="json")}
        events.append(folder, "results", found | {"worked_s": round(time.monotonic() - began_s, 1)})
    except KeyboardInterrupt:
        code = EXIT_CODE
    except RedubError as error:
        code = error.exit_code
        if _waits(error):
            events.append(folder, "left", {})
            code = 0
        else:
            events.append(folder, "failed", told(error))
    except Exception:  # noqa: BLE001 (the last line of defence: what is left is redub's own fault)
        traceback.print_exc()
        events.append(folder, "failed", FAULT)
        code = 1
    sys.stdout.flush()
    sys.exit(code)


def _say(folder: Path, results: Sequence[Result]) -> None:
    """What people should know of the results, in words."""
    for each in results:
        if each.mended:
            events.append(folder, "log", {"level": "info", "text": f"{each.language}: {each.mended}"})
        for kept in each.degraded:
            text = f"{each.language}: for {kept.seconds:.1f} s the original was kept: {kept.reason}"
            events.append(folder, "log", {"level": "warning", "text": text})


def _waits(error: RedubError) -> bool:
    from flows.review import ReviewEnded

    return isinstance(error, ReviewEnded)


def worked(project: Project, folder: Path, orders: Orders, limits: Limits) -> list[RunRecord]:
    """The records of the flow runs that the project took. Errors as the flows raise them."""
    from infra.memory import tame_heap
    from studio.bringing import bring

    tame_heap()
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    project = bring(project, folder, limits)
    with _told(project, folder, orders):
        return _dub(project, folder) if project.kind == "dub" else [_talk(project, folder)]


@contextmanager
def _told(project: Project, folder: Path, orders: Orders) -> Iterator[None]:
    """What happens inside is told; Ctrl-C ends it within seconds."""
    from flows.server import prefect_server

    with prefect_server() as starting:
        from flows.cancelling import current_run, tell_cancelled
        from flows.cli.interrupt import leaving_soon
        from flows.listening import current_page, listening
        from flows.review import reviewing
        from infra.store import cache_store

        starting.ready()
        stills = Stills(folder, f"/media/{project.id}", folder / project.source.file, cache_store())
        runs: list[UUID] = []

        def on_first() -> None:
            events.append(folder, "page", {"url": current_page()})
            if (run := current_run()) is not None:
                runs.append(run)

        def last_words() -> None:
            for run in runs[-1:]:
                tell_cancelled(run)

        teller = Teller(folder, _meter(project), _expected_s(project), on_first=on_first, on_piece=stills.piece)
        if project.source.kind == "video":
            stills.begin(project.source.duration_s or 0.0)
        with listening(teller), reviewing(orders.reviewer), leaving_soon(last_words):
            yield
        stills.end()


def _meter(project: Project) -> Any:
    from studio.telling import talk_plan
    from tasks.progress import Meter, plan_of

    if project.kind == "dub":
        steps = plan_of(settings_of(project, None), project.to, source_known=project.from_ is not None)
    else:
        steps = talk_plan(project.to[0] if project.to else "und", speaks=project.kind == "text")
    return Meter(steps)


def _expected_s(project: Project) -> float:
    from studio.estimate import estimated

    return estimated(project).seconds or 0.0


def settings_of(project: Project, voice: str | None) -> DubSettings:
    """The settings that the project asks for, everybody's voice being `voice` where one is given."""
    from tasks.settings import lecture

    chosen = lecture()
    if project.lips is not None:
        chosen = dataclasses.replace(chosen, lips=dataclasses.replace(chosen.lips, engine=project.lips))
    if voice is not None:
        chosen = dataclasses.replace(chosen, speak=dataclasses.replace(chosen.speak, voice=voice))
    return chosen


def _dub(project: Project, folder: Path) -> list[RunRecord]:
    """A flow run for all languages whose voices the machine chooses, and one for each whose voice was chosen by hand.

    What the runs share is done once, by the first of them.
    """
    from flows.dub import dub

    return [
        dub(
            str(folder / project.source.file),
            list(languages),
            project.from_,
            str(folder / OUT),
            settings=settings_of(project, voice),
            review=project.review and not project.reviewed,
        )
        for languages, voice in runs_of(project)
    ]


def runs_of(project: Project) -> list[tuple[Sequence[str], str | None]]:
    """The languages of each flow run, with the voice that was chosen for them."""
    voices = dict(project.voices)
    free = [code for code in project.to if code not in voices]
    return [*([(free, None)] if free else []), *(((code,), voices[code]) for code in project.to if code in voices)]


def job_of(project: Project, folder: Path, language: str) -> DubJob:
    """The job that the run which makes `language` is given, for whoever asks about a part of it."""
    from tasks.lecture import DubJob

    languages, voice = next(each for each in runs_of(project) if language in each[0])
    return DubJob(
        source=folder / project.source.file,
        title=Path(project.source.file).stem,
        targets=tuple(languages),
        source_language=project.from_,
        audio_track=None,
        settings=settings_of(project, voice),
        course=folder / OUT,
    )


def _talk(project: Project, folder: Path) -> RunRecord:
    from flows.talk import talk

    language = project.to[0] if project.kind == "text" else None
    name = f"{Path(project.source.name).stem}.{language or 'speaks'}.mp4"
    out = folder / OUT / name
    out.parent.mkdir(exist_ok=True)
    return talk(
        str(folder / project.source.file),
        str(out),
        str(folder / project.audio.file) if project.audio else None,
        project.text if language else None,
        language,
        dict(project.voices).get(language or ""),
        settings_of(project, None),
    )


if __name__ == "__main__":
    main()
