"""`redub studio` and `redub studio token`, as processes, as far as they refuse or answer at once."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from studio.tokens import digest

REDUB = Path(sys.executable).parent / "redub"


def redub(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "REDUB_STATE": str(folder / "state"), "REDUB_CACHE": str(folder / "cache")}
    return subprocess.run(
        [str(REDUB), "studio", *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False
    )


def test_a_token_is_shown_once_and_its_line_can_be_kept(tmp_path: Path) -> None:
    done = redub(tmp_path, "token", "ada")
    assert done.returncode == 0
    assert done.stdout == f"ada:{digest(done.stderr.split()[-1])}\n"


def test_machines_are_told_the_same(tmp_path: Path) -> None:
    told = json.loads(redub(tmp_path, "token", "ada", "--json").stdout)
    assert told["line"] == f"ada:{digest(told['token'])}"


def test_what_would_let_anybody_in_is_refused_at_once(tmp_path: Path) -> None:
    done = redub(tmp_path, "--host", "0.0.0.0")  # noqa: S104 (what is refused)
    assert done.returncode == 2
    assert "--tokens" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_has_one_studio_and_a_port_one_listener(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "studio"
    folder.mkdir(parents=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = redub(tmp_path)
        assert done.returncode == 2
        assert "a studio stands here already" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = redub(tmp_path, "--port", str(taken.getsockname()[1]))
        assert done.returncode == 2
        assert "--port" in done.stderr
