"""report.html: text stays text, nothing is asked of a network, and it does not grow without bound."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_reports import facts, long_report, placement, plain_report, utterance
from PIL import Image

from manifests.clock import Hold
from manifests.records import Degradation
from manifests.report import DubReport, Failure, GateResult
from manifests.time import Span, flicks
from tasks.illustrations import Illustrations, Still, lines_to_show
from tasks.report import write_up
from tasks.report_page import compared, kept, render_page, write_page
from tasks.report_plots import clock_text, histogram, timeline

EVIL = "</script><script>alert(1)</script><img src=https://example.invalid/x onerror=alert(2)>\"'&"


def jpeg(shade: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((270, 480, 3), shade, np.uint8)).save(file, "JPEG")
    return file.getvalue()


def pictures(report: DubReport) -> Illustrations:
    rng = np.random.default_rng(0)
    loud = rng.uniform(0, 1, round(report.span.duration_s * 16)).astype(np.float32)
    stills = tuple(
        Still(line=each.id, at=each.dub_span.start, source=jpeg(80), dub=jpeg(160)) for each in lines_to_show(report)
    )
    return Illustrations(stills=stills, source=loud, dub=loud[::-1].copy())


class Parsed(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def evil_report() -> DubReport:
    """Everything that a person or a model wrote holds a script."""
    said = utterance(0, 2, 6, text=EVIL)
    report = write_up(facts([said], [placement(said, 2, 6)], texts=[EVIL]))
    lines = tuple(
        dataclasses.replace(line, heard_back=EVIL, speaker=EVIL, voice=EVIL, warnings=(EVIL,)) for line in report.lines
    )
    return dataclasses.replace(
        report,
        title=EVIL,
        lines=lines,
        speakers=tuple(dataclasses.replace(each, id=EVIL, evidence=EVIL) for each in report.speakers),
        degradations=(Degradation(stage=EVIL, span=Span.of_seconds(1, 2), reason=EVIL),),
        settings=json.dumps({"x": EVIL}),
        disclosures=(EVIL,),
        notes=(EVIL,),
        gate=GateResult(
            preset=EVIL, failures=(Failure(measure=EVIL, figure=1, threshold=0, at_least=False, lines=(said.id,)),)
        ),
    )


def test_what_people_write_stays_text() -> None:
    report = evil_report()
    parsed = Parsed(render_page(report, pictures(report)))
    assert len(parsed.all("script")) == 1
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in parsed.all("img"))
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]
    shown = "".join(parsed.texts)
    # Title twice, gate twice, source, translation, heard, speaker, voice, warning, evidence, degradation, note, ...
    assert shown.count("<script>alert(1)</script>") >= 12


def test_nothing_leaves_the_page() -> None:
    report = evil_report()
    page = render_page(report, pictures(report))
    parsed = Parsed(page)
    for _, attributes in parsed.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset", "formaction", "background"):
            assert not (attributes.get(name) or "").startswith(("http", "//", "file"))
        assert "style" not in attributes  # the policy forbids it
    assert not parsed.all("link")
    assert not parsed.all("iframe")
    assert "url(" not in page
    assert "@import" not in page


def test_the_policy_lets_only_its_own_style_and_script_run() -> None:
    page = render_page(plain_report(), Illustrations())
    (policy,) = [m["content"] for m in Parsed(page).all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_texts_carry_their_language_and_find_their_own_direction() -> None:
    said = utterance(0, 2, 6)
    page = render_page(
        write_up(facts([said], [placement(said, 2, 6)], texts=["هذا درس"], language="ar")), Illustrations()
    )
    paragraphs = [p for p in Parsed(page).all("p") if p.get("lang") == "ar"]
    assert paragraphs
    assert all(p.get("dir") == "auto" for p in paragraphs)
    assert "هذا درس" in page


def test_tables_and_drawings_can_be_read_without_seeing_them() -> None:
    report = plain_report()
    parsed = Parsed(render_page(report, pictures(report)))
    assert all("aria-label" in each or "aria-hidden" in each for each in parsed.all("svg"))
    assert all(each.get("alt") for each in parsed.all("img"))
    assert all(each.get("scope") for each in parsed.all("th"))
    assert parsed.all("caption")
    assert parsed.all("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(a.get("href") or "").removeprefix("#") for a in parsed.all("a")}
    assert targets <= set(ids)


def test_the_worst_lines_stand_first() -> None:
    said = [utterance(index, 10 * index, 10 * index + 4) for index in range(4)]
    placed = [placement(each, each.span.start_s, each.span.end_s) for each in said]
    page = render_page(write_up(facts(said, placed, errors=[0.0, 0.1, 0.5, 0.05])), Illustrations())
    assert re.findall(r'<tr id="line-(\d)">', page) == ["3", "2", "4", "1"]


@pytest.mark.parametrize(("passed", "word"), [(True, "Passed"), (False, "Failed")])
def test_what_the_gate_said_stands_on_top(passed: bool, word: str) -> None:
    report = plain_report()
    failure = Failure(
        measure="drift at the end", figure=3, threshold=0, at_least=False, unit="frames", lines=(report.lines[1].id,)
    )
    gated = dataclasses.replace(report, gate=GateResult(preset="lecture", failures=() if passed else (failure,)))
    page = render_page(gated, Illustrations())
    assert f"<strong>{word}</strong>" in page
    assert ("drift at the end: 3 frames, where at most 0 frames is asked for; lines" in page) is not passed
    assert "<strong>" not in render_page(report, Illustrations())


def test_a_minute_of_lecture_makes_a_small_page() -> None:
    report = plain_report()
    assert len(render_page(report, pictures(report)).encode()) < 3_000_000


@pytest.mark.parametrize(
    ("hours", "most_mb", "strips"), [(1.5, 4, 45), pytest.param(10, 15, 60, marks=pytest.mark.slow)]
)
def test_hours_of_lecture_make_a_bounded_page(hours: float, most_mb: float, strips: int) -> None:
    """Lines are all there; stills, strips and waveforms are no more for ten hours than for one."""
    report = long_report(hours)
    loud = np.ones(48_000, np.float32)
    shown = Illustrations(per_s=len(loud) / report.span.duration_s, source=loud, dub=loud)
    page = render_page(report, shown)
    assert page.count('<tr id="line-') == len(report.lines)
    assert len(timeline(report, shown)) == strips
    assert len(page.encode()) < most_mb * 1_000_000
    assert len(lines_to_show(report)) <= 12


def test_a_report_of_nothing_is_a_page_too() -> None:
    assert "Nothing: no stage kept" in render_page(
        dataclasses.replace(write_up(facts([], [])), degradations=()), Illustrations()
    )


def test_bars_stand_where_their_time_is() -> None:
    """A minute fills the strip behind its margin; the hold of a second is as wide as a second of speech."""
    report = plain_report()
    (first, second) = timeline(report, Illustrations())
    assert (first.title, second.title) == ("0:00.0 to 1:00.0", "1:00.0 to 1:01.0")
    by_kind = {bar.kind: bar for bar in first.bars}
    per_s = (1200 - 96 - 20) / 60
    assert by_kind["hold"].x == pytest.approx(96 + 8 * per_s, abs=0.02)
    assert by_kind["hold"].width == pytest.approx(per_s, abs=0.02)
    assert by_kind["rate-own"].x == pytest.approx(96 + 11 * per_s, abs=0.02)  # the last line, a second later
    assert [tick.label for tick in first.ticks][:3] == ["0:00", "0:05", "0:10"]


def test_a_line_over_the_border_of_two_strips_is_in_both() -> None:
    said = utterance(0, 55, 65)
    report = write_up(facts([said], [placement(said, 55, 65)], duration_s=80))
    strips = timeline(report, Illustrations())
    assert [any(bar.href == "#line-1" for bar in strip.bars) for strip in strips] == [True, True]


def test_what_lies_beyond_a_histogram_is_counted_at_its_ends() -> None:
    plot = histogram([0.1, 1.0, 9.0], title="t", axis="a", low=0.7, high=1.5, bins=8)
    assert sum(int(bar.text) for bar in plot.bars) == 3
    assert (plot.bars[0].label, plot.bars[-1].label) == ("0.70 to 0.80: 1 line", "1.40 to 1.50: 1 line")
    edge = histogram([1.2], title="t", axis="a", low=0.7, high=1.5, bins=16, wanted=(0.85, 1.2))
    assert edge.wanted is not None
    assert edge.bars[0].x < sum(edge.wanted)
    assert histogram([], title="t", axis="a", low=0, high=1, bins=4).bars == ()


def test_words_that_were_heard_otherwise_are_marked() -> None:
    line = dataclasses.replace(
        plain_report().lines[0], translation="Le chat dort bien.", heard_back="le chien dort bien"
    )
    assert [(piece.text, piece.meant) for piece in compared(line)] == [
        ("le", True),
        ("chien", False),
        ("dort bien", True),
    ]


def test_many_spans_with_one_reason_are_one_row() -> None:
    spans = [
        Degradation(stage="lips", span=Span.of_seconds(index, index + 0.5), reason="turned") for index in range(40)
    ]
    other = Degradation(stage="mix", span=Span.of_seconds(0, 1), reason="x")
    (first, second) = kept([other, *spans])
    assert (first.count, first.total_s, second.count) == (40, 20, 1)
    assert first.where.endswith("and 28 more")


@pytest.mark.parametrize(("at_s", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (3723.4, "1:02:03.4")])
def test_moments_in_words(at_s: float, text: str) -> None:
    assert clock_text(flicks(at_s)) == text


class Browser:
    """Chromium, told what to do over its own protocol (loopback only)."""

    def __init__(self, binary: str, profile: Path) -> None:
        self._process = subprocess.Popen(
            [binary, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run",
             "--disable-background-networking", f"--user-data-dir={profile}", "about:blank"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if (found := re.search(r"ws://127\.0\.0\.1:(\d+)/", line)) is not None:
                self.port = found[1]
                break
        else:
            raise AssertionError("Chromium did not start")
        self._count = 0
        self.events: list[dict[str, Any]] = []

    def open(self, file: Path) -> None:
        import urllib.request

        from websockets.sync.client import connect

        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/list") as answer:
            (page,) = [each for each in json.load(answer) if each["type"] == "page"]
        self._socket = connect(page["webSocketDebuggerUrl"], max_size=None)
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.tell(f"{domain}.enable")
        self.tell("Page.navigate", url=file.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self._socket.recv(timeout=20)))

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=20))
            if message.get("id") == self._count:
                return dict(message["result"])
            self.events.append(message)

    def evaluate(self, expression: str) -> Any:
        return self.tell("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    started = Browser(binary, tmp_path / "profile")
    yield started
    started.close()


def test_a_browser_shows_it_asks_for_nothing_and_sorts_its_table(browser: Browser, tmp_path: Path) -> None:
    said = [utterance(index, 10 * index, 10 * index + 4, text=EVIL) for index in range(4)]
    placed = [
        placement(each, each.span.start_s, each.span.end_s, rate=rate)
        for each, rate in zip(said, (1.1, 0.9, 1.3, 1.0), strict=True)
    ]
    report = write_up(
        facts(said, placed, texts=[EVIL] * 4, errors=[0.3, None, 0.1, 0.0], holds=[Hold(flicks(38), flicks(1))])
    )
    file = tmp_path / "report.html"
    write_page(report, pictures(report), file)
    browser.open(file)

    def order() -> list[int]:
        return list(browser.evaluate("[...document.querySelectorAll('.lines tbody th')].map(c => +c.textContent)"))

    def press(column: str) -> str:
        button = f"[...document.querySelectorAll('.lines thead button')].find(b => b.textContent === '{column}')"
        return str(browser.evaluate(f"{button}.click(); {button}.closest('th').getAttribute('aria-sort')"))

    assert order() == [1, 3, 2, 4]  # as it comes: what is misheard, then the hurried one
    assert press("Rate") == "descending"
    assert order() == [3, 1, 4, 2]
    assert press("Rate") == "ascending"
    assert order() == [2, 4, 1, 3]
    assert press("Error") == "descending"
    assert order() == [1, 3, 4, 2]  # what was not measured comes last,
    assert press("Error") == "ascending"
    assert order() == [4, 3, 1, 2]  # either way
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.evaluate("[...document.images].every(i => i.naturalWidth === 480)")
    sent = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    assert [url for url in sent if not url.startswith("data:")] == [file.as_uri()]
    problems = [
        event for event in browser.events if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")
    ]
    assert problems == []
