"""Sound for the recognisers: the team's sample lecture, and tiny networks without training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.asr.contract import SAMPLE_RATE

LECTURE = Path(__file__).parents[3] / ".." / "shared" / "data" / "lecture"


@pytest.fixture(scope="session")
def lecture() -> npt.NDArray[np.float32]:
    """The sound of the sample lecture, mono at `SAMPLE_RATE` Hz."""
    if not (LECTURE / "lecture_en.mp4").is_file():
        pytest.skip("the team's sample lecture is not on this machine")
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(LECTURE / "lecture_en.mp4")) as container:
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts)


@pytest.fixture(scope="session")
def spoken() -> list[tuple[float, str]]:
    """When each shot of the sample lecture starts, in seconds, and what is said in it."""
    if not (LECTURE / "lecture_en.json").is_file():
        pytest.skip("the team's sample lecture is not on this machine")
    shots = json.loads((LECTURE / "lecture_en.json").read_text(encoding="utf-8"))["shots"]
    return [(shot["start_s"], shot["words"]) for shot in shots]


@pytest.fixture(scope="session")
def tiny_wav2vec2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wav2vec 2.0 of the real layout, tiny and untrained: it hears letters in anything."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    folder = tmp_path_factory.mktemp("wav2vec2")
    symbols = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
    (folder / "vocab.json").write_text(json.dumps({symbol: index for index, symbol in enumerate(symbols)}))
    Wav2Vec2CTCTokenizer(str(folder / "vocab.json")).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False).save_pretrained(folder)
    torch.manual_seed(3)
    network = Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(symbols),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            conv_dim=(8,) * 7,
            num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=2,
            pad_token_id=0,
        )
    )
    with torch.no_grad():
        network.lm_head.weight *= 40
        # Blanks and word ends are the most frequent symbols of a trained network too.
        network.lm_head.bias[[0, 4]] += 4
    network.save_pretrained(folder)
    return folder
