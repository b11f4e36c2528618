import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.server import Server, prefect_server


def pytest_configure() -> None:
    """NumPy's threads spin for each other wherever another process wants the cores; as in `flows.cli.main`."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Prefect server on loopback, as the command line embeds it, but with triggers, as a standing one has.

    Prefect must not be imported before.
    """
    state: Path = tmp_path_factory.mktemp("state")
    given = {
        "REDUB_STATE": str(state),
        "REDUB_CACHE": str(state / "cache"),
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "true",
    }
    hidden = {name: os.environ.pop(name) for name in ("PREFECT_API_URL", "PREFECT_PROFILE") if name in os.environ}
    os.environ.update(given, PREFECT_HOME=str(state / "home"), PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL")
    with prefect_server() as starting:
        yield starting.ready()
    for name in given:
        os.environ.pop(name)
    os.environ.update(hidden)
