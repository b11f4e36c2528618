"""The curves of a run: JSON lines, TensorBoard event files and one picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from models.training.runs import CURVES, EVENTS, HISTORY

_TRAINING, _VALIDATION = "train", "validation"


class Curves:
    """Writes the curves of the run in `folder`; a context manager.

    Opened at a step, it forgets what an earlier process wrote beyond it, so a run that was killed has no point twice.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX import SummaryWriter

        self._file = folder / HISTORY
        kept = [point for point in read_history(folder) if point["step"] <= step]
        self._file.write_text("".join(map(_line, kept)), encoding="utf-8")
        self._events = SummaryWriter(logdir=str(folder / EVENTS), purge_step=step + 1)
        self._folder = folder

    def trained(self, step: int, values: Mapping[str, float]) -> None:
        """A point of the training curves: losses, learning rate, samples a second."""
        self._add(_TRAINING, step, values)

    def validated(self, step: int, values: Mapping[str, float]) -> None:
        """A point of the validation curves; draws the picture anew."""
        self._add(_VALIDATION, step, values)
        draw(read_history(self._folder), self._folder / CURVES)

    def _add(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(_line({"kind": kind, "step": step, **values}))
        for name, value in values.items():
            self._events.add_scalar(f"{kind}/{name}", value, step)

    def __enter__(self) -> Curves:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.close()


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The points of a run's curves: `kind` (train or validation), `step` and values by name."""
    path = folder / HISTORY
    if not path.is_file():
        return []
    points = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            points.append(json.loads(line))
        except ValueError:  # half a line: the process was killed while it wrote
            break
    return points


def draw(points: list[dict[str, Any]], target: Path) -> None:
    """One picture of all curves, a panel each; training and validation of one name share a panel."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for point in points for name in point if name not in {"kind", "step"}))
    if not names:
        return
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, place + 1)
        for kind, style in ((_TRAINING, "-"), (_VALIDATION, "o-")):
            drawn = [(point["step"], point[name]) for point in points if point["kind"] == kind and name in point]
            if drawn:
                axes.plot(*zip(*drawn, strict=True), style, markersize=3, linewidth=1, label=kind)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    figure.supxlabel("step", fontsize=8)
    part = target.with_name(f".{target.name}.part")
    figure.savefig(part, format="png", dpi=110)
    part.replace(target)


def _line(point: Mapping[str, Any]) -> str:
    return json.dumps(point) + "\n"
