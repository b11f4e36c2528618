"""Who listens to a run: told while it goes on, and nothing after its last word."""

from __future__ import annotations

from dataclasses import dataclass, field

from flows.listening import current_listener, listening
from manifests.time import Span
from tasks.journal import Entry, Journal, Silent


@dataclass
class Notes:
    """A listener that keeps what it was told."""

    heard: list[str] = field(default_factory=list)

    def began(self, stage: str, pieces: int, language: str | None) -> None:
        self.heard.append(f"{pieces} of {stage} began")

    def performed(self, entry: Entry) -> None:
        self.heard.append(f"{entry.stage} done")


def do(journal: Journal) -> None:
    journal.began("faces", 2, None)
    journal.performed("faces", Span(0, 1), None, "key", hit=False, seconds=1.0)


def test_a_thread_that_is_late_tells_nobody() -> None:
    notes = Notes()
    with listening(notes):
        journal = Journal(current_listener())
        do(journal)
    do(journal)
    assert notes.heard == ["2 of faces began", "faces done"]
    assert len(journal.entries) == 2
    assert isinstance(current_listener(), Silent)


def test_a_last_word_can_be_said_before_the_run_ends() -> None:
    notes = Notes()
    with listening(notes) as told:
        journal = Journal(current_listener())
        told.close()
        do(journal)
    assert notes.heard == []
