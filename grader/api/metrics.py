"""Figures for Prometheus: of requests from this process's memory, of work from the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from grader.api.census import Census
from grader.store import Store, figures
from grader.store.figures import BOUNDS, Seconds, Standing


class Figures:
    """A registry of its own: two applications in one process (tests) do not share figures."""

    def __init__(self, store: Store, census: Census) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Counted(store, census))
        labels = ("method", "route")
        self._requests = Counter(
            "grader_requests",
            "Requests answered by this process.",
            (*labels, "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "grader_request_seconds",
            "How long answers took until their last byte.",
            labels,
            registry=self._registry,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note a request; ``route`` is the pattern, not the path: paths have no end."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Prometheus's text format. Raises SQLAlchemyError where the database does not answer."""
        return generate_latest(self._registry)


class _Counted(Collector):
    def __init__(self, store: Store, census: Census) -> None:
        self._store = store
        self._census = census

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Count now."""
        with self._store.read() as session:
            found = figures.standing(session)
        yield from _queues(found)
        yield _family(
            CounterMetricFamily("grader_endings", "Attempts that ended.", labels=["status"]), found.endings
        )
        yield CounterMetricFamily("grader_retries", "Attempts taken again by our fault.", value=found.retries)
        yield GaugeMetricFamily("grader_parked", "Attempts given up by our fault.", value=found.parked)
        yield _phases(found.phases)
        yield _family(
            GaugeMetricFamily("grader_deliveries", "Webhook messages by state.", labels=["state"]),
            found.deliveries,
        )
        yield _family(
            GaugeMetricFamily(
                "grader_kernels_ready", "Hosts whose warm server takes notebooks.", labels=["environment"]
            ),
            self._census.ready,
        )


def _queues(found: Standing) -> Iterator[Metric]:
    for name, says, value in (
        ("grader_queue_depth", "Attempts that wait.", {q: one.waiting for q, one in found.queues.items()}),
        (
            "grader_queue_oldest_seconds",
            "Since when the oldest waiting attempt waits.",
            {q: one.oldest_seconds for q, one in found.queues.items()},
        ),
        ("grader_running", "Attempts that run.", {q: one.running for q, one in found.queues.items()}),
    ):
        yield _family(GaugeMetricFamily(name, says, labels=["queue"]), value)


def _family(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    for label, value in values.items():
        family.add_metric([label], value)
    return family


def _phases(phases: dict[str, Seconds]) -> Metric:
    family = HistogramMetricFamily(
        "grader_seconds",
        "Attempts' seconds by phase: waiting, grading (claim to verdict), running (the notebook alone).",
        labels=["phase"],
    )
    for name, one in phases.items():
        buckets = [*zip(map(str, BOUNDS), one.counts, strict=True), ("+Inf", one.count)]
        family.add_metric([name], buckets=buckets, sum_value=one.total)
    return family
