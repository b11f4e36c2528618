"""LipGAN's judge: do this one face and this sound belong together, and is the face real?"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from models.wav2lip.config import ExpertConfig

MARGIN = 1.0
"""How far apart sound and face are to be, at least, where they do not belong together; as in the paper's release."""

_TINY = 1e-8
"""Under the root, which has no slope at 0."""


class LipGanJudge(nn.Module):
    """The discriminator of KR et al. (2019, "Towards Automatic Face-to-Face Translation"), section 4.3.

    It embeds one whole face and the sound, and learns with the generator: unlike Wav2Lip's expert it sees a single
    frame, and faces that were drawn count as not belonging. Instance norm and slope 0.2 as in the paper's release;
    the sound is Wav2Lip's mel window, so that both train on the same data.
    """

    def __init__(self, config: ExpertConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ExpertConfig()
        c32, c64, c128, c256, c512 = (config.channels(count) for count in (32, 64, 128, 256, 512))
        first = [_block(3, c64, 7, 2)]  # 48
        if config.added_stages:
            first = [_block(3, c32, 7, 2), _block(c32, c64, 5, 2)]
        self.face_encoder = nn.Sequential(
            *first,
            _block(c64, c128, 5, 2),  # 24
            _block(c128, c256, 3, 2),  # 12
            _block(c256, c512, 3, 2),  # 6
            _block(c512, c512, 3, 2),  # 3
            nn.Conv2d(c512, c512, config.bottom_px),  # 1
        )
        self.audio_encoder = nn.Sequential(
            _block(1, c64, 3, 1),  # 80 x 16
            _block(c64, c128, 3, (2, 1)),  # 40 x 16
            _block(c128, c256, 3, 2),  # 20 x 8
            _block(c256, c256, 3, 2),  # 10 x 4
            _block(c256, c512, 3, 2),  # 5 x 2
            nn.Conv2d(c512, c512, (5, 2)),  # 1 x 1
        )

    def forward(self, mels: Tensor, faces: Tensor) -> Tensor:
        """How far apart the unit embeddings of sound and face are, (B, 1) in 0..2; 0 where they belong together.

        `mels` (B, 1, 80, 16) in -4..4; `faces` (B, 3, S, S) in 0..1 with S `config.face_px`.
        """
        sound = functional.normalize(self.audio_encoder(mels).flatten(1), dim=1)
        face = functional.normalize(self.face_encoder(faces).flatten(1), dim=1)
        return (sound - face).square().sum(dim=1, keepdim=True).add(_TINY).sqrt()


def contrastive_loss(distance: Tensor, belongs: Tensor, *, margin: float = MARGIN) -> Tensor:
    """Mean of d^2 where sound and face belong together, of max(0, margin - d)^2 where not (Hadsell et al. 2006).

    `distance` and `belongs` (1 for a real face with its sound, else 0) are of one shape.
    """
    apart = functional.relu(margin - distance)
    return (belongs * distance.square() + (1 - belongs) * apart.square()).mean()


def _block(inputs: int, outputs: int, kernel: int, stride: int | tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2),
        nn.InstanceNorm2d(outputs, affine=True),
        nn.LeakyReLU(0.2, inplace=True),
    )
