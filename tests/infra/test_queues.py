"""The queue through the real boto3, against a stand-in that speaks SQS's protocol (see sqs_stub)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from sqs_stub import SqsStub, running_sqs

from infra.queues import Queue
from manifests.errors import BadInput, Unavailable


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsStub]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with running_sqs() as stub:
        parts = urlsplit(stub.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"{parts.scheme}://{parts.netloc}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "TESTKEY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "for the tests")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield stub


def test_a_message_comes_until_it_is_done(stub: SqsStub) -> None:
    queue = Queue(stub.url)
    stub.hidden_s = 0.0
    stub.send("Vorlesung é")
    (first,) = queue.receive(1)
    (again,) = queue.receive(1)
    assert first.body == again.body == "Vorlesung é"
    queue.done(again)
    assert queue.receive(0) == ()
    assert stub.deleted == ["receipt-0"]


def test_what_passes_is_told_from_what_does_not(stub: SqsStub) -> None:
    queue = Queue(stub.url)
    stub.errors = [(400, "QueueDoesNotExist")]
    with pytest.raises(BadInput, match="no such queue"):
        queue.receive(0)
    stub.errors = [(400, "AccessDeniedException")]
    with pytest.raises(BadInput, match="access is denied"):
        queue.receive(0)
    stub.errors = [(503, "ServiceUnavailable")] * 2  # boto3 tries as often by itself
    with pytest.raises(Unavailable):
        queue.receive(0)


@pytest.mark.parametrize(
    "url", ["uploads", "ftp://sqs/1/a", "https://sqs.eu-west-1.amazonaws.com/", "arn:aws:sqs:a:1:b"]
)
def test_what_is_no_address_of_a_queue_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="no address of a queue"):
        Queue(url)


def test_the_region_is_taken_from_the_address(stub: SqsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_SQS")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    queue = Queue("https://sqs.eu-central-1.amazonaws.com/1234/uploads")
    assert queue._connected(0).meta.region_name == "eu-central-1"


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_of_another_store_has_two_names(stub: SqsStub, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv(name, "eu-north-1")
    assert Queue(stub.url)._connected(0).meta.region_name == "eu-north-1"
