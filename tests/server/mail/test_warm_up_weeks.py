"""A whole warm-up on a server whose clock is moved: a week of it at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

import httpx2
import pytest

from loopwright.server.clock import SystemClock
from loopwright.server.settings import Settings
from loopwright.server.store.clock_ahead import mark
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.team_settings import SettingChanges, WarmUpChanges, change_team
from loopwright.testing.clock import Clock
from loopwright.testing.control import Control
from support.content import write_message
from support.databases import copied
from support.factories import add_campaign, add_contacts, first_team
from support.live import Aside

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY = "key-of-the-first-team"
CAPS = (20, 30, 45, 67, 100, 150)
PEOPLE = 300


class Place(NamedTuple):
    """A server for tests, its database, and its first team."""

    control: Control
    pool: Pool
    team_id: str


@pytest.fixture
async def place(postgres_url: str, aside: Aside) -> AsyncIterator[Place]:
    database = await asyncio.wrap_future(aside.begin(copied(postgres_url, "weeks")))
    pool = await open_pool(database.url)
    async with pool.acquire() as tx:
        await mark(tx)
    settings = Settings(port=0, database_url=database.url, for_tests=True, api_key=KEY)
    with aside.serving(settings) as address:
        yield Place(
            Control(address, KEY, lambda: "nothing: its log is the test's own"), pool, await first_team(pool)
        )
    await pool.close()
    await asyncio.wrap_future(aside.begin(database.close()))


async def test_a_week_of_a_warm_up(place: Place) -> None:
    """No hour and no 24 hours have more than their cap, days grow, and everybody gets it when foretold."""
    pool, team_id = place.pool, place.team_id
    clock = Clock(place.control)
    await add_contacts(pool, team_id, PEOPLE, domain="readers.test")
    await write_message(pool, team_id, await add_campaign(pool, team_id, "cnews"))
    today = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = today + DAY
    began = await asyncio.to_thread(clock.travel_to, midnight)
    async with pool.acquire() as tx, tx.transaction():
        plan = WarmUpChanges(per_day=CAPS[0], per_hour=5)
        await change_team(tx, team_id, SettingChanges(warm_up=plan), now=began)
    own = "/loopwright/v1/campaigns/cnews"
    await asyncio.to_thread(place.control.post_as, KEY, f"{own}/send", {})
    await asyncio.to_thread(clock.advance, HOUR)
    async with httpx2.AsyncClient(base_url=place.control.address) as http:
        shown = (await http.get(own, headers={"authorization": f"Bearer {KEY}"})).json()
    await asyncio.to_thread(clock.advance, 7 * DAY)
    rows = await pool.fetch("SELECT to_email, received_at FROM inbox_message ORDER BY received_at, id")
    times: list[datetime] = [row["received_at"] for row in rows]
    assert len({row["to_email"] for row in rows}) == len(rows) == PEOPLE
    for at in times:
        cap = CAPS[(at - midnight) // DAY]
        assert sum(at - HOUR < one <= at for one in times) <= cap * 5 // CAPS[0]
        assert sum(at - DAY < one <= at for one in times) <= cap
    days = [sum((at - midnight) // DAY == day for at in times) for day in range(len(CAPS))]
    assert days[:5] == list(CAPS[:5])
    foretold = datetime.fromisoformat(shown["warmUp"]["throughAt"])
    assert abs(times[-1] - foretold) <= 2 * HOUR
    assert await pool.fetchval("SELECT status FROM campaign") == "Sent"
    assert SystemClock().now() < times[-1]
