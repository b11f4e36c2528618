"""What the receiver counts, in Prometheus's text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Counts:
    """One set of counters, of its own: nothing is shared between receivers in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._received = Counter(
            "redub_watch_received", "Objects that were told of, by way of telling", ["way"], registry=self.registry
        )
        self._refused = Counter(
            "redub_watch_refused",
            "Messages and objects that were not taken, by reason",
            ["reason"],
            registry=self.registry,
        )
        self._posted = Counter("redub_watch_posted", "Events sent to the Prefect server", registry=self.registry)
        self._again = Counter("redub_watch_posted_again", "Of these, sent once more", registry=self.registry)
        self._duplicates = Counter("redub_watch_duplicates", "Uploads that were known already", registry=self.registry)
        self._troubles = Counter(
            "redub_watch_troubles", "Attempts that failed and are repeated", ["where"], registry=self.registry
        )
        self._lag = Gauge(
            "redub_watch_lag_seconds", "Age of the oldest upload that is not posted", registry=self.registry
        )
        self._waiting = Gauge("redub_watch_waiting", "Uploads that are not posted yet", registry=self.registry)
        self._unanswered = Gauge(
            "redub_watch_unanswered", "Posted uploads that started no run yet", registry=self.registry
        )
        self._polled = Gauge(
            "redub_watch_last_poll_timestamp_seconds", "When the store was last listed", registry=self.registry
        )

    def received(self, way: str, objects: int = 1) -> None:
        """So many objects were told of; `way` is http, queue or poll."""
        self._received.labels(way).inc(objects)

    def refused(self, reason: str, times: int = 1) -> None:
        """A message or an object was not taken."""
        self._refused.labels(reason).inc(times)

    def posted(self, *, again: bool) -> None:
        """An event was sent."""
        self._posted.inc()
        if again:
            self._again.inc()

    def duplicate(self) -> None:
        """An upload was known already."""
        self._duplicates.inc()

    def trouble(self, where: str) -> None:
        """Something outside failed; it is tried again. `where` is store, server, queue or state."""
        self._troubles.labels(where).inc()

    def polled(self, at_s: float) -> None:
        """The store was listed to its end at `at_s` (Unix, s)."""
        self._polled.set(at_s)

    def page(self, *, lag_s: float, waiting: int, unanswered: int) -> bytes:
        """The page that Prometheus reads."""
        self._lag.set(lag_s)
        self._waiting.set(waiting)
        self._unanswered.set(unanswered)
        return generate_latest(self.registry)
