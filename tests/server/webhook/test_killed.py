"""Senders that are killed while they send."""

import asyncio
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.webhook.sender import IN_HAND
from support.factories import add_deliveries, add_endpoint
from support.webhook_peer import receiving
from support.webhook_process import KEY
from support.workflows import until

TESTS = Path(__file__).parents[2]
COUNT = 40


@pytest.mark.slow
async def test_everything_arrives(pool: Pool, team: TeamRow, database_url: str) -> None:
    """`kill -9`, again and again: each webhook comes at least once, always by its own id."""
    async with receiving() as receiver:
        endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SealingKey(KEY))
        ids = await add_deliveries(pool, endpoint, COUNT, now=datetime.now(UTC))
        kills = 0

        async def all_done() -> bool:
            return not await pool.fetchval(
                "SELECT EXISTS (SELECT FROM webhook_delivery WHERE due_at IS NOT NULL)"
            )

        while not await all_done():
            begun = len(receiver.requests)

            async def some_have_come(begun: int = begun) -> bool:
                return len(receiver.requests) >= begun + 7 or await all_done()

            sender = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "support.webhook_process",
                database_url,
                cwd=TESTS,
            )
            try:
                await until(some_have_come)
            finally:
                sender.send_signal(signal.SIGKILL)
                await sender.wait()
            kills += 1
            # What time does, too: the lease of the dead one is over.
            await pool.execute("UPDATE webhook_endpoint SET leased_until = now()")
    times = Counter(one.headers["webhook-id"] for one in receiver.requests)
    assert times.keys() == set(ids)
    assert kills > 2
    assert sum(times.values()) - COUNT <= kills * IN_HAND
    assert await pool.fetchval("SELECT bool_and(status = 'delivered') FROM webhook_delivery")
