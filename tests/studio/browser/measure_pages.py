"""How quick the pages are: `python tests/studio/browser/measure_pages.py [RUNS]`. docs/studio/README.md has figures.

Of RUNS runs (default 3) the best is said, since a busy machine only ever adds. The server is the stand-in; the browser
draws without a graphics card, in software, which is slower than what people have.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import stub_media
from conftest import FLAGS, chromium
from playwright.sync_api import CDPSession, Page, sync_playwright
from stub_lines import made_lines
from stub_studio import Stub, application, serving

LINES = 2000

WATCH = """
window.seen = {drawn: 0, tasks: [], frames: [], inputs: []};
new PerformanceObserver((list) => list.getEntries().forEach((entry) => seen.tasks.push(entry.duration)))
  .observe({type: 'longtask', buffered: true});
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (entry.name === 'keydown') seen.inputs.push(entry.duration);
})).observe({type: 'event', durationThreshold: 16, buffered: true});
document.addEventListener('DOMContentLoaded', () => new MutationObserver((_, observer) => {
  if (document.querySelector('.ways, .line')) { seen.drawn = performance.now(); observer.disconnect(); }
}).observe(document.body, {childList: true, subtree: true}));
"""

SCROLL = """async () => {
  const list = document.querySelector('.lines');
  seen.tasks.length = 0;
  const frames = [];
  let before = performance.now();
  for (let step = 0; step < 240; step += 1) {
    list.scrollTop += 400;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  const rows = document.querySelectorAll('.line').length;
  return {frames, rows, tasks: seen.tasks};
}"""

PLAYHEAD = """async () => {
  const video = document.querySelector('.screen[data-side=dub] video');
  const bar = document.querySelector('.timeline');
  const head = document.querySelector('.playhead');
  const off = [];
  await video.play();
  await new Promise((resolve) => {
    const look = (now, {mediaTime}) => {
      // Asked for after the page's own callback, so it is called after it, before this picture is on the screen.
      const x = new DOMMatrix(getComputedStyle(head).transform).m41;
      off.push(Math.abs(x / bar.clientWidth * 30 - mediaTime));
      if (off.length < 60) video.requestVideoFrameCallback(look); else resolve();
    };
    video.requestVideoFrameCallback(look);
  });
  video.pause();
  return off;
}"""


def first_view(page: Page, address: str) -> dict[str, float]:
    page.goto(address)
    page.wait_for_selector(".ways")
    page.wait_for_timeout(300)
    return {
        "first view drawn, ms": page.evaluate("seen.drawn"),
        "its longest task, ms": page.evaluate("Math.max(0, ...seen.tasks)"),
        "bytes of scripts and styles": page.evaluate(
            "performance.getEntriesByType('resource').reduce((sum, each) => sum + each.decodedBodySize, 0)"
        ),
    }


def computed_s(devtools: CDPSession) -> float:
    """Seconds of its processor that the page's main thread has used."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def mending(page: Page, address: str, name: str) -> dict[str, float]:
    page.goto(f"{address}/#/p/{name}/mend?language=fr")
    page.wait_for_selector(".line")
    drawn = page.evaluate("seen.drawn")
    page.wait_for_timeout(800)
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Performance.enable", {"timeDomain": "threadTicks"}
    )  # what the page computes, however busy others are
    before = computed_s(devtools)
    scrolled = page.evaluate(SCROLL)
    each_ms = 1000 * (computed_s(devtools) - before) / len(scrolled["frames"])
    devtools.send("Performance.disable")
    frames = sorted(scrolled["frames"])
    page.get_by_label("Said instead").focus()
    page.evaluate("seen.inputs.length = 0, seen.tasks.length = 0")
    page.keyboard.type(" and so a longer line is typed, letter by letter, as people do", delay=30)
    page.wait_for_timeout(400)
    typed = page.evaluate("({inputs: seen.inputs, tasks: seen.tasks})")
    page.keyboard.press("Escape")
    off = page.evaluate(PLAYHEAD)
    return {
        f"{LINES} lines drawn, ms": drawn,
        "rows that exist": scrolled["rows"],
        "scroll: median frame, ms": frames[len(frames) // 2],
        "scroll: 95 % of frames within, ms": frames[int(len(frames) * 0.95)],
        "scroll: computed a frame, ms of one core": each_ms,
        "scroll: tasks over 50 ms": len(scrolled["tasks"]),
        "typing: slowest key to picture, ms (0: all under 16)": max(typed["inputs"], default=0),
        "typing: tasks over 50 ms": len(typed["tasks"]),
        "playhead off the picture, ms, worst of 60": 1000 * max(off),
    }


def best(measure: Callable[[], dict[str, float]], runs: int) -> dict[str, float]:
    found = [measure() for _ in range(runs)]
    return {name: min(each[name] for each in found) for name in found[0]}


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        media = Path(folder)
        stub_media.lecture(media / "source.mp4", tone_hz=220, tint="0")
        stub_media.lecture(media / "dub.mp4", tone_hz=440, tint="120", length_s=28)
        stub = Stub(media)
        name = stub.add("done")["id"]
        stub.lines[name, "fr"] = made_lines("fr", LINES)
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS), chromium_sandbox=False)

        def fresh(measure: Callable[..., dict[str, float]], *more: Any) -> dict[str, float]:
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            page.add_init_script(WATCH)
            found = measure(page, address, *more)
            page.close()
            return found

        with serving(application(stub)) as address:
            figures = best(lambda: fresh(first_view), runs) | best(lambda: fresh(mending, name), runs)
        browser.close()
    for what, figure in figures.items():
        sys.stdout.write(f"{what:<52} {figure:>10.1f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
