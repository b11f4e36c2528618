"""`redub` as a person runs it on lectures in a bucket: dub, mend the sheet there, show, verify, report, talk."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redub_command import Ended, Redub
from s3_server import S3Server, running_s3

pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(1800)]

SOURCE, OUT = "s3://talks/course/lecture.mp4", "s3://talks/dubs/"
GLOSSARY = "source,target,keep,pronunciation,language\nforce,vigueur,,,fr\n"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory, short_lecture: Path) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        server.make_bucket("talks")
        server.client().put_object(Bucket="talks", Key="course/lecture.mp4", Body=short_lecture.read_bytes())
        server.client().put_object(Bucket="talks", Key="terms.csv", Body=GLOSSARY.encode())
        yield server


@pytest.fixture(scope="module")
def redub(s3: S3Server, usual_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Redub:
    folder = tmp_path_factory.mktemp("bucket")
    return Redub(folder / "cache", folder / "state", usual_weights, s3.environment())


def read(s3: S3Server, key: str) -> bytes:
    content: bytes = s3.client().get_object(Bucket="talks", Key=key)["Body"].read()
    return content


def dub(redub: Redub) -> Ended:
    return redub.run(
        "dub", SOURCE, "--to", "fr", "--out", OUT, "--preset", "draft", "--glossary", "s3://talks/terms.csv"
    )


@pytest.fixture(scope="module")
def dubbed(redub: Redub) -> dict[str, Any]:
    return dub(redub).result


def test_what_is_written_is_named_by_its_address_and_lies_there(
    dubbed: dict[str, Any], redub: Redub, s3: S3Server
) -> None:
    files = [*dubbed["files"]["fr"], *dubbed["reports"].values(), f"{OUT}lecture.redub/run.json"]
    assert f"{OUT}lecture.fr.mp4" in files
    for file in files:
        assert read(s3, file.removeprefix("s3://talks/"))
    assert "vigueur" in read(s3, "dubs/lecture.fr.srt").decode(), "the glossary in the bucket was not used"
    assert not list((redub.cache / "outgoing").iterdir()), "a second home of what is published"
    assert not any(
        str(redub.cache).encode() in read(s3, f"dubs/lecture.redub/{n}.parquet") for n in ("videos", "chunks")
    )


def test_it_is_shown_and_verified_where_it_lies(dubbed: dict[str, Any], redub: Redub, s3: S3Server) -> None:
    assert redub.run("show", f"{OUT}lecture.redub/").result["name"] == dubbed["run"]
    said = redub.run("verify", f"{OUT}lecture.fr.mp4", "--source", SOURCE).result
    assert said["file"] == f"{OUT}lecture.fr.mp4"
    changed = read(s3, "dubs/lecture.fr.mp4") + b"\0"
    s3.client().put_object(Bucket="talks", Key="changed/lecture.fr.mp4", Body=changed)
    for what in ("there is no such file", "not as it was signed"):
        refused = redub.run("verify", "s3://talks/changed/lecture.fr.mp4")
        assert refused.code == 2
        assert what in refused.events[-1]["message"]
        assert "s3://talks/changed/lecture.fr." in refused.events[-1]["message"]
        s3.client().put_object(Bucket="talks", Key="changed/lecture.fr.c2pa", Body=read(s3, "dubs/lecture.fr.c2pa"))


def test_its_page_is_made_again_where_it_lies(dubbed: dict[str, Any], redub: Redub, s3: S3Server) -> None:
    page = read(s3, "dubs/lecture.redub/report.fr.html")
    s3.client().delete_object(Bucket="talks", Key="dubs/lecture.redub/report.fr.html")
    assert redub.run("report", f"{OUT}lecture.redub/").result["pages"] == [f"{OUT}lecture.redub/report.fr.html"]
    assert read(s3, "dubs/lecture.redub/report.fr.html") == page


def test_a_line_that_is_edited_in_the_bucket_is_spoken_anew(dubbed: dict[str, Any], redub: Redub, s3: S3Server) -> None:
    text = read(s3, "dubs/lecture.fr.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    rows[0]["translation"] = "Bonjour à tous les étudiants."
    edited = io.StringIO()
    writer = csv.DictWriter(edited, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    s3.client().put_object(Bucket="talks", Key="dubs/lecture.fr.csv", Body=edited.getvalue().encode())
    before = read(s3, "dubs/lecture.fr.mp4")
    again = dub(redub)
    assert again.result["mended"]["fr"]
    shared = [
        each for each in again.of_kind("performed") if each["stage"] in ("shots", "speech", "listen", "translate")
    ]
    assert len(shared) >= 4
    assert all(each["hit"] for each in shared)
    assert "Bonjour à tous les étudiants." in read(s3, "dubs/lecture.fr.srt").decode()
    assert "Bonjour à tous les étudiants." in read(s3, "dubs/lecture.fr.csv").decode()
    assert read(s3, "dubs/lecture.fr.mp4") != before
    third = dub(redub)
    assert third.result["hits"] == third.result["pieces"], "finished work was done again"


def test_a_face_in_the_bucket_says_a_text_of_the_bucket(redub: Redub, s3: S3Server, tmp_path: Path) -> None:
    from PIL import Image
    from skimage import data

    portrait = tmp_path / "face.png"
    Image.fromarray(data.astronaut()).save(portrait)
    s3.client().put_object(Bucket="talks", Key="face.png", Body=portrait.read_bytes())
    s3.client().put_object(Bucket="talks", Key="words.txt", Body="Bonjour à tous.".encode())
    out = "s3://talks/said/hello.mp4"
    order = ["talk", "--face", "s3://talks/face.png", "--text", "@s3://talks/words.txt", "--lang", "fr", "--out", out]
    assert redub.run(*order, "--lips", "none").result["files"] == {"fr": [out]}
    assert read(s3, "said/hello.mp4")[4:8] == b"ftyp"
    refused = redub.run("lipsync", "--face", out, "--audio", out, "--out", out)
    assert refused.code == 2
    assert "replace its own source" in refused.events[-1]["message"]
