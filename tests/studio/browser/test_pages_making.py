"""The form for something new: what is brought, how it gets there, what is asked of the server. Against the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from stub_studio import Stub


def bring(page: Page, file: Path | dict[str, object], part: int = 0) -> None:
    page.locator("input[type=file]").nth(part).set_input_files(file)  # type: ignore[arg-type]


def asked_for(stub: Stub) -> dict[str, object]:
    (project,) = stub.projects.values()
    asked: dict[str, object] = project["asked"]
    return asked


def test_a_video_is_uploaded_byte_for_byte_and_what_was_chosen_is_asked_for(
    stub: Stub, address: str, page: Page, media: Path
) -> None:
    page.goto(f"{address}/#/new/dub")
    bring(page, media / "source.mp4")
    expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
    page.get_by_label("Arabic").check()
    page.get_by_label("French").check()
    page.get_by_label("Voice in French").select_option(label="Alex, man, with an accent")
    page.get_by_label("Spoken in the video").select_option("en")
    page.get_by_label("Name").fill("Fourier")
    page.get_by_label("Lips").select_option("none")
    page.get_by_label("Let me check the translation first").check()
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    expect(page.locator(".big")).to_have_text("It will take about 27 minutes.")
    asked = asked_for(stub)
    upload = asked.pop("source")["upload"]  # type: ignore[index]
    assert bytes(stub.uploads[upload]) == (media / "source.mp4").read_bytes()
    assert asked == {
        "kind": "dub",
        "title": "Fourier",
        "to": ["ar", "fr"],
        "voices": {"fr": "fr_em_alex"},
        "from": "en",
        "lips": "none",
        "review": True,
    }


def test_a_cut_connection_is_waited_out_and_the_upload_goes_on_where_it_stopped(
    stub: Stub, address: str, page: Page
) -> None:
    content = bytes(range(256)) * 4096
    stub.cut_after = 300_000
    offsets: list[int] = []
    page.on(
        "request", lambda request: request.method == "PATCH" and offsets.append(int(request.headers["upload-offset"]))
    )
    page.goto(f"{address}/#/new/dub")
    bring(page, {"name": "talk.mp4", "mimeType": "video/mp4", "buffer": content})
    expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
    (upload,) = stub.uploads.values()
    assert bytes(upload) == content
    assert offsets == sorted(set(offsets)), "nothing that arrived is sent twice"
    assert any(300_000 < offset < len(content) for offset in offsets)


@pytest.mark.slow
def test_an_upload_goes_on_after_the_page_was_reloaded(stub: Stub, address: str, page: Page, tmp_path: Path) -> None:
    talk = tmp_path / "talk.mp4"
    talk.write_bytes(bytes(range(256)) * 4096)
    page.goto(f"{address}/#/new/dub")

    def lose(route: Route) -> None:
        if int(route.request.headers.get("upload-offset", "0")) > 0:
            route.abort()
        else:
            route.continue_()

    page.route("**/api/uploads/*", lose)
    bring(page, talk)
    expect(page.get_by_text("The connection is gone.").first).to_be_attached()
    page.unroute("**/api/uploads/*")
    page.reload()
    bring(page, talk)
    expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
    (upload,) = stub.uploads.values()
    assert bytes(upload) == talk.read_bytes()


def test_a_file_that_is_no_media_is_refused_in_words_and_the_form_stays(stub: Stub, address: str, page: Page) -> None:
    page.goto(f"{address}/#/new/dub")
    page.get_by_label("Name").fill("kept")
    bring(page, {"name": "talk.mp4", "mimeType": "video/mp4", "buffer": b"nope!" * 100_000})
    expect(page.get_by_role("alert")).to_contain_text("This is no video.")
    bring(page, {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"})
    expect(page.get_by_role("alert")).to_contain_text("This is not a video.")
    assert not stub.uploads
    expect(page.get_by_label("Name")).to_have_value("kept")


@pytest.mark.slow
def test_what_is_missing_is_said_before_anything_is_asked(stub: Stub, address: str, page: Page, media: Path) -> None:
    page.goto(f"{address}/#/new/text")
    check = page.get_by_role("button", name="Check it")
    check.click()
    expect(page.get_by_role("alert")).to_have_text("Choose a picture or video first.")
    bring(page, media / "still.jpg")
    expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
    check.click()
    expect(page.get_by_role("alert")).to_have_text("Write what should be said.")
    page.get_by_label("What should be said").fill("Bonjour.")
    check.click()
    expect(page.get_by_role("alert")).to_have_text("Choose at least one language.")
    assert not stub.projects


@pytest.mark.slow
def test_a_text_is_written_in_the_direction_of_its_language(stub: Stub, address: str, page: Page, media: Path) -> None:
    page.goto(f"{address}/#/new/text")
    bring(page, media / "still.jpg")
    page.get_by_label("Arabic").check()
    expect(page.get_by_label("What should be said")).to_have_attribute("dir", "rtl")
    page.get_by_label("What should be said").fill("مرحبا بكم.")
    expect(page.get_by_text("Uploaded", exact=True)).to_be_visible()
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    asked = asked_for(stub)
    assert (asked["kind"], asked["to"], asked["text"]) == ("text", ["ar"], "مرحبا بكم.")


@pytest.mark.parametrize("device", ["microphone", pytest.param("camera", marks=pytest.mark.slow)])
def test_a_recording_is_made_heard_and_made_again(
    device: str, stub: Stub, address: str, page: Page, media: Path
) -> None:
    page.goto(f"{address}/#/new/speech")
    part = page.locator(".part").nth(1 if device == "microphone" else 0)
    part.get_by_role("button", name=f"Record with the {device}").click()
    part.get_by_role("button", name="Turn on").click()
    for take in ("first", "second"):
        part.get_by_role("button", name="Start to record").click()
        page.wait_for_timeout(900)
        part.get_by_role("button", name="Stop").click()
        heard = part.locator("audio" if device == "microphone" else "video")
        expect(heard).to_have_js_property("error", None)
        if take == "first":
            part.get_by_role("button", name="Record again").click()
    part.get_by_role("button", name="Use this recording").click()
    expect(part.get_by_text("Uploaded", exact=True)).to_be_visible()
    (upload,) = stub.uploads.values()
    assert upload[:4] == b"\x1a\x45\xdf\xa3" or upload[4:8] == b"ftyp"
    assert page.evaluate("navigator.mediaDevices.enumerateDevices().then((all) => all.length)") > 0


def test_an_address_in_a_store_is_taken_where_it_is_allowed(stub: Stub, address: str, page: Page) -> None:
    stub.prefixes = ("s3://lectures/",)
    page.goto(f"{address}/#/new/dub")
    page.get_by_role("button", name="From a store").click()
    page.get_by_label("Address").fill("s3://elsewhere/talk.mp4")
    page.get_by_label("Address").blur()
    expect(page.get_by_role("alert")).to_have_text("The address must begin with s3://lectures/.")
    page.get_by_label("Address").fill("s3://lectures/talk.mp4")
    page.get_by_label("French").check()
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    assert asked_for(stub)["source"] == {"uri": "s3://lectures/talk.mp4"}


@pytest.mark.slow
def test_a_dropped_file_is_taken_and_a_voice_can_be_heard(stub: Stub, address: str, page: Page) -> None:
    page.goto(f"{address}/#/new/dub")
    page.get_by_label("French").check()
    heard: list[str] = []
    page.on("request", lambda request: "/sample" in request.url and heard.append(request.url))
    page.get_by_role("button", name="Hear Siwis").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert heard
    transfer = page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(['x'.repeat(9000)], 'dropped.mp4', {type: 'video/mp4'}));
            return transfer;
        }"""
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    expect(page.get_by_text("dropped.mp4", exact=True)).to_be_visible()


@pytest.mark.slow
def test_two_people_in_two_browsers_have_forms_of_their_own(
    stub: Stub, address: str, open_context: Callable[..., BrowserContext], media: Path
) -> None:
    pages = [open_context().new_page() for _ in range(2)]
    for each, name in zip(pages, ("Ada", "Emmy"), strict=True):
        each.goto(f"{address}/#/new/dub")
        bring(each, media / "source.mp4")
        each.get_by_label("Name").fill(name)
        each.get_by_label("French").check()
    for each in pages:
        expect(each.get_by_text("Uploaded", exact=True)).to_be_visible()
        each.get_by_role("button", name="Check it").click()
        expect(each.get_by_role("button", name="Start", exact=True)).to_be_visible()
    assert sorted(project["title"] for project in stub.projects.values()) == ["Ada", "Emmy"]
    assert len({str(project["asked"]["source"]) for project in stub.projects.values()}) == 2
