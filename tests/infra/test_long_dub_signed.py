"""A dub of more bytes than anybody wants in memory at once: the media of an hour, mostly empty."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from infra.content_credentials import check, sign
from infra.media.binary import run_ffmpeg
from infra.signing import known_authorities, load_signer
from manifests.provenance import Statement

MB = 1 << 20
LENGTH = 64 * MB
STATEMENT = Statement(
    software="redub",
    source_sha256="0" * 64,
    source_language="en",
    language="fr",
    synthetic_speech=True,
    synthetic_lips=False,
    voices=(),
    models=(),
    settings="{}",
)
_PEAK = """
import resource, sys
from pathlib import Path
from infra.content_credentials import sign
from infra.signing import load_signer
file, folder = Path(sys.argv[1]), Path(sys.argv[2])
import c2pa
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sidecar = sign(file, {"made": "up"}, file.name, load_signer(), folder)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def stated() -> dict[str, object]:
    return dataclasses.asdict(STATEMENT)


@pytest.fixture
def dub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its media, the last box of the file, are made longer by what no frame refers to."""
    monkeypatch.setenv("REDUB_STATE", str(tmp_path / "state"))
    file = tmp_path / "lecture.fr.mp4"
    made = ["-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:v", "libx264", "-movflags", "+faststart", str(file)]
    run_ffmpeg(made, where=file)
    at, size = file.read_bytes().index(b"mdat") - 4, file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write((size - at + LENGTH).to_bytes(4, "big"))
        stream.truncate(size + LENGTH)
    return file


def test_any_changed_byte_of_a_long_dub_is_found(dub: Path, tmp_path: Path) -> None:
    sidecar = sign(dub, stated(), dub.name, load_signer(), tmp_path)
    assert not check(dub, sidecar, known_authorities()).faults
    with dub.open("r+b") as stream:
        stream.seek(-LENGTH // 3, 2)
        stream.write(b"\1")
    assert check(dub, sidecar, known_authorities()).faults


def test_signing_does_not_hold_the_dub_in_memory(dub: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(dub), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert int(done.stdout) < LENGTH // MB // 2


def test_a_file_with_several_boxes_of_media_is_signed_as_a_whole(dub: Path, tmp_path: Path) -> None:
    with dub.open("ab") as stream:
        stream.write((9 * MB).to_bytes(4, "big") + b"mdat" + bytes(9 * MB - 8))
    for _ in range(3):
        sidecar = sign(dub, stated(), dub.name, load_signer(), tmp_path)
        assert not check(dub, sidecar, known_authorities()).faults
