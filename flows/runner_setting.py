"""What the environment says about who runs the tasks of a flow. It needs no Prefect, so a mistake is told at once.

REDUB_TASK_RUNNER is one of

    threads             threads of the flow's own process, two of them: the default
    dask, ray           processes of this machine, two of them
    threads:4, dask:4   another number of them, ray:4 too
    dask:tcp://HOST:PORT, ray:ray://HOST:PORT, ray:HOST:PORT
                        the workers of a cluster that stands already
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Literal, get_args

from manifests.errors import BadInput

VARIABLE = "REDUB_TASK_RUNNER"
Kind = Literal["threads", "dask", "ray"]
WORKERS = 2
"""Pieces of work at once on one machine: one decodes while another computes. Each engine uses all cores by itself."""
WORKERS_ELSEWHERE = 8
"""How many a cluster is taken to have, for work to be cut into batches that keep it busy."""

_MOST_WORKERS = 64
_ADDRESS = re.compile(r"(?:[a-z]+://)?(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+):(?P<port>\d{1,5})")
_PACKAGES = {"dask": "prefect_dask", "ray": "prefect_ray"}


@dataclass(frozen=True, slots=True)
class RunnerSetting:
    """Who runs tasks: `workers` at once, on this machine or, where there is an `address`, in the cluster there."""

    kind: Kind = "threads"
    workers: int = WORKERS
    address: str | None = None

    @property
    def host_and_port(self) -> tuple[str, int] | None:
        """Where the cluster listens; None where there is none."""
        found = _ADDRESS.fullmatch(self.address or "")
        return None if found is None else (found["host"].strip("[]"), int(found["port"]))


def runner_setting(environment: Mapping[str, str]) -> RunnerSetting:
    """The setting in `environment`. BadInput for a value that says nothing, and for an extra that is not installed."""
    given = environment.get(VARIABLE, "").strip()
    if not given:
        return RunnerSetting()
    name, _, rest = given.partition(":")
    for kind in get_args(Kind):
        if name == kind:
            _require_installed(kind)
            return _with(kind, rest, given)
    raise _unknown(given)


def is_loopback(host: str) -> bool:
    """Whether only processes of this machine reach `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _with(kind: Kind, rest: str, given: str) -> RunnerSetting:
    if not rest and ":" not in given:
        return RunnerSetting(kind)
    if rest.isdecimal():
        if not 1 <= int(rest) <= _MOST_WORKERS:
            raise BadInput(
                f"{rest} is no number of {kind} workers;", where=VARIABLE, remedy=f"give 1 to {_MOST_WORKERS}"
            )
        return RunnerSetting(kind, int(rest))
    found = _ADDRESS.fullmatch(rest)
    if kind == "threads" or found is None or not 0 < int(found["port"]) < 1 << 16:
        raise _unknown(given)
    return RunnerSetting(kind, WORKERS_ELSEWHERE, rest)


def _require_installed(kind: Kind) -> None:
    if kind in _PACKAGES and find_spec(_PACKAGES[kind]) is None:
        raise BadInput(f"{kind} is not installed;", where=VARIABLE, remedy=f"pip install 'redub[{kind}]'")


def _unknown(given: str) -> BadInput:
    return BadInput(
        f"{given!r} is no task runner;",
        where=VARIABLE,
        remedy="use threads, dask or ray, with :NUMBER for so many workers; or dask:tcp://HOST:PORT, "
        "ray:ray://HOST:PORT for a cluster",
    )
