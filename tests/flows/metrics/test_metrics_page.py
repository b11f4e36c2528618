"""The exporter over HTTP: counters out of records of runs, the same after a restart; devices; the server's queue."""

from __future__ import annotations

import dataclasses
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows.metrics.exporter import Exporter, RedubCollector
from flows.metrics.queue import PrefectQueue
from flows.metrics.records import Records, covered_s
from flows.server import Server
from infra.gpus import Gpu, gpus
from manifests.time import Span
from tasks.journal import Entry
from tasks.runs import GOING, LanguageOutcome, RunRecord, begin_record, record_files, write_record

ROOT = Path(__file__).parents[3]
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def entry(stage: str, language: str | None = None, *, hit: bool = False, failure: str = "") -> Entry:
    return Entry(stage=stage, language=language, span=Span(0, 1), key="k", hit=hit, seconds=2.0, failure=failure)


def outcome(language: str) -> LanguageOutcome:
    return LanguageOutcome(
        language=language,
        files=("a.mp4",),
        copied_frames=1,
        rendered_frames=1,
        lip_frames=0,
        loudness_lufs=None,
        degradations=(),
    )


WHOLE = RunRecord(
    name="",
    command="dub",
    source="a.mp4",
    source_duration_s=1800.0,
    started="2026-11-29T12:00:00+00:00",
    seconds=600.0,
    outcome="finished",
    page="",
    entries=(entry("listen"), entry("listen", hit=True), entry("lips", "fr", failure="lost"), entry("assemble", "fr")),
    languages=(outcome("fr"),),
)


def samples(page: bytes) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def scraped(price: float | None = None, devices: tuple[Gpu, ...] = ()) -> Samples:
    collector = RedubCollector(Records(), None, price, lambda: devices)
    return samples(Exporter(collector).page())


