"""Is the lag between lips and sound found where there is one, and doubted where there is none?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.crops import in_shares, mouth_opening, stored_box, stored_crop
from models.training.offset import FARTHEST, find_offset, loudness_opening
from models.wav2lip.mel import mel_spectrogram


def syllables(count: int, seed: int) -> npt.NDArray[np.float32]:
    """A mouth that opens about three times a second, at 25/s."""
    random = np.random.default_rng(seed)
    spikes = (random.random(count) < 0.13) * random.uniform(0.5, 1, count)
    return np.convolve(spikes, np.hanning(9), mode="same").astype(np.float32)


@settings(max_examples=50)
@given(st.integers(-FARTHEST, FARTHEST), st.integers(0, 50), st.integers(500, 800))
def test_a_planted_lag_is_found(lag: int, seed: int, count: int) -> None:
    whole = syllables(count + 4 * FARTHEST, seed)
    opening = whole[2 * FARTHEST :][:count]
    predicted = whole[FARTHEST - lag :][: count + 2 * FARTHEST]
    offset = find_offset(opening, 3 * predicted + 1)
    assert abs(offset.frames - lag) <= 1
    assert abs(offset.frames) <= abs(lag)
    assert offset.correlation > 0.7


@settings(max_examples=20)
@given(st.integers(0, 30))
def test_confidence_tells_a_voice_from_a_strangers_over_a_minute(seed: int) -> None:
    count = 1500
    whole = syllables(count + 2 * FARTHEST, seed)
    noise = np.random.default_rng(seed).normal(0, 0.15, len(whole)).astype(np.float32)
    own = find_offset(whole[FARTHEST:-FARTHEST], whole + noise)
    stranger = find_offset(whole[FARTHEST:-FARTHEST], syllables(len(whole), seed + 1000))
    assert own.frames == 0
    assert own.confidence > 0.4
    assert stranger.confidence < 0.2


def test_what_does_not_move_has_no_offset() -> None:
    still, moving = np.zeros(50, np.float32), syllables(50 + 2 * FARTHEST, 1)
    offset = find_offset(still, moving)
    assert (offset.frames, offset.confidence) == (0, 0.0)
    with pytest.raises(ValueError, match="surround"):
        find_offset(moving, moving)


def test_loudness_opens_when_the_sound_is_heard() -> None:
    """Bursts of a 700 Hz tone around frames 20 and 60 of three seconds."""
    time_s = np.arange(48_000) / 16_000
    bursts = sum(np.exp(-(((time_s - frame / 25) / 0.06) ** 2)) for frame in (20, 60))
    opening = loudness_opening(mel_spectrogram((0.5 * bursts * np.sin(2 * np.pi * 700 * time_s)).astype(np.float32)))
    assert len(opening) == 75
    assert abs(int(opening[:40].argmax()) - 20) <= 1
    assert abs(int(opening[40:].argmax()) - 20) <= 1
    quiet, loud = opening[35:45].max() - opening.min(), opening.max() - opening.min()
    assert quiet < 0.1 * loud


def test_the_stored_crop_shows_what_its_points_say() -> None:
    """A white spot at a known place is found at its share of the crop, whatever the box's proportions."""
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[118:122, 138:142] = 255
    box = np.array([90, 60, 80, 110], np.float32)
    crop = stored_crop(frame, box, 128)
    rows, columns = np.nonzero(crop[:, :, 0] > 128)
    share = in_shares(np.array([[140, 120, 5]], np.float32), box)[0]
    assert np.allclose(share, [(columns.mean() + 0.5) / 128, (rows.mean() + 0.5) / 128], atol=0.005)
    x, y, width, height = stored_box(box)
    assert (x + width / 2, width) == (130, 100)
    assert y < 60
    assert y + height > 170


def test_opening_is_a_share_of_the_face() -> None:
    from models.landmarks.topology import KEPT, LEFT_EYE_OUTER, RIGHT_EYE_OUTER

    points = np.zeros((1, len(KEPT), 2), np.float32)
    points[0, KEPT.index(RIGHT_EYE_OUTER)], points[0, KEPT.index(LEFT_EYE_OUTER)] = (10, 0), (50, 30)
    for lower in (14, 87, 317):
        points[0, KEPT.index(lower)] = (0, 10)
    assert mouth_opening(points) == pytest.approx(10 / 50)
    assert mouth_opening(3 * points) == pytest.approx(10 / 50)
