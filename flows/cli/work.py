"""The commands that do work: each is a flow run, on the configured Prefect server or on an embedded one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli import interrupt
from flows.cli.output import Output
from flows.server import prefect_server
from infra.files import require_writable
from infra.memory import limit_arenas
from infra.places import cache_folder, state_folder

if TYPE_CHECKING:
    from tasks.runs import RunRecord
    from tasks.settings import DubSettings


def run_dub(
    *,
    source: Path,
    targets: tuple[str, ...],
    source_language: str | None,
    out: Path | None,
    preset: str,
    track: int | None,
    voice: str | None,
    translator: str | None,
    transcriber: str | None,
    lips: str | None,
    output: Output,
) -> None:
    """Dub a lecture; what can be known to be wrong is said before a server is started."""

    def work() -> RunRecord:
        from flows.dub import dub

        settings = _settings(preset, voice, translator, transcriber, lips)
        return dub(str(source), list(targets), source_language, str(out) if out else None, preset, track, settings)

    def check() -> None:
        from tasks import lecture

        job = lecture.DubJob(
            source=source,
            targets=targets,
            source_language=source_language,
            audio_track=track,
            settings=_settings(preset, voice, translator, transcriber, lips),
        )
        lecture.check_source(job)
        lecture.check(job)
        require_writable((out or source.parent).absolute())

    _run(check, "flows.dub", work, output)


def run_talk(
    *,
    face: Path,
    audio: Path | None,
    text: str | None,
    language: str | None,
    voice: str | None,
    lips: str | None,
    out: Path,
    output: Output,
) -> None:
    """Make a face speak a recording or a text."""

    def work() -> RunRecord:
        from flows.talk import talk

        settings = _settings("lecture", None, None, None, lips)
        return talk(str(face), str(out), str(audio) if audio else None, text, language, voice, settings)

    def check() -> None:
        from tasks.talking import TalkJob, check

        settings = _settings("lecture", None, None, None, lips)
        check(TalkJob(face=face, audio=audio, text=text, language=language, voice=voice, out=out, settings=settings))
        require_writable(out.absolute().parent)

    _run(check, "flows.talk", work, output)


def _settings(
    preset: str, voice: str | None, translator: str | None, transcriber: str | None, lips: str | None
) -> DubSettings:
    from tasks import settings as presets

    chosen = presets.preset(preset)
    if voice:
        chosen = dataclasses.replace(chosen, speak=dataclasses.replace(chosen.speak, voice=voice))
    if translator:
        chosen = dataclasses.replace(chosen, translate=dataclasses.replace(chosen.translate, engine=translator))
    if transcriber:
        chosen = dataclasses.replace(chosen, listen=dataclasses.replace(chosen.listen, engine=transcriber))
    if lips:
        chosen = dataclasses.replace(chosen, lips=dataclasses.replace(chosen.lips, engine=lips))
    return chosen


def _run(check: Callable[[], None], flow_module: str, work: Callable[[], RunRecord], output: Output) -> None:
    """Run `work` as a flow once `check` has passed; the server starts while this process imports what it needs."""
    check()
    limit_arenas()
    for folder in (cache_folder(), state_folder()):
        require_writable(folder.absolute())
    # Prefect's own log would write a traceback for every failure; the page keeps it, people get one line.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    with prefect_server() as starting:
        import_module(flow_module)  # takes seconds, so it overlaps with the server's start
        server = starting.ready()
        output.event("server", page=server.page_url, api=server.api_url, embedded=server.embedded)
        output.say(f"[dim]Prefect page: {server.page_url}{' (while this runs)' if server.embedded else ''}[/]")
        from flows.listening import listening

        with output.progress() as progress, listening(progress):

            def last_words() -> None:
                progress.__exit__(None, None, None)  # gives the terminal its cursor back
                output.failed(interrupt.MESSAGE, "Interrupted", interrupt.EXIT_CODE)

            with interrupt.leaving_soon(last_words):
                record = work()
    _tell(record, output)


def _tell(record: RunRecord, output: Output) -> None:
    from rich.markup import escape

    lines = []
    for each in record.languages:
        lines.append(f"[bold green]{escape(each.files[0])}[/]")
        lines.extend(f"  [dim]{escape(file)}[/]" for file in each.files[1:])
        for reason in sorted({degradation.reason for degradation in each.degradations}):
            spans = sum(degradation.reason == reason for degradation in each.degradations)
            lines.append(f"  [yellow]degraded, {spans} span{'s' if spans > 1 else ''}:[/] {escape(reason)}")
    hits = sum(entry.hit for entry in record.entries)
    lines.append(
        f"[dim]{record.seconds:.0f} s; {hits} of {len(record.entries)} pieces cached; redub show {record.name}[/]"
    )
    output.result(
        {
            "run": record.name,
            "seconds": record.seconds,
            "files": {each.language: list(each.files) for each in record.languages},
            "lip_frames": {each.language: each.lip_frames for each in record.languages},
            "degraded": {each.language: len(each.degradations) for each in record.languages},
            "hits": hits,
            "pieces": len(record.entries),
        },
        "\n".join(lines),
    )