def at(name: str, /, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REDUB_STATE", str(tmp_path))
    return tmp_path


def test_counters_are_added_up_from_the_records_of_runs(state: Path) -> None:
    begin_record(WHOLE, "a")
    begin_record(dataclasses.replace(WHOLE, outcome="a.mp4: it cannot be read;", entries=(), languages=()), "b")
    found = scraped()
    assert found[at("redub_chunks_total", stage="listen", language="")] == 2
    assert found[at("redub_cache_hits_total", stage="listen", language="")] == 1
    assert found[at("redub_cache_misses_total", stage="listen", language="")] == 1
    assert found[at("redub_chunks_failed_total", stage="lips", language="fr")] == 1
    assert found[at("redub_work_seconds_total", stage="listen", language="")] == 4
    assert found[at("redub_runs_total", command="dub", outcome="finished")] == 1
    assert found[at("redub_runs_total", command="dub", outcome="failed")] == 1
    assert found[at("redub_dubbed_seconds_total", language="fr")] == 1800


def test_a_dub_that_came_out_of_the_cache_is_dubbed_once(state: Path) -> None:
    begin_record(WHOLE, "a")
    begin_record(dataclasses.replace(WHOLE, entries=(entry("assemble", "fr", hit=True),)), "a")
    assert scraped()[at("redub_dubbed_seconds_total", language="fr")] == 1800


def test_a_run_counts_while_it_goes_on_and_no_counter_falls_as_it_ends(state: Path) -> None:
    records = Records()
    exporter = Exporter(RedubCollector(records, None, None, tuple))
    going = begin_record(dataclasses.replace(WHOLE, outcome=GOING, languages=(), entries=WHOLE.entries[:1]), "a")
    before = samples(exporter.page())
    assert before[at("redub_chunks_total", stage="listen", language="")] == 1
    assert at("redub_runs_total", command="dub", outcome="finished") not in before
    write_record(dataclasses.replace(WHOLE, name=going.name), None)
    os.utime(record_files()[0], ns=(1, 1))  # another time than before, however coarse the clock
    after = samples(exporter.page())
    assert after[at("redub_runs_total", command="dub", outcome="finished")] == 1
    assert all(after[name] >= value for name, value in before.items())
    assert samples(Exporter(RedubCollector(Records(), None, None, tuple)).page()) == after  # started again


def test_a_record_that_is_gone_still_counts(state: Path) -> None:
    exporter = Exporter(RedubCollector(Records(), None, None, tuple))
    begin_record(WHOLE, "a")
    before = samples(exporter.page())
    record_files()[0].unlink()
    assert samples(exporter.page()) == before


def test_a_record_of_another_version_is_counted_as_one_that_cannot_be_read(state: Path) -> None:
    begin_record(WHOLE, "a")
    (state / "runs" / "old-1.json").write_text('{"name": "old-1"}')
    found = scraped()
    assert found[at("redub_records_unreadable")] == 1
    assert found[at("redub_runs_begun_total", command="dub")] == 1


def test_an_hour_of_dub_costs_what_the_machine_cost_meanwhile(state: Path) -> None:
    """Two runs side by side take the machine once; half an hour of dub each."""
    begin_record(WHOLE, "a")
    begin_record(dataclasses.replace(WHOLE, started="2026-11-29T12:05:00+00:00"), "b")
    found = scraped(price=4.0)
    assert found[at("redub_busy_seconds_total")] == 900
    assert found[at("redub_price_per_hour")] == 4.0
    assert found[at("redub_cost_per_dubbed_hour")] == pytest.approx(4.0 * 900 / 3600)
    assert at("redub_cost_per_dubbed_hour") not in scraped()


def test_time_that_spans_share_is_counted_once() -> None:
    assert covered_s([(5, 8), (0, 4), (1, 2), (3, 6)]) == 8
    assert covered_s([]) == 0


def test_gpus_are_told_where_there_are_any(state: Path) -> None:
    devices = (
        Gpu(index="0", name="A", busy=0.25, used_bytes=1 << 30, total_bytes=2 << 30),
        Gpu(index="1", name="A", busy=None, used_bytes=None, total_bytes=None),
    )
    found = scraped(devices=devices)
    assert found[at("redub_gpu_busy_ratio", gpu="0", name="A")] == 0.25
    assert found[at("redub_gpu_memory_used_bytes", gpu="0", name="A")] == 1 << 30
    assert at("redub_gpu_busy_ratio", gpu="1", name="A") not in found
    assert not [name for name, _ in scraped() if name.startswith("redub_gpu")]


def test_the_drivers_own_program_is_read(tmp_path: Path) -> None:
    """A stand-in for the program of NVIDIA's driver, which machines without a GPU lack."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, NVIDIA H200, 37, 1024, 143771'\necho '1, NVIDIA H200, [N/A], 0, 143771'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    first, second = gpus(str(program))
    assert (first.name, first.busy, first.used_bytes) == ("NVIDIA H200", 0.37, 1 << 30)
    assert second.busy is None
    program.write_text("#!/bin/sh\nexit 9\n")
    assert gpus(str(program)) == ()
    assert gpus(str(tmp_path / "none")) == ()


@contextmanager
def exporting(environment: dict[str, str]) -> Iterator[str]:
    """`redub metrics` as a process; where it listens."""
    command = [sys.executable, "-c", "from flows.cli.main import main; main()", "metrics", "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **environment})
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split('"url": "')[1].split('"')[0]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_the_command_answers_on_loopback_and_is_the_same_after_a_restart(state: Path) -> None:
    begin_record(WHOLE, "a")
    pages = []
    for _ in range(2):
        with exporting({"REDUB_STATE": str(state), "REDUB_PRICE": "1.5", "PREFECT_API_URL": ""}) as url:
            assert url.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
                pages.append(samples(answer.read()))
    assert pages[0] == pages[1]
    assert pages[0][at("redub_price_per_hour")] == 1.5
    assert not [name for name, _ in pages[0] if name.startswith(("redub_queue", "redub_server"))]


def test_the_queue_of_each_pool_is_asked_of_the_server(server: Server, state: Path) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.states import Scheduled

    @flow(name="never-run")
    def waits() -> None:
        """Never run."""

    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="counted", type="process"))
        made = client.create_deployment(client.create_flow(waits), name="counted", work_pool_name="counted")
        late = [client.create_flow_run_from_deployment(made, tags=["redub"]) for _ in range(2)]
        tomorrow = Scheduled(scheduled_time=_in_a_day())
        client.create_flow_run_from_deployment(made, state=tomorrow)
    queue = PrefectQueue(server.api_url, {})
    found = samples(Exporter(RedubCollector(Records(), queue, None, tuple)).page())
    assert found[at("redub_server_up")] == 1
    assert found[at("redub_queue_depth", pool="counted")] == len(late)
    assert found[at("redub_flow_runs", state="scheduled")] >= len(late)


def test_a_server_that_is_away_is_told_and_the_rest_stays(state: Path) -> None:
    begin_record(WHOLE, "a")
    queue = PrefectQueue("http://127.0.0.1:9/api", {"PREFECT_API_AUTH_STRING": "redub:secret"})
    found = samples(Exporter(RedubCollector(Records(), queue, None, tuple)).page())
    assert found[at("redub_server_up")] == 0
    assert found[at("redub_runs_begun_total", command="dub")] == 1


def _in_a_day() -> object:
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC) + timedelta(days=1)
