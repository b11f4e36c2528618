"""A Wasserstein critic of lower halves: how far are drawn mouths from real ones?"""

from __future__ import annotations

from torch import Tensor, nn

from models.wav2lip.config import ExpertConfig
from models.wav2lip.discriminator import lower_half_encoder, lower_halves


class Critic(nn.Module):
    """The function whose mean difference over real and drawn faces bounds their Wasserstein distance.

    Arjovsky, Chintala, Bottou (2017). Its slope is kept at 1 by the trainer's gradient penalty (Gulrajani et al. 2017),
    which is a face's own: hence no norm over the batch, and no sigmoid. Otherwise the quality discriminator's stages.
    """

    def __init__(self, config: ExpertConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ExpertConfig()
        self.face_encoder_blocks = lower_half_encoder(config)
        self.score = nn.Conv2d(config.channels(512), 1, 1)

    def forward(self, faces: Tensor) -> Tensor:
        """`faces` (B, 3, T, S, S) in 0..1 -> a score of each, any number, (T * B, 1), all of frame 0 first."""
        x = lower_halves(faces)
        for encode in self.face_encoder_blocks:
            x = encode(x)
        score: Tensor = self.score(x)
        return score.flatten(1)
