import dataclasses
import os
import stat
from pathlib import Path

import pytest

from infra.media.binary import run_ffmpeg
from infra.signing import CHAIN_VARIABLE, KEY_VARIABLE, load_signer
from infra.store import Store, sha256_of
from manifests.errors import BadInput
from manifests.provenance import ModelUsed, Statement
from tasks.provenance import SIGN, sign_work, verify

STATEMENT = Statement(
    software="redub 0.1.0",
    source_sha256="",
    source_language="en",
    language="fr",
    synthetic_speech=True,
    synthetic_lips=False,
    voices=("fr-kokoro-ff-siwis",),
    models=(ModelUsed(purpose="translation", name="opus-mt-en-fr", revision="abc"),),
    settings='{"a": 1}',
)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REDUB_STATE", str(tmp_path / "state"))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.delenv(CHAIN_VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def dub(machine: Path) -> Path:
    file = machine / "lecture.fr.mp4"
    run_ffmpeg(["-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:v", "libx264", str(file)], where=file)
    return file


def signed(dub: Path, statement: Statement = STATEMENT) -> Path:
    store = Store(dub.parent / "cache")
    with store.scratch() as folder:
        copy = folder / "copy.mp4"
        copy.write_bytes(dub.read_bytes())
        blob = store.put(copy)
    sidecar = SIGN.perform(sign_work(blob, dub.name, statement), store).value
    store.publish(sidecar, dub.with_suffix(".c2pa"))
    return dub


def test_a_dub_is_as_signed_and_says_what_is_synthetic(dub: Path) -> None:
    before = sha256_of(dub)
    verdict = verify(signed(dub))
    assert verdict.statement == STATEMENT
    assert verdict.known
    assert not verdict.faults
    assert sha256_of(dub) == before


def test_a_changed_byte_is_found(dub: Path) -> None:
    content = bytearray(signed(dub).read_bytes())
    content[len(content) // 2] ^= 1
    dub.write_bytes(content)
    with pytest.raises(BadInput, match="not as it was signed"):
        verify(dub)


def test_a_changed_statement_is_found(dub: Path) -> None:
    sidecar = signed(dub).with_suffix(".c2pa")
    sidecar.write_bytes(sidecar.read_bytes().replace(b"fr-kokoro-ff-siwis", b"fr-kokoro-mm-siwis"))
    with pytest.raises(BadInput, match=r"not as it was signed|cannot be read"):
        verify(dub)


def test_another_machine_checks_it_but_does_not_know_the_signer(dub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(dub)
    monkeypatch.setenv("REDUB_STATE", str(dub.parent / "another"))
    verdict = verify(dub)
    assert not verdict.known
    assert not verdict.faults


def test_the_source_is_told_from_another_file(dub: Path) -> None:
    source = dub.parent / "lecture.mp4"
    source.write_bytes(b"the lecture")
    signed(dub, dataclasses.replace(STATEMENT, source_sha256=sha256_of(source)))
    assert verify(dub, source).statement.source_sha256 == sha256_of(source)
    source.write_bytes(b"another lecture")
    with pytest.raises(BadInput, match="not what the dub was made from"):
        verify(dub, source)


def test_the_key_is_made_once_and_is_nobody_elses_to_read(machine: Path) -> None:
    first, again = load_signer(), load_signer()
    assert first == again
    key = machine / "state" / "signing" / "key.pem"
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600  # noqa: PTH116


def test_a_signature_is_kept_for_the_same_dub_and_made_anew_for_another_statement(dub: Path) -> None:
    store = Store(dub.parent / "cache")
    sidecars = []
    for statement in (STATEMENT, STATEMENT, dataclasses.replace(STATEMENT, synthetic_lips=True)):
        signed(dub, statement)
        sidecars.append(sha256_of(dub.with_suffix(".c2pa")))
    assert sidecars[0] == sidecars[1] != sidecars[2]
    assert "PRIVATE" not in "".join(
        path.read_text(errors="replace") for path in store.root.rglob("*") if path.is_file()
    )


def test_half_an_identity_and_a_strangers_certificate_are_refused(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_signer()
    signing = machine / "state" / "signing"
    monkeypatch.setenv(KEY_VARIABLE, str(signing / "key.pem"))
    with pytest.raises(BadInput, match=CHAIN_VARIABLE):
        load_signer()
    monkeypatch.setenv(CHAIN_VARIABLE, str(signing / "authority.pem"))
    with pytest.raises(BadInput, match="another key"):
        load_signer()
    monkeypatch.setenv(CHAIN_VARIABLE, str(signing / "certificates.pem"))
    assert load_signer().algorithm == "ed25519"


def test_what_is_missing_is_named(dub: Path) -> None:
    with pytest.raises(BadInput, match=r"lecture\.fr\.c2pa"):
        verify(dub)
    with pytest.raises(BadInput, match=r"nothing\.mp4"):
        verify(dub.with_name("nothing.mp4"))
