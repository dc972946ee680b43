"""What programs and people are shown of messages that arrived, whatever these look like."""

from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest

from loopwright.server.store.inbox import load_received
from support.dashboard_rows import Rows
from support.live import LiveServer
from support.odd_emails import ODD, mutated

INBOX = "/loopwright/v1/inbox"
VIEWS = ("html", "text", "headers", "source")


async def rows_of(server: LiveServer) -> Rows:
    return Rows(server.pool, await server.pool.fetchval("SELECT id FROM team"))


@pytest.fixture
async def operator(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who signed in to the dashboard."""
    async with httpx2.AsyncClient(base_url=live_server.base_url, follow_redirects=True) as client:
        assert (await client.post("/sign-in", data={"key": live_server.api_key})).status_code == 200
        yield client


async def test_odd_messages_are_shown(
    live_server: LiveServer, http: httpx2.AsyncClient, operator: httpx2.AsyncClient
) -> None:
    """By the API and on every tab of the page; none of them is an error."""
    rows = await rows_of(live_server)
    raws = [*ODD.items(), *((f"mutation {turn}", raw) for turn, raw in enumerate(mutated(3, seed=7)))]
    names = {await rows.received("odd", "ada@example.com", raw=raw): name for name, raw in raws}
    shown = await http.get(f"{live_server.base_url}{INBOX}")
    assert shown.status_code == 200
    said = {names[one["id"]]: one for one in msgspec.json.decode(shown.content)}
    assert said.keys() == set(names.values())
    assert said["unknown charset"]["html"] == "<p>Zoë</p>"
    assert said["NULs"]["html"] == "<p>ab"
    assert said["a boundary that never comes"]["text"] == "hello"
    for message, name in names.items():
        for view in VIEWS:
            page = await operator.get(f"/inbox/{message}", params={"view": view})
            assert page.status_code == 200, (name, view)
        frame = await operator.get(f"/inbox/{message}/html")
        assert frame.status_code == (404 if said[name]["html"] is None else 200), name


async def test_a_message_of_before_is_read_once(live_server: LiveServer, http: httpx2.AsyncClient) -> None:
    """What it says is kept; its bytes are not needed again."""
    rows = await rows_of(live_server)
    message = await rows.received("Hello", "ada@example.com")
    first = await http.get(f"{live_server.base_url}{INBOX}")
    async with live_server.pool.acquire() as tx:
        received = await load_received(tx, rows.team_id, message)
    assert received is not None
    await live_server.pool.execute("UPDATE inbox_message SET raw = ''")
    again = await http.get(f"{live_server.base_url}{INBOX}")
    assert again.content == first.content
    [one] = msgspec.json.decode(again.content)
    assert "your engine is warming up" in one["text"]
    assert "<strong>pro</strong>" in one["html"]


async def test_a_long_source_is_cut_and_says_so(
    live_server: LiveServer, operator: httpx2.AsyncClient
) -> None:
    """The page stays a page; the download has every byte."""
    rows = await rows_of(live_server)
    raw = b"Subject: long\r\n\r\n" + b"x" * 2_000_000
    message = await rows.received("long", "ada@example.com", raw=raw)
    for view in ("text", "source"):
        page = await operator.get(f"/inbox/{message}", params={"view": view})
        assert len(page.content) < 600_000
        assert "Cut off here" in page.text
    assert (await operator.get(f"/inbox/{message}/raw")).content == raw


async def test_many_files_are_named_up_to_a_number(
    live_server: LiveServer, operator: httpx2.AsyncClient
) -> None:
    """And the page says that there are more."""
    rows = await rows_of(live_server)
    message = await rows.received("files", "ada@example.com", raw=ODD["80,000 files"])
    page = await operator.get(f"/inbox/{message}")
    assert page.text.count('class="file"') < 200
    assert "more parts or headers than this page reads" in page.text
