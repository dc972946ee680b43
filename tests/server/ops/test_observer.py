"""What the server tells of its work: right for the whole, and nothing of anybody."""

import asyncio
import json
import logging
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from loopwright.server.app import run
from loopwright.server.observe.logs import JsonLines, NotAgain, PlainLines
from loopwright.server.observe.observer import spoken_path
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool
from support.factories import add_job
from support.live import Aside, LiveServer
from support.process import API_KEY, LOOPWRIGHT
from support.spans import recorded_spans

SECRETS = ("ada@example.org", "Lovelace", "analytical", API_KEY)
PATIENCE_SECONDS = 20


def event(**more: object) -> dict[str, object]:
    return {
        "eventName": "signup",
        "email": "ada@example.org",
        "lastName": "Lovelace",
        "eventProperties": {"engine": "analytical"},
        **more,
    }


async def numbers(client: httpx2.AsyncClient) -> dict[str, float]:
    """What Prometheus would read: name with labels -> value."""
    text = (await client.get("/metrics")).text
    return {
        match[1]: float(match[2]) for match in re.finditer(r"^(loopwright_\S+(?:\{.*\})?) (\S+)$", text, re.M)
    }


@pytest.fixture
def own_server(database_url: str, pool: Pool, aside: Aside) -> Iterator[LiveServer]:
    """A server that has counted nothing yet."""
    with aside.serving(Settings(port=0, database_url=database_url, api_key=API_KEY)) as address:
        yield LiveServer(address, API_KEY, pool)


async def test_what_happened_is_counted(own_server: LiveServer) -> None:
    """Accepted, refused by code, answers by status, batches; and no label tells of anybody."""
    headers = {"Authorization": f"Bearer {own_server.api_key}"}
    async with httpx2.AsyncClient(base_url=own_server.base_url, headers=headers) as client:
        for _ in range(3):
            await client.post("/api/v1/events/send", json=event())
        await client.post("/api/v1/events/send", json=event(), headers={"Idempotency-Key": "k"})
        await client.post("/api/v1/events/send", json=event(), headers={"Idempotency-Key": "k"})
        await client.post("/api/v1/events/send", json={"email": "ada@example.org"})
        await client.post("/api/v1/events/send", headers={"Authorization": "Bearer wrong"})
        await client.get("/api/v1/ada@example.org")
        text = (await client.get("/metrics")).text
        counted = await numbers(client)
    assert counted['loopwright_commands_total{command="SendEvent",outcome="accepted"}'] == 4
    assert counted['loopwright_requests_total{status="200"}'] >= 4
    assert counted['loopwright_requests_total{status="409"}'] == 1
    assert counted['loopwright_requests_total{status="401"}'] == 1
    assert counted['loopwright_requests_total{status="404"}'] == 1
    assert counted['loopwright_refusals_total{code="api_key_invalid"}'] == 1
    assert counted["loopwright_batch_commands_sum"] == 5
    assert counted["loopwright_batch_seconds_count"] == counted["loopwright_batch_commands_count"]
    assert counted['loopwright_pool_connections{pool="api",state="limit"}'] == 10
    assert counted["loopwright_waiting_commands"] == 0
    assert not [secret for secret in SECRETS if secret in text]


async def test_waiting_jobs_are_counted(own_server: LiveServer, pool: Pool) -> None:
    """Due ones with their age, later ones, and those kept for people."""
    for seconds in (-100, 0, 86_400):
        await add_job(pool, "elsewhere", seconds=seconds)
    await add_job(pool, "elsewhere", status="failed")
    async with httpx2.AsyncClient(base_url=own_server.base_url) as client:
        counted = await numbers(client)
    assert counted['loopwright_jobs{job="elsewhere",state="due"}'] == 2
    assert counted['loopwright_jobs{job="elsewhere",state="later"}'] == 1
    assert counted['loopwright_jobs{job="elsewhere",state="failed"}'] == 1
    assert 100 <= counted['loopwright_jobs_due_seconds{job="elsewhere"}'] < 160


