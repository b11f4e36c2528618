"""Which of the faces in a picture speak."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from manifests.time import Span
from tasks.speaking import Candidate, SpeakingSettings, choose

SETTINGS = SpeakingSettings()
AGREES, MOVES = SETTINGS.min_agreement + 0.2, SETTINGS.min_motion + 0.2


def candidate(
    name: str, start_s: float, end_s: float, *, agreement: float = 0.0, motion: float = 1.0, height_px: float = 100
) -> Candidate:
    return Candidate(
        track_id=name,
        span=Span.of_seconds(start_s, end_s),
        height_px=height_px,
        agreement=agreement,
        motion=motion,
    )


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    made = []
    for index in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, 40))
        made.append(
            candidate(
                str(index),
                start,
                start + draw(st.integers(1, 20)),
                agreement=draw(st.floats(0, 1)),
                motion=draw(st.floats(0, 2)),
                height_px=draw(st.floats(64, 400)),
            )
        )
    return made


def alone(each: Candidate, everybody: list[Candidate]) -> bool:
    return not any(each.span.overlaps(other.span) for other in everybody if other is not each)


@given(candidates())
def test_no_two_speak_at_one_time(everybody: list[Candidate]) -> None:
    chosen = choose(everybody, SETTINGS)
    assert all(not one.span.overlaps(other.span) for one, other in combinations(chosen, 2))
    assert [each.span for each in chosen] == sorted(each.span for each in chosen)
    assert all(each in everybody for each in chosen)


@given(candidates())
def test_a_listener_is_not_chosen(everybody: list[Candidate]) -> None:
    """Somebody beside others whose mouth does not fit the voice, however large the face and lively the mouth."""
    for each in choose(everybody, SETTINGS):
        assert each.agreement >= SETTINGS.min_agreement or alone(each, everybody)


@given(candidates())
def test_a_lone_face_speaks_if_and_only_if_it_agrees_or_moves(everybody: list[Candidate]) -> None:
    chosen = choose(everybody, SETTINGS)
    for each in everybody:
        if alone(each, everybody):
            speaks = each.agreement >= SETTINGS.min_agreement or each.motion >= SETTINGS.min_motion
            assert (each in chosen) == speaks


@given(candidates())
def test_who_agrees_is_passed_over_for_a_better_one_alone(everybody: list[Candidate]) -> None:
    chosen = choose(everybody, SETTINGS)
    for each in everybody:
        if each.agreement >= SETTINGS.min_agreement and each not in chosen:
            assert any(
                other.span.overlaps(each.span) and other.agreement >= each.agreement
                for other in chosen
                if other != each
            )


@given(candidates(), st.randoms())
def test_the_order_of_tracks_does_not_matter(everybody: list[Candidate], random: object) -> None:
    shuffled = sorted(everybody, key=lambda _: random.random())  # type: ignore[attr-defined]
    distinct = len({(each.agreement, each.height_px) for each in everybody}) == len(everybody)
    if distinct:
        assert choose(shuffled, SETTINGS) == choose(everybody, SETTINGS)


def test_of_two_in_conversation_the_one_whose_mouth_fits_speaks() -> None:
    speaker = candidate("speaker", 0, 10, agreement=AGREES, height_px=80)
    listener = candidate("listener", 0, 10, agreement=0.1, motion=1.5, height_px=300)
    assert choose([listener, speaker], SETTINGS) == [speaker]
    assert choose([listener, candidate("another", 5, 12, agreement=0.2)], SETTINGS) == []


def test_a_voice_over_somebody_who_talks_is_taken_for_theirs_and_a_portrait_is_none() -> None:
    talks = candidate("talks", 0, 5, agreement=0.05, motion=MOVES)
    portrait = candidate("portrait", 6, 9, agreement=0.0, motion=0.02)
    assert choose([talks, portrait], SETTINGS) == [talks]
