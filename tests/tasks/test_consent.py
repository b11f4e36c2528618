"""No voice is imitated unless a file says that its owner agreed: what is refused, and that every refusal says why."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from manifests.errors import BadInput
from tasks.consent import read_consents, require_consent

TODAY = date(2026, 11, 20)
AGREED = {
    "name": '"Ada Lovelace"',
    "speaker": '"speaker1"',
    "date": "2026-11-02",
    "purposes": '["voice-cloning"]',
    "languages": '["fr", "de"]',
    "until": "2027-11-01",
    "contact": '"ada@example.org"',
    "signature": '"on paper, 2026/117"',
}


def written(folder: Path, *entries: dict[str, str]) -> Path:
    file = folder / "consent.toml"
    tables = ("[[consent]]\n" + "".join(f"{key} = {value}\n" for key, value in entry.items()) for entry in entries)
    file.write_text("\n".join(tables), encoding="utf-8")
    return file


def test_who_agreed_may_be_imitated(tmp_path: Path) -> None:
    file = written(tmp_path, AGREED | {"speaker": '"speaker2"'}, AGREED)
    consent = require_consent(file, "clone:speaker1", ["fr"], today=TODAY)
    assert (consent.name, consent.speaker) == ("Ada Lovelace", "speaker1")
    assert consent.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("day", [date(2026, 11, 2), date(2027, 11, 1)])
def test_it_holds_on_its_first_and_last_day(tmp_path: Path, day: date) -> None:
    assert require_consent(written(tmp_path, AGREED), "clone:speaker1", ["fr", "de"], today=day)


def test_without_an_end_it_holds(tmp_path: Path) -> None:
    forever = {key: value for key, value in AGREED.items() if key != "until"}
    assert require_consent(written(tmp_path, forever), "clone:speaker1", ["fr"], today=date(2099, 1, 1))


def test_without_a_file_nobody_is_imitated() -> None:
    with pytest.raises(BadInput, match="clone:speaker1 imitates a person's own voice"):
        require_consent(None, "clone:speaker1", ["fr"], today=TODAY)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"until": "2026-11-19"}, r"consent 1: until: it ended on 2026-11-19"),
        ({"date": "2026-11-21"}, r"consent 1: date: .*2026-11-21 is not come"),
        ({"until": "2026-11-01"}, r"consent 1: until: it ends before it begins"),
        ({"speaker": '"speaker2"'}, r"speaker1 did not agree: only speaker2"),
        ({"languages": '["de"]'}, r"consent 1: languages: .*not agree to be heard in fr"),
        ({"languages": "[]"}, r"consent 1: languages: this must be a list"),
        ({"languages": '"fr"'}, r"consent 1: languages: this must be a list"),
        ({"purposes": '["subtitles"]'}, r"consent 1: purposes: no purpose is called 'subtitles'"),
        ({"date": '"2026-11-02"'}, r"consent 1: date: this must be a day"),
        ({"date": "2026-11-02T10:00:00"}, r"consent 1: date: this must be a day"),
        ({"name": '" "'}, r"consent 1: name: this must be some text"),
        ({"signature": "true"}, r"consent 1: signature: this must be some text"),
        ({"everything": "true"}, r"consent 1: everything: no such key"),
    ],
)
def test_what_does_not_say_it_is_refused_with_file_and_key(tmp_path: Path, change: dict[str, str], said: str) -> None:
    file = written(tmp_path, AGREED | change)
    with pytest.raises(BadInput, match=said) as refused:
        require_consent(file, "clone:speaker1", ["fr"], today=TODAY)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("key", [key for key in AGREED if key != "until"])
def test_every_other_key_is_needed(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadInput, match=rf"consent 1: {key}: this key is missing"):
        read_consents(written(tmp_path, {name: value for name, value in AGREED.items() if name != key}))


@pytest.mark.parametrize("text", ["", "consent = 1", "[[consent]", "[consent]\nname = 'Ada'", "agreed = true"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "consent.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"consent\.toml"):
        read_consents(file)


def test_bytes_that_are_no_text_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "consent.toml"
    for absent in (True, False):
        if not absent:
            file.write_bytes(b"\xff\xfe")
        with pytest.raises(BadInput, match="cannot be read as TOML"):
            read_consents(file)


def test_a_speaker_agrees_once(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="consent 2: speaker: 'speaker1' agreed before"):
        read_consents(written(tmp_path, AGREED, AGREED))
