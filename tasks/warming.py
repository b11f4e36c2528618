"""Loading what an edited line needs while the run still waits for other things: its voice, and who hears it back."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

from manifests.errors import RedubError
from models.asr import engines as asr
from models.speech import cloned, voices
from models.speech import engines as speech
from tasks.mending import WORDED
from tasks.sheet import Sheet, edits_in
from tasks.split_lines import members


def warm_up(sheets: Iterable[Sheet], recogniser: str) -> threading.Thread | None:
    """Load engines in a thread of their own where lines of `sheets` are to be spoken again; None where none are.

    Nothing hangs on it: what could not be loaded is loaded, and told, by the work that needs it.
    """
    needed = [voice for sheet in sheets for voice in _voices(sheet)]
    if not needed:
        return None
    thread = threading.Thread(target=_load, args=(needed, recogniser), name="warm-up", daemon=True)
    thread.start()
    return thread


def _voices(sheet: Sheet) -> list[str]:
    """The voice of each line whose words or voice changed since the sheet was written."""
    changed = {edit.utterance_id for edit in set(sheet.edits) ^ set(edits_in(sheet.rows)) if edit.column in WORDED}
    heard = {name: row.voice for row in sheet.rows for name in (row.utterance_id, *members(row.utterance_id))}
    given = {edit.utterance_id: edit.value for edit in sheet.edits if edit.column == "voice"}
    voices_of = (
        given.get(name) or next((heard[each] for each in (name, *members(name)) if each in heard), "")
        for name in changed
    )
    return [voice for voice in voices_of if voice]


def _load(needed: Sequence[str], recogniser: str) -> None:
    with suppress(RedubError, OSError):
        for engine in sorted({voices.find(name).engine for name in needed if not cloned.is_clone(name)}):
            speech.load_for(engine, len(needed))
        asr.load(recogniser)
