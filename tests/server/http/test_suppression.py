"""Suppressed addresses and the quota of lifting them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from loopwright.server.store.database import Pool
from support.factories import first_team, lift_suppression, suppress
from support.refusals import refused

from .conftest import Serving

WAITING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
ADA = {"email": "ada@example.com"}


async def lift(http: httpx2.AsyncClient, email: str) -> httpx2.Response:
    return await http.request("DELETE", "/contacts/suppression", params={"email": email})


@pytest.mark.parametrize(
    ("age", "remaining"),
    [
        pytest.param(timedelta(days=29, hours=23), 99, id="within"),
        pytest.param(timedelta(days=30, hours=1), 100, id="older"),
    ],
)
async def test_the_window_rolls(http: httpx2.AsyncClient, pool: Pool, age: timedelta, remaining: int) -> None:
    """A removal counts for 30 days."""
    await http.post("/contacts/create", json=ADA)
    await lift_suppression(pool, await first_team(pool), now=datetime.now(UTC) - age)
    shown = await http.get("/contacts/suppression", params=ADA)
    assert shown.json()["removalQuota"] == {"limit": 100, "remaining": remaining}


async def test_a_quota_of_ones_own(serving: Serving, pool: Pool) -> None:
    """The operator chooses; what was used above it counts as all of it."""
    async with serving(removal_quota=2) as http:
        for email in ("a@example.com", "b@example.com", "c@example.com"):
            await http.post("/contacts/create", json={"email": email})
            await suppress(pool, await first_team(pool), email)
        first = (await lift(http, "a@example.com")).json()
        assert first["removalQuota"] == {"limit": 2, "remaining": 1}
        assert (await lift(http, "b@example.com")).json()["removalQuota"]["remaining"] == 0
        refused(await lift(http, "c@example.com"), 400, "Removal quota exceeded.")
    async with serving(removal_quota=1) as http:
        shown = (await http.get("/contacts/suppression?email=c@example.com")).json()
        assert (shown["isSuppressed"], shown["removalQuota"]) == (True, {"limit": 1, "remaining": 0})


async def test_removals_at_once(serving: Serving, pool: Pool) -> None:
    """Only one of them takes the last of the quota."""
    emails = ["a@example.com", "b@example.com"]
    async with serving(removal_quota=1) as http:
        for email in emails:
            await http.post("/contacts/create", json={"email": email})
            await suppress(pool, await first_team(pool), email)
        async with pool.acquire() as tx, tx.transaction():
            # Neither can delete a suppression before both are as far as they come.
            await tx.execute("SELECT FROM suppression FOR UPDATE")
            removals = [asyncio.create_task(lift(http, email)) for email in emails]
            async with asyncio.timeout(10):
                while await pool.fetchval(WAITING) < 2:
                    await asyncio.sleep(0.01)
        answers = await asyncio.gather(*removals)
    assert sorted(one.status_code for one in answers) == [200, 400]


async def test_lifting_subscribes_nobody(http: httpx2.AsyncClient, pool: Pool) -> None:
    """Who has left stays away."""
    await http.post("/contacts/create", json={**ADA, "subscribed": False})
    await suppress(pool, await first_team(pool), ADA["email"])
    assert (await lift(http, ADA["email"])).status_code == 200
    contact: dict[str, Any] = (await http.get("/contacts/find", params=ADA)).json()[0]
    assert contact["subscribed"] is False


async def test_suppression_is_the_addresss(http: httpx2.AsyncClient, pool: Pool) -> None:
    """It outlives the contact."""
    await http.post("/contacts/create", json=ADA)
    await suppress(pool, await first_team(pool), ADA["email"])
    assert (await http.post("/contacts/delete", json=ADA)).status_code == 200
    assert (await http.post("/contacts/create", json=ADA)).status_code == 200
    assert (await http.get("/contacts/suppression", params=ADA)).json()["isSuppressed"] is True
