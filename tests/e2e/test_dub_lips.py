"""Where lips are moved: the picture changes inside the mouth's mask, and nowhere else that anyone could see.

By default the lips are the speaker's own. Where Wav2Lip draws them its generator is untrained: it stands in for trained
weights, so those mouths are noise; where they are put is real.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from changed_picture import compare_pictures, drawn_mouths
from redub_command import Dubbed, Redub

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1800)]

LEAST_PSNR_DB = 45.0
ANOTHER_MOUTH_DB = 40.0  # by half of the frames: now and then both languages shape a mouth alike
NOISE_DB = 30.0  # a mouth that nobody would take for the source's


@pytest.fixture(scope="module")
def by_a_network(
    sample_dub: Dubbed, weights_with_untrained_lips: Path, tmp_path_factory: pytest.TempPathFactory
) -> Dubbed:
    """The same lecture in the same cache, its lips drawn by Wav2Lip."""
    before = sample_dub.redub
    state = before.state.with_name("state-of-another-engine")
    redub = Redub(before.cache, state, weights_with_untrained_lips)
    return redub.dub(sample_dub.source, tmp_path_factory.mktemp("by-a-network"), "--lips", "wav2lip")


def test_rendered_frames_change_inside_the_mask_alone(sample_dub: Dubbed) -> None:
    mouths = drawn_mouths(sample_dub)
    compared = compare_pictures(sample_dub.source, sample_dub.video, mouths)
    assert min(each.outside_db for each in compared) >= LEAST_PSNR_DB
    inside = [each.inside_db for each in compared if each.inside_db is not None]
    assert len(inside) == len(mouths)
    assert np.median(inside) <= ANOTHER_MOUTH_DB


def test_with_another_engine_only_lips_and_what_follows_are_done_again(by_a_network: Dubbed) -> None:
    done = {event["stage"]: event["hit"] for event in by_a_network.ended.of_kind("performed")}
    assert {stage for stage, hit in done.items() if not hit} == {
        "lips",
        "render",
        "assemble",
        "sign",
        "dubbed_lips",
        "levels",
    }
    assert by_a_network.ended.result["degraded"] == {"fr": 0}


def test_another_engine_moves_the_lips_of_the_same_face(by_a_network: Dubbed, sample_dub: Dubbed) -> None:
    mouths = drawn_mouths(by_a_network)
    assert mouths.keys() == drawn_mouths(sample_dub).keys()
    compared = compare_pictures(by_a_network.source, by_a_network.video, mouths)
    assert min(each.outside_db for each in compared) >= LEAST_PSNR_DB
    assert max(each.inside_db for each in compared if each.inside_db is not None) <= NOISE_DB
