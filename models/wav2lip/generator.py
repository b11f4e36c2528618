"""Wav2Lip's generator: a face with its lower half hidden, a reference and a mel window give the face that speaks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.wav2lip.attention import LipAttention
from models.wav2lip.config import GeneratorConfig
from models.wav2lip.layers import ConvBlock, TransposedBlock, audio_encoder, face_encoder, face_widths, residual_blocks

FACE_SIZE = 96
"""Side in pixels of the faces of the paper's network."""

_DECODED = (512, 512, 512, 384, 256, 128, 64, 32)
"""Channels of the decoder's stages from 1x1 on; the last is for faces above 96 pixels."""


class Generator(nn.Module):
    """The U-Net of Prajwal et al. (2020), section 4.2: two encoders, one decoder with skips from the face encoder.

    `config` also arranges the same parts as two older networks, the paper's baselines. In both the embeddings of face
    and sound are joined before the decoder, which in Wav2Lip starts from the sound's. LipGAN (KR et al. 2019, section
    4.2) shows its face encoder the same six channels; Speech2Vid (Chung et al. 2017, section 2) the reference alone.
    What each is trained with (L1; L1 and a judge; L1 and the expert) is the trainer's.
    """

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or GeneratorConfig()
        joint = config.arrangement != "wav2lip"
        widths = face_widths(config)
        self.face_encoder_blocks = face_encoder(config, inputs=3 if config.arrangement == "speech2vid" else 6)
        self.audio_encoder = audio_encoder(
            widths=tuple(config.channels(count) for count in (32, 64, 128, 256, 512)), depths=(2, 2, 2, 1, 0)
        )
        # A decoder stage takes its predecessor's channels and those of the face encoder's stage of the same size.
        embedding = widths[-1]
        decoded = [config.channels(count) for count in _DECODED[: len(widths)]]
        skipped = [0 if joint else embedding, *reversed(widths[:-1])]
        first = ConvBlock(2 * embedding if joint else embedding, decoded[0], 1)
        bottom = TransposedBlock(decoded[0] + skipped[0], decoded[1], config.bottom_px, 1, 0, 0)
        self.face_decoder_blocks = nn.ModuleList(
            [
                nn.Sequential(first),
                nn.Sequential(bottom, *residual_blocks(decoded[1], 1)),
                *(_up(decoded[i - 1] + skipped[i - 1], decoded[i]) for i in range(2, len(decoded))),
            ]
        )
        if config.attention == "lips":
            self.lip_attention = nn.ModuleList(LipAttention(count) for count in decoded[2:])
        hidden = config.channels(32 >> config.added_stages)
        self.output_block = nn.Sequential(
            ConvBlock(decoded[-1] + skipped[-1], hidden, 3, 1, 1), nn.Conv2d(hidden, 3, 1)
        )

    def forward(self, mels: Tensor, faces: Tensor, *, first_row: int = 0) -> Tensor:
        """`mels` (B, 1, 80, 16) in -4..4 and `faces` (B, 6, S, S) in 0..1 -> (B, 3, S - first_row, S) in 0..1.

        S is `config.face_px`. The first three channels of `faces` are the face with its lower half zeroed, the rest the
        reference; BGR, as the published checkpoints were trained. What is above `first_row` is not drawn: with S / 2,
        the half that a dub does not use, a fifth of the arithmetic is saved and the other rows stay the same.
        """
        skips: list[Tensor] = []
        x = faces[:, 3:] if self.config.arrangement == "speech2vid" else faces
        for encode in self.face_encoder_blocks:
            x = encode(x)
            skips.append(x)
        sound = self.audio_encoder(mels)
        if self.config.arrangement == "wav2lip":
            x = torch.cat((self.face_decoder_blocks[0](sound), skips[-1]), dim=1)
        else:
            x = self.face_decoder_blocks[0](torch.cat((sound, skips[-1]), dim=1))
        rows = self._first_rows(first_row)
        top = 0
        for stage, first in enumerate(rows, start=1):
            x = self.face_decoder_blocks[stage](x)[:, :, first - 2 * top :]
            if self.config.attention == "lips" and stage > 1:
                side = self.config.face_px >> (len(rows) - stage)
                x = self.lip_attention[stage - 2](x, side // 2 - first)
            x = torch.cat((x, skips[-1 - stage][:, :, first:]), dim=1)
            top = first
        return torch.sigmoid(self.output_block(x)[:, :, first_row - top :])

    def _first_rows(self, first_row: int) -> list[int]:
        """The row from which each decoder stage after the first must be right, so that the picture is so below.

        A 3x3 convolution spoils one row at a cut edge; a transposed one of stride 2 spoils none: its row 2 i needs
        only row i, its row 2 i + 1 rows i and i + 1. So a stage right from row r must be right from r - 2 ahead of its
        two residual blocks, and its predecessor from (r - 2) // 2. Attention looks at the whole lower half.
        """
        if self.config.attention == "lips":
            first_row = min(first_row, self.config.face_px // 2)
        rows = [max(0, first_row - 1)]
        while len(rows) < self.config.halvings:
            rows.append(max(0, rows[-1] - 2) // 2)
        return [0, *reversed(rows)]


def _up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the side."""
    return nn.Sequential(TransposedBlock(inputs, outputs, 3, 2, 1, 1), *residual_blocks(outputs, 2))
