"""Pictures of every view: `python tests/studio/browser/picture_views.py OUT [--media FOLDER] [VIEW ...]`.

One PNG a view: desktop and phone, light and dark, side by side. The server is the stand-in; FOLDER may hold a
source.mp4, dub.mp4, still.jpg and line.wav to be shown instead of ffmpeg's test pictures.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import stub_media
from conftest import FLAGS, chromium
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from stub_lines import made_lines
from stub_studio import Stub, application, serving

DESKTOP: ViewportSize = {"width": 1360, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 860}
GAP = 24
LINE_S = 3.4
SHRINK = 0.5
COLOURS = 200


def prepared(media: Path) -> tuple[Stub, dict[str, str]]:
    """A studio with a project in every state, and the address of each view."""
    stub = Stub(media, prefixes=("s3://lectures/",))
    new = stub.add("new", title="Welcome to the course")
    failed = stub.add(
        "failed",
        title="Guest talk",
        error={"error": "No space is left for the picture.", "remedy": "Free 2 GB, then go on: what is done is kept."},
    )
    done = stub.add("done", to=("fr", "ar"), title="Lecture 3: the tides")
    review = stub.add("review", title="Lecture 5: sea and climate")
    progress = {"fraction": 0.46, "eta_s": 760}
    running = stub.add("running", to=("fr", "es"), title="Lecture 4: waves", progress=progress)
    for language in ("fr", "ar"):
        stub.lines[done["id"], language] = made_lines(language, 5, LINE_S)
    stub.lines[done["id"], "fr"][3]["reviewed"] = True
    stub.lines[review["id"], "fr"] = made_lines("fr", 5, LINE_S)
    stub.progress(review["id"], "translate", fraction=0.3)
    name = running["id"]
    stub.progress(name, "speak", fraction=0.46, label="Speaking", done=41, of=88, language="fr", eta_s=760)
    for moment in (2.0, 9.0):
        for kind, language in (("before", None), ("after", "fr")):
            url = f"/media/{name}/stills/{kind}{moment}.jpg"
            stub.tell(name, "still", url=url, time_s=moment, kind=kind, language=language)
    stub.tell(name, "log", level="info", text="the lecture is in English")
    views = {
        "start": "/",
        "new-video": "/#/new/dub",
        "new-voice": "/#/new/speech",
        "new-text": "/#/new/text",
        "ready": f"/#/p/{new['id']}",
        "watch": f"/#/p/{name}",
        "review": f"/#/p/{review['id']}",
        "failed": f"/#/p/{failed['id']}",
        "mend": f"/#/p/{done['id']}/mend?language=fr",
        "mend-arabic": f"/#/p/{done['id']}/mend?language=ar",
        "split": f"/#/p/{done['id']}/mend?language=fr",
        "keys": f"/#/p/{done['id']}/mend?language=fr",
        "out": f"/#/p/{done['id']}/out",
        "sign-in": "/login",
    }
    return stub, views


def dress(name: str, page: Page) -> None:
    """What a person would have done before the picture is taken."""
    if name == "new-video":
        page.get_by_role("checkbox", name="French").check()
    elif name == "new-voice":
        page.get_by_role("button", name="Record with the microphone").click()
        page.get_by_role("button", name="Turn on").click()
        page.get_by_role("button", name="Start to record").wait_for()
    elif name == "new-text":
        page.get_by_role("radio", name="Arabic").check()
        page.get_by_label("What should be said").fill("مرحبا بكم في الدرس الثالث. سنتحدث اليوم عن المد والجزر.")
    elif name in {"mend", "mend-arabic", "split", "keys"}:
        page.wait_for_load_state("networkidle")
        page.locator(".line").nth(2).click()
        page.wait_for_timeout(1500)
        if name == "split":
            page.get_by_role("button", name="Split").click()
        elif name == "keys":
            page.keyboard.press("?")
    elif name == "out":
        page.evaluate("document.querySelector('video').currentTime = 12")
        page.wait_for_timeout(600)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(200)


def picture(browser: Browser, address: str, name: str, *, size: ViewportSize, scheme: str) -> Image.Image:
    is_phone = size is PHONE
    context = browser.new_context(
        viewport=size,
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=is_phone,
        is_mobile=is_phone,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.on("pageerror", lambda error: sys.exit(f"the page broke: {error}"))
    page.goto(address)
    page.wait_for_selector("h1:not(:empty)")
    page.wait_for_timeout(500)
    dress(name, page)
    taken = Image.open(io.BytesIO(page.screenshot()))
    context.close()
    return taken.convert("RGB")


def sheet(pictures: Sequence[Image.Image]) -> Image.Image:
    """All of them in a row, half as large."""
    small = [each.resize((int(each.width * SHRINK), int(each.height * SHRINK)), Image.LANCZOS) for each in pictures]
    made = Image.new("RGB", (sum(each.width + GAP for each in small) - GAP, small[0].height), (128, 134, 136))
    at = 0
    for each in small:
        made.paste(each, (at, 0))
        at += each.width + GAP
    return made


def keep(made: Image.Image, path: Path) -> None:
    """As a small PNG: a page has few colours."""
    made.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main(out: Path, media: Path, wanted: Sequence[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    stub, views = prepared(media)
    with sync_playwright() as playwright, serving(application(stub)) as address:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS), chromium_sandbox=False)
        for name, path in views.items():
            if wanted and name not in wanted:
                continue
            pictures = [
                picture(browser, f"{address}{path}", name, size=size, scheme=scheme)
                for size in (DESKTOP, PHONE)
                for scheme in ("light", "dark")
            ]
            keep(sheet(pictures), out / f"{name}.png")
            if name == "mend":
                keep(pictures[0], out / "mending.png")
        browser.close()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("out", type=Path)
    asked.add_argument("--media", type=Path)
    asked.add_argument("views", nargs="*")
    given = asked.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.media is None:
            stub_media.lecture(Path(folder) / "source.mp4", tone_hz=220, tint="0")
            stub_media.lecture(Path(folder) / "dub.mp4", tone_hz=440, tint="120", length_s=28)
            stub_media.portrait(Path(folder) / "still.jpg")
            stub_media.sound(Path(folder) / "line.wav")
        main(given.out, given.media or Path(folder), given.views)
