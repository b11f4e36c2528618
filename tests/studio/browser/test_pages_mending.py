"""Mending lines in a real browser, against the stand-in of the server: what is changed, heard, saved, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from stub_lines import made_lines
from stub_studio import OWN, Stub


def until(page: Page, condition: str) -> None:
    """Waits for what a page's policy does not let it wait for itself."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {condition}")


def mending(stub: Stub, page: Page, address: str, *, lines: int = 30, state: str = "done") -> list[dict[str, Any]]:
    """Opens a project with `lines` lines; the lines as the server has them, which change when they are saved."""
    name = stub.add(state)["id"]
    stub.lines[name, "fr"] = made_lines("fr", lines)
    page.goto(f"{address}/#/p/{name}/mend?language=fr")
    expect(page.locator(".line").first).to_be_visible()
    return stub.lines[name, "fr"]


def choose(page: Page, number: int) -> None:
    page.locator(".line", has=page.locator(".number", has_text=f"{number}")).first.click()
    expect(page.locator("#line-heading")).to_have_text(f"Line {number}")


def test_a_change_is_unsaved_until_it_is_saved_and_can_be_taken_back(stub: Stub, address: str, page: Page) -> None:
    lines = mending(stub, page, address)
    own = lines[2]["translation"]
    choose(page, 3)
    said = page.get_by_label("Said instead")
    said.fill("Tout autre chose.")
    expect(page.locator(".unsaved")).to_have_text("1 change not saved")
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_value(own)
    expect(page.locator(".unsaved")).to_have_text("All changes are saved")
    page.get_by_role("button", name="Redo").click()
    expect(said).to_have_value("Tout autre chose.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".unsaved")).to_have_text("All changes are saved")
    assert stub.changes == [{"id": lines[2]["id"], "translation": "Tout autre chose."}]
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_value(own)
    expect(page.locator(".unsaved")).to_have_text("1 change not saved")


@pytest.mark.slow
def test_all_columns_can_be_changed_and_wrong_times_are_not_taken(stub: Stub, address: str, page: Page) -> None:
    lines = mending(stub, page, address)
    choose(page, 3)
    page.get_by_label("Heard").fill("What if the sun pulls too?")
    page.get_by_label("Speaker").select_option(label="Speaker 2")
    page.get_by_label("Voice").select_option(label="Heart")
    page.get_by_label("From").fill("never")
    page.get_by_label("From").blur()
    expect(page.get_by_text("Write a time such as 1:05.250.")).to_be_visible()
    page.get_by_label("From").fill("0:10.750")
    page.get_by_label("To", exact=True).fill("0:09")
    page.get_by_label("To", exact=True).blur()
    expect(page.get_by_text("The end must come after the start.")).to_be_visible()
    page.get_by_label("Reviewed").check()
    page.keyboard.press("Control+s")
    expect(page.locator(".unsaved")).to_have_text("All changes are saved")
    assert stub.changes == [
        {
            "id": lines[2]["id"],
            "source": "What if the sun pulls too?",
            "speaker": "speaker2",
            "voice": "af_heart",
            "start_s": 10.75,
            "reviewed": True,
        }
    ]


def test_a_closed_tab_loses_nothing(stub: Stub, address: str, page: Page) -> None:
    mending(stub, page, address)
    choose(page, 2)
    page.get_by_label("Said instead").fill("À moitié tapé")
    until(page, "Object.keys(localStorage).some((key) => key.startsWith('draft:'))")
    page.close(run_before_unload=False)
    again = page.context.new_page()
    again.goto(f"{address}/#/p/p1/mend?language=fr")
    expect(again.get_by_text("Changes from an earlier visit were brought back.")).to_be_visible()
    choose(again, 2)
    expect(again.get_by_label("Said instead")).to_have_value("À moitié tapé")
    again.get_by_role("button", name="Drop them").click()
    expect(again.get_by_label("Said instead")).not_to_have_value("À moitié tapé")


def test_a_line_is_split_and_the_split_is_taken_back(stub: Stub, address: str, page: Page) -> None:
    lines = mending(stub, page, address)
    whole = dict(lines[2])
    choose(page, 3)
    page.get_by_role("button", name="Split").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Heard").fill("1")
    dialog.get_by_label("Said instead").fill("2")
    dialog.get_by_role("button", name="Split").click()
    expect(page.locator(".filter [role=status]")).to_have_text("31 lines")
    assert [line["translation"] for line in lines[2:4]] == [
        "Que se passe-t-il",
        "donc si le soleil tire dans le même sens ?",
    ]
    assert [line["source"] for line in lines[2:4]] == ["So what", "happens if the sun pulls in the same line?"]
    expect(page.get_by_label("Said instead")).to_have_value("Que se passe-t-il")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".filter [role=status]")).to_have_text("30 lines")
    assert lines[2]["translation"] == whole["translation"]


