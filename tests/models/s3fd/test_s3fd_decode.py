from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from models.s3fd.decode import STRIDES, decode_boxes, preprocess


def no_faces(side: int = 256) -> list[Tensor]:
    maps: list[Tensor] = []
    for stride in STRIDES:
        logits = torch.zeros(1, 2, side // stride, side // stride)
        logits[:, 0] = 10
        maps += [logits, torch.zeros(1, 4, side // stride, side // stride)]
    return maps


def put(maps: list[Tensor], level: int, row: int, column: int, *, logit: float, offset: list[float]) -> None:
    maps[2 * level][0, 1, row, column] = 10 + logit
    maps[2 * level + 1][0, :, row, column] = torch.tensor(offset)


def test_a_position_decodes_to_its_anchor_moved_and_stretched() -> None:
    maps = no_faces()
    # Stride 16, so the anchor at row 3, column 5 is 64 wide around (88, 56); variances 0.1 and 0.2.
    put(maps, 2, 3, 5, logit=2.0, offset=[1.0, -2.0, 5 * np.log(2), 0.0])
    (face,) = decode_boxes(maps, 0.5)
    np.testing.assert_allclose(face[:4], [88 + 6.4 - 64, 56 - 12.8 - 32, 88 + 6.4 + 64, 56 - 12.8 + 32], rtol=1e-5)
    assert face[4] == pytest.approx(1 / (1 + np.exp(-2.0)), rel=1e-5)


def test_a_face_seen_twice_is_one_face_and_the_best_comes_first() -> None:
    maps = no_faces()
    put(maps, 2, 3, 5, logit=2.0, offset=[0.0] * 4)
    put(maps, 2, 3, 6, logit=4.0, offset=[0.0] * 4)
    put(maps, 0, 60, 60, logit=3.0, offset=[0.0] * 4)
    faces = decode_boxes(maps, 0.5)
    assert len(faces) == 2
    assert faces.dtype == np.float32
    assert faces[0, 4] > faces[1, 4]
    np.testing.assert_allclose(faces[0, :4], [72, 24, 136, 88])


def test_no_face_gives_no_rows_and_a_batch_is_refused() -> None:
    assert decode_boxes(no_faces(), 0.5).shape == (0, 5)
    with pytest.raises(ValueError, match="one picture"):
        decode_boxes([torch.cat((part, part)) for part in no_faces()], 0.5)


def test_the_input_is_blue_first_less_the_mean_colour() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    image[1, 2] = (10, 20, 30)
    tensor = preprocess(image)
    assert tensor.shape == (1, 3, 4, 6)
    assert tensor[0, :, 1, 2].tolist() == [30 - 104, 20 - 117, 10 - 123]
