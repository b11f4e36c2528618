"""An evaluation of renderers that are known to be perfect, frozen or broken, on real clips."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.media.mux import AudioOut, mux
from infra.media.probe import probe
from infra.media.splice import RenderSettings as EncoderSettings
from manifests import tables
from manifests.errors import Degraded
from manifests.evaluation import Score
from models import weights
from tasks.evaluate import Evaluation, EvaluationJob, Renderer, evaluate, evaluation_settings
from tasks.evaluation_baselines import HoldRenderer

GRID = Path(__file__).parents[2] / ".." / "shared" / "data" / "grid"
CLIPS = ("pbbp4p", "pwaj6n")
NEEDED = ("yunet", "sface", "facemesh")

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.weights,
    pytest.mark.skipif(not (GRID / "s1").is_dir(), reason="the team's GRID clips are not here"),
    pytest.mark.skipif(not all(map(weights.present, NEEDED)), reason=f"redub weights pull {' '.join(NEEDED)}"),
]


class Copying:
    """The picture as it is, with the sound: perfect where the sound is the face's own."""

    def __init__(self) -> None:
        self.rendered = 0

    def render(self, face: Path, audio: Path, out: Path) -> None:
        self.rendered += 1
        mux(picture=face, audio=[AudioOut(source=audio)], out=out)


class Broken:
    def render(self, face: Path, audio: Path, out: Path) -> None:
        raise Degraded("the face is turned away")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name in CLIPS:
        shutil.copy(GRID / "s1" / f"{name}.mp4", folder)
    return folder


def job_for(clips: Path, out: Path, renderer_for: Callable[[Path], Renderer], lips: str) -> EvaluationJob:
    return EvaluationJob(
        inputs=(clips,),
        out=out,
        lips=lips,
        renderer_for=renderer_for,
        protocol="reconstruction",
        limit=1,
        words=GRID / "s1_words.tsv",
        without=frozenset({"fid", "lpips", "lse", "expert"}),
        settings=evaluation_settings("none"),
    )


def value(made: Evaluation, subject: str, measure: str) -> float:
    (score,) = (each for each in made.scores if (each.subject, each.measure) == (subject, measure))
    assert score.value is not None, score.reason
    return score.value


def test_a_perfect_result_scores_perfectly_and_is_made_once(clips: Path, tmp_path: Path) -> None:
    copying = Copying()
    job = job_for(clips, tmp_path, lambda _: copying, "copy")
    made = evaluate(job)
    for measure in ("inner_opening_r", "outer_opening_r", "width_r", "ssim", "identity", "sharpness"):
        assert value(made, "result", measure) == pytest.approx(1, abs=1e-3)
    assert value(made, "result", "lmd") == pytest.approx(0, abs=1e-6)
    assert value(made, "result", "changed_outside") == 0
    assert value(made, "rerun", "rerun_noise") == 0
    assert value(made, "unsynced", "inner_opening_r") < 0.6
    assert value(made, "result", "closures") == value(made, "real", "closures") > 0.75
    assert value(made, "result", "motion_in_silence") < 0.2
    reasons = {score.measure: score.reason for score in made.scores if score.value is None}
    assert reasons["seam"] == "nothing was redrawn"
    assert reasons["psnr"] == "every frame equals the true one"
    assert reasons["lpips"] == reasons["expert_distance"] == "left out as asked"

    page = (tmp_path / "scores.md").read_text(encoding="utf-8")
    assert "| seam | " in page.partition("## Not measured")[2]
    assert tuple(tables.read_table(Score, tmp_path / "scores.parquet")) == made.scores
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["weights"].keys() >= set(NEEDED)
    assert (tmp_path / "contact_sheet.png").stat().st_size > 10_000
    (clip,) = tmp_path.glob("pairs/*/side_by_side.mp4")
    shown = probe(clip)
    assert shown.width > 2 * 224 - 8
    assert shown.span.duration_s == pytest.approx(3, abs=0.1)
    assert shown.audio_tracks

    assert copying.rendered == 2  # the second is the re-run
    again = evaluate(job)
    assert (copying.rendered, again.recalled) == (2, 1)
    assert again.scores == made.scores
    other = evaluate(dataclasses.replace(job, lips="broken", renderer_for=lambda _: Broken()))
    assert other.recalled == 0
    assert all(score.value is None for score in other.scores)
    assert "the face is turned away" in (tmp_path / "scores.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_mouth_that_is_held_follows_nothing(clips: Path, tmp_path: Path) -> None:
    job = dataclasses.replace(job_for(clips, tmp_path, lambda _: HoldRenderer(EncoderSettings(crf=0)), "hold"), rerun=0)
    made = evaluate(job)
    assert abs(value(made, "result", "inner_opening_r")) < 0.6
    assert value(made, "result", "closures") == 1
    assert 0.5 < value(made, "result", "ssim") < 0.999
    assert value(made, "result", "lmd") > 0.005
    assert value(made, "result", "changed_outside") == 0
    assert value(made, "result", "identity") > 0.9
