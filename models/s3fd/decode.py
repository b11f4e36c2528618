"""From a picture to S3FD's input, and from its twelve maps to faces.

Anchors and their encoding are those of SSD (Liu et al., 2016) with one square anchor a position, four times as wide
as the level's stride (Zhang et al., 2017, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

STRIDES = (4, 8, 16, 32, 64, 128)
MEAN_BGR = (104.0, 117.0, 123.0)
"""ImageNet's mean colour, as VGG-16's Caffe release subtracts it."""

_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
_ANCHOR_STRIDES = 4
_NMS_IOU = 0.3


def preprocess(image: npt.NDArray[np.uint8]) -> Tensor:
    """`image` (H, W, 3) RGB uint8 as (1, 3, H, W) float32, blue first, less the mean colour."""
    pixels = image[:, :, ::-1].astype(np.float32) - np.asarray(MEAN_BGR, np.float32)
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]))


def decode_boxes(outputs: Sequence[Tensor], threshold: float = 0.5) -> npt.NDArray[np.float32]:
    """The faces of one picture, (N, 5) float32: x1, y1, x2, y2 in the input's pixels and the score, best first.

    `outputs` are the network's twelve maps for a batch of one; `threshold` 0..1 is the least score. Boxes that
    overlap a better one by more than 0.3 (intersection over union) are dropped. Boxes may reach beyond the picture.
    """
    found = [np.zeros((0, 5), np.float32)]
    for stride, logits, offsets in zip(STRIDES, outputs[0::2], outputs[1::2], strict=True):
        if len(logits) != 1:
            raise ValueError(f"decode one picture at a time, not {len(logits)}")
        score = torch.softmax(logits[0].float(), dim=0)[1].cpu().numpy()
        rows, columns = np.nonzero(score >= threshold)
        encoded = offsets[0].float().cpu().numpy()[:, rows, columns].T
        anchor = np.stack((columns, rows), axis=1).astype(np.float32) * stride + stride / 2
        side = np.float32(_ANCHOR_STRIDES * stride)
        centre = anchor + encoded[:, :2] * _CENTRE_VARIANCE * side
        half = side / 2 * np.exp(encoded[:, 2:] * _SIZE_VARIANCE)
        found.append(np.column_stack((centre - half, centre + half, score[rows, columns])).astype(np.float32))
    boxes = np.concatenate(found)
    return boxes[suppress(boxes)]


def suppress(boxes: npt.NDArray[np.float32], iou: float = _NMS_IOU) -> npt.NDArray[np.int64]:
    """Greedy non-maximum suppression: the indices of the (N, 5) `boxes` that stay, best score first."""
    order = np.argsort(-boxes[:, 4], kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        top_left = np.maximum(boxes[best, :2], boxes[rest, :2])
        bottom_right = np.minimum(boxes[best, 2:4], boxes[rest, 2:4])
        shared = np.prod(np.maximum(0, bottom_right - top_left), axis=1)
        union = _area(boxes[best : best + 1]) + _area(boxes[rest]) - shared
        order = rest[shared <= iou * union]
    return np.asarray(kept, np.int64)


def _area(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1))
