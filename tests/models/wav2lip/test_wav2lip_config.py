from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import BadInput
from models.wav2lip.config import ExpertConfig, GeneratorConfig

CONFIGS = st.builds(
    GeneratorConfig,
    width=st.floats(0.01, 4),
    face_px=st.sampled_from([96, 192, 256]),
    arrangement=st.sampled_from(["wav2lip", "lipgan", "speech2vid"]),
    attention=st.sampled_from(["none", "lips"]),
)


@given(config=CONFIGS)
def test_a_config_comes_back_from_its_json(config: GeneratorConfig) -> None:
    assert GeneratorConfig.from_json(config.to_json()) == config


@given(config=CONFIGS, count=st.integers(1, 1024))
def test_channels_are_the_nearest_multiple_of_eight(config: GeneratorConfig, count: int) -> None:
    channels = config.channels(count)
    assert channels % 8 == 0
    assert channels == 8 or abs(channels - count * config.width) <= 4
    assert config.channels(count + 1) >= channels


@pytest.mark.parametrize(
    "text",
    [
        '{"width": 0}',
        '{"width": -1}',
        '{"width": NaN}',
        '{"width": 100}',
        '{"width": "1"}',
        '{"width": true}',
        '{"face_px": 100}',
        '{"face_px": 96.0}',
        '{"arrangement": "gan"}',
        '{"arrangement": ["wav2lip"]}',
        '{"attention": null}',
        '{"depth": 3}',
        "[]",
        "null",
        "{",
        "",
    ],
)
def test_nonsense_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        GeneratorConfig.from_json(text)


def test_an_expert_has_no_arrangement() -> None:
    with pytest.raises(BadInput, match="arrangement"):
        ExpertConfig.from_json(GeneratorConfig().to_json())
