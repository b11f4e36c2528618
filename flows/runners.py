"""Task runners: threads of the flow's process, or other processes through Dask or Ray, as the environment says.

What the tasks give does not depend on it. The journal stays in the flow's process; a batch travels with its stage, its
records and the place of the store, and its worker keeps the models that it loaded for the batches that follow.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from prefect.futures import PrefectFuture
from prefect.settings import get_current_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.runner_setting import VARIABLE, RunnerSetting, is_loopback, runner_setting
from infra.memory import ALLOCATOR
from manifests.errors import BadInput, RedubError, Unavailable

if TYPE_CHECKING:
    from distributed import LocalCluster

_CONNECT_S = 5.0


class RunnerOfTheSetting(TaskRunner[PrefectFuture[Any]]):
    """Stands for the task runner of REDUB_TASK_RUNNER, which a flow run gets when it starts.

    Where it gets none, its first task raises why: a run whose runner cannot be made at all would stay Running for ever.
    """

    def __init__(self, refusal: RedubError | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._refusal = refusal

    def duplicate(self) -> TaskRunner[Any]:  # type: ignore[override]
        """The runner itself, or one that refuses."""
        try:
            return task_runner(runner_setting(os.environ))
        except RedubError as error:
            return RunnerOfTheSetting(error)

    def submit(
        self,
        task: Any,  # noqa: ARG002 (Prefect's signature)
        parameters: dict[str, Any],  # noqa: ARG002
        wait_for: Iterable[PrefectFuture[Any]] | None = None,  # noqa: ARG002
        dependencies: dict[str, set[Any]] | None = None,  # noqa: ARG002
    ) -> NoReturn:
        """Raise why there is nobody to do it."""
        raise self._refusal or NotImplementedError("a flow run submits to what `duplicate` gave it")


def task_runner(setting: RunnerSetting) -> TaskRunner[Any]:
    """A task runner, not started. BadInput where its workers could not work; Unavailable where no cluster answers."""
    if setting.kind == "threads":
        return ThreadPoolTaskRunner(max_workers=setting.workers)
    _require_reachable(setting)
    return _dask(setting) if setting.kind == "dask" else _ray(setting)


def lost_worker(error: BaseException) -> bool:
    """Whether a task failed because the process that it ran in is gone, again and again."""
    kinds = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
    return bool(kinds & {"distributed.KilledWorker", "ray.WorkerCrashedError", "ray.RayActorError"})


def _dask(setting: RunnerSetting) -> TaskRunner[Any]:
    from prefect_dask.task_runners import DaskTaskRunner

    if setting.address is not None:
        return DaskTaskRunner(address=setting.address)

    def cluster() -> LocalCluster:
        return _local_cluster(setting.workers)

    return DaskTaskRunner(cluster_class=cluster)


def _local_cluster(workers: int) -> LocalCluster:
    """Worker processes of one thread each, heard on loopback alone; they end with this process."""
    import dask
    from distributed import LocalCluster

    # Dask itself would have them compute on one thread each. Sums may then differ from this process's in the last bit.
    with dask.config.set({"distributed.nanny.pre-spawn-environ": dict(ALLOCATOR)}):
        return LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,  # models take what they take: a worker that is paused or ended at some share helps nobody
            silence_logs=logging.ERROR,
        )


def _ray(setting: RunnerSetting) -> TaskRunner[Any]:
    """Ray is started, or met, here: where that fails inside Prefect's runner, the run would stay Running for ever.

    One that is started here ends with this process.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if setting.address is None:
        # Ray makes a loopback address into one that others reach, and listens there, but where it may form no cluster.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    import ray
    from prefect_ray.task_runners import RayTaskRunner

    local = {"num_cpus": setting.workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    if not ray.is_initialized():
        try:
            ray.init(
                setting.address or "local",
                namespace="redub",
                log_to_driver=False,
                **({} if setting.address else local),
            )
        except Exception as error:  # Ray's own are plain exceptions
            raise Unavailable(f"Ray did not start: {error}") from error
    runner: TaskRunner[Any] = RayTaskRunner()
    return runner


def _require_reachable(setting: RunnerSetting) -> None:
    """Whether a cluster answers, and whether its workers can reach the server that a run reports to."""
    place = setting.host_and_port
    if place is None:
        return
    api = urlsplit(get_current_settings().api.url or "").hostname or ""
    if not is_loopback(place[0]) and is_loopback(api):
        raise BadInput(
            f"workers at {setting.address} cannot reach a Prefect server on this machine's loopback;",
            where=VARIABLE,
            remedy="set PREFECT_API_URL to a server that they reach",
        )
    try:
        socket.create_connection(place, timeout=_CONNECT_S).close()
    except OSError as error:
        raise Unavailable(f"{VARIABLE}: nothing answers at {setting.address} ({error}); is the cluster up?") from error
