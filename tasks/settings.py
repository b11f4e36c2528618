"""The settings of a dub: one part a stage, and the presets that name a whole set."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from manifests.errors import BadInput
from tasks.assemble import AssembleSettings
from tasks.background import BackgroundSettings
from tasks.chunks import ChunkSettings
from tasks.course import CourseSettings
from tasks.delivery import DeliverySettings
from tasks.faces import FaceSettings
from tasks.gate import GateSettings
from tasks.lip_scores import LipScoreSettings
from tasks.lips import LipSettings
from tasks.listen import ListenSettings
from tasks.render import RenderSettings
from tasks.shots import ShotSettings
from tasks.speak import SpeakSettings
from tasks.speakers import SpeakerSettings
from tasks.timing import TimingSettings
from tasks.translate import TranslateSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DubSettings:
    """Everything that a dub can be told; each part belongs to the stage of its name."""

    shots: ShotSettings = field(default_factory=ShotSettings)
    chunks: ChunkSettings = field(default_factory=ChunkSettings)
    faces: FaceSettings = field(default_factory=FaceSettings)
    listen: ListenSettings = field(default_factory=ListenSettings)
    speakers: SpeakerSettings = field(default_factory=SpeakerSettings)
    background: BackgroundSettings = field(default_factory=BackgroundSettings)
    translate: TranslateSettings = field(default_factory=TranslateSettings)
    course: CourseSettings = field(default_factory=CourseSettings)
    speak: SpeakSettings = field(default_factory=SpeakSettings)
    timing: TimingSettings = field(default_factory=TimingSettings)
    lips: LipSettings = field(default_factory=LipSettings)
    render: RenderSettings = field(default_factory=RenderSettings)
    assemble: AssembleSettings = field(default_factory=AssembleSettings)
    lip_scores: LipScoreSettings = field(default_factory=LipScoreSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    delivery: DeliverySettings = field(default_factory=DeliverySettings)


def lecture() -> DubSettings:
    """The default: what a lecture that will be watched deserves."""
    return DubSettings()


def draft() -> DubSettings:
    """A quick look at words and timing: no lips, so the picture is copied whole."""
    return dataclasses.replace(
        lecture(), lips=LipSettings(engine="none"), gate=GateSettings(preset="draft", most_failed=None)
    )


PRESETS = {"lecture": lecture, "draft": draft}


def preset(name: str) -> DubSettings:
    """The settings that `name` stands for; BadInput for an unknown one."""
    if name not in PRESETS:
        raise BadInput(f"unknown preset {name!r}.", remedy=f"Presets: {', '.join(PRESETS)}.")
    return PRESETS[name]()
