"""Notifications in all their forms, read into addresses; what is none is refused and nothing else happens."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.watch.notices import MalformedNotice, heard_in
from flows.watch.scope import VIDEO_SUFFIXES, Scope, chosen_suffixes, manifests_beside, place
from flows.watch.uploads import event_id
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput

KEYS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x7f"), min_size=1, max_size=60
).filter(lambda key: len(key.encode()) <= 1024)
BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,20}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)
# Words that the parser looks for, so that it is led further than chance would lead it.
WORDS = st.sampled_from(
    [
        *("Records", "eventName", "s3", "bucket", "name", "object", "key", "Type", "Message", "TopicArn", "Token"),
        *("detail", "detail-type", "event_type", "message", "new_entry", "is_directory", "new_parent_path"),
    ]
)
VALUES = st.sampled_from(
    ["ObjectCreated:Put", "s3:ObjectCreated:Put", "Notification", "Object Created", "create", "rename", "%ff", "a.mp4"]
)
LIKELY = st.recursive(
    JSON | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=25,
)


def record(bucket: str, key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    return {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key), "eTag": "e"}}}


def in_sns(message: object) -> dict[str, Any]:
    urls = {"SigningCertURL": "https://example.invalid/cert", "UnsubscribeURL": "https://example.invalid/out"}
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:r:1:t", "Message": json.dumps(message), **urls}


@settings(max_examples=50)
@given(bucket=BUCKETS, key=KEYS, minio=st.booleans(), enveloped=st.booleans())
def test_a_record_names_the_very_object(bucket: str, key: str, minio: bool, enveloped: bool) -> None:
    message: dict[str, Any] = {
        "Records": [record(bucket, key, "s3:ObjectCreated:Copy" if minio else "ObjectCreated:Put")]
    }
    if minio:
        message |= {"EventName": "s3:ObjectCreated:Copy", "Key": f"{bucket}/{key}"}
    heard = heard_in(json.dumps(in_sns(message) if enveloped else message))
    assert heard.objects == (ObjectUri(bucket, key),)
    assert heard.senseless == 0


@settings(max_examples=25)
@given(bucket=BUCKETS, key=KEYS)
def test_event_bridge_does_not_escape(bucket: str, key: str) -> None:
    message = {"detail-type": "Object Created", "detail": {"bucket": {"name": bucket}, "object": {"key": key}}}
    assert heard_in(json.dumps(message)).objects == (ObjectUri(bucket, key),)


@given(message=LIKELY)
def test_no_json_does_more_than_be_refused(message: object) -> None:
    body = json.dumps(message).encode()
    try:
        heard = heard_in(body)
    except MalformedNotice:
        return
    assert all(isinstance(each, ObjectUri) for each in heard.objects)


@given(body=st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    try:
        heard_in(body)
    except MalformedNotice:
        return


def test_what_is_nested_without_end_is_refused() -> None:
    with pytest.raises(MalformedNotice):
        heard_in("[" * 500_000)
    message: object = {"Records": [record("lectures", "a.mp4")]}
    for _ in range(3):
        message = in_sns(message)
    with pytest.raises(MalformedNotice):
        heard_in(json.dumps(message))


def test_removals_and_tests_tell_of_nothing() -> None:
    told = [record("lectures", "a.mp4", "ObjectRemoved:Delete"), record("lectures", "b.mp4")]
    assert heard_in(json.dumps({"Records": told})).objects == (ObjectUri("lectures", "b.mp4"),)
    assert heard_in(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})).objects == ()


@pytest.mark.parametrize("key", ["a%0Ab.mp4", "%FF.mp4", "a%00.mp4", "", "x" * 2000])
def test_a_record_without_sense_is_counted_and_the_others_are_heard(key: str) -> None:
    bad = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "lectures"}, "object": {"key": key}}}
    heard = heard_in(json.dumps({"Records": [bad, record("lectures", "b.mp4")]}))
    assert heard.objects == (ObjectUri("lectures", "b.mp4"),)
    assert heard.senseless == 1


def test_seaweed_tells_of_paths() -> None:
    def message(key: str, event: str = "create", **entry: object) -> str:
        inner = {"new_entry": {"name": "moved.mp4", **entry}, "new_parent_path": "/buckets/lectures/b"}
        return json.dumps({"event_type": event, "key": key, "message": inner})

    assert heard_in(message("/buckets/lectures/a b/c+d.mp4")).objects == (ObjectUri("lectures", "a b/c+d.mp4"),)
    assert heard_in(message("/buckets/lectures/a.mp4", "rename")).objects == (ObjectUri("lectures", "b/moved.mp4"),)
    assert heard_in(message("/buckets/lectures", is_directory=True)).objects == ()
    assert heard_in(message("/buckets/lectures/.uploads/1/1.part")).objects == ()
    assert heard_in(message("/topics/a")).objects == ()
    assert heard_in(message("/buckets/lectures/a.mp4", "delete")).objects == ()


def test_a_subscription_is_told_of_and_its_url_is_not_kept() -> None:
    asked = {
        "Type": "SubscriptionConfirmation",
        "TopicArn": "arn:t\n",
        "Token": "t1",
        "SubscribeURL": "http://a.invalid",
    }
    heard = heard_in(json.dumps(asked))
    assert heard.subscription is not None
    assert heard.subscription.topic == "arn:t"
    assert "invalid" not in repr(heard)


SCOPE = Scope(places=(place("s3://lectures/in"), place("more")), ignored=(place("s3://lectures/in/dubbed"),))


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (ObjectUri("lectures", "in/a.mp4"), None),
        (ObjectUri("more", "deep/down/B.MKV"), None),
        (ObjectUri("lectures", "inside/a.mp4"), "elsewhere"),
        (ObjectUri("other", "in/a.mp4"), "elsewhere"),
        (ObjectUri("lectures", "in/dubbed/a.mp4"), "output"),
        (ObjectUri("lectures", "in/a.redub/a.mp4"), "output"),
        (ObjectUri("lectures", f"in/cache/blobs/ab/ab{'0' * 62}.mp4"), "output"),
        (ObjectUri("lectures", f"in/cache/blobs/ab/cd{'0' * 62}.mp4"), None),
        (ObjectUri("lectures", "in/a.pdf"), "kind"),
        (ObjectUri("lectures", "in/.redub-draft.mp4"), "kind"),
        (ObjectUri("lectures", "in/a.mp4/"), "kind"),
    ],
)
def test_names_tell_lectures_from_others(uri: ObjectUri, reason: str | None) -> None:
    assert SCOPE.refusal(uri) == reason


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.fr.mp4", "a"), ("a.b.fr.burned.mp4", "a.b"), ("a.mp4", None), ("a.2024.mp4", None), ("a.fr.srt", None)],
)
def test_a_name_may_be_that_of_a_dub(name: str, stem: str | None) -> None:
    beside = manifests_beside(ObjectUri("lectures", f"week 1/{name}"))
    assert beside == (None if stem is None else ObjectUri("lectures", f"week 1/{stem}.redub/"))


def test_places_and_suffixes_are_read_as_people_write_them() -> None:
    assert place("lectures") == place("s3://lectures") == ObjectUri("lectures", "")
    assert place("s3://lectures/in") == ObjectUri("lectures", "in/")
    assert chosen_suffixes("MP4, .mkv") == (".mp4", ".mkv")
    assert chosen_suffixes(None) == VIDEO_SUFFIXES
    for wrong in ("mp4,,mkv", ""):
        with pytest.raises(BadInput):
            chosen_suffixes(wrong)
    with pytest.raises(BadInput):
        place("lectures/in")


def test_ids_are_of_bucket_key_and_etag() -> None:
    uri = ObjectUri("lectures", "a.mp4")
    assert event_id(uri, "e") == event_id(ObjectUri("lectures", "a.mp4"), "e")
    others = {event_id(uri, "f"), event_id(uri, "e", 1), event_id(ObjectUri("lectures", "a.mp"), "4e")}
    assert len(others | {event_id(uri, "e")}) == 4
