"""The process that keeps voices loaded: it says samples of voices, and single lines of dubs as they will be heard.

python -m studio.voice_process

Questions come as lines of JSON on standard input, one answer each goes to standard output:
`{"sample": VOICE, "language": CODE, "text": TEXT}`, `{"warm": FOLDER, "language": CODE, "voices": [..]}`, which makes
ready for lines to come, or `{"project": FOLDER, "stem": NAME, "language": CODE, "line": ROW, "translation": TEXT,
"voice": VOICE}`, both of which may be "".
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manifests.errors import RedubError
from studio.answers import Refused, status_of, told
from studio.lines import OUT
from studio.projects import read_project

if TYPE_CHECKING:
    from infra.store import Store
    from manifests.records import Edit
    from tasks.rehearsal import Rehearsal, Spoken
    from tasks.sheet import Sheet
    from tasks.sheet_changes import SheetLine

_MOST_OPEN = 4
_FAULT = {"error": "the line could not be spoken", "remedy": "try again; the server's log says more", "status": 500}


def main() -> None:
    """Answer until the input ends."""
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    desk = VoiceDesk()
    for line in sys.stdin:
        answers.write(json.dumps(_answer(desk, line)) + "\n")
        answers.flush()


def _answer(desk: VoiceDesk, line: str) -> dict[str, Any]:
    from flows.mirrored_weights import bring_weights

    try:
        question = json.loads(line)
        bring_weights()  # at once, but for the first time where they lie in a bucket
        if "warm" in question:
            desk.warm(question)
            return {}
        spoken = desk.sample(question) if "sample" in question else desk.line(question)
    except RedubError as error:
        return told(error) | {"status": status_of(error)}
    except Exception:  # noqa: BLE001 (this process answers the next question, too)
        traceback.print_exc()
        return _FAULT
    return {"audio": str(spoken.audio), "duration_s": spoken.duration_s, "rate": spoken.rate}


@dataclass(slots=True)
class VoiceDesk:
    """Keeps the store and a few rehearsals open: what of a dub a line's sound hangs on is recalled once."""

    _store: Store | None = None
    _open: dict[tuple[str, str, str], Rehearsal] = field(default_factory=dict)

    def sample(self, question: Mapping[str, Any]) -> Spoken:
        """A text by a voice, at its own rate."""
        from tasks.rehearsal import say

        return say(question["text"], question["sample"], question["language"], self.store)

    def warm(self, question: Mapping[str, Any]) -> None:
        """Load the voices of a dub, and recall what its lines hang on, before anybody asks for one."""
        from models.speech import engines, voices

        for engine in sorted({voices.find(name).engine for name in question["voices"]}):
            engines.load_for(engine, 1)
        folder, language = Path(question["warm"]), question["language"]
        if _is_dubbed(folder, language):
            self._rehearsal(folder, language)

    def line(self, question: Mapping[str, Any]) -> Spoken:
        """A line of a dub, with what the person has written but not saved. Refused where there is no such line.

        Before the first dub nothing is known of its timing: it is then said at the voice's own rate.
        """
        from tasks.rehearsal import say
        from tasks.sheet import read_sheet
        from tasks.sheet_changes import view_sheet

        folder, language = Path(question["project"]), question["language"]
        out, stem = folder / OUT, question["stem"]
        line = next((each for each in view_sheet(out, stem, language).lines if each.id == question["line"]), None)
        if line is None:
            raise Refused(404, "there is no such line", "load the lines again")
        if not _is_dubbed(folder, language):
            text, voice = question["translation"] or line.translation, question["voice"] or line.voice
            return say(text, voice, language, self.store)
        edits = _edits(read_sheet(out, stem, language), line, language, question)
        return self._rehearsal(folder, language).say(edits, line.report_id)

    @property
    def store(self) -> Store:
        """The store of finished work."""
        from infra.store import cache_store

        if self._store is None:
            self._store = cache_store()
        return self._store

    def _rehearsal(self, folder: Path, language: str) -> Rehearsal:
        from studio.run import job_of
        from tasks.journal import Journal
        from tasks.pool import InProcessPool
        from tasks.rehearsal import Rehearsal

        project = read_project(folder)
        at = (str(folder), language, str(project.worked_s))
        if at not in self._open:
            while len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            pool = InProcessPool(self.store, Journal())
            self._open[at] = Rehearsal.open(job_of(project, folder, language), language, pool)
        return self._open[at]


def _is_dubbed(folder: Path, language: str) -> bool:
    return any(result.language == language for result in read_project(folder).results)


def _edits(sheet: Sheet, line: SheetLine, language: str, question: Mapping[str, Any]) -> list[Edit]:
    """The sheet's edits, those of `line` as far as they were sent with the question being the ones that were sent."""
    from manifests.records import Edit

    wanted = {column: question[column] for column in ("translation", "voice") if question.get(column)}
    heard = next((row.machine_source for row in sheet.rows if row.utterance_id == line.report_id), line.source)
    kept = [each for each in sheet.edits if each.utterance_id != line.report_id or each.column not in wanted]
    return kept + [
        Edit(utterance_id=line.report_id, language=language, column=column, value=value, heard=heard)
        for column, value in wanted.items()
    ]


if __name__ == "__main__":
    main()
