"""What is measured: names, units, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the table of scores."""

    name: str
    unit: str
    better: Literal["higher", "lower", "as real", "zero"]
    about: str


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="inner_opening_r",
        unit="r",
        better="higher",
        about="Pearson's r of the distance between the inner lips with that in the real video of the sound",
    ),
    Measure(name="outer_opening_r", unit="r", better="higher", about="the same of the outer lips"),
    Measure(name="width_r", unit="r", better="higher", about="the same of the corners of the mouth"),
    Measure(
        name="lmd",
        unit="eye distances",
        better="lower",
        about="distance of the mouth's landmarks from the real ones, the head aligned",
    ),
    Measure(
        name="closures",
        unit="share",
        better="higher",
        about="p, b and m in whose time the lips close, as far as this speaker's own do",
    ),
    Measure(
        name="motion_in_silence",
        unit="ratio",
        better="as real",
        about="speed of the mouth's landmarks in silence over that in speech",
    ),
    Measure(name="expert_distance", unit="", better="lower", about="d of the project's own sync expert; not LSE-D"),
    Measure(
        name="expert_confidence",
        unit="",
        better="higher",
        about="confidence of the project's own sync expert; not LSE-C",
    ),
    Measure(name="expert_offset", unit="frames", better="zero", about="offset that the project's own expert finds"),
    Measure(name="lse_d", unit="", better="lower", about="LSE-D by the official SyncNet"),
    Measure(name="lse_c", unit="", better="higher", about="LSE-C by the official SyncNet"),
    Measure(name="lse_offset", unit="frames", better="zero", about="offset that the official SyncNet finds"),
    Measure(name="ssim", unit="", better="higher", about="structural similarity of the lower face with the real one"),
    Measure(name="psnr", unit="dB", better="higher", about="peak signal to noise ratio of the lower face"),
    Measure(
        name="lpips", unit="", better="lower", about="perceptual distance (VGG16) of the lower face from the real one"
    ),
    Measure(
        name="fid", unit="", better="lower", about="Fréchet distance of the faces drawn from the source's, set by set"
    ),
    Measure(
        name="sharpness",
        unit="ratio",
        better="as real",
        about="variance of the Laplacian of the mouth region over the source's",
    ),
    Measure(
        name="seam",
        unit="ratio",
        better="zero",
        about="step across the border of what was redrawn, beyond the source's own there",
    ),
    Measure(name="identity", unit="cosine", better="higher", about="SFace embedding against the source's"),
    Measure(
        name="changed_outside",
        unit="share",
        better="zero",
        about="pixels that differ from the source's beyond the lower face and its surroundings",
    ),
    Measure(
        name="rerun_noise", unit="levels", better="zero", about="largest difference between two renders, nothing shared"
    ),
)

BY_NAME = {measure.name: measure for measure in MEASURES}

OPTIONAL = ("fid", "lpips", "lse", "expert")
"""What can be left out, because it takes long or needs weights of its own."""