@pytest.mark.slow
def test_two_lines_are_joined(stub: Stub, address: str, page: Page) -> None:
    lines = mending(stub, page, address)
    texts = [line["translation"] for line in lines[2:4]]
    choose(page, 3)
    page.get_by_role("button", name="Join with the next").click()
    expect(page.locator(".filter [role=status]")).to_have_text("29 lines")
    assert lines[2]["translation"] == " ".join(texts)
    expect(page.get_by_label("Said instead")).to_have_value(" ".join(texts))


def test_a_line_is_heard_as_it_is_written_now(stub: Stub, address: str, page: Page) -> None:
    lines = mending(stub, page, address)
    choose(page, 3)
    page.get_by_label("Said instead").fill("Écoutez.")
    with page.expect_request("**/hear") as asked:
        page.get_by_role("button", name="Hear it").click()
    assert lines[2]["id"] in asked.value.url
    assert asked.value.post_data_json == {
        "language": "fr",
        "translation": "Écoutez.",
        "voice": "ff_siwis",
        "rate": 1.24,
    }
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("button", name="Hear it")).to_be_visible()


@pytest.mark.slow
def test_doubts_come_worst_first_and_go_when_they_are_reviewed(stub: Stub, address: str, page: Page) -> None:
    mending(stub, page, address)
    page.get_by_label("Show", exact=True).select_option("doubts")
    page.get_by_label("Order").select_option("doubt")
    expect(page.locator(".filter [role=status]")).to_have_text("7 of 30 lines")
    expect(page.locator(".line").first.locator(".number")).to_have_text("7")
    page.locator(".line").first.click()
    expect(page.locator(".doubts")).to_contain_text("31% of the words differ")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.locator("#line-heading")).not_to_have_text("Line 7")
    page.get_by_label("Show", exact=True).select_option("open")
    expect(page.locator(".filter [role=status]")).to_have_text("29 of 30 lines")
    page.get_by_label("Find in the lines").fill("spring")
    expect(page.locator(".filter [role=status]")).to_have_text("6 of 30 lines")


def test_lines_that_were_saved_elsewhere_are_not_written_over(stub: Stub, address: str, page: Page) -> None:
    lines = mending(stub, page, address)
    choose(page, 3)
    page.get_by_label("Said instead").fill("La mienne.")
    stub.version += 1
    lines[4]["translation"] = "Celle d'un autre."
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("These lines were changed elsewhere")).to_be_visible()
    assert not stub.changes
    expect(page.get_by_label("Said instead")).to_have_value("La mienne.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".unsaved")).to_have_text("All changes are saved")
    assert (lines[2]["translation"], lines[4]["translation"]) == ("La mienne.", "Celle d'un autre.")


@pytest.mark.slow
def test_a_refused_save_says_why_and_keeps_what_was_typed(stub: Stub, address: str, page: Page) -> None:
    mending(stub, page, address)
    choose(page, 3)
    page.get_by_label("Said instead").fill("FAULT")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_contain_text("it is too long to be said;")
    expect(page.get_by_label("Said instead")).to_have_value("FAULT")
    expect(page.locator(".unsaved")).to_have_text("1 change not saved")


@pytest.mark.parametrize(
    ("state", "button", "then"), [("done", "Render", "queued"), ("review", "Save and go on", "running")]
)
def test_what_is_not_saved_is_saved_before_the_run_goes_on(
    state: str, button: str, then: str, stub: Stub, address: str, page: Page
) -> None:
    lines = mending(stub, page, address, state=state)
    choose(page, 3)
    page.get_by_label("Said instead").fill("Mieux dit.")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".panel")).to_be_visible()
    assert lines[2]["translation"] == "Mieux dit."
    assert stub.projects["p1"]["state"] == then


