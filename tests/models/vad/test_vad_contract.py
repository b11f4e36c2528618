"""What every voice activity detector does, on the sample lecture's real speech."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import BadInput
from manifests.time import Span, flicks, seconds
from models.vad import engines
from models.vad.contract import SAMPLE_RATE, VoiceActivityDetector

LECTURE = Path(__file__).parents[3] / ".." / "shared" / "data" / "lecture" / "lecture_en.mp4"


@pytest.fixture(params=engines.NAMES)
def detector(request: pytest.FixtureRequest) -> VoiceActivityDetector:
    return engines.load(request.param)


@cache
def lecture_audio() -> npt.NDArray[np.float32]:
    if not LECTURE.is_file():
        pytest.skip("the team's sample lecture is not on this machine")
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(LECTURE)) as container:
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts)


@pytest.mark.shared_data
def test_finds_the_speech_of_a_lecture(detector: VoiceActivityDetector) -> None:
    audio = lecture_audio()
    found = detector.speech([audio])
    assert all(before.end < after.start for before, after in itertools.pairwise(found))
    assert found[-1].end <= flicks(len(audio) / SAMPLE_RATE) + 1
    shots = json.loads(LECTURE.with_suffix(".json").read_text())["shots"]
    starts = [shot["start_s"] for shot in shots] + [seconds(found[-1].end)]
    for start, end in itertools.pairwise(starts):
        shot = Span.of_seconds(start, end)
        heard = sum(both.duration_s for span in found if (both := span.intersection(shot)))
        assert heard > 0.5 * shot.duration_s, "words are spoken in every shot"
    energy = sum(float(np.square(audio[slice(*span.samples(SAMPLE_RATE))]).sum()) for span in found)
    assert energy > 0.98 * float(np.square(audio).sum()), "what is left out is quiet"


@pytest.mark.shared_data
def test_the_cutting_into_blocks_does_not_matter(detector: VoiceActivityDetector) -> None:
    audio = lecture_audio()[: 12 * SAMPLE_RATE]
    whole = detector.speech([audio])
    assert whole
    for size in (160, 511, 1024, 100_000):
        assert detector.speech(audio[i : i + size] for i in range(0, len(audio), size)) == whole


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=8), st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("name", engines.NAMES)
def test_any_blocks_of_noise_give_spans_inside_the_recording(name: str, sizes: list[int], seed: int) -> None:
    noise = np.random.default_rng(seed)
    blocks = [noise.uniform(-1, 1, size).astype(np.float32) for size in sizes]
    for span in engines.load(name).speech(blocks):
        assert 0 <= span.start < span.end <= flicks(sum(sizes) / SAMPLE_RATE) + 1


def test_silence_and_nothing_hold_no_speech(detector: VoiceActivityDetector) -> None:
    assert detector.speech([]) == []
    assert detector.speech([np.zeros(0, np.float32)]) == []
    assert detector.speech([np.zeros(5 * SAMPLE_RATE, np.float32)]) == []


def test_stereo_is_refused(detector: VoiceActivityDetector) -> None:
    with pytest.raises(ValueError, match="one-dimensional"):
        detector.speech([np.zeros((100, 2), np.float32)])


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="silero"):
        engines.load("parrot")


def test_silero_does_not_bring_torch_in() -> None:
    script = "import sys; from models.vad.engines import load; load('silero').speech([]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
