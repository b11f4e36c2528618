"""Pictures of every view, light and dark, desktop and phone: `python tests/studio/browser/picture_views.py OUT`.

Taken against the stand-in of the server, with media made by ffmpeg.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import stub_media
from conftest import FLAGS, chromium
from playwright.sync_api import Page, sync_playwright
from stub_lines import made_lines
from stub_studio import Stub, application, serving

SIZES = {"desktop": {"width": 1360, "height": 860}, "phone": {"width": 390, "height": 844}}


def prepared(media: Path) -> tuple[Stub, dict[str, str]]:
    """A studio with a project in every state, and the address of each view."""
    stub = Stub(media, prefixes=("s3://lectures/",))
    new = stub.add("new", title="Welcome to the course")
    failed = stub.add(
        "failed",
        title="Guest talk",
        error={"error": "No space is left for the picture.", "remedy": "Free 2 GB, then go on: what is done is kept."},
    )
    done = stub.add("done", to=("fr", "ar"), title="Lecture 3: what a transform does")
    review = stub.add("review", title="Lecture 5: sampling")
    running = stub.add(
        "running", to=("fr", "es"), title="Lecture 4: convolution", progress={"fraction": 0.46, "eta_s": 760}
    )
    for language in ("fr", "ar"):
        stub.lines[done["id"], language] = made_lines(language, 5)
    stub.lines[done["id"], "fr"][3]["reviewed"] = True
    stub.lines[review["id"], "fr"] = made_lines("fr", 5)
    name = running["id"]
    stub.progress(name, "speak", fraction=0.46, label="Speaking", done=41, of=88, language="fr", eta_s=760)
    for moment in (2.0, 9.0):
        stub.tell(name, "still", url=f"/media/{name}/stills/a{moment}.jpg", time_s=moment, kind="before", language=None)
        stub.tell(name, "still", url=f"/media/{name}/stills/b{moment}.jpg", time_s=moment, kind="after", language="fr")
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
        "out": f"/#/p/{done['id']}/out",
        "sign-in": "/login",
    }
    return stub, views


def dress(name: str, page: Page) -> None:
    """What a person would have done before the picture is taken."""
    if name == "new-video":
        page.get_by_role("checkbox", name="French").check()
    elif name == "new-text":
        page.get_by_role("radio", name="Arabic").check()
        page.get_by_label("What should be said").fill("مرحبا بكم في الدرس الثالث. سنتحدث اليوم عن التحويلات.")
    elif name.startswith("mend"):
        page.wait_for_timeout(600)
        page.locator(".line").nth(2).click()
        page.wait_for_timeout(600)
    elif name == "out":
        page.evaluate("document.querySelector('video').currentTime = 3")
        page.wait_for_timeout(600)


def main(out: Path, only: Callable[[str], bool]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        media = Path(folder)
        stub_media.lecture(media / "source.mp4", tone_hz=220, tint="0")
        stub_media.lecture(media / "dub.mp4", tone_hz=440, tint="120", length_s=28)
        stub_media.portrait(media / "still.jpg")
        stub_media.sound(media / "line.wav")
        stub, views = prepared(media)
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS), chromium_sandbox=False)
        with serving(application(stub)) as address:
            for device, size in SIZES.items():
                for scheme in ("light", "dark"):
                    context = browser.new_context(
                        viewport=size,
                        color_scheme=scheme,
                        has_touch=device == "phone",
                        is_mobile=device == "phone",
                        reduced_motion="reduce",
                    )
                    for name, path in views.items():
                        if not only(name):
                            continue
                        page = context.new_page()
                        page.on("pageerror", lambda error: sys.exit(f"the page broke: {error}"))
                        page.goto(f"{address}{path}")
                        page.wait_for_selector("h1:not(:empty)")
                        page.wait_for_timeout(500)
                        dress(name, page)
                        page.screenshot(
                            path=out / f"{name}-{device}-{scheme}.png", full_page=not name.startswith("mend")
                        )
                        page.close()
                    context.close()
        browser.close()


if __name__ == "__main__":
    wanted = sys.argv[2:]
    main(Path(sys.argv[1]), lambda name: not wanted or name in wanted)
