"""Searches find what is old, give up in time, and keep neither events nor other pages waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from loopwright.server.store.database import Pool
from loopwright.server.store.pages.events import PEOPLE_SEARCHED, list_events
from support.dashboard_site import Site
from support.factories import add_contacts, add_events
from support.live import LiveServer
from support.workflows import until

WAITING = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%inbox_message%'
"""


@asynccontextmanager
async def locked(pool: Pool, table: str) -> AsyncIterator[None]:
    """Whoever reads `table` waits, as for a search through very many rows."""
    async with pool.acquire() as tx, tx.transaction():
        await tx.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def test_events_do_not_wait_for_searches(live_server: LiveServer) -> None:
    """Two dozen that get nowhere; an event sent meanwhile is answered before any of them is over."""
    key = {"Authorization": f"Bearer {live_server.api_key}"}
    async with httpx2.AsyncClient(base_url=live_server.base_url, timeout=60) as client:
        await client.post("/sign-in", data={"key": live_server.api_key})
        async with locked(live_server.pool, "inbox_message"):
            searches = [
                asyncio.create_task(client.get("/inbox", params={"q": f"x{number}"})) for number in range(24)
            ]

            async def some_wait() -> bool:
                return int(await live_server.pool.fetchval(WAITING)) >= 2

            await until(some_wait)
            body = {"eventName": "signup", "email": "ada@example.com"}
            sent = await client.post("/api/v1/events/send", json=body, headers=key)
            assert sent.status_code == 200
            assert (await client.get("/contacts")).status_code == 200, "nor do other pages"
        for answer in await asyncio.gather(*searches):
            assert answer.status_code in (200, 503)


async def test_a_search_that_takes_too_long_says_how_to_narrow_it(
    site: Site, operator: httpx2.AsyncClient
) -> None:
    """In sentences, on a page that leads back; not with an error."""
    async with locked(site.rows.pool, "contact"):
        answer = await operator.get("/contacts", params={"q": "<b>"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "Looking for “&lt;b&gt;” took more than 2 seconds" in answer.text
    assert "Begin with the address" in answer.text
    assert 'href="/contacts"' in answer.text


@pytest.mark.parametrize(
    ("search", "found"),
    [
        pytest.param("ada@", {"ada@example.com"}, id="the beginning of an address"),
        pytest.param("ADA@Example.com", {"ada@example.com"}, id="an address in another case"),
        pytest.param("da@example.com", set(), id="not the end of one"),
        pytest.param("example.com", {"ada@example.com", "bob@example.com"}, id="a domain"),
        pytest.param("@example.com", {"ada@example.com", "bob@example.com"}, id="a domain with its at"),
        pytest.param("ob", {"bob@example.com"}, id="a piece of an address"),
        pytest.param("USR_7", {"bob@example.com"}, id="a user id"),
        pytest.param("a%", set(), id="no pattern"),
    ],
)
async def test_contacts_go_by_their_address(
    site: Site, operator: httpx2.AsyncClient, search: str, found: set[str]
) -> None:
    """With an `@` within, a search is what addresses begin with; else it may be anywhere."""
    everybody = {"ada@example.com": None, "bob@example.com": "usr_7", "carl@else.test": None}
    for email, user_id in everybody.items():
        await site.rows.contact(email, user_id=user_id)
    page = (await operator.get("/contacts", params={"q": search})).text
    assert {email for email in everybody if f">{email}<" in page} == found


async def found(site: Site, search: str, before: str = "~", limit: int = 9) -> tuple[list[str], bool]:
    async with site.rows.pool.acquire() as tx:
        events, is_cut = await list_events(tx, site.rows.team_id, search=search, before=before, limit=limit)
    return [event.id for event in events], is_cut


async def test_old_events_are_found(site: Site) -> None:
    """By their name and by their contact, behind any number of others, and page by page."""
    rows = site.rows
    ada, bob = await rows.contact("ada@old.test"), await rows.contact("bob@new.test")
    first, second = await rows.event("signed_up", ada), await rows.event("Left For Good", bob)
    await add_events(rows.pool, rows.team_id, bob, 3000, prefix="z", name="page_viewed")
    for search, expected in {"SIGNED": first, "for good": second, "ada@": first, "@old": first}.items():
        assert await found(site, search) == ([expected], False)
    assert await found(site, "bob", limit=2) == (["z003000", "z002999"], False)
    rest, _ = await found(site, "bob", before="z002999", limit=4000)
    assert len(rest) == 2999


async def test_a_search_that_fits_very_many_says_so(site: Site, operator: httpx2.AsyncClient) -> None:
    """Only the newest of them were looked at, and the page tells how to see the others."""
    await add_contacts(site.rows.pool, site.rows.team_id, PEOPLE_SEARCHED - 1, domain="many.test")
    assert (await found(site, "many"))[1] is False
    await site.rows.contact("one.more@many.test")
    page = await operator.get("/events", params={"q": "many"})
    assert "“many” fits very many names or contacts" in page.text


async def test_long_properties_do_not_fill_the_page(site: Site, operator: httpx2.AsyncClient) -> None:
    """A list may have megabytes."""
    ada = await site.rows.contact("ada@example.com")
    await site.rows.event("imported", ada, items=[{"number": number} for number in range(50_000)])
    await site.rows.event("small", ada, items=[{"number": 1}])
    page = await operator.get("/events")
    assert len(page.content) < 20_000
    assert "Its properties are too long to be shown" in page.text
    assert "number" in page.text
