"""Rooms are told apart from how speech dies away in them, and speech is put into them."""

from __future__ import annotations

import numpy as np
import pytest
from made_sounds import in_a_room, noise, syllables

from models.acoustics.levels import level_dbfs
from models.acoustics.room import Room, apply_room, common_room, estimate_room

RATE = 16_000


def sentences() -> np.ndarray:
    """Twelve short sentences with pauses in which a room can be heard to die away."""
    pieces = []
    for number in range(12):
        pieces += [syllables(RATE, RATE, seed=number, whispered=True), np.zeros(RATE, np.float32)]
    return np.concatenate(pieces)


@pytest.mark.parametrize("rt60_s", [0.6, 1.0])
def test_how_long_a_room_rings(rt60_s: float) -> None:
    heard = in_a_room(sentences(), RATE, rt60_s, direct_db=-3) + noise(24 * RATE, 1e-4)
    found = estimate_room(heard, RATE)
    assert found is not None
    assert found.rt60_s == pytest.approx(rt60_s, rel=0.25)


def test_a_dry_voice_noise_and_too_little_tell_of_no_room() -> None:
    assert estimate_room(sentences() + noise(24 * RATE, 1e-4), RATE) is None
    assert estimate_room(noise(5 * RATE, 0.1), RATE) is None
    assert estimate_room(np.zeros(5 * RATE, np.float32), RATE) is None
    assert estimate_room(syllables(RATE // 2, RATE), RATE) is None
    assert estimate_room(np.zeros(0, np.float32), RATE) is None


def test_what_a_room_answers() -> None:
    room = Room(rt60_s=0.8, direct_db=6.0, falls=10)
    dry = noise(2 * RATE, 0.1)
    answer = apply_room(dry, RATE, room)
    np.testing.assert_array_equal(apply_room(dry, RATE, room), answer)
    assert len(answer) > len(dry)
    assert level_dbfs(answer[RATE // 2 : 2 * RATE]) == pytest.approx(level_dbfs(dry) - 6, abs=1.5)
    tail = answer[2 * RATE :]
    fallen = level_dbfs(tail[: RATE // 10]) - level_dbfs(tail[4 * RATE // 10 : 5 * RATE // 10])
    assert fallen == pytest.approx(60 * 0.4 / 0.8, abs=5)
    assert np.abs(answer[:20]).max() < 0.01 * np.abs(dry[:20]).max(), "the direct sound is no part of it"
    assert apply_room(dry[:0], RATE, room).size == 0


def test_a_lecture_has_the_room_that_most_chunks_tell_of() -> None:
    near, far = Room(rt60_s=0.5, direct_db=6, falls=9), Room(rt60_s=0.9, direct_db=4, falls=7)
    assert common_room([near, far, None]) == Room(rt60_s=0.7, direct_db=5, falls=16)
    assert common_room([near, None]) is None
    assert common_room([]) is None
