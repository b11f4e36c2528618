"""What object stores send when something was written, read into addresses of objects.

Amazon's and MinIO's records, EventBridge's events, SeaweedFS's webhooks, each also inside an SNS envelope. Only *where*
something was written is believed: what lies there is asked of the store. No address of the web in a message is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from infra.objects.uri import ObjectUri
from manifests.errors import BadInput

_ENVELOPES = 2
_CREATED = "ObjectCreated:"
_BUCKETS = "/buckets/"


class MalformedNotice(ValueError):
    """This is no notification of any known kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A topic of SNS asks whether it may send here. A person answers, with the topic's own tools."""

    topic: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a message tells of: objects that were written, how many records made no sense, a topic's question."""

    objects: tuple[ObjectUri, ...] = ()
    senseless: int = 0
    subscription: Subscription | None = None


def heard_in(body: bytes | str) -> Heard:
    """What `body` tells of; nothing where it tells of removals or is a test. MalformedNotice where it is none."""
    return _heard(_loaded(body), _ENVELOPES)


def _loaded(body: bytes | str) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedNotice("it is not JSON") from error
    if not isinstance(message, dict):
        raise MalformedNotice("it is no JSON object")
    return message


def _heard(message: dict[str, Any], envelopes: int) -> Heard:
    kind = message.get("Type")
    if kind == "Notification" and isinstance(message.get("Message"), str) and envelopes:
        return _heard(_loaded(message["Message"]), envelopes - 1)
    if kind == "SubscriptionConfirmation" and "TopicArn" in message:
        topic, token = message["TopicArn"], message.get("Token")
        return Heard(subscription=Subscription(topic=_printable(topic), token=_printable(token)))
    if kind == "UnsubscribeConfirmation" or message.get("Event") == "s3:TestEvent":
        return Heard()
    if isinstance(message.get("Records"), list):
        return _gathered(_from_record(record) for record in message["Records"])
    if "detail-type" in message:
        return _gathered([_from_event_bridge(message)])
    if "event_type" in message and isinstance(message.get("key"), str):
        return _gathered([_from_seaweed(message)])
    raise MalformedNotice("it is no notification of an object store")


def _printable(text: object) -> str:
    return "".join(each for each in str(text) if each.isprintable())[:512]


def _gathered(found: Iterable[ObjectUri | MalformedNotice | None]) -> Heard:
    objects: dict[ObjectUri, None] = {}
    senseless = 0
    for each in found:
        if isinstance(each, MalformedNotice):
            senseless += 1
        elif each is not None:
            objects[each] = None
    return Heard(objects=tuple(objects), senseless=senseless)


def _from_record(record: object) -> ObjectUri | MalformedNotice | None:
    """Amazon's record, which MinIO and others copy; its keys are escaped as in a form."""
    if not isinstance(record, dict) or not isinstance(record.get("eventName"), str):
        return MalformedNotice("a record has no eventName")
    if not record["eventName"].removeprefix("s3:").startswith(_CREATED):
        return None
    try:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"], errors="strict")
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return MalformedNotice("a record names no object")
    return _uri(bucket, key)


def _from_event_bridge(message: dict[str, Any]) -> ObjectUri | MalformedNotice | None:
    if message["detail-type"] != "Object Created":
        return None
    try:
        return _uri(message["detail"]["bucket"]["name"], message["detail"]["object"]["key"])
    except (KeyError, TypeError):
        return MalformedNotice("an event names no object")


def _from_seaweed(message: dict[str, Any]) -> ObjectUri | MalformedNotice | None:
    """SeaweedFS tells of paths in its filer: folders, parts and all; a key is not escaped."""
    inner = message.get("message")
    entry = inner.get("new_entry") if isinstance(inner, dict) else None
    if message["event_type"] not in ("create", "update", "rename") or not isinstance(entry, dict):
        return None
    if entry.get("is_directory"):
        return None
    path = message["key"]
    if message["event_type"] == "rename":
        path = f"{inner.get('new_parent_path')}/{entry.get('name')}" if isinstance(inner, dict) else path
    bucket, _, key = path.removeprefix(_BUCKETS).partition("/")
    if not path.startswith(_BUCKETS) or not key or key.startswith(".uploads/"):
        return None
    return _uri(bucket, key)


def _uri(bucket: object, key: object) -> ObjectUri | MalformedNotice:
    if not isinstance(bucket, str) or not isinstance(key, str) or not key:
        return MalformedNotice("bucket and key are no text")
    if any(ord(each) < 32 or ord(each) == 127 or 0xD800 <= ord(each) < 0xE000 for each in key):
        return MalformedNotice("a key holds control characters")
    try:
        return ObjectUri(bucket, key)
    except BadInput as error:
        return MalformedNotice(str(error))
