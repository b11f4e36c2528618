"""A sheet of four lines that nobody said, and the run that reads it and writes it again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from manifests.records import Edit, SheetRow, SourceLine, Utterance, Word
from manifests.time import Span, flicks
from tasks.sheet import read_sheet, row_id, write_sheet
from tasks.split_lines import cut_again, members

VIDEO = "5f" * 32
TEXTS = ("We look at the moon and why it moves the sea.", "It pulls.", "Thank you for your time.", "Goodbye now.")


def uttered(index: int) -> Utterance:
    words = TEXTS[index].split()
    start = 20 * index
    return Utterance(
        id=f"{VIDEO}/chunk{index // 3:05d}/utterance{index % 3:05d}",
        chunk_id=f"{VIDEO}/chunk{index // 3:05d}",
        span=Span.of_seconds(start, start + len(words)),
        text=TEXTS[index],
        words=tuple(
            Word(text=word, span=Span.of_seconds(start + at, start + at + 1), confidence=0.9)
            for at, word in enumerate(words)
        ),
        language="en",
    )


HEARD = tuple(uttered(index) for index in range(4))
IDS = tuple(row_id(each.id, "fr") for each in HEARD)


def row(line: Utterance, made_of: tuple[Utterance, ...] = ()) -> SheetRow:
    """A row as a run writes it, of a line that was spoken where it was heard."""
    return SheetRow(
        id=row_id(line.id, "fr"),
        utterance_id=line.id,
        video_id=VIDEO,
        language="fr",
        lecture=Span(0, flicks(100)),
        span=line.span,
        speaker="speaker1",
        voice="fr-kokoro-ff-siwis",
        source=line.text,
        translation=f"<{line.text}>",
        check="",
        note="",
        worry=0.0,
        machine_span=line.span,
        machine_speaker="speaker1",
        machine_voice="fr-kokoro-ff-siwis",
        machine_source=line.text,
        machine_translation=f"<{line.text}>",
        made_of=tuple(SourceLine(utterance_id=each.id, span=each.span, text=each.text) for each in made_of),
    )


def run(folder: Path) -> tuple[Edit, ...]:
    """Read the sheet and write it as the run after it would; the edits that were read."""
    sheet = read_sheet(folder, "lecture", "fr")
    heard = {each.id: each for each in HEARD}
    lines = cut_again(HEARD, sheet.edits)
    cells: dict[str, dict[str, str]] = {}
    for edit in sheet.edits:
        cells.setdefault(edit.utterance_id, {})[edit.column] = edit.value
    rows = []
    for line in lines:
        made_of = () if line.id in heard else tuple(heard[name] for name in members(line.id))
        mine = cells.get(line.id, {})
        span = next((edit.span for edit in sheet.edits if edit.utterance_id == line.id and edit.span), line.span)
        texts = {name: value for name, value in mine.items() if name in ("source", "translation", "speaker", "note")}
        rows.append(dataclasses.replace(row(line, made_of), **texts, span=span, edited=tuple(sorted(mine))))  # type: ignore[arg-type]
    assert write_sheet(rows, sheet)
    return sheet.edits
