"""Months from before an index get it while others write."""

import asyncio
from runpy import run_path

import asyncpg
import pytest

from loopwright.server.clock import SystemClock
from loopwright.server.runtime.housekeeping import Housekeeping, Kept, make_months
from loopwright.server.store.database import open_pool
from loopwright.server.store.schema import MIGRATIONS, migrate
from support.factories import OLDER_REVISION, add_events, add_team, repeat_events

BEFORE = ("0001_first.py", "0002_revision.py", "0003_upwards.py")
READY = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'event_of_name'::regclass"
FOUND = "EXPLAIN SELECT id FROM event WHERE team_id = 't' AND name = 'x' ORDER BY id DESC LIMIT 5"


@pytest.mark.parametrize("count", [pytest.param(9, id="few events"), pytest.param(200_000, id="many")])
async def test_an_older_database_finds_events_by_name(postgres_url: str, count: int) -> None:
    """Small tables at once, large ones by housekeeping, which also makes good what broke off."""
    url = postgres_url.replace("/postgres?", "/unindexed?")
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE DATABASE unindexed")
    older = await asyncpg.connect(url)
    try:
        for script in BEFORE:
            module = run_path(str(MIGRATIONS / "versions" / script))
            await older.execute(module.get("SCHEMA") or module["CHANGES"])
        await older.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        await older.execute(OLDER_REVISION, "0003")
        await add_events(older, "t", "c1", count, prefix="e")
        await migrate(url)
        assert await older.fetchval(READY) is (count == 9)
        async with open_pool(url, size=2) as pool:
            await add_team(pool, "t")
            await make_months(pool, SystemClock())
            if count > 10:
                await older.execute("CREATE INDEX event_default_of_name ON event_default (name)")
            writing = asyncio.create_task(repeat_events(older, 10))
            await Housekeeping(pool, SystemClock(), Kept()).tidy()
            await writing
            await Housekeeping(pool, SystemClock(), Kept()).tidy()
        assert await older.fetchval(READY)
        plan = " ".join(row[0] for row in await older.fetch(FOUND))
        assert plan.count("_name") >= 2, plan
    finally:
        await older.close()
        await connection.execute("DROP DATABASE unindexed WITH (FORCE)")
        await connection.close()
