import os
from collections.abc import Iterator
from itertools import count

import pytest
from fault_proxy import FaultProxy, fault_proxy
from s3_server import S3Server, running_s3

from infra.objects.uri import ObjectUri

_NAMES = count()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def proxied(s3: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(s3.endpoint) as proxy:
        yield proxy


@pytest.fixture
def proxy(s3: S3Server, proxied: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> FaultProxy:
    """The way to the store, with nothing wrong yet; the environment leads there."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "REDUB_S3_"))]:
        monkeypatch.delenv(name)
    for name, value in s3.environment(proxied.endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDUB_S3_PATIENCE_S", "10")
    proxied.clear()
    return proxied


@pytest.fixture(scope="session")
def lectures(s3: S3Server) -> str:
    return s3.make_bucket("lectures")


@pytest.fixture
def bucket(lectures: str, proxy: FaultProxy) -> ObjectUri:
    """A prefix below which nothing is yet: each bucket of its own would take the server a second."""
    return ObjectUri(lectures, f"test-{next(_NAMES)}")
