"""Shot detectors by name."""

from __future__ import annotations

from manifests.errors import BadInput
from models.once import once
from models.shots.contract import ShotDetector

NAMES = ("content", "transnetv2")


@once
def load(name: str = "content", *, device: str = "cpu") -> ShotDetector:
    """The detector called `name`, loaded once per process; BadInput for a name not in `NAMES`.

    "content" is quick and sees hard cuts; "transnetv2" runs on `device` and sees gradual transitions too.
    """
    if name == "content":
        from models.shots.content import ContentShotDetector

        return ContentShotDetector()
    if name == "transnetv2":
        from models.shots.transnet import TransNetShotDetector

        return TransNetShotDetector(device=device)
    raise BadInput(f"no shot detector is called {name!r}.", where="shots", remedy=f"Use one of {NAMES}.")
