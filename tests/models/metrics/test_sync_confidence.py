from __future__ import annotations

import numpy as np
import pytest
import torch

from models.metrics.sync_confidence import (
    FRAMES,
    confidence,
    distance_by_offset,
    embed_faces,
    embed_sound,
    sync_confidence,
)
from models.wav2lip.config import ExpertConfig
from models.wav2lip.expert import SyncExpert


def unit(count: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.random.default_rng(seed).normal(0, 1, (count, 16)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.mark.parametrize("late", [-11, -1, 0, 3, 14])
def test_the_offset_of_a_shifted_sound_is_found(late: int) -> None:
    lips = unit(80, 1)
    sound = np.roll(unit(80, 2), 0)
    for frame in range(80):
        if 0 <= frame + late < 80:
            sound[frame + late] = lips[frame]
    found = confidence(lips, sound)
    assert found.offset_frames == -late  # positive where the sound comes first
    assert found.expert_distance == pytest.approx(0, abs=1e-6)
    assert found.expert_confidence > 1


def test_strangers_have_no_confidence() -> None:
    found = confidence(unit(200, 1), unit(200, 2))
    assert found.expert_confidence < 0.1
    assert found.expert_distance == pytest.approx(2**0.5, abs=0.1)


def test_offsets_are_averaged_over_what_overlaps() -> None:
    lips = unit(12, 1)
    mean = distance_by_offset(lips, lips)
    assert mean[15] == 0
    assert np.isnan(mean[[0, 30]]).all()
    assert mean[15 + 3] == pytest.approx(np.linalg.norm(lips[:-3] - lips[3:], axis=1).mean())


def test_too_short_a_clip_says_so() -> None:
    with pytest.raises(ValueError, match="only 7 moments"):
        confidence(unit(7, 1), unit(90, 1))


def test_windows_are_those_the_expert_is_trained_on() -> None:
    """Against the expert's own forward; its weights are random, as only the windows are looked at."""
    torch.manual_seed(0)
    expert = SyncExpert(ExpertConfig(width=0.25)).eval()
    draw = np.random.default_rng(0)
    faces = draw.integers(0, 256, (16, 96, 96, 3), dtype=np.uint8)
    mel = draw.uniform(-4, 4, (80, 52)).astype(np.float32)
    seen, heard = embed_faces(expert, faces), embed_sound(expert, mel)
    assert seen.shape[0] == 16 - FRAMES + 1
    assert heard.shape[0] == 12  # frame 11's window starts at column 35 and ends with column 50
    frame = 9
    window = np.concatenate([each[48:, :, ::-1].transpose(2, 0, 1) for each in faces[frame : frame + FRAMES]])
    with torch.inference_mode():
        audio, face = expert(
            torch.from_numpy(mel[:, 28:44][None, None].copy()), torch.from_numpy(window[None].copy()).float() / 255
        )
    np.testing.assert_allclose(seen[frame], face[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(heard[frame], audio[0].numpy(), atol=1e-4)
    assert sync_confidence(expert, faces, mel).expert_distance <= 2
