"""Where lips are moved: the picture changes inside the mouth's mask, and nowhere else that anyone could see.

The generator is untrained: it stands in for trained weights, so the mouths are noise; where they are put is real.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from changed_picture import compare_pictures, drawn_mouths
from media_checks import decoded_frames, groups
from redub_command import Dubbed, Redub

from manifests.records import DubbedVideo

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1800)]

LEAST_PSNR_DB = 45.0
MOST_INSIDE_DB = 30.0  # a mouth that nobody would take for the source's


@pytest.fixture(scope="module")
def with_lips(
    sample_dub: Dubbed, weights_with_untrained_lips: Path, tmp_path_factory: pytest.TempPathFactory
) -> Dubbed:
    """The same lecture in the same cache, on a machine that has lip-sync weights now."""
    before = sample_dub.redub
    redub = Redub(before.cache, before.state, weights_with_untrained_lips)
    return redub.dub(sample_dub.source, tmp_path_factory.mktemp("with-lips"))


def test_only_lips_and_what_follows_are_done_again(with_lips: Dubbed) -> None:
    done = {event["stage"]: event["hit"] for event in with_lips.ended.of_kind("performed")}
    assert {stage for stage, hit in done.items() if not hit} == {"lips", "render", "assemble"}
    assert with_lips.ended.result["degraded"] == {"fr": 0}


def test_groups_without_a_new_mouth_are_the_sources(with_lips: Dubbed) -> None:
    source, dubbed = decoded_frames(with_lips.source), decoded_frames(with_lips.video)
    assert [frame.time for frame in dubbed] == [frame.time for frame in source]
    mouths = drawn_mouths(with_lips)
    rendered = {
        index for group in groups(with_lips.source) if any(index in mouths for index in group) for index in group
    }
    assert mouths
    assert len(rendered) < len(source)
    differ = {index for index, (one, other) in enumerate(zip(source, dubbed, strict=True)) if one != other}
    assert differ <= rendered
    (record,) = with_lips.rows(DubbedVideo, "dubbed_videos")
    assert (record.rendered_frames, record.copied_frames) == (len(rendered), len(source) - len(rendered))


def test_rendered_frames_change_inside_the_mask_alone(with_lips: Dubbed) -> None:
    mouths = drawn_mouths(with_lips)
    compared = compare_pictures(with_lips.source, with_lips.video, mouths)
    assert min(each.outside_db for each in compared) >= LEAST_PSNR_DB
    inside = [each.inside_db for each in compared if each.inside_db is not None]
    assert len(inside) == len(mouths)
    assert max(inside) <= MOST_INSIDE_DB
