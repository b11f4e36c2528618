"""The studio from end to end in a real browser: its own server and pages, and `quick_run` for the computing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from studio_client import Standing, settings, standing, tokens

RUN = Path(__file__).with_name("quick_run.py")
READY = 30_000
"""Milliseconds until a quick run is surely done: processes start slowly on a machine that is busy."""


def command(folder: Path, _: object) -> list[str]:
    return [sys.executable, str(RUN), str(folder)]


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standing]:
    monkeypatch.setenv("REDUB_CACHE", str(tmp_path / "cache"))
    with standing(settings(tmp_path / "studio"), command) as found:
        yield found


def bring(page: Page, file: Path, part: int = 0) -> None:
    page.locator("input[type=file]").nth(part).set_input_files(file)
    expect(page.locator(".part").nth(part).get_by_text("Uploaded", exact=True)).to_be_visible()


def let_go_on(studio: Standing) -> None:
    """A run named "slow ..." works until it is told."""
    (project,) = studio.found.projects.all()
    (studio.found.projects.place(project) / "go-on").touch()


def begin(page: Page) -> None:
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("button", name="Start", exact=True).click(timeout=READY)


def take_home(page: Page) -> None:
    page.get_by_role("link", name="See and download").click(timeout=READY)
    expect(page.get_by_role("heading", name="Take it home")).to_be_visible()
    expect(page.locator("video")).to_have_js_property("error", None)


def saved(page: Page, name: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {name}").click()
    return Path(download.value.path()).read_bytes()


def test_a_video_is_translated_mended_rendered_and_taken_home(studio: Standing, page: Page, media: Path) -> None:
    page.goto(studio.url)
    page.get_by_role("link", name="Translate a video").click()
    bring(page, media / "source.mp4")
    page.get_by_label("Name").fill("slow lecture")
    begin(page)
    expect(page.get_by_alt_text("Before, at 0:00")).to_be_visible(timeout=READY)
    page.reload()  # in the middle of the run: the same address shows the same work
    expect(page.get_by_role("heading", name="At work")).to_be_visible()
    expect(page.get_by_alt_text("Before, at 0:00")).to_be_visible()
    let_go_on(studio)
    take_home(page)
    expect(page.get_by_text("The voice in this video is synthetic.")).to_be_visible()
    assert saved(page, "source.fr.mp4") == (media / "source.mp4").read_bytes()

    page.get_by_role("link", name="Mend lines").click()
    page.locator(".line").nth(1).click()
    page.get_by_label("Said instead").fill("Pourquoi la mer monte-t-elle donc ?")
    page.get_by_label("Reviewed").check()
    page.get_by_role("button", name="Render", exact=True).click()
    take_home(page)
    said = saved(page, "source.fr.vtt").decode()
    assert "Pourquoi la mer monte-t-elle donc ?" in said
    assert "Bienvenue dans ce cours." in said
    assert "Pourquoi la mer monte-t-elle donc ?" in saved(page, "source.fr.csv").decode()
    page.get_by_role("link", name="Mend lines").click()
    expect(page.locator(".line").nth(1).get_by_text("reviewed")).to_be_attached()


@pytest.mark.slow
def test_a_recording_from_the_microphone_is_spoken_by_a_portrait(studio: Standing, page: Page, media: Path) -> None:
    page.goto(f"{studio.url}/#/new/speech")
    bring(page, media / "still.jpg")
    voice = page.locator(".part").nth(1)
    voice.get_by_role("button", name="Record with the microphone").click()
    voice.get_by_role("button", name="Turn on").click()
    voice.get_by_role("button", name="Start to record").click()
    page.wait_for_timeout(2000)
    voice.get_by_role("button", name="Stop").click()
    voice.get_by_role("button", name="Use this recording").click()
    expect(voice.get_by_text("Uploaded", exact=True)).to_be_visible()
    begin(page)
    take_home(page)
    assert 1.0 < page.evaluate("document.querySelector('video').duration") < 4.0


@pytest.mark.slow
def test_a_recording_from_the_camera_is_translated(studio: Standing, page: Page) -> None:
    page.goto(f"{studio.url}/#/new/dub")
    page.get_by_role("button", name="Record with the camera").click()
    page.get_by_role("button", name="Turn on").click()
    page.get_by_role("button", name="Start to record").click()
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Use this recording").click()
    begin(page)
    take_home(page)


@pytest.mark.slow
def test_a_portrait_reads_a_text(studio: Standing, page: Page, media: Path) -> None:
    page.goto(f"{studio.url}/#/new/text")
    bring(page, media / "still.jpg")
    page.get_by_label("What should be said").fill("Bonjour et bienvenue.")
    begin(page)
    take_home(page)
    (project,) = studio.found.projects.all()
    assert (project.kind, project.text, project.to) == ("text", "Bonjour et bienvenue.", ("fr",))


@pytest.mark.slow
def test_the_work_stops_for_a_review_and_goes_on_with_what_was_corrected(
    studio: Standing, page: Page, media: Path
) -> None:
    page.goto(f"{studio.url}/#/new/dub")
    bring(page, media / "source.mp4")
    page.get_by_label("Let me check the translation first").check()
    begin(page)
    page.get_by_role("link", name="Read the translation").click(timeout=READY)
    page.locator(".line").first.click()
    page.get_by_label("Said instead").fill("Bonjour à tous.")
    page.get_by_role("button", name="Save and go on").click()
    take_home(page)
    assert "Bonjour à tous." in saved(page, "source.fr.vtt").decode()


@pytest.mark.slow
def test_a_line_is_split_and_joined_again_in_the_real_sheet(studio: Standing, page: Page, media: Path) -> None:
    page.goto(f"{studio.url}/#/new/dub")
    bring(page, media / "source.mp4")
    begin(page)
    take_home(page)
    page.get_by_role("link", name="Mend lines").click()
    page.locator(".line").first.click()
    page.get_by_role("button", name="Split").click()
    page.get_by_role("dialog").get_by_role("button", name="Split").click()
    expect(page.locator(".line")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator(".line").first.locator(".translation")).to_have_text("Bienvenue dans ce cours.")


@pytest.mark.slow
def test_work_is_cancelled_and_taken_up_again_in_another_tab(studio: Standing, page: Page, media: Path) -> None:
    page.goto(f"{studio.url}/#/new/dub")
    bring(page, media / "source.mp4")
    page.get_by_label("Name").fill("slow talk")
    begin(page)
    expect(page.get_by_role("heading", name="At work")).to_be_visible(timeout=READY)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    let_go_on(studio)
    page.close()
    other = page.context.new_page()
    other.goto(studio.url)
    other.get_by_role("link", name="slow talk").click()
    other.get_by_role("button", name="Go on").click()
    take_home(other)


@pytest.mark.slow
def test_two_people_at_once_see_nothing_of_each_other(
    tmp_path: Path, open_context: Callable[..., BrowserContext], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_CACHE", str(tmp_path / "cache"))
    with standing(settings(tmp_path / "studio", **tokens(tmp_path, "ada", "emmy")), command) as studio:
        pages = {user: open_context().new_page() for user in ("ada", "emmy")}
        for user, page in pages.items():
            page.goto(studio.url)
            page.get_by_label("Your token").fill(user * 2)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("link", name="Translate a video").click()
            bring(page, media / "source.mp4")
            page.get_by_label("Name").fill(f"of {user}")
        for page in pages.values():
            begin(page)
        for user, page in pages.items():
            take_home(page)
            page.get_by_role("link", name="Your videos").click()
            expect(page.locator(".project .title")).to_have_text([f"of {user}"])
        mine = studio.found.projects.all()[0]
        other = pages["emmy" if mine.owner == "ada" else "ada"]
        other.goto(f"{studio.url}/#/p/{mine.id}")
        expect(other.get_by_role("alert")).to_be_visible()
        pages["ada"].get_by_role("button", name="Sign out").click()
        expect(pages["ada"].get_by_label("Your token")).to_be_visible()
