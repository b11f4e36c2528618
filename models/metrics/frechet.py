"""FID: how far the pictures of one set are from those of another as a whole (Heusel et al., NeurIPS 2017).

    FID = |m1 - m2|² + tr(S1 + S2 - 2 (S1 S2)^½)

with mean and covariance of Inception's 2048 features over each set. It is biased upwards for few pictures: compare
sets of the same size only, and read nothing into a figure from fewer than some hundred pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from models import weights

NAME = "inception-fid"
FEATURES = 2048
_SIDE_PX = 299
_BATCH = 8


def inception_features(pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """The features (N, 2048) of RGB pictures (H, W, 3) of any sizes.

    Resized as the reference does (bilinear by TensorFlow 1's rule: output pixel i is read at i x scale), values in
    -1..0.992. MissingWeights where "inception-fid" is not on this machine.
    """
    import torch

    network = _network()
    rows = [np.zeros((0, FEATURES), np.float32)]
    with torch.inference_mode():
        for start in range(0, len(pictures), _BATCH):
            batch = torch.cat([_resized(each) for each in pictures[start : start + _BATCH]])
            rows.append(network((batch - 128) / 128).cpu().numpy())
    return np.concatenate(rows)


def frechet_distance(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> float:
    """The distance between the Gaussians fitted to two sets of features (N, D) and (M, D); at least two rows each.

    tr (S1 S2)^½ is the sum of the singular values of X1 X2ᵀ, the X being the centred rows over (n - 1)^½: exact, and
    no root of a D x D matrix has to be found.
    """
    if min(len(left), len(right)) < 2:
        raise ValueError("a covariance needs two pictures or more")
    first, second = left.astype(np.float64), right.astype(np.float64)
    means = first.mean(axis=0), second.mean(axis=0)
    x = (first - means[0]) / np.sqrt(len(first) - 1)
    y = (second - means[1]) / np.sqrt(len(second) - 1)
    common = np.linalg.svd(_short(x) @ _short(y).T, compute_uv=False).sum()
    distance = np.square(means[0] - means[1]).sum() + np.square(x).sum() + np.square(y).sum() - 2 * common
    return max(float(distance), 0.0)


def _short(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """At most as many rows as columns, of the same covariance."""
    return np.asarray(np.linalg.qr(rows, mode="r")) if len(rows) > rows.shape[1] else rows


@cache
def _network() -> Any:
    import torch

    path = weights.locate(NAME) / "inception.pt"
    return torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]


def _resized(picture: npt.NDArray[np.uint8]) -> Any:
    import torch

    height, width = picture.shape[:2]
    values = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
    y, x = (
        (torch.arange(_SIDE_PX) * (side / _SIDE_PX) * 2 + 1) / side - 1  # pixel i's centre is at (2i + 1) / side - 1
        for side in (height, width)
    )
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]
    sampled = torch.nn.functional.grid_sample(values, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return sampled.round()  # the reference feeds whole numbers
