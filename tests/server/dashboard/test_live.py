"""An open page asks whether anything is new, and gets only what is."""

import re
from datetime import timedelta

import httpx2
import pytest

from support.dashboard_site import Site

TAG = re.compile(r'If-None-Match": "\\"([0-9a-f]+)\\""')
LISTS = ["/", "/inbox", "/events", "/contacts"]


async def ask(client: httpx2.AsyncClient, path: str, tag: str = "") -> httpx2.Response:
    headers = {"HX-Request": "true"} | ({"If-None-Match": f'"{tag}"'} if tag else {})
    return await client.get(path, headers=headers)


def tag_of(page: str) -> str:
    found = TAG.search(page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", LISTS)
async def test_a_part_is_only_a_part(operator: httpx2.AsyncClient, path: str) -> None:
    """The live part comes alone and asks for itself at the same address."""
    whole, part = (await operator.get(path)).text, (await ask(operator, path)).text
    assert "<html" in whole
    assert "<html" not in part
    assert part.strip() in whole
    assert f'hx-get="{path}" hx-trigger="every 2s"' in part


@pytest.mark.parametrize("path", LISTS)
async def test_nothing_new_is_said_without_a_body(
    site: Site, operator: httpx2.AsyncClient, path: str
) -> None:
    """304 until something happens, then the new part, then 304 again."""
    contact = await site.rows.contact("ada@example.com")
    tag = tag_of((await operator.get(path)).text)
    answer = await ask(operator, path, tag)
    assert (answer.status_code, answer.content) == (304, b"")

    site.clock.advance(timedelta(seconds=10))
    event = await site.rows.event("signup", contact, at=site.clock.now())
    run = await site.rows.run(await site.rows.workflow("Welcome"), contact, event_id=event)
    await site.rows.email("Hello", "ada@example.com", contact, run_id=run)
    await site.rows.contact("grace@example.com")
    answer = await ask(operator, path, tag)
    assert answer.status_code == 200
    assert tag_of(answer.text) != tag
    assert (await ask(operator, path, tag_of(answer.text))).status_code == 304


async def test_what_just_came_is_marked_for_a_moment(site: Site, operator: httpx2.AsyncClient) -> None:
    """The mark wears off without counting as news."""
    contact = await site.rows.contact("ada@example.com", at=site.clock.now() - timedelta(minutes=1))
    await site.rows.event("signup", contact, at=site.clock.now())
    page = (await operator.get("/events")).text
    assert 'class="fresh"' in page
    site.clock.advance(timedelta(seconds=5))
    assert (await ask(operator, "/events", tag_of(page))).status_code == 304
    assert 'class="fresh"' not in (await operator.get("/events")).text


async def test_a_status_that_changes_is_news(site: Site, operator: httpx2.AsyncClient) -> None:
    """An email that leaves changes the page of its event and of its contact."""
    contact = await site.rows.contact("ada@example.com")
    event = await site.rows.event("signup", contact)
    run = await site.rows.run(await site.rows.workflow("Welcome"), contact, event_id=event, status="active")
    email = await site.rows.email("Hello", "ada@example.com", contact, run_id=run, status="queued")
    for path in ("/events", f"/contacts/{contact}"):
        page = (await operator.get(path)).text
        assert "queued" in page
        await site.rows.pool.execute("UPDATE email SET status = 'sent' WHERE id = $1", email)
        answer = await ask(operator, path, tag_of(page))
        assert answer.status_code == 200
        assert "queued" not in answer.text
        await site.rows.pool.execute("UPDATE email SET status = 'queued' WHERE id = $1", email)


async def test_older_pages_stand_still(site: Site, operator: httpx2.AsyncClient) -> None:
    """Only the newest page of a list asks again."""
    contact = await site.rows.contact("ada@example.com")
    for _ in range(60):
        await site.rows.event("signup", contact)
    page = (await operator.get("/events")).text
    older = re.search(r'href="(/events\?before=[^"]+)"', page)
    assert older is not None
    assert "hx-get" not in (await operator.get(older[1])).text
