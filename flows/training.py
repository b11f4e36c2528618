"""The flow that trains lip-sync weights: a skin over `tasks.training`. The same run again goes on where it stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from prefect import flow
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows.mirrored_weights import bring_weights
from flows.progress import tag_run
from flows.worded import worded
from manifests.errors import BadInput

_TOLD_EVERY_S = 15.0


def run_name() -> str:
    """What the Prefect page calls this run."""
    parameters = flow_run.parameters
    return f"{parameters.get('kind') or 'lipsync'} from {Path(parameters['data']).name}"


@flow(name="train-lips", flow_run_name=run_name, persist_result=False)
@worded
def train_lips(
    data: str,
    out: str,
    kind: str = "lipsync",
    preset_name: str = "cpu",
    minutes: float | None = None,
    steps: int | None = None,
    expert: str | None = None,
) -> str | None:
    """Train on the shards of `redub data prepare` in `data`, into the folder `out`; gives the best weights' path.

    `kind` is "expert" or "lipsync" (which listens to the weights `expert`, by default those that ship). BadInput where
    data, settings and folder do not go together; MissingWeights.
    """
    from tasks.training import Options, expert_settings, lipsync_settings, train_expert, train_lipsync

    tag_run("redub", "train", kind)
    bring_weights()
    options = Options(preset=preset_name, minutes=minutes, steps=steps)
    told = _Told(get_run_logger())
    shards, folder = Path(data).absolute(), Path(out).absolute()
    if kind == "expert":
        record = train_expert(shards, folder, expert_settings(options), told)
    elif kind == "lipsync":
        listener = Path(expert).absolute() if expert else None
        record = train_lipsync(shards, folder, lipsync_settings(options), told, expert=listener)
    else:
        raise BadInput(f"{kind!r} cannot be trained.", where="kind", remedy="Say expert or lipsync.")
    create_table_artifact(
        table=[{"steps": record.step, "best at": record.best_step, "weights": str(record.best or "")}],
        key="training",
        description=f"{kind}, {preset_name}, into {folder}",
    )
    return str(record.best) if record.best else None


@dataclass(slots=True)
class _Told:
    """Tells the page how far a run is; never ends it early, which is for the page's own button."""

    logger: logging.Logger | logging.LoggerAdapter[logging.Logger]
    _artifact: UUID | None = field(default=None)
    _said_s: float = field(default=0.0)

    def began(self, *, step: int, samples: int) -> None:
        """The run begins, or goes on after `step`."""
        self.logger.info("going on after step %d, %d windows a step", step, samples)
        made = create_progress_artifact(progress=0.0, key="training-progress", description="share of the run")
        self._artifact = made if isinstance(made, UUID) else None

    def stepped(self, *, step: int, share: float, values: Mapping[str, float]) -> None:
        """A step is done; told where the last word was a while ago."""
        if time.monotonic() - self._said_s < _TOLD_EVERY_S:
            return
        self._said_s = time.monotonic()
        self.logger.info("step %d: %s", step, ", ".join(f"{name} {value:.3f}" for name, value in values.items()))
        if self._artifact is not None:
            update_progress_artifact(artifact_id=self._artifact, progress=100 * min(1.0, share))

    def validated(self, *, step: int, values: Mapping[str, float], best: bool) -> None:
        """A validation is done."""
        said = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
        self.logger.info("step %d validated%s: %s", step, ", best so far" if best else "", said)

    def wants_end(self) -> bool:
        """Never."""
        return False
