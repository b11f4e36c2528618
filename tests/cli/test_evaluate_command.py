from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli.evaluate import run_evaluation
from flows.cli.output import JsonLines
from manifests.errors import BadInput


def run(tmp_path: Path, **options: object) -> None:
    given: dict[str, object] = {
        "inputs": (tmp_path,), "out": tmp_path / "out", "lips": "rewrite", "protocol": "cross", "limit": None,
        "seed": 0, "words": None, "expert": None, "without": frozenset(), "crf": 0, "output": JsonLines(),
    }  # fmt: skip
    run_evaluation(**{**given, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "backwards"}, "cross, "),
        ({"without": frozenset({"ssim"})}, "cannot be left out"),
        ({}, "no video is in this folder"),
        ({"protocol": "dubbed"}, "no such file"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_rendered(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    if options.get("protocol") == "dubbed":
        options = {**options, "inputs": (tmp_path / "a.mp4", tmp_path / "b.mp4")}
    with pytest.raises(BadInput, match=message):
        run(tmp_path, **options)
    assert not (tmp_path / "out").exists()
