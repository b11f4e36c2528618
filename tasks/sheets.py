"""The sheets of a run's languages on one desk: read before any work, laid out for review, and put away with the dub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from manifests.records import Edit, SheetRow
from tasks import sheet
from tasks.drafting import Draft
from tasks.finishing import Dub
from tasks.hearing import Heard
from tasks.mending import affected, require_current, told
from tasks.sheet_rows import sheet_rows


@dataclass(slots=True)
class Desk:
    """One sheet a language, of the lecture `stem` that is published in `folder`."""

    folder: Path
    stem: str
    lying: dict[str, sheet.Sheet]
    rows: dict[str, tuple[SheetRow, ...]] = field(default_factory=dict)
    untouched: list[Path] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, stem: str, languages: Sequence[str]) -> Self:
        """Read the sheets that lie there. BadInput, with file, row and column, for what cannot be done."""
        return cls(folder, stem, {language: sheet.read_sheet(folder, stem, language) for language in languages})

    def edits(self, drafts: Sequence[Draft]) -> dict[str, tuple[Edit, ...]]:
        """What a person changed, by language. BadInput where it is about another lecture than the drafts are."""
        found = {}
        for draft in drafts:
            lying = self.lying[draft.language]
            require_current(lying.edits, draft.heard.utterances, draft.heard.speakers, str(lying.files.csv))
            found[draft.language] = lying.edits
        return found

    def lay_out(self, drafts: Sequence[Draft]) -> list[Path]:
        """Write the sheets as the drafts stand, for a person to look at before anything is spoken; their files."""
        edits = self.edits(drafts)
        files = []
        for draft in drafts:
            lying = self.lying[draft.language]
            self.rows[draft.language] = sheet_rows(
                video=draft.heard.video,
                language=draft.language,
                utterances=draft.heard.utterances,
                translations=draft.translations,
                speakers=draft.heard.speakers,
                castings=draft.castings,
                edits=edits[draft.language],
                earlier=lying.rows,
            )
            sheet.write_sheet(self.rows[draft.language], lying)
            files.append(lying.files.csv)
        return files

    def read_again(self, drafts: Sequence[Draft]) -> dict[str, tuple[Edit, ...]]:
        """What the sheets say by now. BadInput for what cannot be done."""
        self.lying = {language: sheet.read_sheet(self.folder, self.stem, language) for language in self.lying}
        return self.edits(drafts)

    def worst(self, count: int) -> tuple[SheetRow, ...]:
        """The lines laid out that deserve a look the most."""
        return sheet.worst_first((row for rows in self.rows.values() for row in rows), count)

    def changes(self, heard: Heard) -> dict[str, str]:
        """What it costs that the sheets changed since they were written, in words, by language; none unchanged."""
        said = {}
        for language, lying in self.lying.items():
            before = sheet.edits_in(lying.rows)
            if set(before) != set(lying.edits):
                spans = {row.utterance_id: row.span for row in lying.rows}
                said[language] = told(affected(before, lying.edits, heard.utterances, heard.chunks, spans))
        return said

    def put_away(self, dubs: Sequence[Dub]) -> None:
        """Write the sheets as the dubs came out; one that a person changed meanwhile stays theirs (`untouched`)."""
        for dub in dubs:
            voiced, lying = dub.voiced, self.lying[dub.language]
            rows = sheet_rows(
                video=voiced.draft.heard.video,
                language=dub.language,
                utterances=voiced.draft.heard.utterances,
                translations=voiced.proposed,
                speakers=voiced.draft.heard.speakers,
                castings=voiced.draft.castings,
                placements=voiced.placements,
                clock=voiced.clock,
                edits=lying.edits,
                earlier=lying.rows,
            )
            if not sheet.write_sheet(rows, lying):
                self.untouched.append(lying.files.csv)
