"""Statements stay quick while the tables they look into grow."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from loopwright.server.runtime.growth import watching_growth
from loopwright.server.store.contacts import load_named
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.statistics import analyze_grown
from loopwright.server.store.teams import TeamRow
from support.factories import add_contacts
from support.workflows import add_contact

PLANNED_ANEW = 5
"""So often PostgreSQL plans a statement for its values before it keeps a plan for all."""
PATIENCE_SECONDS = 20.0


@pytest.fixture(autouse=True)
async def _left_alone(pool: Pool) -> AsyncIterator[None]:
    """An empty table that autovacuum leaves to us."""
    await pool.execute("TRUNCATE contact; ALTER TABLE contact SET (autovacuum_enabled = off)")
    yield
    await pool.execute("ALTER TABLE contact RESET (autovacuum_enabled)")


SEQ_SCANS = "SELECT pg_stat_get_xact_numscans('contact'::regclass)"


async def whole_reads(tx: Connection, team: TeamRow) -> int:
    """How often looking up one contact by its address reads the whole table."""
    async with tx.transaction():
        before: int = await tx.fetchval(SEQ_SCANS)
        found = await load_named(tx, emails={(team.id, "ada@example.com")}, user_ids=(), ids=())
        assert [contact.email for contact in found] == ["ada@example.com"]
        after: int = await tx.fetchval(SEQ_SCANS)
    return after - before


async def grow(tx: Connection, team: TeamRow) -> None:
    """Many contacts come after a look-up of one was planned for few."""
    for _ in range(PLANNED_ANEW + 1):
        await whole_reads(tx, team)
    await add_contacts(tx, team.id, 20_000, domain="example.com")


async def test_plans_are_made_anew_for_a_table_that_grew(pool: Pool, team: TeamRow) -> None:
    """A look-up that was planned for an empty table uses the index once there are many rows."""
    await add_contact(pool, team.id, "ada@example.com")
    async with pool.acquire() as tx, pool.acquire() as other:
        await grow(tx, team)
        assert await whole_reads(tx, team) == 1
        await analyze_grown(other)
        assert await whole_reads(tx, team) == 0


async def test_a_table_that_did_not_grow_is_left_alone(pool: Pool) -> None:
    """Once looked at, nothing is looked at again."""
    async with pool.acquire() as tx:
        await analyze_grown(tx)
        before = await tx.fetch("SELECT xmin, relpages FROM pg_class ORDER BY oid")
        await analyze_grown(tx)
        assert await tx.fetch("SELECT xmin, relpages FROM pg_class ORDER BY oid") == before


async def test_a_process_watches(pool: Pool, team: TeamRow) -> None:
    """It is done by itself, and goes on after an error."""
    await add_contact(pool, team.id, "ada@example.com")
    async with pool.acquire() as tx, watching_growth(pool):
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_relation_size%' "
            "AND pid <> pg_backend_pid()"
        )
        await grow(tx, team)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await whole_reads(tx, team):
                await asyncio.sleep(0.1)
