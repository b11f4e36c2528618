"""The sample through the studio as people start it: uploaded, dubbed, a line mended and heard, rendered again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect

from models.weights import store as weights

NEEDED = ("whisper-base", "opus-mt-en-fr", "kokoro", "yunet", "sface", "facemesh", "age-gender", "ge2e", "spleeter")
REPOSITORY = Path(__file__).parents[3]
DUBBED = 900_000
"""Milliseconds in which the sample is surely dubbed on a busy machine."""

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(2400)]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[str]:
    """The address of `redub studio`, with folders of its own."""
    missing = [name for name in NEEDED if not weights.present(name)]
    if missing:
        pytest.skip(f"weights that are not on this machine: {', '.join(missing)} (make weights)")
    folders = {"REDUB_CACHE": str(tmp_path / "cache"), "REDUB_STATE": str(tmp_path / "state")}
    given = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [str(Path(sys.executable).with_name("redub")), "studio", "--port", "0"]
    process = subprocess.Popen(
        command,
        env=given | folders | {"REDUB_WEIGHTS": str(weights.root()), "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                yield found[0]
                break
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture
def lecture(tmp_path: Path) -> Path:
    made = tmp_path / "lecture.mp4"
    subprocess.run([sys.executable, "-m", "benchmarks.sample", str(made)], cwd=REPOSITORY, check=True)
    return made


def heard(page: Page) -> float:
    """Lets the chosen line be said; seconds until it is heard."""
    before = time.monotonic()
    with page.expect_response("**/hear", timeout=120_000) as answer:
        page.get_by_role("button", name="Hear it").click()
    assert (answer.value.status, answer.value.headers["content-type"]) == (200, "audio/wav")
    expect(page.locator(".editor [role=status]")).to_contain_text("Spoken in")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    took = time.monotonic() - before
    expect(page.get_by_role("button", name="Hear it")).to_be_visible(timeout=30_000)
    return took


def say(what: str, took_s: float) -> None:
    """A figure, for those who run this with -s; machines differ too much to assert it."""
    sys.stdout.write(f"{what} in {took_s:.1f} s\n")


def taken_home(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {name}").click()
    download.value.save_as(folder / name)
    return folder / name


def test_the_sample_is_dubbed_mended_and_taken_home(studio: str, lecture: Path, page: Page, tmp_path: Path) -> None:
    page.goto(studio)
    page.get_by_role("link", name="Translate a video").click()
    page.locator("input[type=file]").set_input_files(lecture)
    expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
    expect(page.get_by_role("checkbox", name="French")).to_be_checked()
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("button", name="Start", exact=True).click(timeout=60_000)
    began = time.monotonic()
    expect(page.locator(".stills .after").first).to_be_attached(timeout=DUBBED)
    page.get_by_role("link", name="See and download").click(timeout=DUBBED)
    say("dubbed", time.monotonic() - began)
    expect(page.get_by_text("The voice and the lips in this video are synthetic.")).to_be_visible()
    (tmp_path / "first").mkdir()
    first = taken_home(page, "lecture.fr.mp4", tmp_path / "first")

    page.get_by_role("link", name="Mend lines").click()
    page.locator(".line").nth(1).click()
    said = page.get_by_label("Said instead")
    heard(page)
    said.fill("Aujourd'hui, nous regardons la mer.")
    say("heard again", heard(page))
    page.get_by_role("button", name="Render", exact=True).click()
    began = time.monotonic()
    page.get_by_role("link", name="See and download").click(timeout=DUBBED)
    say("rendered again", time.monotonic() - began)
    mended = taken_home(page, "lecture.fr.mp4", tmp_path)
    assert "nous regardons la mer." in taken_home(page, "lecture.fr.vtt", tmp_path).read_text()
    with av.open(str(first)) as one, av.open(str(mended)) as other:
        assert one.duration == other.duration
        assert len(one.streams.audio) == len(other.streams.audio) == 2
    assert first.read_bytes() != mended.read_bytes()
