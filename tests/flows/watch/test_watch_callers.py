"""Who is let in, and what a receiver on a real socket does with those who are not: wrong, slow, large, many."""

from __future__ import annotations

import base64
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from watch_receiver import get, post, receiving, until

from flows.watch.callers import Rate, is_signed, secrets_in, shows_secret, signature
from flows.watch.receiver import Limits
from flows.watch.scope import Scope, place
from flows.watch.watching import Watch, WatchPlan
from infra.objects.reading import ObjectVersion
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput, NoSpace

SECRET = secrets.token_urlsafe(32)
OLD = secrets.token_urlsafe(32)
SCOPE = Scope(places=(place("lectures"),))
LIMITS = Limits(body_bytes=4096, body_s=0.6, header_s=0.6, connections=16)


class NoServer:
    """A stand-in for the Prefect server that takes everything and remembers it."""

    def __init__(self) -> None:
        self.posted: list[str] = []

    def post(self, upload: Any, identity: object) -> None:
        self.posted.append(upload.uri.key)

    def is_known(self, identity: object) -> bool:
        return False

    def is_answered(self, identity: object) -> bool:
        return True

    def has_run(self, uri: object, since_s: float) -> bool:
        return True


def notice(key: str = "a.mp4", bucket: str = "lectures") -> dict[str, Any]:
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}


@pytest.fixture(scope="module")
def server() -> NoServer:
    return NoServer()


