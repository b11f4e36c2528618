"""The commands that do work: each is a flow run, on the configured Prefect server or on an embedded one."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from flows.cli import interrupt
from flows.cli.output import Output
from flows.mirrored_weights import bring_weights
from flows.runner_setting import runner_setting
from flows.server import prefect_server
from infra.files import require_writable
from infra.memory import tame_heap
from infra.places import cache_folder, state_folder
from manifests.errors import BadInput

if TYPE_CHECKING:
    from tasks.runs import RunRecord
    from tasks.settings import DubSettings

_LONGEST_HOLD_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DubOrder:
    """What was asked of `redub dub`, word for word; None and empty where nothing was."""

    source: str
    targets: tuple[str, ...]
    source_language: str | None
    out: str | None
    preset: str
    track: int | None
    voice: str | None
    speakers: Mapping[str, str]
    translator: str | None
    transcriber: str | None
    lips: str | None
    hold_s: float | None
    glossary: str | None
    course: str | None
    consent: str | None
    subtitles: str
    notice: str
    one_file: bool
    review: bool
    gate: bool


def run_dub(order: DubOrder, output: Output) -> None:
    """Dub a lecture; what can be known to be wrong is said before a server is started."""

    def work() -> RunRecord:
        from flows.dub import dub
        from flows.review import at_the_terminal, reviewing

        with reviewing(at_the_terminal(sys.stdin, lambda line: output.say(escape(line)))):
            return dub(
                order.source,
                list(order.targets),
                order.source_language,
                order.out,
                order.preset,
                order.track,
                _dub_settings(order),
                order.glossary,
                order.course,
                dict(order.speakers),
                order.consent,
                review=order.review,
                gate=order.gate,
            )

    def check() -> None:
        from flows.exchange import brought
        from infra import locations
        from tasks import lecture, sheet, warming

        source = locations.location(order.source)
        place = locations.location(order.out) if order.out else locations.parent(source)
        folder = place.absolute() if isinstance(place, Path) else None
        job = lecture.DubJob(
            source=Path(order.source),
            targets=order.targets,
            source_language=order.source_language,
            audio_track=order.track,
            settings=_dub_settings(order),
            glossary=brought(order.glossary),
            course=locations.location(order.course) if order.course else place,
            voices=tuple(sorted(order.speakers.items())),
            consent=brought(order.consent),
        )
        if not locations.is_remote(source):
            lecture.check_source(job)
        if folder is not None:
            require_writable(folder)
        lecture.check(job)
        if folder is not None:
            stem = locations.stem(source)
            warming.warm_up(
                [sheet.read_sheet(folder, stem, target) for target in order.targets], job.settings.listen.engine
            )

    _run(check, "flows.dub", work, output)


def _dub_settings(order: DubOrder) -> DubSettings:
    from tasks.delivery import DeliverySettings

    chosen = _settings(order.preset, order.voice, order.translator, order.transcriber, order.lips)
    if order.hold_s is not None:
        if not 0 <= order.hold_s <= _LONGEST_HOLD_S:
            remedy = f"give 0 (never) to {_LONGEST_HOLD_S} seconds"
            raise BadInput(f"{order.hold_s} s is no time for a picture to wait;", where="--hold", remedy=remedy)
        chosen = dataclasses.replace(chosen, timing=dataclasses.replace(chosen.timing, max_hold_s=order.hold_s))
    delivery = DeliverySettings(subtitles=order.subtitles, notice=order.notice, one_file=order.one_file)
    return dataclasses.replace(chosen, delivery=delivery)


def run_talk(
    *,
    face: str,
    audio: str | None,
    text: str | None,
    language: str | None,
    voice: str | None,
    lips: str | None,
    out: str,
    output: Output,
) -> None:
    """Make a face speak a recording or a text."""

    def work() -> RunRecord:
        from flows.talk import talk

        settings = _settings("lecture", None, None, None, lips)
        return talk(face, out, audio, text, language, voice, settings)

    def check() -> None:
        from flows.exchange import brought, require_object
        from infra import locations
        from tasks.talking import TalkJob, check

        place = locations.location(out)
        if isinstance(place, Path):
            target = place
        else:
            require_object(place, (face, audio))
            target = cache_folder() / "outgoing" / locations.name(place)
        check(
            TalkJob(
                face=brought(face) or Path(),
                audio=brought(audio),
                text=text,
                language=language,
                voice=voice,
                out=target,
                settings=_settings("lecture", None, None, None, lips),
            )
        )
        require_writable(target.absolute().parent)

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
    runner_setting(os.environ)
    tame_heap()
    for folder in (cache_folder(), state_folder()):
        require_writable(folder.absolute())
    bring_weights()
    # Prefect's own log would write a traceback for every failure; the page keeps it, people get one line.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    with prefect_server() as starting:
        check()
        starting.go()
        import_module(flow_module)  # takes seconds, so it overlaps with the server's start
        server = starting.ready()
        output.event("server", page=server.page_url, api=server.api_url, embedded=server.embedded)
        output.say(f"[dim]Prefect page: {server.page_url}{' (while this runs)' if server.embedded else ''}[/]")
        from flows.listening import listening

        with output.progress() as progress, listening(progress) as told:

            def last_words() -> None:
                told.close()
                progress.__exit__(None, None, None)  # gives the terminal its cursor back
                output.failed(interrupt.MESSAGE, "Interrupted", interrupt.EXIT_CODE)

            with interrupt.leaving_soon(last_words):
                record = work()
    _tell(record, output)


def _tell(record: RunRecord, output: Output) -> None:
    lines = []
    for each in record.languages:
        lines.append(f"[bold green]{escape(each.files[0])}[/]")
        lines.extend(f"  [dim]{escape(file)}[/]" for file in each.files[1:])
        if each.report:
            lines.append(f"  [dim]{escape(each.report)}[/]")
        if each.mended:
            lines.append(f"  {escape(each.mended)}")
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
            "reports": {each.language: each.report for each in record.languages if each.report},
            "mended": {each.language: each.mended for each in record.languages if each.mended},
            "hits": hits,
            "pieces": len(record.entries),
        },
        "\n".join(lines),
    )
