"""The NeMo adapter on tiny untrained models, built from a config: a TDT transducer, as Parakeet is, and a CTC one.

Untrained they hear letters in anything, which is enough to try the path from a `.nemo` file to words on a clock.
"""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from manifests.errors import BadInput
from manifests.time import Span, samples_duration
from models.asr import parakeet
from models.asr.contract import SAMPLE_RATE
from models.asr.parakeet import ParakeetTranscriber, hypothesis_words
from models.asr.words import RawWord

LETTERS = [" ", *"abcdefghijklmnopqrstuvwxyz'"]
DURATIONS = [0, 1, 2, 3, 4]

needs_nemo = pytest.mark.skipif(importlib.util.find_spec("nemo") is None, reason="the extra nemo is not installed")


def hypothesis(*words: tuple[str, float, float], confidence: list[float] | None = None) -> SimpleNamespace:
    rows = [{"word": text, "start": start_s, "end": end_s} for text, start_s, end_s in words]
    return SimpleNamespace(timestamp={"word": rows}, word_confidence=confidence)


def test_word_times_and_confidences_are_read_from_a_hypothesis() -> None:
    read = hypothesis_words(hypothesis(("Hello,", 0.1, 0.4), ("you", 0.5, 0.6), confidence=[0.5, 0.25]))
    assert read == [RawWord(" Hello,", 0.1, 0.4, 0.5), RawWord(" you", 0.5, 0.6, 0.25)]
    assert hypothesis_words(hypothesis(("you", 0.5, 0.6)))[0].confidence == 1.0


def test_a_model_without_word_times_is_refused() -> None:
    with pytest.raises(BadInput, match="no word times"):
        hypothesis_words(SimpleNamespace(timestamp=[]))


class Clock:
    """Stands in for a NeMo model: it hears a word in every second of what it is given, named after the sound there."""

    def eval(self) -> Clock:
        return self

    def transcribe(self, audio: list[npt.NDArray[np.float32]], **_: Any) -> list[SimpleNamespace]:
        seconds = range(audio[0].size // SAMPLE_RATE)
        names = [f"w{round(float(audio[0][second * SAMPLE_RATE + 8000]) * 1000)}" for second in seconds]
        return [hypothesis(*((name, at + 0.25, at + 0.75) for at, name in zip(seconds, names, strict=True)))]


def test_in_long_audio_no_word_is_lost_or_heard_twice_at_a_seam() -> None:
    count = 3 * parakeet.WINDOW_S
    waveform = np.repeat(np.arange(1, count + 1, dtype=np.float32) / 1000, SAMPLE_RATE)
    words = ParakeetTranscriber(Clock(), languages=None).transcribe(waveform, "en")
    assert [word.text for word in words] == [f"w{second}" for second in range(1, count + 1)]
    assert [word.span for word in words] == [Span.of_seconds(at + 0.25, at + 0.75) for at in range(count)]


def tiny_model(kind: str) -> Any:
    import torch
    from nemo.collections.asr.models import EncDecCTCModel, EncDecRNNTModel
    from omegaconf import OmegaConf

    torch.manual_seed(0)
    modules = "nemo.collections.asr.modules."
    shared = {
        "sample_rate": SAMPLE_RATE,
        "labels": LETTERS,
        "preprocessor": {
            "_target_": modules + "AudioToMelSpectrogramPreprocessor",
            "sample_rate": SAMPLE_RATE,
            "window_stride": 0.01,
            "features": 80,
            "dither": 0.0,
        },
        "encoder": {
            "_target_": modules + "ConformerEncoder",
            "feat_in": 80,
            "n_layers": 1,
            "d_model": 32,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": 16,
            "ff_expansion_factor": 2,
            "n_heads": 2,
            "conv_kernel_size": 9,
        },
        "optim": {"name": "adamw", "lr": 1e-3},
    }
    if kind == "ctc":
        head = {"_target_": modules + "ConvASRDecoder", "feat_in": 32, "num_classes": 28, "vocabulary": LETTERS}
        return EncDecCTCModel(cfg=OmegaConf.create(shared | {"decoder": head}))
    transducer = {
        "model_defaults": {"enc_hidden": 32, "pred_hidden": 16, "joint_hidden": 16},
        "decoder": {
            "_target_": modules + "RNNTDecoder",
            "blank_as_pad": True,
            "vocab_size": 28,
            "prednet": {"pred_hidden": 16, "pred_rnn_layers": 1, "dropout": 0.0},
        },
        "joint": {
            "_target_": modules + "RNNTJoint",
            "num_classes": 28,
            "vocabulary": LETTERS,
            "num_extra_outputs": len(DURATIONS),
            "jointnet": {"joint_hidden": 16, "activation": "relu", "encoder_hidden": 32, "pred_hidden": 16},
        },
        "decoding": {
            "strategy": "greedy_batch",
            "model_type": "tdt",
            "durations": DURATIONS,
            "greedy": {"max_symbols": 5},
        },
        "loss": {"loss_name": "tdt", "tdt_kwargs": {"durations": DURATIONS, "sigma": 0.02, "omega": 0.1}},
    }
    model = EncDecRNNTModel(cfg=OmegaConf.create(shared | transducer))
    with torch.no_grad():
        for parameter in model.joint.parameters():
            parameter.mul_(3)
    return model


@needs_nemo
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tdt", "ctc"])
def test_a_nemo_file_gives_words_on_the_waveforms_clock(
    kind: str, tmp_path: Path, lecture: npt.NDArray[np.float32]
) -> None:
    tiny_model(kind).save_to(str(tmp_path / "tiny.nemo"))
    transcriber = ParakeetTranscriber.restore(tmp_path, device="cpu")
    waveform = lecture[: 6 * SAMPLE_RATE]
    words = transcriber.transcribe(waveform, "en")
    assert words
    assert "".join(word.text for word in words).isalpha()
    assert words[-1].span.end <= samples_duration(waveform.size, SAMPLE_RATE)
    assert all(before.span.end <= after.span.start for before, after in pairwise(words))
    assert transcriber.transcribe(waveform, "en") == words
    assert transcriber.transcribe(np.zeros(SAMPLE_RATE, dtype=np.float32), "en") == []
    assert isinstance(transcriber.transcribe(waveform[:100], "en"), list)
    with pytest.raises(BadInput, match="does not hear"):
        transcriber.transcribe(waveform, "ja")


@needs_nemo
@pytest.mark.slow
def test_a_folder_without_one_nemo_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="0 found"):
        ParakeetTranscriber.restore(tmp_path)