@pytest.fixture(scope="module")
def watch(server: NoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    def find(uri: ObjectUri) -> ObjectVersion:
        return ObjectVersion(uri=uri, etag="e", size_bytes=9)

    patch = pytest.MonkeyPatch()
    patch.setattr("flows.watch.watching.find", find)  # no store here: every object is there
    plan = WatchPlan(
        scope=SCOPE, folder=tmp_path_factory.mktemp("state"), secrets=(SECRET, OLD), port=0, poll_s=0, limits=LIMITS
    )
    with receiving(plan, connect=lambda: nullcontext(server)) as watch:
        yield watch
    patch.undo()


def count(watch: Watch, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(get(watch.port, "/metrics")[1])
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


@pytest.mark.parametrize("secret", [pytest.param(SECRET, id="new"), pytest.param(OLD, id="old")])
def test_a_secret_lets_in_however_a_store_can_show_it(watch: Watch, server: NoServer, secret: str) -> None:
    basic = base64.b64encode(f"anyone:{secret}".encode()).decode()
    ways = [
        {"X_Redub_Secret": secret},
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"Basic {basic}"},
        {"X_Redub_Signature": signature(secret, json.dumps(notice()).encode(), time.time())},
    ]
    assert [post(watch.port, notice(), **way) for way in ways] == [202] * 4
    until(lambda: "a.mp4" in server.posted)
    assert server.posted.count("a.mp4") == 1


def test_nobody_else_is_let_in(watch: Watch, server: NoServer) -> None:
    before = count(watch, "redub_watch_refused_total", reason="caller")
    body = json.dumps(notice("evil.mp4")).encode()
    signed = signature(SECRET, body, time.time())
    ways: list[dict[str, str]] = [
        {},
        {"X_Redub_Secret": SECRET[:-1]},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic !!!"},
        {"Authorization": f"Basic {base64.b64encode(SECRET.encode()).decode()}"},
        {"X_Redub_Signature": signed[:-1] + ("0" if signed[-1] != "0" else "1")},
        {"X_Redub_Signature": signature(SECRET, body, time.time() - 3600)},
        {"X_Redub_Signature": signature(SECRET, b"another body", time.time())},
    ]
    assert [post(watch.port, body, **way) for way in ways] == [401] * len(ways)
    assert count(watch, "redub_watch_refused_total", reason="caller") == before + len(ways)
    assert "evil.mp4" not in server.posted


def test_what_is_no_notification_or_from_elsewhere_starts_nothing(watch: Watch, server: NoServer) -> None:
    assert post(watch.port, b"{", X_Redub_Secret=SECRET) == 400
    assert post(watch.port, {"hello": "there"}, X_Redub_Secret=SECRET) == 400
    assert post(watch.port, notice("b.mp4", "other"), X_Redub_Secret=SECRET) == 202
    assert post(watch.port, notice("b.pdf"), X_Redub_Secret=SECRET) == 202
    assert count(watch, "redub_watch_refused_total", reason="elsewhere") == 1
    assert not {"b.mp4", "b.pdf"} & set(server.posted)
    assert get(watch.port, "/notifications")[0] == 405


def exchange(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Send bytes as they are; gives what comes back until the connection ends."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        came = b""
        with suppress(ConnectionResetError):
            while more := connection.recv(4096):
                came += more
        return came


HEAD = f"POST /notifications HTTP/1.1\r\nHost: a\r\nX-Redub-Secret: {SECRET}\r\n".encode()


def test_a_body_may_not_be_long_announced_or_not(watch: Watch) -> None:
    assert b" 413 " in exchange(watch.port, HEAD + b"Content-Length: 1000000\r\n\r\n")
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    assert b" 413 " in exchange(watch.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 5)


def test_clients_may_not_be_slow_in_header_or_body(watch: Watch) -> None:
    began = time.monotonic()
    assert exchange(watch.port) == b"", "a client that says nothing"
    assert exchange(watch.port, b"POST /notifications HTTP/1.1\r\nHost: a\r\n") == b"", "one that stops in its header"
    assert b" 408 " in exchange(watch.port, HEAD + b"Content-Length: 100\r\n\r\n", b"{")
    trickle = (b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /li")
    assert exchange(watch.port, *trickle).count(b" 200 ") == 1, "one that is quick first and slow then"
    assert time.monotonic() - began < 8
    assert get(watch.port, "/live")[0] == 200


def test_a_long_header_is_refused(watch: Watch) -> None:
    assert b" 400 " in exchange(watch.port, b"GET /live HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n")


def test_idle_connections_do_not_keep_others_out_for_long(watch: Watch) -> None:
    idle = [socket.create_connection(("127.0.0.1", watch.port)) for _ in range(40)]
    try:
        until(lambda: get(watch.port, "/live")[0] == 200, limit_s=5)
    finally:
        for each in idle:
            each.close()


def test_no_address_in_a_message_is_visited(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    visits: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(1.0)

        def wait() -> None:
            with suppress(TimeoutError):
                visits.append(trap.accept())

        thread = threading.Thread(target=wait)
        thread.start()
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/"
        asked = {
            "Type": "SubscriptionConfirmation",
            "TopicArn": "arn:aws:sns:r:1:uploads",
            "Token": "t",
            "SubscribeURL": url,
        }
        assert post(watch.port, {**asked, "SigningCertURL": url}, X_Redub_Secret=SECRET) == 202
        assert post(watch.port, {**notice("c.mp4"), "responseElements": url}, X_Redub_Secret=SECRET) == 202
        thread.join()
    assert visits == []
    assert "confirm-subscription --topic-arn arn:aws:sns:r:1:uploads" in caplog.text


def test_where_records_cannot_be_kept_the_sender_is_asked_to_come_again(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NoSpace("the disk is full")

    monkeypatch.setattr(watch.ledger, "hear", full)
    assert post(watch.port, notice("d.mp4"), X_Redub_Secret=SECRET) == 503


def test_metrics_are_such_as_prometheus_reads(watch: Watch) -> None:
    families = {each.name: each for each in text_string_to_metric_families(get(watch.port, "/metrics")[1])}
    assert {"redub_watch_received", "redub_watch_refused", "redub_watch_posted", "redub_watch_duplicates"} <= set(
        families
    )
    assert families["redub_watch_lag_seconds"].type == "gauge"
    assert SECRET not in get(watch.port, "/metrics")[1]


def test_too_many_requests_are_refused(tmp_path: Path) -> None:
    plan = WatchPlan(
        scope=SCOPE, folder=tmp_path, secrets=(SECRET,), port=0, poll_s=0, limits=Limits(per_s=0.1, burst=3)
    )
    with receiving(plan, connect=lambda: nullcontext(NoServer())) as watch:
        assert [post(watch.port, {}, X_Redub_Secret=OLD) for _ in range(5)] == [401, 401, 401, 429, 429]


@given(st.lists(st.floats(0, 3), max_size=60))
def test_a_rate_is_never_exceeded(gaps: list[float]) -> None:
    rate, now, allowed = Rate(2.0, 5), 0.0, []
    for gap in gaps:
        now += gap
        if rate.allows("a", now):
            allowed.append(now)
    for first, start in enumerate(allowed):
        for count, end in enumerate(allowed[first:], 1):
            assert count <= 5 + 2.0 * (end - start) + 1e-6
    assert rate.allows("b", now)


@given(body=st.binary(max_size=50), other=st.binary(max_size=50), late=st.integers(-900, 900))
def test_a_signature_is_of_one_body_and_time(body: bytes, other: bytes, late: int) -> None:
    headers = {"x-redub-signature": signature(SECRET, body, 10_000)}
    assert is_signed(headers, body, (OLD, SECRET), 10_000 + late) == (abs(late) <= 300)
    assert is_signed(headers, other, (SECRET,), 10_000) == (body == other)
    assert not is_signed(headers, body, (), 10_000)


@given(st.dictionaries(st.sampled_from(["authorization", "x-redub-secret"]), st.text(max_size=30)))
def test_no_header_but_the_secret_shows_it(headers: dict[str, str]) -> None:
    assert not shows_secret(headers, (SECRET,))
    assert not shows_secret(headers, ())


def test_secrets_are_long_and_a_receiver_for_others_needs_one(tmp_path: Path) -> None:
    assert secrets_in(f"{SECRET}, {OLD}\n") == (SECRET, OLD)
    assert secrets_in("") == ()
    with pytest.raises(BadInput, match="too short"):
        secrets_in("secret")
    with pytest.raises(BadInput, match="without a secret"):
        WatchPlan(scope=SCOPE, folder=tmp_path, host="0.0.0.0")  # noqa: S104 (it is refused)
    with pytest.raises(BadInput, match="ever be heard"):
        WatchPlan(scope=SCOPE, folder=tmp_path, poll_s=0)
    with pytest.raises(BadInput, match="no bucket"):
        WatchPlan(scope=Scope(places=()), folder=tmp_path)


def test_a_port_that_is_taken_is_told_of(watch: Watch, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing can listen there"):
        Watch(WatchPlan(scope=SCOPE, folder=tmp_path, port=watch.port))
    assert re.match(r"[0-9]+", str(watch.port))
