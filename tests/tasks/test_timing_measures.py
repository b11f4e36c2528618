"""The ruler of timing, on dubs whose measures are known."""

import pytest

from manifests.clock import HeldClock, Hold
from manifests.records import Placement
from manifests.time import FLICKS_PER_SECOND, Span, flicks
from tasks.timing import TimingSettings
from tasks.timing_measures import TimingMeasures, timing_measures

FRAME = FLICKS_PER_SECOND // 25
SAID = {"a": Span.of_seconds(0, 4), "b": Span.of_seconds(6, 10)}


def measured(
    a: Span, b: Span, *holds: Hold, rates: tuple[float, float] = (1.0, 1.0), overrun: int = 0
) -> TimingMeasures:
    placements = [
        Placement(clip_id=name, utterance_id=name, span=span, rate=rate, overrun=overrun)
        for name, span, rate in zip("ab", (a, b), rates, strict=True)
    ]
    return timing_measures(placements, SAID, SAID.values(), HeldClock.of(holds), frame=FRAME, settings=TimingSettings())


def test_a_dub_that_says_all_when_it_is_said() -> None:
    found = measured(SAID["a"], SAID["b"])
    assert found == TimingMeasures(
        utterances=2, within=1.0, overlap=1.0, unfilled=0.0, overruns=0, held=0, latest=0, drift_frames=0
    )


def test_overlap_is_of_the_dub_and_unfilled_of_the_source() -> None:
    found = measured(Span.of_seconds(1, 5), Span.of_seconds(6, 8))
    assert found.overlap == pytest.approx(5 / 6)
    assert found.unfilled == pytest.approx(3 / 8)
    assert found.latest == flicks(1)


def test_rates_at_the_bounds_are_within() -> None:
    assert measured(SAID["a"], SAID["b"], rates=(0.85, 1.2)).within == 1.0
    assert measured(SAID["a"], SAID["b"], rates=(0.84, 1.21), overrun=1).within == 0.0


def test_what_is_spoken_while_the_picture_waits_has_no_source() -> None:
    hold = Hold(flicks(3), flicks(1))
    held = measured(Span.of_seconds(0, 5), Span.of_seconds(7, 11), hold)
    assert held.overlap == pytest.approx(8 / 9)
    assert held.unfilled == 0.0
    assert held.held == flicks(1)
    assert held.drift_frames == 0


def test_what_no_pause_gives_back_is_drift() -> None:
    late = flicks(0.2)
    assert measured(SAID["a"].shift(late), SAID["b"].shift(late)).drift_frames == 5
    assert measured(SAID["a"].shift(late), SAID["b"]).drift_frames == 0


def test_nothing_said_leaves_nothing_unfilled() -> None:
    found = timing_measures([], {}, [], HeldClock(), frame=FRAME, settings=TimingSettings())
    assert (found.utterances, found.overlap, found.unfilled, found.drift_frames) == (0, 1.0, 0.0, 0)
