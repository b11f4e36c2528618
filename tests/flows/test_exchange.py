"""What a run brings from a bucket and leaves there, on a real S3 server: sheets, sources, results, weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from s3_server import S3Server, running_s3

from flows.exchange import Exchange, brought, delivered, exchange
from flows.mirrored_weights import bring_weights
from infra.objects.faults import Replaced
from infra.objects.reading import head, list_below, read_small
from infra.objects.uri import ObjectUri
from infra.objects.writing import delete, upload_bytes
from manifests.errors import BadInput
from tasks.sheet import SheetFiles

_NAMES = count()


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        server.make_bucket("lectures")
        yield server


@pytest.fixture
def bucket(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectUri:
    """A prefix below which nothing is yet; the cache is empty."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "REDUB_S3_"))]:
        monkeypatch.delenv(name)
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDUB_CACHE", str(tmp_path / "cache"))
    return ObjectUri("lectures", f"test-{next(_NAMES)}")


def names(place: ObjectUri) -> set[str]:
    return {each.uri.key.removeprefix(f"{place.key.rstrip('/')}/") for each in list_below(place.below())}


def content(place: ObjectUri) -> bytes:
    found = read_small(place)
    assert found is not None
    return found[0]


def made(exchanged: Exchange, text: str) -> SheetFiles:
    """What a run leaves: a video and a sheet with its table, all saying `text`."""
    (sheet,) = exchanged.sheets
    sheet.table.parent.mkdir(exist_ok=True)
    for file in (sheet.csv, sheet.table, exchanged.folder / f"{exchanged.title}.fr.mp4"):
        file.write_text(text)
    return sheet


def test_all_that_a_run_leaves_is_published_and_nothing_stays_behind(bucket: ObjectUri, tmp_path: Path) -> None:
    source, out = bucket.child("a.mp4"), bucket.child("dubs")
    upload_bytes(b"lecture", source)
    with exchange(str(source), str(out), ["fr"]) as exchanged:
        assert exchanged.source.read_bytes() == b"lecture"
        made(exchanged, "first")
        exchanged.deliver(["fr"])
        folder = exchanged.folder
        assert exchanged.address(str(folder / "a.fr.mp4")) == str(out.child("a.fr.mp4"))
        assert exchanged.address(str(exchanged.source)) == str(source)
    assert names(out) == {"a.fr.mp4", "a.fr.csv", "a.redub/sheet.fr.parquet"}
    assert not folder.exists(), "second names of blobs keep the cache full"


def test_a_sheet_that_a_person_changed_before_is_brought_and_then_replaced(bucket: ObjectUri) -> None:
    source, out = bucket.child("a.mp4"), bucket.child("dubs")
    upload_bytes(b"lecture", source)
    for text in ("first", "second"):
        with exchange(str(source), str(out), ["fr"]) as exchanged:
            (sheet,) = exchanged.sheets
            if text == "second":
                assert (sheet.csv.read_text(), sheet.table.read_text()) == ("edited", "first")
            made(exchanged, text)
            exchanged.deliver(["fr"])
        assert (content(out.child("a.fr.csv")), content(out.child("a.redub", "sheet.fr.parquet"))) == (
            text.encode(),
            text.encode(),
        )
        upload_bytes(b"edited", out.child("a.fr.csv"))


@pytest.mark.parametrize("change", ["edited", "removed", "first written"])
def test_a_sheet_that_a_person_changes_meanwhile_stays_theirs(bucket: ObjectUri, change: str) -> None:
    source, out = bucket.child("a.mp4"), bucket.child("dubs")
    upload_bytes(b"lecture", source)
    if change != "first written":
        upload_bytes(b"old", out.child("a.fr.csv"))
        upload_bytes(b"old", out.child("a.redub", "sheet.fr.parquet"))
    with exchange(str(source), str(out), ["fr"]) as exchanged:
        made(exchanged, "new")
        if change == "removed":
            delete(out.child("a.fr.csv"))
        else:
            upload_bytes(b"theirs", out.child("a.fr.csv"))
        exchanged.deliver(["fr"])
    assert content(out.child("a.fr.mp4")) == b"new"
    if change == "removed":
        assert "a.fr.csv" not in names(out)
    else:
        assert content(out.child("a.fr.csv")) == b"theirs"
    if change == "edited":  # the table that explains their sheet is still there
        assert content(out.child("a.redub", "sheet.fr.parquet")) == b"old"


