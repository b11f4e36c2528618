"""The exporter: a page for Prometheus, made anew for each scrape from records, the driver and the Prefect server.

It holds no count of its own. Runs are short-lived processes, so they leave records, and these are added up.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flows.metrics.queue import PrefectQueue, Waiting
from flows.metrics.records import Records, Totals
from infra.gpus import Gpu, gpus

_LOG = logging.getLogger(__name__)
_PAGE = "text/plain; version=0.0.4; charset=utf-8"
_HOUR_S = 3600.0


@dataclass(slots=True, eq=False)  # a registry tells its collectors apart by identity
class RedubCollector(Collector):
    """All that redub measures of itself. `price` is what an hour of this machine costs, in the operator's currency."""

    records: Records
    queue: PrefectQueue | None
    price: float | None = None
    devices: Callable[[], tuple[Gpu, ...]] = gpus

    def describe(self) -> list[Metric]:
        """Nothing: what there is, is known when it is asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Look, and give what is there."""
        totals = self.records.totals()
        yield from _work(totals)
        yield from _runs(totals)
        if self.price is not None:
            yield from _cost(totals, self.price)
        yield from _gpus(self.devices())
        if self.queue is not None:
            yield from _server(self.queue.look())


def _work(totals: Totals) -> Iterator[Metric]:
    labels = ["stage", "language"]
    yield _counter("redub_chunks", "Pieces of lectures that a stage was done with", labels, totals.pieces)
    yield _counter("redub_chunks_failed", "Of these, failed: the original was kept", labels, totals.failures)
    yield _counter("redub_cache_hits", "Of these, taken from the store", labels, totals.hits)
    misses = {at: count - totals.hits[at] for at, count in totals.pieces.items()}
    yield _counter("redub_cache_misses", "Of these, computed", labels, misses)
    yield _counter("redub_work_seconds", "Seconds of work that a stage took", labels, totals.seconds)


def _runs(totals: Totals) -> Iterator[Metric]:
    yield _counter("redub_runs_begun", "Runs that began on this machine", ["command"], totals.begun)
    yield _counter("redub_runs", "Runs that ended on this machine", ["command", "outcome"], totals.runs)
    yield _counter("redub_dubbed_seconds", "Length of the dubs that were made, in s", ["language"], totals.dubbed_s)
    yield _counter("redub_busy_seconds", "Time in which at least one run went on", [], {(): totals.busy_s})
    unreadable = GaugeMetricFamily("redub_records_unreadable", "Records of runs that this version cannot read")
    unreadable.add_metric([], totals.unreadable)
    yield unreadable


def _cost(totals: Totals, price: float) -> Iterator[Metric]:
    rate = GaugeMetricFamily("redub_price_per_hour", "What an hour of this machine costs, as the operator says")
    rate.add_metric([], price)
    yield rate
    dubbed_s = sum(totals.dubbed_s.values())
    if dubbed_s:
        cost = GaugeMetricFamily("redub_cost_per_dubbed_hour", "What an hour of dub has cost here on average")
        cost.add_metric([], price * totals.busy_s / dubbed_s)
        yield cost


def _gpus(devices: tuple[Gpu, ...]) -> Iterator[Metric]:
    labels = ["gpu", "name"]
    busy = GaugeMetricFamily("redub_gpu_busy_ratio", "Share of the last second in which it computed", labels=labels)
    used = GaugeMetricFamily("redub_gpu_memory_used_bytes", "Memory in use", labels=labels)
    total = GaugeMetricFamily("redub_gpu_memory_bytes", "Memory in all", labels=labels)
    for family, values in (
        (busy, [each.busy for each in devices]),
        (used, [each.used_bytes for each in devices]),
        (total, [each.total_bytes for each in devices]),
    ):
        for device, value in zip(devices, values, strict=True):
            if value is not None:
                family.add_metric([device.index, device.name], value)
        if family.samples:
            yield family


def _server(waiting: Waiting | None) -> Iterator[Metric]:
    answers = GaugeMetricFamily("redub_server_up", "Whether the Prefect server answers")
    answers.add_metric([], float(waiting is not None))
    yield answers
    if waiting is None:
        return
    depth = GaugeMetricFamily("redub_queue_depth", "Runs that should have begun by now", labels=["pool"])
    for pool, count in waiting.depth.items():
        depth.add_metric([pool], count)
    yield depth
    states = GaugeMetricFamily("redub_flow_runs", "Flow runs that the server knows, by state", labels=["state"])
    for state, count in waiting.states.items():
        states.add_metric([state.lower()], count)
    yield states


def _counter(name: str, about: str, labels: list[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = CounterMetricFamily(name, about, labels=labels)
    for at, value in sorted(values.items()):
        family.add_metric(list(at), value)
    return family


@dataclass(slots=True)
class Exporter:
    """Pages of a collector, made one at a time: scrapes that overlap wait for each other."""

    collector: RedubCollector
    _registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=False))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._registry.register(self.collector)

    def page(self) -> bytes:
        """What Prometheus reads."""
        with self._lock:
            began = time.perf_counter()
            page = generate_latest(self._registry)
            _LOG.debug("scraped in %.3f s", time.perf_counter() - began)
            return page

    def application(self) -> Starlette:
        """GET /metrics and /health."""

        async def metrics(_: Request) -> Response:
            return Response(await run_in_threadpool(self.page), media_type=_PAGE)

        async def health(_: Request) -> Response:
            return JSONResponse({"status": "ok"})

        return Starlette(routes=[Route("/metrics", metrics), Route("/health", health)])

    def serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        """Answer scrapes until Ctrl-C or SIGTERM, in the main thread."""

        def stop(*_: object) -> None:
            server.should_exit = True

        before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            server.run(sockets=[listener])
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
