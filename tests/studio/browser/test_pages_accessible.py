"""axe-core finds nothing wrong in any view, light and dark; lines are mended with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from stub_lines import made_lines
from stub_studio import Stub

VIEWS = (
    "start",
    "nothing-yet",
    "dub",
    "speech",
    "text",
    "ready",
    "watch",
    "review",
    "failed",
    "mend",
    "arabic",
    "split",
    "keys",
    "out",
    "lost",
)

QUICK = ("dub", "mend")


def faults_of(page: Page) -> list[str]:
    """What axe finds: the rule and where. Animations are ended first: half faded text has half a contrast."""
    page.emulate_media(reduced_motion="reduce")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]


def arrive(view: str, stub: Stub, page: Page, address: str) -> None:
    """Makes what the view shows, and goes there."""
    if view == "start":
        for state in ("new", "running", "review", "done", "failed"):
            stub.add(state, progress={"fraction": 0.4, "eta_s": 90})
        page.goto(address)
        expect(page.locator(".project")).to_have_count(5)
    elif view == "nothing-yet":
        page.goto(address)
        expect(page.locator(".empty")).to_be_visible()
    elif view in {"dub", "speech", "text"}:
        page.goto(f"{address}/#/new/{view}")
        expect(page.get_by_role("button", name="Check it")).to_be_visible()
        if view != "speech":
            page.get_by_label("Arabic").check()
    elif view == "lost":
        page.goto(f"{address}/#/p/nobody")
        expect(page.get_by_role("alert")).to_be_visible()
    elif view in {"ready", "watch", "review", "failed"}:
        state = {"ready": "new", "watch": "running"}.get(view, view)
        error = {"error": "No space is left.", "remedy": "Free 2 GB."} if view == "failed" else None
        name = stub.add(state, error=error)["id"]
        stub.progress(name, "speak", fraction=0.46, label="Speaking", done=4, of=8, language="fr", eta_s=760)
        stub.tell(name, "still", url=f"/media/{name}/stills/a.jpg", time_s=2.0, kind="before", language=None)
        stub.tell(name, "log", level="warning", text="a slide waits")
        page.goto(f"{address}/#/p/{name}")
        expect(page.locator(".panel")).to_be_visible()
    else:
        language = "ar" if view == "arabic" else "fr"
        name = stub.add("done", to=("fr", "ar"))["id"]
        stub.lines[name, language] = made_lines(language, 30)
        page.goto(f"{address}/#/p/{name}/out" if view == "out" else f"{address}/#/p/{name}/mend?language={language}")
        expect(page.locator("video").first).to_be_visible()
        if view == "split":
            page.get_by_role("button", name="Split").click()
        elif view == "keys":
            page.keyboard.press("?")
        elif view != "out":
            page.locator(".line").nth(2).click()


@pytest.mark.parametrize(
    "view", [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in VIEWS]
)
def test_axe_finds_no_violation(
    view: str, stub: Stub, address: str, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(viewport={"width": 1280, "height": 860}, color_scheme="light").new_page()
    arrive(view, stub, page, address)
    assert not faults_of(page)
    page.emulate_media(color_scheme="dark")
    assert not faults_of(page)


@pytest.mark.slow
@pytest.mark.parametrize("view", ["start", "text", "watch", "mend", "arabic", "out"])
def test_axe_finds_no_violation_on_a_phone_and_nothing_is_wider_than_it(
    view: str, stub: Stub, address: str, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).new_page()
    arrive(view, stub, page, address)
    assert not faults_of(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_sign_in_page_has_no_violation_and_says_what_is_wrong(stub: Stub, address: str, page: Page) -> None:
    stub.needs_login = True
    page.goto(f"{address}/login")
    assert not faults_of(page)
    page.get_by_label("Your token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That token is not known here.")
    page.get_by_label("Your token").fill("right")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to make?")


@pytest.mark.slow
def test_who_is_not_signed_in_is_taken_to_the_sign_in_and_back(stub: Stub, address: str, page: Page) -> None:
    stub.add("done")
    stub.needs_login = True
    page.goto(f"{address}/#/")
    expect(page.get_by_label("Your token")).to_be_focused()
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    expect(page.locator(".project")).to_have_count(1)


@pytest.mark.slow
def test_arabic_lines_run_from_right_to_left_inside_an_english_page(stub: Stub, address: str, page: Page) -> None:
    arrive("arabic", stub, page, address)
    direction = "element => getComputedStyle(element).direction"
    row = page.locator(".line").first
    assert row.locator(".translation").evaluate(direction) == "rtl"
    assert row.locator(".source").evaluate(direction) == "ltr"
    assert page.get_by_label("Said instead").evaluate(direction) == "rtl"
    assert page.get_by_label("Said instead").get_attribute("lang") == "ar"


def test_a_line_is_found_changed_and_saved_without_a_mouse(stub: Stub, address: str, page: Page) -> None:
    arrive("mend", stub, page, address)
    name = next(iter(stub.projects))
    page.get_by_role("listbox", name="Lines").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    chosen = page.locator('[role="option"][aria-selected="true"]')
    assert page.get_by_role("listbox", name="Lines").get_attribute("aria-activedescendant") == chosen.get_attribute(
        "id"
    )
    before = chosen.locator(".number").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Said instead")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Une autre phrase.")
    page.keyboard.press("Control+s")
    expect(page.locator(".unsaved")).to_have_text("All changes are saved")
    assert stub.lines[name, "fr"][int(before) - 1]["translation"] == "Une autre phrase."
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox", name="Lines")).to_be_focused()


@pytest.mark.slow
def test_single_keys_can_be_switched_off_and_do_not_act_while_text_is_typed(
    stub: Stub, address: str, page: Page
) -> None:
    arrive("mend", stub, page, address)
    page.get_by_label("Said instead").fill("")
    page.get_by_label("Said instead").press_sequentially("r? d")
    expect(page.get_by_label("Reviewed")).not_to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_label("Single keys work while no text is edited").uncheck()
    page.keyboard.press("Escape")
    heading = page.locator("#line-heading").inner_text()
    page.keyboard.press("d")
    expect(page.locator("#line-heading")).to_have_text(heading)
