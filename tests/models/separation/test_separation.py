"""The separator: what it promises of any sound, with its real weights, and the network with weights drawn at random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from infra.media.audio import read_waveform
from manifests.time import Span
from models import weights
from models.separation import engines
from models.separation.contract import SAMPLE_RATE, Sound
from models.separation.network import MULTIPLE, StemNet
from models.separation.spleeter import Spleeter

LECTURE = Path(__file__).parents[4] / "shared/data/lecture/lecture_en.mp4"
real = pytest.mark.skipif(
    not weights.present(engines.NAME), reason="spleeter's weights are not on this machine (make weights)"
)


def chords(length: int) -> npt.NDArray[np.float32]:
    at = np.arange(length) / SAMPLE_RATE
    found = np.zeros(length)
    for start in range(int(length / SAMPLE_RATE) + 1):
        inside = (at >= start) & (at < start + 1)
        since = at[inside] - start
        for note in (220.0, 277.2, 329.6):
            for partial in range(1, 6):
                found[inside] += np.sin(2 * np.pi * note * partial * since) * np.exp(-2 * since) / partial
    return np.asarray(found / found.std(), dtype=np.float32)


def si_sdr_db(found: Sound, wanted: Sound) -> float:
    a, b = found.ravel().astype(np.float64), wanted.ravel().astype(np.float64)
    part = b * (a @ b) / (b @ b)
    return float(10 * np.log10((part @ part) / ((a - part) @ (a - part))))


def test_the_network_keeps_the_shape_and_is_no_louder() -> None:
    torch.manual_seed(1)
    network = StemNet().eval()
    heard = torch.rand(1, 2, MULTIPLE, 2 * MULTIPLE)
    with torch.inference_mode():
        found = network(heard)
    assert found.shape == heard.shape
    assert bool((found >= 0).all())
    assert bool((found <= heard).all())


@pytest.mark.weights
@real
@pytest.mark.parametrize(("channels", "length"), [(1, 0), (1, 1), (2, 22_050), (1, 4_095)])
def test_stems_have_the_sounds_shape_and_sum_to_it(channels: int, length: int) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, (channels, length)).astype(np.float32)
    stems = engines.load().separate(sound)
    assert stems.voice.shape == stems.background.shape == sound.shape
    np.testing.assert_allclose(stems.voice + stems.background, sound, atol=1e-6)
    np.testing.assert_array_equal(engines.load().separate(sound).voice, stems.voice)


@pytest.mark.weights
@real
def test_three_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="one or two channels"):
        engines.load().separate(np.zeros((3, 100), np.float32))


@pytest.mark.weights
@real
def test_music_alone_holds_no_voice() -> None:
    sound = 0.05 * chords(4 * SAMPLE_RATE)[None]
    stems = engines.load().separate(sound)
    assert np.square(stems.voice).mean() < 1e-3 * np.square(sound).mean()


@pytest.mark.weights
@pytest.mark.shared_data
@real
@pytest.mark.skipif(not LECTURE.is_file(), reason="the team's sample lecture is not on this machine")
@pytest.mark.parametrize("starts_s", [(1,), (1, 34)], ids=["one speaks", "two speak at once"])
def test_speech_and_music_come_apart(starts_s: tuple[int, ...]) -> None:
    voices = (read_waveform(LECTURE, sample_rate=SAMPLE_RATE, span=Span.of_seconds(s, s + 5)) for s in starts_s)
    speech = sum(voices)[None]  # type: ignore[index]
    music = chords(speech.shape[1])[None] * np.float32(speech.std() * 10 ** (-5 / 20))
    stems = engines.load().separate(speech + music)
    assert si_sdr_db(stems.voice, speech) > 5 + 4
    assert si_sdr_db(stems.background, music) > -5 + 8


@pytest.mark.weights
@real
def test_pieces_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one piece fades into the next, the share taken out is between what either would take."""
    from models.separation import spleeter

    separator = engines.load()
    assert isinstance(separator, Spleeter)
    constant = iter([0.2, 0.8, 0.5, 0.1])
    monkeypatch.setattr(
        spleeter.Spleeter, "_share_of_piece", lambda _, magnitude: torch.full_like(magnitude, next(constant))
    )
    share = separator._voice_share(torch.ones(2, 1024, 1300))[0, 0]
    assert share[:440].numpy() == pytest.approx(0.2)
    assert share[520:880].numpy() == pytest.approx(0.8)
    assert float(share.diff().abs().max()) < 0.02
