"""A real browser for the studio's pages: the system's Chromium, which may reach this machine alone."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import stub_media
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from stub_studio import Stub, application, serving

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))  # the studio that the server's own tests stand up

# A closed network refuses what a browser asks on its own, and each refusal takes time; the fake devices stand for a
# microphone and a camera: a beep, and a ball that moves.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)

PATIENCE_MS = 30_000
"""What a page is given on a machine that is busy; it is waited out only by a test that fails."""


def chromium() -> str | None:
    """The browser to drive, None where there is none."""
    return os.environ.get("REDUB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one file: while Playwright is up its event loop runs in this thread, and other tests need their own."""
    found = chromium()
    if found is None:
        pytest.skip("no Chromium on the path: install one (Debian: chromium), or name it in REDUB_CHROMIUM")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(FLAGS), chromium_sandbox=False)
        yield started
        started.close()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    stub_media.lecture(folder / "source.mp4", tone_hz=220, tint="0")
    stub_media.lecture(folder / "dub.mp4", tone_hz=440, tint="120", length_s=28)
    stub_media.portrait(folder / "still.jpg")
    stub_media.sound(folder / "line.wav")
    return folder


@pytest.fixture
def stub(media: Path) -> Stub:
    return Stub(media)


@pytest.fixture
def address(stub: Stub) -> Iterator[str]:
    with serving(application(stub)) as at:
        yield at


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Contexts, each a person with cookies of their own. None may ask another host, and no page may break."""
    opened: list[BrowserContext] = []
    hosts: set[str | None] = set()
    faults: list[str] = []

    def open_one(**given: object) -> BrowserContext:
        context = browser.new_context(**given)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        context.on("weberror", lambda error: faults.append(str(error.error)))
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    assert hosts <= {"127.0.0.1", "localhost", None, ""}, f"the page asked another host: {hosts}"
    assert not faults, f"the page broke: {faults}"


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    return open_context(viewport={"width": 1280, "height": 860}).new_page()
