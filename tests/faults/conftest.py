from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy, fault_proxy
from s3_server import S3Server, running_s3
from short_lectures import Out, dub_in_process, make_lecture


@pytest.fixture(scope="session")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lecture(tmp_path_factory.mktemp("lecture") / "lecture.mp4")


@pytest.fixture(scope="session")
def undisturbed(lecture: Path, tmp_path_factory: pytest.TempPathFactory) -> Out:
    """What a run that nothing disturbs leaves."""
    return dub_in_process(lecture, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    """The way to the store, with nothing wrong yet."""
    with fault_proxy(s3.endpoint) as proxy:
        yield proxy
