"""Numbers about the server itself, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.context_managers import Timer

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Meters:
    """Counters of one server; of its own registry, so that several may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "liqscape_answer_seconds", "Time to make an answer", ["command"], buckets=_SECONDS, registry=self.registry
        )
        self.clients = Gauge("liqscape_stream_clients", "Open WebSockets", registry=self.registry)
        self.sent = Counter("liqscape_stream_messages", "Messages sent to WebSockets", registry=self.registry)
        self.skipped = Counter("liqscape_stream_skipped", "Messages that slow readers did not get", registry=self.registry)
        self._requests = Counter("liqscape_requests", "Answers by status", ["status"], registry=self.registry)
        self.builds = Gauge("liqscape_maps_built", "Maps built since the start", registry=self.registry)
        self.ages = Gauge("liqscape_data_age_seconds", "Age of the newest bar", ["instrument"], registry=self.registry)
        self.store = Gauge("liqscape_store_version", "Commits of a table", ["table"], registry=self.registry)
        self.recorder = Gauge("liqscape_recorder_up", "1 while a recorder is at work", ["writer"], registry=self.registry)
        self.recorded = Gauge("liqscape_recorder_rows", "Rows it stored", ["writer", "table"], registry=self.registry)
        self.waiting = Gauge("liqscape_recorder_waiting_rows", "Rows not yet on disk", ["writer"], registry=self.registry)
        self.venues = Gauge("liqscape_recorder_venue_age_seconds", "Since a venue was heard", ["venue"], registry=self.registry)

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._requests.labels(status=str(status)).inc()

    def time(self, command: str) -> Timer:
        """Measure a block."""
        return self._seconds.labels(command=command).time()

    def text(self) -> bytes:
        """Return all meters."""
        return generate_latest(self.registry)
