"""Metrics for Prometheus. Labels name statuses, codes and kinds of work; never a person, team or key.

With several processes on one machine, the library keeps each process's numbers in a file, and whichever of
them is asked adds all up.
"""

import os
import time
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Command
from loopwright.server.refusal import Refusal
from loopwright.server.store.brakes import BrakeState, count_brakes
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.jobs import JobCount, count_jobs
from loopwright.server.store.relays import RelayRow, load_relays
from loopwright.server.store.runs import load_overdue
from loopwright.server.store.warm_ups import count_put_off

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
COUNT_EVERY_SECONDS = 5.0
"""Waiting jobs are counted no more often than this, however often somebody asks."""


class Metrics:
    """What one process has seen. Every room reports here; `text` is what Prometheus gets."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "loopwright_requests", "Answers, by their status.", ["status"], registry=registry
        )
        # Looking a label up takes longer than counting.
        self._requests_by_status: dict[int, Counter] = {}
        self._refusals = Counter(
            "loopwright_refusals", "Requests refused, by the code of the answer.", ["code"], registry=registry
        )
        self._request_seconds = Histogram(
            "loopwright_request_seconds", "From request to answer.", buckets=SECONDS, registry=registry
        )
        self._ended = Counter(
            "loopwright_connections_ended",
            "Connections that the server ended, by the reason.",
            ["reason"],
            registry=registry,
        )
        self._commands = Counter(
            "loopwright_commands",
            "Events and other writes: accepted, or refused with that code.",
            ["command", "outcome"],
            registry=registry,
        )
        self._batch_size = Histogram(
            "loopwright_batch_commands",
            "Writes that were committed together.",
            buckets=BATCH_SIZES,
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "loopwright_batch_seconds",
            "From loading a batch to its commit.",
            buckets=SECONDS,
            registry=registry,
        )
        self._jobs = Counter(
            "loopwright_jobs_done", "Jobs, by their kind and outcome.", ["job", "outcome"], registry=registry
        )
        self._job_seconds = Histogram(
            "loopwright_job_seconds", "What a job took.", ["job"], buckets=SECONDS, registry=registry
        )
        # Looking labels up takes longer than counting, and there are few.
        self._jobs_of = lru_cache(64)(self._jobs.labels)
        self._job_seconds_of = lru_cache(64)(self._job_seconds.labels)
        self._waiting = Gauge(
            "loopwright_waiting_commands",
            "Writes that wait for a batch.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._waiting_seconds = Gauge(
            "loopwright_waiting_seconds",
            "For how long the first of them has waited.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._connections = Gauge(
            "loopwright_pool_connections",
            "Connections to PostgreSQL: in use, idle, and at most.",
            ["pool", "state"],
            registry=registry,
            multiprocess_mode="livesum",
        )

    def answered(self, status: int, code: str | None, seconds: float) -> None:
        """A request was answered; `code` is that of a refusal."""
        counter = self._requests_by_status.get(status)
        if counter is None:
            counter = self._requests_by_status[status] = self._requests.labels(status)
        counter.inc()
        self._request_seconds.observe(seconds)
        if code is not None:
            self._refusals.labels(code).inc()

    def connection_ended(self, reason: str) -> None:
        """A connection was ended."""
        self._ended.labels(reason).inc()

    def batch_done(self, commands: Sequence[Command], outcomes: Sequence[object], seconds: float) -> None:
        """Commands were committed together, or refused."""
        self._batch_size.observe(len(commands))
        self._batch_seconds.observe(seconds)
        pairs = zip(commands, outcomes, strict=True)
        for (kind, outcome), count in Tally((type(one), _spoken(outcome)) for one, outcome in pairs).items():
            self._commands.labels(kind.__name__, outcome).inc(count)

    def job_done(self, job: str, outcome: str, seconds: float) -> None:
        """A job ended: `done`, or `failed` and to be tried again."""
        self._jobs_of(job, outcome).inc()
        self._job_seconds_of(job).observe(seconds)

    def sample(self, ingest: Ingest, pools: Mapping[str, Pool]) -> None:
        """Note what waits in this process now."""
        count, seconds = ingest.waiting()
        self._waiting.set(count)
        self._waiting_seconds.set(seconds)
        for name, pool in pools.items():
            self._connections.labels(name, "used").set(pool.get_size() - pool.get_idle_size())
            self._connections.labels(name, "idle").set(pool.get_idle_size())
            self._connections.labels(name, "limit").set(pool.get_max_size())

    def text(self) -> bytes:
        """All of it in Prometheus' text format, of every process of this server."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


class JobMetrics:
    """What waits in the queue of jobs and how relays are, which all processes on all machines share."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._counted_at = -COUNT_EVERY_SECONDS
        self._counts: list[JobCount] = []
        self._relays: Sequence[RelayRow] = ()
        self._overdue = 0
        self._brakes: Mapping[BrakeState, int] = {}
        self._put_off = 0

    async def text(self) -> bytes:
        """Numbers of at most five seconds ago; none while the database is away."""
        now = time.monotonic()
        if now - self._counted_at >= COUNT_EVERY_SECONDS:
            self._counted_at = now
            try:
                async with self._pool.acquire() as tx:
                    moment = self._clock.now()
                    self._counts = await count_jobs(tx, now=moment)
                    self._relays = await load_relays(tx)
                    overdue = await load_overdue(tx, now=moment)
                    self._overdue = overdue.count if overdue else 0
                    self._brakes = await count_brakes(tx)
                    self._put_off = await count_put_off(tx)
            except AWAY:
                self._counts, self._relays, self._overdue, self._brakes, self._put_off = [], (), 0, {}, 0
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> list[Metric]:
        """For the library."""
        waiting = GaugeMetricFamily(
            "loopwright_jobs",
            "Jobs, by kind: due, later, taken, held until something is mended, or failed for good.",
            labels=["job", "state"],
        )
        age = GaugeMetricFamily(
            "loopwright_jobs_due_seconds", "For how long the first due job has waited.", labels=["job"]
        )
        for one in self._counts:
            waiting.add_metric([one.entrypoint, one.state], one.count)
            if one.state == "due":
                age.add_metric([one.entrypoint], one.seconds)
        relays = GaugeMetricFamily(
            "loopwright_relay_state", "Processes that find their SMTP server so.", labels=["state"]
        )
        for state in ("up", "slow", "down"):
            relays.add_metric([state], sum(relay.condition == state for relay in self._relays))
        overdue = GaugeMetricFamily(
            "loopwright_runs_overdue",
            "Contacts in workflows who were to go on more than five minutes ago.",
            value=self._overdue,
        )
        brakes = GaugeMetricFamily(
            "loopwright_brakes",
            "Campaigns and workflows of which too much comes back: braked, or nearly so and warned of.",
            labels=["state"],
        )
        brakes.add_metric(["warned"], self._brakes.get("warned", 0))
        brakes.add_metric(["braked"], self._brakes.get("braked", 0))
        put_off = GaugeMetricFamily(
            "loopwright_warm_up_waiting",
            "Emails in the queue that wait for their turn by a warm-up plan.",
            value=self._put_off,
        )
        return [waiting, age, relays, overdue, brakes, put_off]


def _spoken(outcome: object) -> str:
    if isinstance(outcome, Refusal):
        return outcome.code
    return "failed" if isinstance(outcome, Exception) else "accepted"