def test_a_review_lays_sheets_out_and_brings_them_back(bucket: ObjectUri) -> None:
    source, out = bucket.child("a.mp4"), bucket.child("dubs")
    upload_bytes(b"lecture", source)
    with exchange(str(source), str(out), ["fr"]) as exchanged:
        sheet = made(exchanged, "draft")
        exchanged.deliver_sheets()
        assert names(out) == {"a.fr.csv", "a.redub/sheet.fr.parquet"}
        upload_bytes(b"reviewed", out.child("a.fr.csv"))
        exchanged.bring_sheets()
        assert sheet.csv.read_text() == "reviewed"
        made(exchanged, "spoken")
        exchanged.deliver(["fr"])
    assert content(out.child("a.fr.csv")) == b"spoken"


@pytest.mark.parametrize("remote", [True, False], ids=["in a bucket", "here"])
def test_another_content_than_was_asked_for_is_not_dubbed(bucket: ObjectUri, tmp_path: Path, remote: bool) -> None:
    from infra import locations

    place = bucket.child("a.mp4") if remote else tmp_path / "a.mp4"

    def put(text: bytes) -> str:
        if isinstance(place, ObjectUri):
            return upload_bytes(text, place).etag
        place.write_bytes(text)
        version = locations.version_of(place)
        assert version is not None
        return version.etag

    planned = put(b"planned")
    with exchange(str(place), str(tmp_path / "out"), ["fr"], planned) as exchanged:
        assert exchanged.version.etag == planned
        put(b"another one")
        with pytest.raises(Replaced, match="run again"):
            exchanged.deliver(["fr"])
    with (
        pytest.raises(Replaced, match="since it was asked for"),
        exchange(str(place), str(tmp_path / "out"), ["fr"], planned),
    ):
        pass


def test_one_result_is_published_and_never_over_its_own_source(bucket: ObjectUri) -> None:
    out = bucket.child("said.mp4")
    with delivered(str(out), ["face.png", None], beside=".c2pa") as target:
        target.write_bytes(b"said")
        target.with_suffix(".c2pa").write_bytes(b"signed")
    assert content(out) == b"said"
    assert content(bucket.child("said.c2pa")) == b"signed"
    with pytest.raises(ZeroDivisionError), delivered(str(out), [], beside=".c2pa") as target:
        target.write_bytes(b"half")
        target.with_suffix(".c2pa").write_bytes(b"half")
        raise ZeroDivisionError
    assert content(out) == b"said"
    assert content(bucket.child("said.c2pa")) == b"signed"
    for place, sources in ((out, [str(out)]), (bucket.below(), [])):
        with pytest.raises(BadInput), delivered(str(place), sources, beside=".c2pa"):
            pass


def test_a_glossary_is_brought_anew_where_it_was_changed(bucket: ObjectUri) -> None:
    place = bucket.child("terms.csv")
    for text in (b"one", b"two"):
        upload_bytes(text, place)
        file = brought(str(place))
        assert file is not None
        assert file.read_bytes() == text
    assert brought(None) is None
    assert brought("terms.csv") == Path("terms.csv")


def test_weights_are_used_from_a_bucket(bucket: ObjectUri, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.weights import store
    from models.weights.catalogue import find

    revision = find("yunet").revision
    assert revision is not None
    for name in ("weights.json", "model.onnx"):  # stands in for the files, which nobody opens here
        upload_bytes(name.encode(), bucket.child("weights", "yunet", revision, name))
    monkeypatch.setenv("REDUB_WEIGHTS", str(bucket.child("weights")))
    bring_weights()
    assert (store.locate("yunet") / "model.onnx").read_bytes() == b"model.onnx"
    assert not store.present("kokoro")
    monkeypatch.setenv("REDUB_WEIGHTS", str(bucket.child("nothing")))
    with pytest.raises(BadInput, match="nothing lies there"):
        bring_weights()
    assert head(bucket.child("weights", "yunet", revision, "model.onnx")).size_bytes == 10
