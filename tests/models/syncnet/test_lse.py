from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.syncnet.embeddings import embed_clip
from models.syncnet.lse import distance_by_offset, lip_sync_error
from models.syncnet.mfcc import mfcc
from models.syncnet.network import SyncNet
from models.wav2lip.untrained import untrained_state


@given(late_frames=st.integers(-15, 15), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_offset_tells_how_early_the_sound_is(late_frames: int, seed: int) -> None:
    lips = np.random.default_rng(seed).normal(size=(80, 16)).astype(np.float32)
    audio = np.roll(lips, late_frames, axis=0)
    error = lip_sync_error(lips, audio)
    assert error.offset_frames == -late_frames
    assert error.confidence > 0


def test_in_step_streams_have_no_distance_and_beyond_the_ends_there_are_zeros() -> None:
    lips = np.ones((4, 9), np.float32)
    distances = distance_by_offset(lips, lips)
    assert distances.shape == (4, 31)
    np.testing.assert_allclose(distances[:, 15], 0, atol=1e-4)
    np.testing.assert_allclose(distances[0, :15], 3, rtol=1e-4)


def test_streams_of_other_shape_or_none_are_refused() -> None:
    with pytest.raises(ValueError, match="same moments"):
        distance_by_offset(np.zeros((2, 4), np.float32), np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match="no moments"):
        lip_sync_error(np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32))


@pytest.mark.parametrize(("samples", "rows"), [(0, 1), (399, 1), (400, 1), (401, 2), (16_000, 99)])
def test_mfcc_rows_cover_the_sound_to_its_last_sample(samples: int, rows: int) -> None:
    features = mfcc(np.full(samples, 100, np.int16))
    assert features.shape == (rows, 13)
    assert np.isfinite(features).all()


def test_a_clip_gives_a_row_for_each_moment_with_picture_and_sound() -> None:
    network = SyncNet().eval()
    network.load_state_dict(untrained_state(network.state_dict()))
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (7, 224, 224, 3), dtype=np.uint8)
    samples = rng.integers(-9000, 9000, 16_000, dtype=np.int16)
    lips, audio = embed_clip(network, faces, samples, batch_size=2)
    assert lips.shape == audio.shape == (3, 1024)
    alone, _ = embed_clip(network, faces[2:], samples)
    np.testing.assert_allclose(alone[0], lips[2], rtol=1e-3, atol=1e-3)
    short, silent = embed_clip(network, faces[:4], samples)
    assert short.shape == silent.shape == (0, 1024)
