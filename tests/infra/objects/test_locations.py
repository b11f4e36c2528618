"""Places: local paths and objects behind one set of functions."""

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fault_proxy import FaultProxy, cut_answer
from hypothesis import given
from hypothesis import strategies as st
from s3_server import S3Server

from infra import locations
from infra.locations import Location, fetched, held, location, publish
from infra.objects.faults import Replaced
from infra.objects.uri import ObjectUri, parse_uri
from infra.objects.writing import delete, upload_bytes
from manifests.errors import BadInput, Unavailable

KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@given(KEYS)
def test_an_address_is_taken_to_the_letter(key: str) -> None:
    uri = ObjectUri("lectures", key)
    assert parse_uri(str(uri)) == uri


@given(KEYS)
def test_a_name_is_safe_on_this_machine(key: str) -> None:
    found = locations.name(ObjectUri("lectures", key))
    assert found not in ("", ".", "..")
    assert "/" not in found
    assert len(found.encode()) < 256


@pytest.mark.parametrize(
    "text",
    ["s3://", "s3:///key", "s3://b/x", "s3:", "S3://lectures/a", "s3://lectures/a\nb", "s3://a b/c"],
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(BadInput, match="BUCKET/KEY"):
        location(text)


def test_places_are_told_apart(tmp_path: Path) -> None:
    assert location("s3://lectures/a/b.mp4") == ObjectUri("lectures", "a/b.mp4")
    assert location("s3:/lectures/a") == ObjectUri("lectures", "a")  # as pathlib leaves it
    assert location(str(tmp_path)) == tmp_path
    assert location("~/x") == Path.home() / "x"
    for place in (ObjectUri("lectures", "course"), ObjectUri("lectures", "course/"), Path("course")):
        joined = locations.join(place, "deep", "a b.fr.mp4")
        assert (locations.name(joined), locations.stem(joined), locations.suffix(joined)) == (
            "a b.fr.mp4",
            "a b.fr",
            ".mp4",
        )
        assert str(joined).endswith("course/deep/a b.fr.mp4")
        assert locations.name(locations.parent(joined)) == "deep"


def test_an_object_is_brought_once(bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path) -> None:
    place = bucket.child("Lecture 1.mp4")
    upload_bytes(b"one", place)
    first = fetched(place, tmp_path)
    assert (first.path.name, first.path.read_bytes()) == ("Lecture 1.mp4", b"one")
    locations.require_unchanged(first.version)
    proxy.clear()
    assert fetched(place, tmp_path) == first
    assert (proxy.count("GET"), proxy.count("HEAD")) == (0, 1)


def test_a_replaced_object_is_told_and_never_mixed(bucket: ObjectUri, tmp_path: Path) -> None:
    place = bucket.child("a.mp4")
    upload_bytes(b"one", place)
    first = fetched(place, tmp_path)
    upload_bytes(b"two", place)
    with pytest.raises(BadInput, match="it was replaced"):
        locations.require_unchanged(first.version)
    second = fetched(place, tmp_path)
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"one", b"two")
    assert fetched(place, tmp_path, only=first.version) == first  # the copy is here still
    with pytest.raises(Replaced):
        fetched(place, tmp_path / "elsewhere", only=first.version)
    delete(place)
    with pytest.raises(BadInput, match="it was removed"):
        locations.require_unchanged(second.version)


def test_an_old_version_is_brought_where_the_store_keeps_it(proxy: FaultProxy, tmp_path: Path, s3: S3Server) -> None:
    place = ObjectUri(s3.make_bucket("kept-versions"), "a.mp4")
    s3.client().put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration={"Status": "Enabled"})
    upload_bytes(b"one", place)
    first = locations.version_of(place)
    assert first is not None
    assert first.version_id
    upload_bytes(b"two", place)
    assert fetched(place, tmp_path, only=first).path.read_bytes() == b"one"


def test_a_replaced_file_is_told_too(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"one")
    first = fetched(file, tmp_path / "unused")
    assert first.path == file
    assert not (tmp_path / "unused").exists()
    os.utime(file, (1, 1))
    with pytest.raises(BadInput, match="it was replaced"):
        locations.require_unchanged(first.version)
    assert pickle.loads(pickle.dumps(first)) == first  # noqa: S301


def places(bucket: ObjectUri, tmp_path: Path) -> list[Location]:
    return [bucket.child("out", "a.fr.mp4"), tmp_path / "out" / "a.fr.mp4"]