async def test_processes_count_together_and_log_nothing_of_anybody(database_url: str, tmp_path: Path) -> None:
    """Two processes: whichever is asked knows of all; log lines are JSON with request ids, no secrets."""
    command = [str(LOOPWRIGHT), "serve", "--port", "0", "--workers", "2", "--log-format", "json"]
    settings = ["--database-url", database_url, "--api-key", API_KEY, "--log-level", "debug"]
    log_file = tmp_path / "log"
    with (
        log_file.open("w") as log,
        subprocess.Popen([*command, *settings], stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        headers = {"Authorization": f"Bearer {API_KEY}"}
        request_ids = set()
        for _ in range(40):
            # A connection each, so that both processes get some.
            async with httpx2.AsyncClient(base_url=address, headers=headers) as client:
                sent = await client.post("/api/v1/events/send?email=ada@example.org", json=event())
                assert sent.status_code == 200
                request_ids.add(sent.headers["x-request-id"])
        seen = set()
        for _ in range(10):
            async with httpx2.AsyncClient(base_url=address, headers=headers) as client:
                counted = await numbers(client)
                seen.add(counted['loopwright_commands_total{command="SendEvent",outcome="accepted"}'])
        async with httpx2.AsyncClient(base_url=address) as client:
            await client.get("/unsubscribe/Zm9vYmFy.c2VjcmV0")
        server.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.wait, PATIENCE_SECONDS) == 0
    assert seen == {40}
    text = log_file.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    posts = [line for line in lines if line.get("method") == "POST"]
    assert {line["request_id"] for line in posts} == request_ids
    assert len({line["request_id"].split("-")[0] for line in posts}) == 2
    assert {line["path"] for line in posts} == {"/api/v1/events/send"}
    assert not [secret for secret in (*SECRETS, "Zm9vYmFy", "c2VjcmV0") if secret in text]


@pytest.mark.parametrize(
    ("path", "spoken"),
    [
        pytest.param("/api/v1/events/send", "/api/v1/events/send", id="words stay"),
        pytest.param("/api/v1/workflows/cm3k9z0000001abcdefghijkl", "/api/v1/workflows/{}", id="id"),
        pytest.param("/unsubscribe/Zm9vYmFy.9x", "/unsubscribe/{}", id="token"),
        pytest.param("/api/v1/ada@example.org", "/api/v1/{}", id="address by mistake"),
        pytest.param("/" + "x" * 500, "/{}", id="endless"),
        pytest.param("/", "/", id="root"),
    ],
)
def test_paths_in_the_log(path: str, spoken: str) -> None:
    """What could tell of somebody is not in the log."""
    assert spoken_path(path) == spoken


def test_a_warning_that_repeats_is_shown_once_a_second() -> None:
    """Whatever its values; others, later ones and errors pass."""
    shown = []
    again = NotAgain()
    for message, level, moment in [
        ("away %d", logging.WARNING, 10.0),
        ("away %d", logging.WARNING, 10.5),
        ("back %d", logging.WARNING, 10.6),
        ("away %d", logging.WARNING, 11.1),
        ("failed %d", logging.ERROR, 11.2),
        ("failed %d", logging.ERROR, 11.3),
    ]:
        record = logging.LogRecord("loopwright", level, "", 1, message, (int(moment * 10),), None)
        record.created = moment
        if again.filter(record):
            shown.append(record.getMessage())
    assert shown == ["away 100", "back 106", "away 111", "failed 112", "failed 113"]


@pytest.mark.parametrize("formatter", [JsonLines(), PlainLines()], ids=["json", "text"])
def test_exceptions_in_the_log(formatter: logging.Formatter) -> None:
    """Kind and place of an exception and of its cause, and no value that was in their messages."""
    try:
        try:
            raise KeyError("ada@example.org")
        except KeyError as cause:
            raise ValueError("no such contact: ada@example.org") from cause
    except ValueError as problem:
        record = logging.LogRecord(
            "loopwright", logging.ERROR, "", 1, "request %s failed", ("7-1",), (ValueError, problem, None)
        )
    record.request_id = "7-1"
    line = formatter.format(record)
    assert "request 7-1 failed" in line
    assert "builtins.ValueError" in line
    assert "builtins.KeyError" in line
    assert "test_exceptions_in_the_log" in line
    assert "ada@example.org" not in line


async def test_spans(database_url: str) -> None:
    """A request below its caller's span, its batch, and no value of anybody in any attribute."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"Authorization": f"Bearer {API_KEY}", "traceparent": parent}
    with recorded_spans() as spans:
        async with (
            run(Settings(port=0, database_url=database_url, api_key=API_KEY)) as running,
            httpx2.AsyncClient(base_url=running.address, headers=headers) as client,
        ):
            sent = await client.post("/api/v1/events/send", json=event())
            assert sent.status_code == 200
    finished = {span.name: span for span in spans}
    request = finished["POST /api/v1/events/send"]
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == "b7ad6b7169203331"
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200
    batch = finished["commit batch"]
    assert batch.attributes == {"loopwright.commands": 1}
    assert batch.parent is None
    told = "".join(span.to_json() for span in spans)
    assert not [secret for secret in SECRETS if secret in told]
