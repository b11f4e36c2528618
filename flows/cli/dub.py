"""`redub dub` and `redub report`: a lecture in other languages, and what was measured of it."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import Json, Lips, Voice
from flows.cli.output import choose_output
from manifests.errors import BadInput

app = typer.Typer()

_WHAT = "What is dubbed"
_HOW = "How it is said"
_FILES = "What is written"


@app.command(
    epilog="""
Examples:
  redub dub 'Lecture 01.mp4' --to fr
  redub dub lecture.mkv --from en --to fr,es --out dubbed/ --track 1
  redub dub lecture.mp4 --to fr --glossary terms.csv --review --gate
  redub dub lecture.mp4 --to fr --preset draft

For each language it writes NAME.fr.mp4 with the dub (first) and the original
sound, subtitles in both languages (inside, and as .srt and .vtt), NAME.fr.c2pa
(the signed disclosure), NAME.fr.csv (a sheet of all lines), and NAME.redub/ with
report.fr.html and the Parquet manifests. What was finished is never done twice:
run the same command again after an interruption.

To mend a line, edit NAME.fr.csv in a spreadsheet and run the same command: only
what changed is done again. Speakers keep their voices in all lectures that are
written to one folder (course.parquet).
"""
)
def dub(
    source: Annotated[
        str,
        typer.Argument(help="The lecture: any video that ffmpeg reads; a path or s3://BUCKET/KEY.", metavar="SOURCE"),
    ],
    to: Annotated[str, typer.Option("--to", help="Languages to dub into, by ISO 639-1 code, as in fr or fr,es.")],
    from_: Annotated[
        str, typer.Option("--from", help="The language spoken in it, or auto to find out.", rich_help_panel=_WHAT)
    ] = "auto",
    track: Annotated[
        int | None,
        typer.Option("--track", help="Which audio track to dub, counted from 0.", rich_help_panel=_WHAT),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="The folder to write to, or s3://BUCKET/PREFIX; default: beside the source.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option("--preset", help="lecture (the default) or draft (no lips; quick).", rich_help_panel=_HOW),
    ] = "lecture",
    glossary: Annotated[
        str | None,
        typer.Option(
            "--glossary",
            help="A CSV of terms: source, target, keep, pronunciation, language; a path or s3://BUCKET/KEY.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    voice: Voice = None,
    speaker: Annotated[
        list[str] | None,
        typer.Option(
            "--speaker",
            help="The voice of one speaker, as in speaker1=fr-kokoro-em-alex; may be given again.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    course: Annotated[
        str | None,
        typer.Option(
            "--course",
            help="The folder or s3://BUCKET/PREFIX whose lectures share their speakers' voices; default: where it is "
            "written to.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option(
            "--consent",
            help="Who agreed to have their own voice imitated (TOML; a path or s3://BUCKET/KEY); goes with "
            "--speaker speaker1=clone:speaker1.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    lips: Lips = None,
    translator: Annotated[
        str | None,
        typer.Option(
            "--translator", help="ctranslate2 (default), transformers, or llama (experimental).", rich_help_panel=_HOW
        ),
    ] = None,
    transcriber: Annotated[
        str | None,
        typer.Option("--transcriber", help="whisper (default), parakeet or wav2vec2.", rich_help_panel=_HOW),
    ] = None,
    hold: Annotated[
        float | None,
        typer.Option(
            "--hold",
            help="For how many seconds at most a picture without a face may wait for one line; 0: never. Default: 2.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    subtitles: Annotated[
        str,
        typer.Option(
            "--subtitles",
            help="soft (the default), bilingual (soft, the source's words below), or burned: a copy of the video with "
            "them in the picture, all of which is encoded again.",
            rich_help_panel=_FILES,
        ),
    ] = "soft",
    one_file: Annotated[
        bool,
        typer.Option(
            "--one-file",
            help="Also write one video with all languages as tracks; its lips follow the first.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    notice: Annotated[
        str,
        typer.Option(
            "--notice",
            help="none (the default), shown (a first subtitle that says it was dubbed) or spoken (said, too).",
            rich_help_panel=_FILES,
        ),
    ] = "none",
    review: Annotated[
        bool,
        typer.Option(
            "--review", help="Stop before anything is spoken, until the sheet was looked at.", rich_help_panel=_FILES
        ),
    ] = False,
    gate: Annotated[
        bool,
        typer.Option(
            "--gate",
            help="Publish nothing but the report where a measure misses the preset's threshold; exit code 6.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Dub a lecture into one or more languages."""
    from flows.cli.work import DubOrder, run_dub

    run_dub(
        DubOrder(
            source=source,
            targets=tuple(dict.fromkeys(part.strip().lower() for part in to.split(",") if part.strip())),
            source_language=None if from_ == "auto" else from_.strip().lower(),
            out=out,
            preset=preset,
            track=track,
            voice=voice,
            speakers=_speakers(speaker or []),
            translator=translator,
            transcriber=transcriber,
            lips=lips,
            hold_s=hold,
            glossary=glossary,
            course=course,
            consent=consent,
            subtitles=subtitles,
            notice=notice,
            one_file=one_file,
            review=review,
            gate=gate,
        ),
        choose_output(as_json=json),
    )


def _speakers(given: list[str]) -> dict[str, str]:
    pairs = {}
    for each in given:
        name, sign, voice = (part.strip() for part in each.partition("="))
        if not (name and sign and voice):
            raise BadInput(
                f"{each!r} gives no speaker a voice;",
                where="--speaker",
                remedy="as in --speaker speaker1=fr-kokoro-em-alex",
            )
        if name in pairs:
            raise BadInput(f"{name} is given two voices;", where="--speaker", remedy="keep one")
        pairs[name] = voice
    return pairs


@app.command(
    epilog="""
Examples:
  redub report dubbed/lecture.redub

Every dub leaves its report there: report.fr.html for people, report.fr.json for
machines. This makes the pages again from the JSON.
"""
)
def report(
    folder: Annotated[
        str, typer.Argument(help="The NAME.redub folder of a dub, or s3://BUCKET/.../NAME.redub/.", metavar="FOLDER")
    ],
    json: Json = False,
) -> None:
    """Make the report pages of a dub again."""
    from flows.fetched_dubs import rebuilt_pages

    pages = rebuilt_pages(folder)
    choose_output(as_json=json).result({"pages": pages}, "\n".join(pages))
