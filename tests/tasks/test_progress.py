"""How far a run is: never back, whole at the end, and even over the order in which a dub does its work."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.time import Span
from tasks.journal import Entry
from tasks.progress import Meter, plan_of
from tasks.settings import draft, lecture

STAGES = ["speech", "shots", "faces", "listen", "translate", "speak", "lips", "render", "assemble", "never heard of"]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def done(stage: str, language: str | None = None, *, hit: bool = False) -> Entry:
    return Entry(stage=stage, language=language, span=Span(0, 1), key="k", hit=hit, seconds=1.0)


def worked(meter: Meter, stage: str, pieces: int, language: str | None = None, *, hit: bool = False) -> list[float]:
    """The shares after each piece of a stage that is handed over and done."""
    meter.began(stage, pieces, language)
    shares = []
    for _ in range(pieces):
        meter.performed(done(stage, language, hit=hit))
        shares.append(meter.standing().share)
    return shares


@given(st.lists(st.tuples(st.sampled_from(STAGES), st.sampled_from([None, "fr"]), st.integers(0, 4), st.booleans())))
def test_it_never_goes_back(events: list[tuple[str, str | None, int, bool]]) -> None:
    meter = Meter(plan_of(lecture(), ["fr"], source_known=True))
    shares = [meter.standing().share]
    for stage, language, pieces, performs in events:
        meter.began(stage, pieces, language)
        shares.append(meter.standing().share)
        if performs:
            meter.performed(done(stage, language))
            shares.append(meter.standing().share)
    assert all(0.0 <= before <= after <= 1.0 for before, after in pairwise(shares))
    meter.finished()
    assert meter.standing().share == 1.0


def test_a_dub_moves_it_piece_by_piece() -> None:
    meter = Meter(plan_of(lecture(), ["fr"], source_known=True))
    shares = [0.0]
    for stage in ("speech", "shots"):
        shares += worked(meter, stage, 1)
    for stage in ("listen", "faces", "voice_samples", "background", "meshes", "speaking", "appearances"):
        shares += worked(meter, stage, 20)
    shares += worked(meter, "library", 1)
    for stage, rounds in (("translate", 1), ("speak", 3), ("mix", 1)):
        for _ in range(rounds):
            shares += worked(meter, stage, 20, "fr")
    shares += worked(meter, "voice", 1, "fr")
    for stage in ("heard_back", "lips", "render"):
        shares += worked(meter, stage, 20, "fr")
    for stage in ("assemble", "sign", "levels"):
        shares += worked(meter, stage, 1, "fr")
    shares += worked(meter, "real_lips", 20)
    shares += worked(meter, "dubbed_lips", 20, "fr")
    assert max(after - before for before, after in pairwise(shares)) < 0.03
    assert 0.95 < shares[-1] < 1.0  # what is left is to write the files


def test_what_a_lecture_without_faces_never_needs_is_not_waited_for() -> None:
    meter = Meter(plan_of(lecture(), ["fr"], source_known=True))
    worked(meter, "faces", 1)
    before = meter.standing().share
    meter.began("translate", 1, "fr")  # so the speakers were looked for, and nobody was found
    assert meter.standing().share > before + 0.2


def test_languages_that_are_dubbed_one_after_the_other_share_the_way() -> None:
    def share_after_first_voice(languages: list[str]) -> float:
        meter = Meter(plan_of(draft(), languages, source_known=False))
        worked(meter, "listen", 1)
        for language in languages:
            worked(meter, "translate", 1, language)
        for _ in range(3):
            worked(meter, "speak", 1, languages[0])
        return meter.standing().share

    assert share_after_first_voice(["fr", "de", "es"]) < share_after_first_voice(["fr"]) - 0.2


def test_what_is_left_is_told_by_what_was_computed_and_not_by_the_cache() -> None:
    clock = Clock()
    meter = Meter(plan_of(draft(), ["fr"], source_known=True), clock=clock)
    worked(meter, "listen", 2, hit=True)
    clock.now_s = 0.1
    assert meter.standing().left_s is None
    meter.began("translate", 1, "fr")  # half of the run and more came out of the cache in no time
    clock.now_s = 30.0
    worked(meter, "speak", 1, "fr")
    standing = meter.standing()
    assert standing.left_s is not None
    assert 5.0 < standing.left_s < 60.0
    assert meter.standing().working == (("translate", "fr"),)


@pytest.mark.parametrize("preset", ["draft", "lecture"])
def test_a_plan_expects_lips_only_where_they_are_moved(preset: str) -> None:
    settings = {"draft": draft, "lecture": lecture}[preset]()
    stages = {stage for step in plan_of(settings, ["fr"], source_known=True) for stage, _ in step}
    assert ("lips" in stages) == (preset == "lecture")
    assert "identify" not in stages
