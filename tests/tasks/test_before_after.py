"""Stills before and after, of two clips of one colour each, and as the page of a real server has them."""

from __future__ import annotations

import base64
import dataclasses
import io
import subprocess
from pathlib import Path

import imageio_ffmpeg
from made_up_reports import plain_report
from PIL import Image

from flows.server import Server
from manifests.clock import Hold
from manifests.report import DubReport
from manifests.time import Span, flicks
from tasks.before_after import before_after


def clip(target: Path, color: str) -> Path:
    made = ["-v", "error", "-f", "lavfi", "-i", f"color={color}:s=320x180:r=25", "-t", "6", "-pix_fmt", "yuv420p"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *made, str(target)], check=True)
    return target


def spoken_report() -> DubReport:
    """Of a dub of six seconds."""
    plain = plain_report()
    spans = (Span.of_seconds(1, 2), Span.of_seconds(4, 5))
    lines = tuple(dataclasses.replace(line, dub_span=span) for line, span in zip(plain.lines, spans, strict=True))
    return dataclasses.replace(plain, title="Waves", span=Span.of_seconds(0, 6), lines=lines, holds=(), changed=())


def test_stills_are_in_the_page_itself_before_left_and_after_right(server: Server, tmp_path: Path) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client

    from flows.showing import leave_report, leave_stills

    report = spoken_report()
    source, dub = clip(tmp_path / "source.mp4", "red"), clip(tmp_path / "dub.mp4", "blue")

    @flow(name="leaves-stills", flow_run_name="leaves stills", persist_result=False)
    def leaves() -> None:
        leave_report(report, "s3://lectures/dubbed/a b.html")
        leave_stills(report, dub, source)

    leaves()
    with get_client(sync_client=True) as client:
        asked = {"flow_runs": {"name": {"any_": ["leaves stills"]}}}
        left = {each["key"]: each["data"] for each in client.request("POST", "/artifacts/filter", json=asked).json()}
    text = left[f"stills-{report.language}"]
    assert "http" not in text
    pictures = [part.split(")")[0] for part in text.split("data:image/jpeg;base64,")[1:]]
    assert len(pictures) == len(report.lines)
    picture = Image.open(io.BytesIO(base64.b64decode(pictures[0]))).convert("RGB")
    red, _, _ = picture.getpixel((20, picture.height // 2))  # type: ignore[misc]
    _, _, blue = picture.getpixel((picture.width - 20, picture.height // 2))  # type: ignore[misc]
    assert red > 200
    assert blue > 200
    assert "The whole report: `s3://lectures/dubbed/a b.html`" in left[f"report-{report.language}"]


def test_while_the_picture_waits_the_source_is_shown_where_it_waits(tmp_path: Path) -> None:
    """The dub's fifth second is the source's fourth, after a hold of a second; the source turns black there."""
    report = dataclasses.replace(spoken_report(), holds=(Hold(flicks(3), flicks(1)),))
    source = tmp_path / "source.mp4"
    shade = "color=white:s=320x180:r=25,geq=lum='if(lt(T,4),235,16)':cb=128:cr=128,format=yuv420p"
    made = ["-v", "error", "-f", "lavfi", "-i", shade, "-t", "6", str(source)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *made], check=True)
    last = before_after(report, clip(tmp_path / "dub.mp4", "blue"), source)[-1]
    shown = Image.open(io.BytesIO(last.jpeg)).convert("L")
    assert shown.getpixel((20, shown.height // 2)) > 200  # type: ignore[operator]


def test_no_more_moments_are_shown_than_were_asked_for(tmp_path: Path) -> None:
    source, dub = clip(tmp_path / "source.mp4", "red"), clip(tmp_path / "dub.mp4", "blue")
    assert len(before_after(spoken_report(), dub, source, most=1)) == 1
