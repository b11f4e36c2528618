"""The settings of a training run: frozen and typed, with presets as functions, kept as JSON beside the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from manifests.errors import BadInput

Adversary = Literal["none", "discriminator", "critic"]
Settings = TypeVar("Settings", "ExpertSettings", "LipsyncSettings")
Augment = TypeVar("Augment", "PictureAugment", "SoundAugment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long a run lasts and how fast it learns. May be changed when a run is taken up again.

    The run ends with whichever of `steps` and `minutes` (of training, pauses left out) is reached first, and the
    learning rate follows the nearer of the two: it rises over the share `warmup` of the run, then falls along a half
    cosine to the share `final` of `learning_rate` (Loshchilov and Hutter 2017, without restarts). Only a run that is
    limited by steps alone can be repeated to the bit: minutes depend on the machine.
    """

    steps: int | None = None
    minutes: float | None = None
    learning_rate: float = 1e-3
    warmup: float = 0.03
    final: float = 0.01
    validate_every: int = 200
    checkpoint_minutes: float = 2.0
    threads: int = 0
    """Threads of arithmetic; 0 leaves the choice to PyTorch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureAugment:
    """How much the pictures of a window are changed. 0 turns a change off; a `..._chance` is a probability.

    Lengths are shares of the face's side. All frames of a window, and of its reference, are changed alike, but for
    `jitter` (the face moves a little between frames, as tracked faces do), noise and JPEG loss.
    """

    flip_chance: float = 0.5
    shift: float = 0.05
    scale: float = 0.12
    aspect: float = 0.10
    shear: float = 0.08
    rotation_deg: float = 9.0
    mesh: float = 0.015
    """Deviation of the displacements of a coarse random grid; between its knots the warp is smooth."""
    mesh_knots: int = 5
    jitter: float = 0.004

    gain: float = 0.20
    offset: float = 0.08
    gamma: float = 0.30
    contrast: float = 0.25
    saturation: float = 0.4
    hue_deg: float = 12.0
    grey_chance: float = 0.15
    lighting: float = 0.25

    soften_chance: float = 0.25
    sharpen_chance: float = 0.10
    noise: float = 0.03
    noise_chance: float = 0.4
    jpeg_chance: float = 0.25
    patch_chance: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundAugment:
    """How much the mel window of a sound is changed. 0 turns a change off; a `..._chance` is a probability."""

    level_db: float = 8.0
    tilt_db: float = 8.0
    """Across the whole band range."""
    equaliser_db: float = 4.0
    warp: float = 0.15
    """Largest vocal-tract-length perturbation: frequencies are multiplied by 1 - warp .. 1 + warp."""
    noise_chance: float = 0.4
    noise_below_db: tuple[float, float] = (25.0, 60.0)
    """How far the noise lies below the loudest cell of the window."""
    reverb_chance: float = 0.3
    mask_chance: float = 0.3
    mask_bands: int = 12


_KEPT_AT_ANY_STRENGTH = {"mesh_knots", "noise_below_db", "mask_bands"}


def weakened(augment: Augment, strength: float) -> Augment:
    """The same changes at a `strength` of 0..1: every amplitude and chance times it."""
    if strength >= 1:
        return augment
    amounts = {
        each.name: strength * getattr(augment, each.name)
        for each in dataclasses.fields(augment)
        if each.name not in _KEPT_AT_ANY_STRENGTH
    }
    return dataclasses.replace(augment, **amounts)


NO_PICTURE_AUGMENT = PictureAugment(
    flip_chance=0, shift=0, scale=0, aspect=0, shear=0, rotation_deg=0, mesh=0, jitter=0, gain=0, offset=0, gamma=0,
    contrast=0, saturation=0, hue_deg=0, grey_chance=0, lighting=0, soften_chance=0, sharpen_chance=0, noise=0,
    noise_chance=0, jpeg_chance=0, patch_chance=0,
)  # fmt: skip
NO_SOUND_AUGMENT = SoundAugment(
    level_db=0, tilt_db=0, equaliser_db=0, warp=0, noise_chance=0, reverb_chance=0, mask_chance=0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertSettings:
    """Training of the sync expert."""

    width: float = 0.5
    face_px: int = 96
    seed: int = 0

    clips: int = 8
    windows: int = 4
    """Windows of five frames of each clip in a batch."""
    extra_sounds: int = 8
    """Further mel windows of each clip: they cost little beside faces, and each is a shifted pair to every face."""
    validation_clips: int = 32

    temperature: float = 0.07
    """Of the logistic map from cosine to probability; 0 takes the cosine itself, as the paper does."""
    centre: float = 0.5
    """The cosine that stands for a probability of one half."""
    in_clip_share: float = 0.6
    """Weight of shifted pairs of one clip among the pairs that do not belong together; the rest is of other clips."""
    matching_weight: float = 1.0
    """Of the choice of the right sound among those of the clip (Chung et al. 2019)."""
    shape_weight: float = 2.0
    """Of the prediction of the mouth's landmarks from either embedding; 0 leaves it out."""

    weight_decay: float = 1e-4
    gradient_norm: float = 5.0
    pictures: PictureAugment = field(default_factory=PictureAugment)
    sounds: SoundAugment = field(default_factory=SoundAugment)
    augment_steps: int = 600
    """Steps over which the changes grow from none to full: a network that has learned nothing learns little from
    faces that are all changed at once (measured: 80 steps of 32 windows gave r = 0.80 between the true opening of the
    mouth and the one read from unchanged faces, 0.02 from fully changed ones)."""
    schedule: Schedule = field(default_factory=Schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class LipsyncSettings:
    """Training of the generator."""

    arrangement: Literal["wav2lip", "lipgan", "speech2vid"] = "wav2lip"
    attention: Literal["none", "lips"] = "none"
    width: float = 0.5
    face_px: int = 96
    seed: int = 0

    windows: int = 4
    """Windows of five frames in a batch, each of another clip."""
    reference_gap: int = 5
    """Least distance in frames between the window and its reference."""
    validation_clips: int = 16

    l1_weight: float = 1.0
    upper_share: float = 1.0
    """Weight in the L1 loss of the upper half, which the generator is shown: 1 as in the paper, 0 leaves it undrawn."""
    sync_weight: float = 0.03
    sync_from: float = 0.0
    """Share of the run after which the sync loss counts: before, there is no mouth to judge."""
    perceptual_weight: float = 0.0
    adversary: Adversary = "none"
    adversarial_weight: float = 0.0
    adversarial_from: float = 0.0
    gradient_penalty: float = 10.0
    critic_steps: int = 1
    """Steps of the adversary for each of the generator."""
    adversary_rate: float = 1.0
    """The adversary's learning rate over the generator's."""

    weight_decay: float = 0.0
    gradient_norm: float = 5.0
    betas: tuple[float, float] = (0.5, 0.999)
    pictures: PictureAugment = field(default_factory=PictureAugment)
    sounds: SoundAugment = field(default_factory=SoundAugment)
    schedule: Schedule = field(default_factory=Schedule)


GENERATOR_PICTURES = PictureAugment(
    jitter=0.0, gain=0.2, offset=0.06, gamma=0.25, contrast=0.2, saturation=0.4, hue_deg=12, grey_chance=0.05,
    lighting=0.25, soften_chance=0, sharpen_chance=0, noise=0, noise_chance=0, jpeg_chance=0, patch_chance=0,
)  # fmt: skip
"""For the generator, which learns to draw what it is shown: nothing that spoils the picture."""


def expert_cpu() -> ExpertSettings:
    """An expert of half the paper's width, for an hour or so of one core."""
    return ExpertSettings(schedule=Schedule(minutes=60))


def expert_paper() -> ExpertSettings:
    """The expert of Prajwal et al. (2020): full width, cosine as probability, batches of 64, Adam at 1e-4.

    Beyond the paper, every sound of the batch is paired with every face, and pictures and sounds are augmented.
    """
    return ExpertSettings(
        width=1.0,
        clips=16,
        extra_sounds=0,
        temperature=0.0,
        in_clip_share=0.5,
        matching_weight=0.0,
        shape_weight=0.0,
        weight_decay=0.0,
        augment_steps=10_000,
        schedule=Schedule(steps=200_000, learning_rate=1e-4, warmup=0, final=1, validate_every=2000),
    )


def expert_tiny() -> ExpertSettings:
    """A minute on any machine: to try a folder of shards, and for tests."""
    return ExpertSettings(
        width=0.125,
        clips=6,
        windows=4,
        extra_sounds=4,
        validation_clips=4,
        schedule=Schedule(steps=100, learning_rate=3e-3, validate_every=50, threads=1),
    )


def lipsync_cpu() -> LipsyncSettings:
    """A generator of half the paper's width, for a few hours of one core: L1 and sync, of the lower half alone."""
    return LipsyncSettings(
        upper_share=0.0,
        sync_from=0.15,
        sync_weight=0.05,
        pictures=GENERATOR_PICTURES,
        schedule=Schedule(minutes=120),
    )


def lipsync_paper() -> LipsyncSettings:
    """Prajwal et al. (2020), section 4: full width, (1 - 0.03 - 0.07) L1 + 0.03 sync + 0.07 GAN, Adam at 1e-4."""
    return LipsyncSettings(
        width=1.0,
        windows=16,
        l1_weight=0.9,
        sync_weight=0.03,
        sync_from=0.3,
        adversary="discriminator",
        adversarial_weight=0.07,
        adversarial_from=0.3,
        pictures=GENERATOR_PICTURES,
        schedule=Schedule(steps=200_000, learning_rate=1e-4, warmup=0, final=1, validate_every=2000),
    )


def lipsync_wgan() -> LipsyncSettings:
    """The same network with a Wasserstein critic, gradient penalty (Gulrajani et al. 2017) and a perceptual loss."""
    return dataclasses.replace(
        lipsync_paper(),
        l1_weight=1.0,
        perceptual_weight=0.05,
        adversary="critic",
        adversarial_weight=0.005,
        critic_steps=5,
        betas=(0.0, 0.9),
    )


def lipsync_tiny() -> LipsyncSettings:
    """A minute on any machine: to try a folder of shards, and for tests."""
    return LipsyncSettings(
        width=0.125,
        windows=2,
        validation_clips=2,
        upper_share=0.25,
        sync_from=0.5,
        pictures=GENERATOR_PICTURES,
        schedule=Schedule(steps=60, learning_rate=3e-3, validate_every=30, threads=1),
    )


def lipsync_adapt() -> LipsyncSettings:
    """To specialise trained weights on one speaker: small steps, and no faces of other proportions than theirs."""
    pictures = dataclasses.replace(
        weakened(GENERATOR_PICTURES, 0.3), flip_chance=0.0, mesh=0.0, aspect=0.0, shear=0.0, grey_chance=0.0
    )
    return LipsyncSettings(
        upper_share=0.0,
        sync_weight=0.03,
        pictures=pictures,
        sounds=weakened(SoundAugment(), 0.5),
        schedule=Schedule(steps=400, learning_rate=2e-4, warmup=0.1, validate_every=100),
    )


EXPERT_PRESETS: Mapping[str, Callable[[], ExpertSettings]] = {
    "cpu": expert_cpu,
    "paper": expert_paper,
    "tiny": expert_tiny,
}
LIPSYNC_PRESETS: Mapping[str, Callable[[], LipsyncSettings]] = {
    "cpu": lipsync_cpu,
    "paper": lipsync_paper,
    "wgan": lipsync_wgan,
    "adapt": lipsync_adapt,
    "tiny": lipsync_tiny,
}


def preset(presets: Mapping[str, Callable[[], Settings]], name: str) -> Settings:
    """The settings that `name` stands for; BadInput for an unknown one."""
    if name not in presets:
        raise BadInput(f"unknown preset {name!r}.", where="--preset", remedy=f"Presets: {', '.join(presets)}.")
    return presets[name]()


def to_json(settings: ExpertSettings | LipsyncSettings) -> str:
    """The settings as JSON that `from_json` reads."""
    import json

    return json.dumps(dataclasses.asdict(settings), indent=2) + "\n"


def from_json(kind: type[Settings], text: str) -> Settings:
    """The settings that `to_json` wrote. ValueError where they are of another kind or version."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_json(text, extra="forbid")


def differences(before: Settings, after: Settings) -> dict[str, tuple[Any, Any]]:
    """What differs between two settings, schedules left out: dotted names, and the values before and after."""
    unscheduled = (dataclasses.asdict(dataclasses.replace(each, schedule=Schedule())) for each in (before, after))
    old, new = (_flat(each, "") for each in unscheduled)
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}


def _flat(tree: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value})
    return flat


def save(settings: ExpertSettings | LipsyncSettings, path: Path) -> None:
    """Write the settings to `path`."""
    path.write_text(to_json(settings), encoding="utf-8")
