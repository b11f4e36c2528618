"""A line edited in the sheet is spoken again, the chunk that hears it is done again, and nothing else is."""

from __future__ import annotations

import csv
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from redub_command import Dubbed, Ended

from manifests.records import Placement, Translation
from manifests.report import read_report

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(1800)]

# What hears the whole lecture, and so every edit.
WHOLE = {"voice", "assemble", "sign", "levels"}
# What hears one chunk, and is done again for it at most.
OF_A_CHUNK = {"speak", "mix", "heard_back", "lips", "render", "dubbed_lips"}


@pytest.fixture
def mended(sample_dub: Dubbed, tmp_path: Path) -> Dubbed:
    """The sample's dub, in a folder of this test's own."""
    out = tmp_path / "out"
    shutil.copytree(sample_dub.out, out)
    return Dubbed(sample_dub.redub, sample_dub.source, out, sample_dub.ended)


def edit(sheet: Path, row: int, column: str, value: str) -> str:
    """Change a cell as a spreadsheet would; what it held before."""
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    before, rows[row][column] = rows[row][column], value
    save(sheet, rows)
    return before


def save(sheet: Path, rows: list[dict[str, str]]) -> None:
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def done(ended: Ended) -> list[str]:
    return [event["stage"] for event in ended.of_kind("performed") if not event["hit"]]


def test_one_line_is_spoken_and_its_chunk_done_again_and_an_edit_taken_back_costs_nothing(mended: Dubbed) -> None:
    sheet = mended.out / f"{mended.source.stem}.fr.csv"
    before = {each.utterance_id: each for each in mended.rows(Placement, "placements")}
    clips = set((mended.redub.cache / "work" / "clip").iterdir())
    text = edit(sheet, -1, "translation", "Merci beaucoup.")

    ended = mended.redub.dub(mended.source, mended.out).ended
    assert ended.result["mended"]["fr"].startswith("1 line changed: 1 clip spoken again")
    again = done(ended)
    assert set(again) <= WHOLE | OF_A_CHUNK
    assert all(again.count(stage) == 1 for stage in WHOLE)
    assert again.count("mix") == again.count("heard_back") == 1
    assert len(set((mended.redub.cache / "work" / "clip").iterdir()) - clips) == 1
    last = mended.rows(Translation, "translations")[-1]
    assert last.text == "Merci beaucoup."
    after = {each.utterance_id: each for each in mended.rows(Placement, "placements")}
    changed = {name for name in before if before[name] != after[name]}
    chunk = last.utterance_id.rsplit("/", 1)[0]
    assert all(name.startswith(chunk) for name in changed)

    edit(sheet, -1, "translation", "")
    undone = mended.redub.dub(mended.source, mended.out).ended
    assert done(undone) == []
    assert mended.rows(Translation, "translations")[-1].text == text


def test_a_line_is_split_and_two_are_joined_and_all_is_put_back(mended: Dubbed) -> None:
    sheet = mended.out / f"{mended.source.stem}.fr.csv"
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [each.text for each in mended.rows(Translation, "translations")]
    empty = {"start": "", "end": "", "translation": ""}
    words = rows[1]["source"].split()
    parts = [
        rows[1] | empty | {"id": f"{rows[1]['id']}.{number}", "source": " ".join(part)}
        for number, part in enumerate((words[:-6], words[-6:]), start=1)
    ]
    joined = rows[-2] | empty | {"id": f"{rows[-2]['id']}+{rows[-1]['id']}", "source": ""}
    save(sheet, [rows[0], *parts, *rows[2:-2], joined])

    ended = mended.redub.dub(mended.source, mended.out).ended
    assert ended.result["mended"]["fr"].startswith("3 lines changed: 3 clips spoken again")
    assert done(ended).count("translate") == 3
    said = mended.rows(Translation, "translations")
    assert len(said) == len(rows)  # one more, and one fewer
    assert [each.utterance_id.partition(".")[2] for each in said[1:3]] == ["1", "2"]
    assert all(each.text for each in said)
    spans = [each.span for each in mended.rows(Placement, "placements")]
    assert all(before.end <= after.start for before, after in pairwise(spans))

    save(sheet, [rows[0], rows[1] | empty, *rows[2:-2], rows[-2] | empty, rows[-1] | empty])
    undone = mended.redub.dub(mended.source, mended.out).ended
    assert done(undone) == []
    assert [each.text for each in mended.rows(Translation, "translations")] == texts


def test_a_cell_that_cannot_be_is_refused_before_any_work(mended: Dubbed) -> None:
    sheet = mended.out / f"{mended.source.stem}.fr.csv"
    edit(sheet, 1, "voice", "fr-kokoro-nobody")
    before = sheet.read_bytes()
    ended = mended.redub.run("dub", mended.source, "--to", "fr", "--out", mended.out)
    assert ended.code == 2
    assert "row 3" in ended.events[-1]["message"]
    assert "voice" in ended.events[-1]["message"]
    assert sheet.read_bytes() == before
    assert not ended.of_kind("server")


def test_a_gate_keeps_a_bad_dub_back_and_shows_why(mended: Dubbed) -> None:
    sheet = mended.out / f"{mended.source.stem}.fr.csv"
    mended.video.unlink()
    edit(sheet, 0, "translation", "Trop long pour sa place, et cela de beaucoup, " * 4)
    ended = mended.redub.run("dub", mended.source, "--to", "fr", "--out", mended.out, "--gate")
    assert ended.code == 6
    assert "did not pass the gate" in ended.events[-1]["message"]
    assert not mended.video.exists()
    report = read_report(mended.manifests / "report.fr.json")
    assert report.gate is not None
    assert report.gate.failures
    assert (mended.manifests / "report.fr.html").is_file()


def test_all_that_may_be_asked_for_beside_a_dub(mended: Dubbed) -> None:
    options = ("--one-file", "--subtitles", "bilingual", "--notice", "spoken")
    ended = mended.redub.dub(mended.source, mended.out, *options).ended
    assert ended.code == 0, ended.errors
    names = {path.name for path in mended.out.iterdir()}
    stem = mended.source.stem
    assert {f"{stem}.fr-en.srt", f"{stem}.fr-en.vtt"} <= names
    report = read_report(mended.manifests / "report.fr.json")
    assert report.holds[0].at > 0
    assert "machine" in (mended.out / f"{stem}.fr.srt").read_text(encoding="utf-8").split("\n\n")[0]
    assert mended.redub.run("verify", mended.video, "--source", mended.source).code == 0
