from pathlib import Path

import pysubs2
import pytest

from infra.subtitles import Cue, write_subtitles
from manifests.time import Span

CUES = [
    Cue(span=Span.of_seconds(0.5, 2.25), lines=("Die Gezeiten -->", "von <heute> & {morgen}")),
    Cue(span=Span.of_seconds(3661.001, 3662), lines=("كان البحر هادئا.",)),
]


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_what_is_written_reads_back(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a b{suffix}"
    write_subtitles(CUES, file)
    read = pysubs2.load(str(file), encoding="utf-8")
    assert [(line.start, line.end) for line in read] == [(500, 2250), (3661001, 3662000)]
    assert read[0].plaintext.startswith("Die Gezeiten")
    assert read[1].plaintext == "كان البحر هادئا."


def test_text_is_never_taken_for_markup(tmp_path: Path) -> None:
    write_subtitles(CUES, tmp_path / "a.srt")
    assert "von <heute> & {morgen}" in (tmp_path / "a.srt").read_text(encoding="utf-8")
    write_subtitles(CUES, tmp_path / "a.vtt")
    assert "Gezeiten --&gt;\nvon &lt;heute> &amp; {morgen}" in (tmp_path / "a.vtt").read_text(encoding="utf-8")


def test_nothing_said_makes_a_file_without_cues(tmp_path: Path) -> None:
    write_subtitles([], tmp_path / "a.srt")
    assert (tmp_path / "a.srt").read_text().strip() == ""
    write_subtitles([], tmp_path / "a.vtt")
    assert (tmp_path / "a.vtt").read_text().strip() == "WEBVTT"