@pytest.mark.slow
def test_leaving_with_unsaved_changes_asks_first(stub: Stub, address: str, page: Page) -> None:
    mending(stub, page, address)
    choose(page, 3)
    page.get_by_label("Said instead").fill("Pas encore.")
    answers = iter(["dismiss", "accept"])
    page.on("dialog", lambda dialog: getattr(dialog, next(answers))())
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_label("Said instead")).to_have_value("Pas encore.")
    assert "/mend" in page.url
    page.get_by_role("link", name="Back").click()
    expect(page.locator(".taking")).to_be_visible()


def test_the_list_and_the_timeline_follow_the_picture_and_both_pictures_keep_step(
    stub: Stub, address: str, page: Page
) -> None:
    mending(stub, page, address, lines=5)
    choose(page, 4)
    until(page, "!document.querySelector('.screen[data-side=dub] video').seeking")
    page.keyboard.press("Escape")
    page.keyboard.press(" ")
    expect(page.locator('.line[aria-current="true"] .number')).to_have_text("4")
    page.wait_for_timeout(1500)
    page.keyboard.press(" ")
    until(page, "[...document.querySelectorAll('video')].every((video) => video.paused && !video.seeking)")
    dub, source = (
        page.evaluate(f"document.querySelector('.screen[data-side={side}] video').currentTime")
        for side in ("dub", "source")
    )
    assert dub > 17.0
    assert abs((dub - 1.5) - source) < 0.06, "the dub's picture waited 1.5 s after the second line"
    page.keyboard.press("a")
    expect(page.locator(".screen[data-side=source]")).to_be_visible()
    expect(page.locator(".screen[data-side=dub]")).to_be_hidden()
    assert abs(page.evaluate("document.querySelector('.screen[data-side=source] video').currentTime") - source) < 0.06


@pytest.mark.slow
def test_an_edge_is_dragged_on_the_timeline(stub: Stub, address: str, page: Page) -> None:
    mending(stub, page, address, lines=5)
    choose(page, 1)
    page.get_by_role("button", name="Farther").click()
    box = page.get_by_role("slider").bounding_box()
    assert box is not None
    per_s = box["width"] / 27.5
    edge, y = box["x"] + 4.7 * per_s, box["y"] + box["height"] / 2
    page.mouse.move(edge, y)
    page.mouse.down()
    page.mouse.move(edge + 0.3 * per_s, y, steps=4)
    page.mouse.up()
    expect(page.locator(".unsaved")).to_have_text("1 change not saved")
    page.keyboard.press("Control+s")
    expect(page.locator(".unsaved")).to_have_text("All changes are saved")
    (change,) = stub.changes
    assert change["end_s"] == pytest.approx(5.0, abs=0.06)


@pytest.mark.slow
def test_an_edit_goes_back_to_what_the_machine_said(stub: Stub, address: str, page: Page) -> None:
    mending(stub, page, address)
    choose(page, 3)
    page.get_by_label("Said instead").fill("À moi.")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Back to the machine's").click()
    expect(page.locator(".line").nth(2).locator(".translation")).to_have_text("as the machine says it")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Said instead")).to_have_value(OWN)
