"""Bad input: one clear line that says what, which file and what to do, an exit code, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_command import Redub

pytestmark = pytest.mark.usefixtures("no_server")


def missing(folder: Path, media: Path) -> Path:
    return folder / "missing.mp4"


def a_folder(folder: Path, media: Path) -> Path:
    (folder / "lecture.mp4").mkdir()
    return folder / "lecture.mp4"


def text(folder: Path, media: Path) -> Path:
    file = folder / "notes.mp4"
    file.write_text("Monday: the tides.\n" * 50)
    return file


def empty(folder: Path, media: Path) -> Path:
    file = folder / "empty.mp4"
    file.touch()
    return file


def noise(folder: Path, media: Path) -> Path:
    file = folder / "noise.mkv"
    file.write_bytes(bytes(range(256)) * 40)
    return file


def index_lost(folder: Path, media: Path) -> Path:
    file = folder / "cut.mp4"
    file.write_bytes((media / "silent.mp4").read_bytes()[:-2000])  # its index is at its end
    return file


def cut_off(folder: Path, media: Path) -> Path:
    data = (media / "tone.mp4").read_bytes()
    file = folder / "cut.mp4"
    file.write_bytes(data[: len(data) * 2 // 3])
    return file


def copied(name: str) -> Callable[[Path, Path], Path]:
    def make(folder: Path, media: Path) -> Path:
        file = folder / name
        file.write_bytes((media / name).read_bytes())
        return file

    make.__name__ = name
    return make


BAD_SOURCES = [
    (missing, "no such file", "check the name"),
    (a_folder, "a folder", "name one video file"),
    (text, "text, not media", "give a video file"),
    (empty, "empty", "copy or download it again"),
    (noise, "no audio or video format", "give a video file"),
    (index_lost, "cut off", "copy or download it again"),
    (cut_off, "cut off", "copy or download it again"),
    (copied("sound.m4a"), "sound and no picture", "redub lipsync"),
    (copied("mute.mp4"), "no sound", "redub talk"),
]


@pytest.mark.parametrize(("make", "what", "remedy"), BAD_SOURCES, ids=[case[0].__name__ for case in BAD_SOURCES])
def test_a_source_that_cannot_be_dubbed(
    redub: Redub, lectures: Path, media: Path, make: Callable[[Path, Path], Path], what: str, remedy: str
) -> None:
    source, out = make(lectures, media), lectures / "out"
    before = sorted(lectures.iterdir())
    ended = redub("dub", source, "--to", "fr", "--out", out)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.complaint.startswith(f"{source}: ")
    assert what in ended.complaint
    assert remedy in ended.complaint
    assert sorted(lectures.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--to", "xx"], 2, ["unknown language 'xx'", "fr"]),
        (["--to", ","], 2, ["no language", "--to fr"]),
        (["--to", "fr", "--from", "klingon"], 2, ["unknown language 'klingon'"]),
        (["--to", "fr", "--from", "fr"], 2, ["--to", "already"]),
        (["--to", "ja"], 2, ["no voice speaks 'ja'", "fr"]),
        (["--to", "fr", "--track", "3"], 2, ["no audio track 3", "its tracks: 0"]),
        (["--to", "fr", "--preset", "best"], 2, ["unknown preset 'best'", "lecture"]),
        (["--to", "fr", "--voice", "anna"], 2, ["no voice is called 'anna'", "kokoro"]),
        (["--to", "fr", "--voice", "de-kokoro-if-sara"], 2, ["speaks de, not fr", "fr-kokoro-ff-siwis"]),
        pytest.param(
            ["--to", "fr", "--translator", "babel"],
            2,
            ["no translator is called 'babel'", "ctranslate2"],
            marks=pytest.mark.weights,
        ),
        pytest.param(
            ["--to", "fr", "--from", "en", "--lips", "gloss"],
            2,
            ["--lips", "'gloss'", "rewrite", "wav2lip", "none"],
            marks=pytest.mark.weights,
        ),
        pytest.param(["--to", "pt"], 2, ["no model into pt", "fr"], marks=pytest.mark.weights),
        pytest.param(["--to", "fr", "--transcriber", "dora"], 2, ["dora", "whisper"], marks=pytest.mark.weights),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_option_that_cannot_be_met(
    redub: Redub, lectures: Path, media: Path, options: list[str], code: int, told: list[str]
) -> None:
    source = copied("tone.mp4")(lectures, media)
    ended = redub("dub", source, *options)
    assert ended.code == code
    for part in told:
        assert part in ended.complaint
    assert list(lectures.iterdir()) == [source]


@pytest.mark.parametrize(
    "arguments",
    [
        ["dub"],
        ["dub", "a.mp4"],
        ["dub", "a.mp4", "--to"],
        ["dub", "a.mp4", "--to", "fr", "--speed", "2"],
        ["dub", "a.mp4", "--to", "fr", "--track", "first"],
        ["talk", "--face", "a.png", "--out", "o.mp4", "--lang", "en"],
        ["sing"],
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense(redub: Redub, arguments: list[str]) -> None:
    ended = redub(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.complaint.endswith("see redub --help")


def test_without_weights_the_command_that_brings_them_is_named(
    redub: Redub, lectures: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(lectures / "none"))
    source = copied("tone.mp4")(lectures, media)
    ended = redub("dub", source, "--to", "fr")
    assert ended.code == 3
    assert "`redub weights pull kokoro`" in ended.complaint
    ended = redub("talk", "--face", source, "--text", "Bonjour", "--lang", "fr", "--out", lectures / "o.mp4")
    assert ended.code == 3
    assert "`redub weights pull kokoro`" in ended.complaint


@pytest.mark.weights
@pytest.mark.parametrize("source_language", ["auto", "en"])
def test_a_language_without_a_translation_model(
    redub: Redub,
    lectures: Path,
    media: Path,
    source_language: str,
    usual_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(usual_weights))
    source = copied("tone.mp4")(lectures, media)
    ended = redub("dub", source, "--to", "de", "--from", source_language)
    assert ended.code == 3
    assert "`redub weights pull opus-mt-en-de`" in ended.complaint


@pytest.mark.weights
def test_a_signer_that_cannot_sign_is_refused_before_the_work(
    redub: Redub, lectures: Path, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_SIGNING_KEY", str(lectures / "key.pem"))
    source = copied("tone.mp4")(lectures, media)
    said = ["--text", "Bonjour", "--lang", "fr", "--out", str(lectures / "o.mp4")]
    for command in (["dub", str(source), "--to", "fr", "--from", "en"], ["talk", "--face", str(source), *said]):
        ended = redub(*command)
        assert ended.code == 2
        assert "REDUB_SIGNING_KEY" in ended.complaint
        assert "REDUB_SIGNING_CERTIFICATES" in ended.complaint
    assert list(lectures.iterdir()) == [source]


def test_for_machines_an_error_is_one_object(redub: Redub, lectures: Path, media: Path) -> None:
    source = text(lectures, media)
    ended = redub("dub", source, "--to", "fr", "--json")
    (event,) = ended.events
    assert ended.err == ""
    assert event.pop("message").startswith(f"{source}: this is text")
    assert event == {"event": "error", "error": "BadInput", "exit_code": 2}
    (event,) = redub("dub", "--to", "fr", "--json").events
    assert (event["error"], event["exit_code"]) == ("Usage", 2)


def test_a_name_of_two_lines_is_told_in_one(redub: Redub, lectures: Path) -> None:
    assert "no such file" in redub("dub", lectures / "one\ntwo.mp4", "--to", "fr").complaint


def a_file(folder: Path) -> Path:
    (folder / "taken").write_text("mine")
    return folder / "taken"


def below_a_file(folder: Path) -> Path:
    return a_file(folder) / "dubbed"


def where_nothing_can_be_made(folder: Path) -> Path:
    return Path("/proc/dubbed")


def read_only(folder: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may write to a read-only folder")
    (folder / "locked").mkdir(mode=0o555)
    return folder / "locked"


@pytest.mark.weights
@pytest.mark.parametrize("make", [a_file, below_a_file, where_nothing_can_be_made, read_only])
def test_an_output_folder_that_cannot_be_written(
    redub: Redub, lectures: Path, media: Path, make: Callable[[Path], Path]
) -> None:
    source, out = copied("tone.mp4")(lectures, media), make(lectures)
    before = sorted(lectures.rglob("*"))
    ended = redub("dub", source, "--to", "fr", "--from", "en", "--out", out)
    assert ended.code == 5
    assert "choose another" in ended.complaint
    assert sorted(lectures.rglob("*")) == before


@pytest.mark.weights
@pytest.mark.parametrize("variable", ["REDUB_CACHE", "REDUB_STATE"])
def test_a_cache_that_cannot_be_written(
    redub: Redub, lectures: Path, media: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(a_file(lectures)))
    ended = redub("dub", copied("tone.mp4")(lectures, media), "--to", "fr", "--from", "en")
    assert ended.code == 5
    assert str(a_file(lectures)) in ended.complaint


TALK = ["--lang", "en", "--text", "Hello."]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["talk", "--face", "{portrait}", "--out", "{out}", "--lang", "en", "--text", "  "], "the text is empty"),
        (["talk", "--face", "{portrait}", "--out", "{out}", "--lang", "xx", "--text", "Hi"], "unknown language 'xx'"),
        (["talk", "--face", "{portrait}", "--out", "{out}", "--lang", "en", "--text", "@{no}"], "cannot be read"),
        (["talk", "--face", "{portrait}", "--out", "{out}.avi", *TALK], "ends in .mp4"),
        (["talk", "--face", "{portrait}", "--out", "{dir}", *TALK], "this is a folder"),
        (["talk", "--face", "{no}.png", "--out", "{out}", *TALK], "no such file"),
        (["talk", "--face", "{no}.mp4", "--out", "{out}", *TALK], "no such file"),
        (["talk", "--face", "{text}.png", "--out", "{out}", *TALK], "no image can be read"),
        (["talk", "--face", "{text}", "--out", "{out}", *TALK], "this is text"),
        (["talk", "--face", "{sound}", "--out", "{out}", *TALK], "sound and no picture"),
        (["talk", "--face", "{mute}", "--out", "{mute}", *TALK], "would replace its own source"),
        (["lipsync", "--face", "{portrait}", "--out", "{out}", "--audio", "{no}.wav"], "no such file"),
        (["lipsync", "--face", "{portrait}", "--out", "{out}", "--audio", "{text}"], "this is text"),
        (["lipsync", "--face", "{portrait}", "--out", "{out}", "--audio", "{mute}"], "it has no sound"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_face_or_a_speech_that_cannot_be_used(
    redub: Redub, lectures: Path, media: Path, portrait: Path, arguments: list[str], told: str
) -> None:
    (lectures / "folder.mp4").mkdir()
    (lectures / "text.png").write_text("no picture")
    (lectures / "text").write_text("no video")
    mute = copied("mute.mp4")(lectures, media)
    names = {
        "portrait": portrait,
        "out": lectures / "out.mp4",
        "no": lectures / "no",
        "text": lectures / "text",
        "dir": lectures / "folder.mp4",
        "sound": media / "sound.m4a",
        "mute": mute,
    }
    before = sorted(lectures.rglob("*"))
    ended = redub(*(argument.format(**names) for argument in arguments))
    assert ended.code == 2
    assert told in ended.complaint
    assert sorted(lectures.rglob("*")) == before


def test_a_fault_is_owned_up_to(redub: Redub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(run: object, output: object) -> None:
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr("flows.cli.show.show_run", broken)
    ended = redub("show")
    assert ended.code == 1
    assert "a fault in redub itself" in ended.complaint
    details = Path(ended.complaint.rpartition(" in ")[2])
    assert "a wheel came off" in details.read_text()


def test_an_interrupt_is_no_fault(redub: Redub, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(run: object, output: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flows.cli.show.show_run", interrupted)
    ended = redub("show")
    assert ended.code == 130
    assert ended.err.strip() == "redub: interrupted; run the same command again to go on"


def test_a_task_runner_that_is_none_is_told_before_a_server_starts(
    redub: Redub, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_TASK_RUNNER", "dusk")
    ended = redub("dub", media / "silent.mp4", "--to", "fr")
    assert ended.code == 2
    assert "REDUB_TASK_RUNNER: 'dusk' is no task runner; use threads, dask or ray" in ended.complaint
