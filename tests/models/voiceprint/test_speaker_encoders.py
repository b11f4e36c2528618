"""What an encoder of speakers does, with its trained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.media.audio import read_waveform
from manifests.errors import BadInput
from models import weights
from models.voiceprint import engines
from models.voiceprint.contract import SAMPLE_RATE, Floats, SpeakerEncoder
from models.voiceprint.ge2e import window_starts
from models.voiceprint.pauses import without_pauses
from models.weights import convert

GRID = Path(__file__).parents[3] / ".." / "shared" / "data" / "grid"

PUBLISHED = (2, 5, 8, 9, 11), [0.1194108, 0.0348928, 0.0886597, 0.0699558, 0.1094266]
"""Where, and what, Resemblyzer 0.1.4 says of the whole of `s1/bbaf2n`."""


@pytest.fixture
def encoder() -> SpeakerEncoder:
    if not weights.present(engines.NAME):
        pytest.skip("the speaker encoder's weights are not on this machine: make weights")
    return engines.load()


def speech(name: str) -> Floats:
    path = GRID / name
    if not path.is_file():
        pytest.skip("the team's GRID clips are not on this machine")
    return without_pauses(read_waveform(path, sample_rate=SAMPLE_RATE))


def noise(seconds: float) -> Floats:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.weights
@pytest.mark.parametrize("seconds", [0.001, 0.5, 1.6, 4.0])
def test_any_sound_gives_a_unit_vector_whatever_its_level(encoder: SpeakerEncoder, seconds: float) -> None:
    sound = noise(seconds)
    found = encoder.embed(sound)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(found, encoder.embed(sound))
    np.testing.assert_allclose(found, encoder.embed(sound / 10), atol=1e-4)


@pytest.mark.weights
def test_silence_has_no_voice(encoder: SpeakerEncoder) -> None:
    for silent in (np.zeros(0, np.float32), np.zeros(SAMPLE_RATE, np.float32)):
        with pytest.raises(ValueError, match="silence"):
            encoder.embed(silent)


@pytest.mark.weights
@pytest.mark.shared_data
def test_voices_are_told_apart(encoder: SpeakerEncoder) -> None:
    man = np.stack([encoder.embed(speech(f"s1/{name}.mp4")) for name in ("bbaf2n", "lbaq6p", "sbah1a")])
    others = np.stack(
        [encoder.embed(speech(f"others/{name}.mpg")) for name in ("brbk7n", "lbbc2a", "sbia1a", "swiz3n")]
    )
    least = encoder.same_speaker_cosine
    assert (man @ man.T).min() > least
    assert (man @ others.T).mean() < least - 0.05


@pytest.mark.weights
@pytest.mark.shared_data
def test_the_numbers_are_those_of_the_published_encoder(encoder: SpeakerEncoder) -> None:
    """Windows and level as Resemblyzer 0.1.4 takes them: its first five values that are not 0."""
    import torch

    from models.voiceprint import ge2e

    path = GRID / "s1" / "bbaf2n.mp4"
    if not path.is_file():
        pytest.skip("the team's GRID clips are not on this machine")
    sound = read_waveform(path, sample_rate=SAMPLE_RATE)
    starts = window_starts(len(sound), step=77)
    mels = ge2e.mel_power(np.pad(sound, (0, max((starts[-1] + 160) * 160 - len(sound), 0))))
    with torch.inference_mode():
        windows = torch.from_numpy(np.stack([mels[start : start + 160] for start in starts]))
        mean = ge2e._trained()(windows).numpy().mean(axis=0)
    found = mean / np.linalg.norm(mean)
    places, values = PUBLISHED
    np.testing.assert_allclose(found[list(places)], values, atol=2e-6)


@given(st.integers(1, 400_000))
def test_windows_begin_inside_the_sound_and_leave_little_of_it_out(samples: int) -> None:
    starts = window_starts(samples)
    assert starts[0] == 0
    assert all(start * 160 < samples for start in starts)
    assert samples - (starts[-1] + 160) * 160 < 40 * 160
    assert starts == sorted(set(starts))


def test_other_checkpoints_are_refused(tmp_path: Path) -> None:
    import torch

    (tmp_path / "pretrained.pt").write_bytes(b"<html>not found</html>")
    with pytest.raises(BadInput, match="plain tensors"):
        convert.ge2e(tmp_path)
    torch.save({"model_state": {"linear.weight": torch.zeros(1)}}, tmp_path / "pretrained.pt")
    with pytest.raises(BadInput, match="no speaker encoder"):
        convert.ge2e(tmp_path)
