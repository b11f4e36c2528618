"""The embedded server as a process: it says where it is, and it never outlives its command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from flows.server import _listener, configured_api_url

COMMAND = """
import sys, time
from flows.server import prefect_server
with prefect_server() as starting:
    print(starting.ready().page_url, flush=True)
    time.sleep(300)
"""


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def test_it_serves_its_page_on_loopback_and_dies_with_a_killed_command(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"REDUB_STATE": str(tmp_path), "REDUB_CACHE": str(tmp_path), "HOME": str(tmp_path)}
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert command.stdout is not None
        page = command.stdout.readline().strip()
        assert page.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(page, timeout=10) as answer:
            assert b"<title>Prefect" in answer.read() or answer.status == 200
        assert answers(page)
    finally:
        os.kill(command.pid, signal.SIGKILL)
        command.wait()
    deadline = time.monotonic() + 15
    while answers(page) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not answers(page)


def test_a_server_that_is_not_told_to_go_writes_no_history_and_ends_with_its_command(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"REDUB_STATE": str(tmp_path), "REDUB_CACHE": str(tmp_path), "HOME": str(tmp_path)}
    refused = """
from flows.server import prefect_server
with prefect_server() as starting:
    print(starting._process.pid, flush=True)
    raise SystemExit(2)
"""
    ended = subprocess.run(
        [sys.executable, "-c", refused],
        capture_output=True,
        env=environment,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert not Path("/proc", ended.stdout.strip()).exists()
    assert list((tmp_path / "prefect").glob("*.db*")) == []


def test_commands_that_start_together_have_a_port_each() -> None:
    with _listener() as one, _listener() as other:
        assert one.getsockname() != other.getsockname()
        assert {one.getsockname()[0], other.getsockname()[0]} == {"127.0.0.1"}


def test_a_configured_server_is_found_in_the_environment_or_the_profile(tmp_path: Path) -> None:
    assert configured_api_url({"PREFECT_HOME": str(tmp_path)}) is None
    assert configured_api_url({"PREFECT_API_URL": "http://a/api"}) == "http://a/api"
    (tmp_path / "profiles.toml").write_text(
        'active = "b"\n[profiles.b]\nPREFECT_API_URL = "http://b/api"\n[profiles.c]\nPREFECT_API_URL = "http://c/api"\n'
    )
    assert configured_api_url({"PREFECT_HOME": str(tmp_path)}) == "http://b/api"
    assert configured_api_url({"PREFECT_HOME": str(tmp_path), "PREFECT_PROFILE": "c"}) == "http://c/api"
