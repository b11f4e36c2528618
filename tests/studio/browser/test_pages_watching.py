"""Watching a run and taking its result home, against the stand-in of the server."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from stub_studio import Stub


def test_a_run_is_watched_cancelled_and_taken_up_again(stub: Stub, address: str, page: Page) -> None:
    name = stub.add("new")["id"]
    page.goto(f"{address}/#/p/{name}")
    expect(page.get_by_role("heading", name="Ready to start")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Yours is next.")).to_be_visible()
    stub.tell(name, "state", state="running", run_page="http://127.0.0.1:4200/runs/7")
    stub.progress(name, "translate", fraction=0.25, label="translating", done=2, of=9, language="fr", eta_s=600)
    expect(page.get_by_text("French: translating (2 of 9)")).to_be_visible()
    expect(page.get_by_text("about 10 minutes left")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
    expect(page.locator('.phases [aria-current="step"]')).to_contain_text("Translate")
    expect(page.get_by_role("link", name="The run in Prefect")).to_have_attribute(
        "href", "http://127.0.0.1:4200/runs/7"
    )
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Yours is next.")).to_be_visible()


def test_stills_appear_and_are_there_again_after_a_reload(stub: Stub, address: str, page: Page) -> None:
    name = stub.add("running")["id"]
    page.goto(f"{address}/#/p/{name}")
    expect(page.get_by_text("Pictures appear here as they are made.")).to_be_visible()
    for kind in ("before", "after"):
        stub.tell(
            name,
            "still",
            url=f"/media/{name}/stills/{kind}.jpg",
            time_s=12.0,
            kind=kind,
            language=None if kind == "before" else "fr",
        )
    for _ in range(2):
        expect(page.locator(".stills figure")).to_have_count(1)
        expect(page.get_by_alt_text("Before, at 0:12")).to_be_visible()
        expect(page.get_by_alt_text("After, at 0:12")).to_be_visible()
        page.reload()


def test_a_run_that_ends_shows_what_came_of_it_without_a_reload(stub: Stub, address: str, page: Page) -> None:
    name = stub.add("running")["id"]
    page.goto(f"{address}/#/p/{name}")
    expect(page.get_by_role("heading", name="At work")).to_be_visible()
    stub.projects[name]["results"] = [stub.result(name, "fr")]
    stub.tell(name, "state", state="done")
    page.get_by_role("link", name="See and download").click()
    expect(page.get_by_text("The voice and the lips in this video are synthetic.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download lecture.fr.mp4, 84 MB").click()
    assert download.value.suggested_filename == "lecture.fr.mp4"
    assert page.evaluate("document.querySelector('video').textTracks.length") == 1
    expect(page.get_by_role("link", name="Open the report")).to_have_attribute("href", f"/media/{name}/report.fr.html")


def test_a_failure_says_what_to_do_and_titles_are_text_only(stub: Stub, address: str, page: Page) -> None:
    title = "<img src=x onerror=alert(1)> & co"
    name = stub.add("failed", title=title, error={"error": "No space is left.", "remedy": "Free 2 GB, then go on."})[
        "id"
    ]
    page.goto(f"{address}/#/p/{name}")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text("Free 2 GB, then go on.")).to_be_visible()


@pytest.mark.slow
def test_a_video_is_deleted_only_after_a_question(stub: Stub, address: str, page: Page) -> None:
    stub.add("done", title="Old talk")
    page.goto(address)
    page.get_by_role("button", name="Delete Old talk").click()
    page.get_by_role("button", name="No, go back").click()
    expect(page.locator(".project")).to_have_count(1)
    page.get_by_role("button", name="Delete Old talk").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator(".empty")).to_be_visible()
    assert not stub.projects


@pytest.mark.slow
def test_what_does_not_exist_is_said_with_a_way_back(stub: Stub, address: str, page: Page) -> None:
    page.goto(f"{address}/#/p/nobody")
    expect(page.get_by_role("alert")).to_contain_text("There is no such video.")
    page.goto(f"{address}/#/elsewhere")
    page.get_by_role("link", name="To your videos").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to make?")
