"""What a server is told once, told twice; and the slot of a device."""

from __future__ import annotations

import threading

import pytest

from flows.server import Server
from manifests.errors import BadInput, Unavailable


def test_what_is_said_twice_is_there_once(server: Server) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolUpdate

    from flows import setup

    with get_client(sync_client=True) as client:
        setup.make_pools(client)
        client.update_work_pool(setup.CPU_POOL, WorkPoolUpdate(description="the operator's own words"))
        for retries in (3, 5):
            setup.make_pools(client)
            setup.declare_gpus(client, ["rack1-0", "rack1-1"])
            for automation in setup.automations(retries):
                setup._upsert(client, automation)
        assert client.read_work_pool(setup.CPU_POOL).description == "the operator's own words"
        named = [each.name for each in client.read_automations() if each.name.startswith("redub: ")]
        assert sorted(named) == sorted([setup.VANISHED, setup.NOTICED, setup.RETRIED])
        (noticed,) = client.read_automations_by_name(setup.NOTICED)
        assert "5 times" in noticed.description
        assert client.read_global_concurrency_limit_by_name("redub-gpu-rack1-1").limit == 1
        with pytest.raises(BadInput, match="no name of a device"):
            setup.declare_gpus(client, ["rack1/0"])


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_a_crash_is_followed_by_so_many_tries_at_most(server: Server, retries: int) -> None:
    from prefect.events.schemas.automations import EventTrigger

    from flows import setup

    _, noticed, _ = setup.automations(retries)
    assert isinstance(noticed.trigger, EventTrigger)
    assert noticed.enabled == (retries > 0)
    counts = noticed.trigger.match.get("prefect.run-count")
    assert counts == [str(count) for count in range(1, max(1, retries) + 1)]


def test_silence_is_longer_than_a_heartbeat_or_two(server: Server) -> None:
    from flows.setup import SILENCE_S
    from flows.stack import HEARTBEAT_S

    assert HEARTBEAT_S >= 30  # Prefect's least
    assert SILENCE_S >= 3 * HEARTBEAT_S


def test_a_device_is_held_by_one_at_a_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.client.orchestration import get_client
    from prefect.concurrency.sync import concurrency

    from flows import gpu, setup

    monkeypatch.setenv(gpu.VARIABLE, "rack2-0")
    with pytest.raises(BadInput, match=r"no device rack2-0.*set-up --gpu rack2-0"), gpu.gpu_slot(0.0):
        pass
    with get_client(sync_client=True) as client:
        setup.declare_gpus(client, ["rack2-0"])
    held, most = [0], [0]

    def work() -> None:
        with gpu.gpu_slot(0.0):
            held[0] += 1
            most[0] = max(most[0], held[0])
            threading.Event().wait(0.1)
            held[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1]
    # The hold of another container, say, which this machine's turns know nothing of.
    with (
        concurrency("redub-gpu-rack2-0", strict=True),
        pytest.raises(Unavailable, match="stayed taken for 1 s"),
        gpu.gpu_slot(0.0, patience_s=1),
    ):
        pass


def test_a_worker_that_names_no_device_waits_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import gpu

    monkeypatch.delenv(gpu.VARIABLE, raising=False)
    with gpu.gpu_slot(0.0), gpu.gpu_slot(0.0):
        pass
