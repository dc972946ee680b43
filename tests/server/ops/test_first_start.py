"""The key that a start is given: it opens the first team, and the one given before no longer does."""

import pytest

from loopwright.server.bootstrap import KeyTaken, ensure_key
from loopwright.server.clock import SystemClock
from loopwright.server.keys import hash_key
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, insert_key, insert_team, team_of_key

OLD, NEW, OTHER = ("old-key-0123456789", "new-key-0123456789", "other-key-0123456789")


async def start(pool: Pool, key: str | None) -> str | None:
    return await ensure_key(pool, SystemClock(), key)


async def opens(pool: Pool, key: str) -> bool:
    async with pool.acquire() as tx:
        return await team_of_key(tx, hash_key(key)) is not None


async def add_key(pool: Pool, team_id: str, key: str) -> None:
    async with pool.acquire() as tx:
        now = SystemClock().now()
        await insert_key(tx, team_id, key_id=f"k{key}", name="", key_hash=hash_key(key), now=now)


async def test_a_new_fixed_key_replaces_the_old_one(pool: Pool) -> None:
    """Start by start; the same one again changes nothing, and a start without one keeps it."""
    for key in (OLD, OLD, None):
        assert await start(pool, key) is None
        assert await opens(pool, OLD)
    assert await start(pool, NEW) is None
    assert (await opens(pool, OLD), await opens(pool, NEW)) == (False, True)


async def test_keys_that_were_made_stay(pool: Pool, team: TeamRow) -> None:
    """Only what was fixed is replaced."""
    made = await start(pool, None)
    assert made is not None
    await add_key(pool, team.id, OTHER)
    await start(pool, OLD)
    await start(pool, NEW)
    assert [await opens(pool, key) for key in (made, OTHER, OLD, NEW)] == [True, True, False, True]


async def test_a_key_that_was_fixed_by_an_earlier_version(pool: Pool, team: TeamRow) -> None:
    """Given once more it counts as fixed, and can be replaced."""
    await add_key(pool, team.id, OLD)
    await start(pool, OLD)
    await start(pool, NEW)
    assert (await opens(pool, OLD), await opens(pool, NEW)) == (False, True)


async def test_the_key_of_another_team(pool: Pool, team: TeamRow) -> None:
    """It cannot open the first one as well, and nothing changes."""
    await start(pool, OLD)
    other = TeamRow(id="c2", name="Sales", secret=b"", sending_domain="d", company="", address="")
    async with pool.acquire() as tx:
        await insert_team(tx, other, now=SystemClock().now())
    await add_key(pool, "c2", NEW)
    with pytest.raises(KeyTaken, match="opens the team Sales"):
        await start(pool, NEW)
    assert await opens(pool, OLD)
    async with pool.acquire() as tx:
        found = await team_of_key(tx, hash_key(NEW))
    assert found is not None
    assert found.id == "c2" != team.id
