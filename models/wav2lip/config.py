"""How large Wav2Lip's networks are and how their parts are put together, as it is kept in their checkpoints."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Literal, Self, TypeAlias, get_args

from manifests.errors import BadInput

Arrangement: TypeAlias = Literal["wav2lip", "lipgan", "speech2vid"]
Attention: TypeAlias = Literal["none", "lips"]

_HALVINGS = {96: 5, 192: 6, 256: 6}
"""Side of the face in pixels -> how often it is halved before one last kernel covers the rest (3x3, 3x3, 4x4)."""

_WIDEST = 4.0


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The size of a network: `width` scales the channels of the paper's, `face_px` is the side of its faces.

    The paper's networks have width 1 and faces of 96 pixels; 192 and 256 have one more stage at the large end.
    BadInput for a width outside 0..4 or another side.
    """

    width: float = 1.0
    face_px: int = 96

    def __post_init__(self) -> None:
        if not _is_number(self.width) or not 0 < self.width <= _WIDEST:
            raise _nonsense(f"width is {self.width!r}", f"Give a number above 0 and at most {_WIDEST:g}.")
        if type(self.face_px) is not int or self.face_px not in _HALVINGS:
            raise _nonsense(f"face_px is {self.face_px!r}", f"Use one of {', '.join(map(str, _HALVINGS))}.")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote; a setting that is not there has its default. BadInput for anything else."""
        try:
            held = json.loads(text)
        except ValueError as error:
            raise _nonsense(f"not JSON ({error})", "Give the object that `to_json` writes.") from error
        if not isinstance(held, dict):
            raise _nonsense(f"not a JSON object: {text[:80]}", "Give the object that `to_json` writes.")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(held.keys() - known):
            raise _nonsense(f"{cls.__name__} has no {unknown[0]!r}", f"It has {', '.join(sorted(known))}.")
        return cls(**held)

    def to_json(self) -> str:
        """The settings as one JSON object, the same text for equal settings."""
        return json.dumps(asdict(self), sort_keys=True)

    def channels(self, count: int) -> int:
        """The channels of a layer that has `count` at width 1: the nearest multiple of 8, at least 8."""
        return max(8, 8 * math.floor(count * self.width / 8 + 0.5))

    @property
    def halvings(self) -> int:
        """How many stages halve a face."""
        return _HALVINGS[self.face_px]

    @property
    def added_stages(self) -> int:
        """How many of them stand before those of the paper's network."""
        return self.halvings - _HALVINGS[96]

    @property
    def bottom_px(self) -> int:
        """Side of what is left after them."""
        return self.face_px >> self.halvings


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig(NetworkConfig):
    """A generator: its size, the `arrangement` of its parts and whether lips get `attention` of their own.

    `wav2lip`: Prajwal et al. (2020). `lipgan`: KR et al. (2019), one joint embedding of face and sound. `speech2vid`:
    Chung, Jamaludin, Zisserman (2017), the same of the reference face alone, so the pose is the reference's.
    BadInput for nonsense.
    """

    arrangement: Arrangement = "wav2lip"
    attention: Attention = "none"

    def __post_init__(self) -> None:
        NetworkConfig.__post_init__(self)
        for name, allowed in (("arrangement", get_args(Arrangement)), ("attention", get_args(Attention))):
            if getattr(self, name) not in allowed:
                raise _nonsense(f"{name} is {getattr(self, name)!r}", f"Use one of {', '.join(allowed)}.")


@dataclass(frozen=True, kw_only=True)
class ExpertConfig(NetworkConfig):
    """The size of a network that judges faces: the sync expert, the discriminators, the critic."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _nonsense(what: str, remedy: str) -> BadInput:
    return BadInput(what, where="network config", remedy=remedy)
