"""The network from features of speech to shapes of the mouth: two layers of bidirectional GRU (Cho et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.articulation.features import SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticulationConfig:
    """`shapes` numbers of a shape; `hidden` units a direction and layer; `dropout` while training."""

    shapes: int = 10
    hidden: int = 96
    dropout: float = 0.3


class ArticulationNetwork(nn.Module):
    """Rows of features to rows of mouths: a shape, and whether the lips are closed."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: ArticulationConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(SIZE))
        self.register_buffer("deviation", torch.ones(SIZE))
        self.reduce = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(SIZE, 128), nn.ReLU(), nn.Dropout(config.dropout)
        )
        self.recurrent = nn.GRU(
            128, config.hidden, num_layers=2, batch_first=True, bidirectional=True, dropout=config.dropout
        )
        self.shape = nn.Linear(2 * config.hidden, config.shapes)
        self.closed = nn.Linear(2 * config.hidden, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """`features` (B, N, 512) -> shapes (B, N, K) in deviations, logits (B, N) of closure."""
        states, _ = self.recurrent(self.reduce((features - self.mean) / self.deviation))
        return self.shape(states), self.closed(states).squeeze(-1)
