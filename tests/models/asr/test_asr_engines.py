from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import BadInput, MissingWeights
from models import weights
from models.asr import engines
from models.asr.parakeet import ParakeetTranscriber


def test_an_unknown_engine_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="whisper, parakeet, wav2vec2"):
        engines.load("dictaphone")


@pytest.mark.parametrize("engine", list(engines.ENGINES))
def test_absent_weights_come_with_the_command_that_brings_them(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = engines.weights_of(engine)
    assert weights.find(name).capability == "asr"
    monkeypatch.setenv("REDUB_WEIGHTS", str(tmp_path))
    # A cache of engines that an earlier test filled would hide that they are absent here.
    monkeypatch.setattr(engines, "_load", engines._load.__wrapped__)
    with pytest.raises(MissingWeights, match=f"redub weights pull {name}"):
        engines.load(engine)


@pytest.mark.weights
def test_an_engine_is_loaded_once_and_tells_the_language_too() -> None:
    if not weights.present("whisper-base"):
        pytest.skip("the weights whisper-base are not on this machine")
    assert engines.load("whisper") is engines.load("whisper") is engines.load_identifier()


@pytest.mark.skipif(importlib.util.find_spec("nemo") is not None, reason="NeMo is installed here")
def test_without_nemo_the_extra_to_install_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"pip install 'redub\[nemo\]'"):
        ParakeetTranscriber.restore(tmp_path)


def test_choosing_an_engine_loads_no_library() -> None:
    script = (
        "import sys; from models.asr import engines, parakeet, wav2vec2, whisper;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'ctranslate2', 'faster_whisper')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