@pytest.mark.parametrize("which", [0, 1], ids=["object", "file"])
def test_publishing_once(bucket: ObjectUri, tmp_path: Path, which: int) -> None:
    place = places(bucket, tmp_path)[which]
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"one")
    two.write_bytes(b"two")
    assert not locations.exists(place)
    first = publish(one, place, replace=False)
    assert first.created
    assert not publish(one, place, replace=False).created
    with pytest.raises(BadInput, match="another file stands there"):
        publish(two, place, replace=False)
    second = publish(two, place, replace=True)
    assert locations.version_of(place) == second.version
    with pytest.raises(BadInput):
        publish(one, place, replace=True, only_if=first.version)
    publish(one, place, replace=True, only_if=second.version)
    assert fetched(place, tmp_path / "cache").path.read_bytes() == b"one"
    assert locations.exists(place)


@pytest.mark.parametrize("which", [0, 1], ids=["object", "file"])
def test_of_many_publishers_one_wins(bucket: ObjectUri, tmp_path: Path, which: int) -> None:
    place = places(bucket, tmp_path)[which]
    files = []
    for number in range(6):
        files.append(tmp_path / f"{number}")
        files[-1].write_text(f"{number}")

    def attempt(file: Path) -> str | None:
        try:
            return file.name if publish(file, place, replace=False).created else None
        except BadInput:
            return None

    with ThreadPoolExecutor(6) as pool:
        won = [each for each in pool.map(attempt, files) if each]
    assert won == [fetched(place, tmp_path / "cache").path.read_text()]


def test_a_folder_is_published_with_its_last_last(bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path) -> None:
    for each in ("a.fr.mp4", "a.fr.srt", "a.redub/run.json"):
        (tmp_path / "out" / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / each).write_text(each)
    locations.publish_folder(tmp_path / "out", bucket.child("dubs"), replace=False, last=["a.fr.mp4"])
    assert [each.path.rpartition("/dubs/")[2] for each in proxy.seen if each.method == "PUT"] == [
        "a.fr.srt",
        "a.redub/run.json",
        "a.fr.mp4",
    ]
    below = [(locations.name(place), version.size_bytes) for place, version in locations.listed(bucket)]
    assert below == [("a.fr.mp4", 8), ("a.fr.srt", 8), ("run.json", 16)]
    mirror = locations.mirrored(bucket.child("dubs"), tmp_path / "mirror")
    assert (mirror / "a.redub" / "run.json").read_text() == "a.redub/run.json"
    proxy.clear()
    locations.mirrored(bucket.child("dubs"), tmp_path / "mirror")
    assert proxy.count() == 1  # the listing
    with pytest.raises(BadInput, match="nothing lies there"):
        locations.mirrored(bucket.child("elsewhere"), tmp_path / "mirror")


def test_copies_go_when_they_are_not_wanted(bucket: ObjectUri, tmp_path: Path) -> None:
    sources = []
    for number in range(3):
        upload_bytes(b"x" * 1000, bucket.child(f"{number}.mp4"))
        sources.append(fetched(bucket.child(f"{number}.mp4"), tmp_path))
        os.utime(sources[-1].path.parent, (number, number))
    with held(sources[0]):
        assert locations.trimmed(tmp_path, most_bytes=1500) == 2000
        assert [source.path.exists() for source in sources] == [True, False, False]
    assert locations.trimmed(tmp_path, most_bytes=0) == 1000
    with pytest.raises(Unavailable, match="make room"), held(sources[0]):
        pass


def test_probing_reads_little(bucket: ObjectUri, proxy: FaultProxy, tmp_path: Path) -> None:
    """PyAV finds length and streams through ranges, with the index at the end, as cameras write it."""
    import av

    from infra.objects.writing import upload

    file = tmp_path / "lecture.mp4"
    with av.open(str(file), "w") as out:
        stream = out.add_stream("mpeg4", rate=1)
        stream.width, stream.height = 64, 64
        for number in range(60):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    content = file.read_bytes()
    # Room in the middle, as hours of packets would take: a `free` box before the index, which lies at the end.
    at = content.rindex(b"moov") - 4
    padding = 24 << 20
    file.write_bytes(content[:at] + padding.to_bytes(4, "big") + b"free" + bytes(padding - 8) + content[at:])
    place = bucket.child("lecture.mp4")
    upload(file, place)
    proxy.clear()
    with locations.opened(place) as opened, av.open(opened) as container:
        assert container.duration == 60 * av.time_base
        assert container.streams.video[0].width == 64
    # Sent is more than what was read: the sockets of an answer that is broken off hold up to some megabytes.
    assert proxy.bytes_sent("GET") < padding / 4
    proxy.fault(cut_answer(1000), method="GET", times=2)
    with locations.opened(place) as opened, av.open(opened) as container:
        assert sum(1 for _ in container.decode(video=0)) == 60


def test_a_source_replaced_under_the_decoder_is_told(bucket: ObjectUri) -> None:
    import av

    place = bucket.child("a.mp4")
    upload_bytes(b"x" * 100_000, place)
    with locations.opened(place) as opened:
        upload_bytes(b"y" * 100_000, place)
        with pytest.raises(Replaced):
            av.open(opened)
