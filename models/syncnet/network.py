"""SyncNet: five frames of a face and 0.2 s of sound, each as a point; points that belong together lie close.

The layout is that of the published `syncnet_v2` checkpoint; the batch normed layers keep its numbering.
"""

from __future__ import annotations

from torch import Tensor, nn

FACE_SIZE = 224
FRAMES = 5
"""Consecutive frames at 25 frames/s in one input."""
MFCC_COLUMNS = 20
"""Columns at 100 Hz in one input: the same 0.2 s."""
EMBEDDING_SIZE = 1024


class SyncNet(nn.Module):
    """Two streams with no shared weights, each a VGG-M-like stack and two fully connected layers."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_convolution2d(1, 64, 3, 1),
            nn.MaxPool2d(1, 1),
            *_convolution2d(64, 192, 3, 1),
            nn.MaxPool2d(3, (1, 2)),
            *_convolution2d(192, 384, 3, 1),
            *_convolution2d(384, 256, 3, 1),
            *_convolution2d(256, 256, 3, 1),
            nn.MaxPool2d(3, 2),
            *_convolution2d(256, 512, (5, 4), 0),
        )
        self.netcnnlip = nn.Sequential(
            *_convolution3d(3, 96, (FRAMES, 7, 7), 2, 0),
            _pool3d(0),
            *_convolution3d(96, 256, (1, 5, 5), 2, 1),
            _pool3d(1),
            *_convolution3d(256, 256, (1, 3, 3), 1, 1),
            *_convolution3d(256, 256, (1, 3, 3), 1, 1),
            *_convolution3d(256, 256, (1, 3, 3), 1, 1),
            _pool3d(0),
            *_convolution3d(256, 512, (1, 6, 6), 1, 0),
        )
        self.netfcaud = _fully_connected()
        self.netfclip = _fully_connected()

    def embed_audio(self, mfccs: Tensor) -> Tensor:
        """`mfccs` (B, 1, 13, 20) -> (B, 1024)."""
        embedding: Tensor = self.netfcaud(self.netcnnaud(mfccs).flatten(1))
        return embedding

    def embed_lips(self, faces: Tensor) -> Tensor:
        """`faces` (B, 3, 5, 224, 224) in 0..255, BGR -> (B, 1024)."""
        embedding: Tensor = self.netfclip(self.netcnnlip(faces).flatten(1))
        return embedding

    def forward(self, mfccs: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Both embeddings, sound first."""
        return self.embed_audio(mfccs), self.embed_lips(faces)


def _convolution2d(inputs: int, outputs: int, kernel: int | tuple[int, int], padding: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, kernel, 1, padding), nn.BatchNorm2d(outputs), nn.ReLU()


def _convolution3d(
    inputs: int, outputs: int, kernel: tuple[int, int, int], stride: int, padding: int
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv3d(inputs, outputs, kernel, (1, stride, stride), (0, padding, padding))
    return convolution, nn.BatchNorm3d(outputs), nn.ReLU()


def _pool3d(padding: int) -> nn.Module:
    return nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, padding, padding))


def _fully_connected() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, EMBEDDING_SIZE))
