"""One event's page: what it started, and for every workflow that waits for it and did not start, why.

What happened is made to happen: the reasons are those that ingest recorded.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest

from loopwright.server.store.workflows import WorkflowStatus
from loopwright.server.workflow.graph import EventTrigger, ExitAction
from support.dashboard_rows import Rows
from support.factories import add_list, first_team
from support.live import LiveServer
from support.plain_http import NO_TLS
from support.workflows import add_workflow, until

Send = Callable[..., Awaitable[str]]


@pytest.fixture
async def client(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that is signed in, which has the API key too."""
    headers = {"Authorization": f"Bearer {live_server.api_key}"}
    async with httpx2.AsyncClient(base_url=live_server.base_url, headers=headers, verify=NO_TLS) as client:
        await client.post("/sign-in", data={"key": live_server.api_key})
        yield client


@pytest.fixture
async def send(client: httpx2.AsyncClient, live_server: LiveServer) -> Send:
    """Sends an event; answers with its page."""

    async def send(name: str = "signup", **more: object) -> str:
        body = {"eventName": name, "email": "ada@example.com", **more}
        assert (await client.post("/api/v1/events/send", json=body)).status_code == 200
        newest = await live_server.pool.fetchval("SELECT id FROM event ORDER BY id DESC LIMIT 1")
        page = await client.get(f"/events/{newest}")
        assert page.status_code == 200
        return page.text

    return send


async def waiting(
    server: LiveServer,
    *,
    status: WorkflowStatus = "Sending",
    once: bool = False,
    mailing_list_id: str | None = None,
    event: str = "signup",
) -> None:
    team_id = await server.pool.fetchval("SELECT id FROM team")
    root = EventTrigger(next_node_ids=("exit",), event_name=event, re_eligible=not once)
    await add_workflow(
        server.pool,
        team_id,
        {"root": root, "exit": ExitAction()},
        status=status,
        mailing_list_id=mailing_list_id,
    )


async def set_status(server: LiveServer, status: WorkflowStatus) -> None:
    await server.pool.execute("UPDATE workflow SET status = $1, updated_at = now()", status)


async def test_who_waits_to_enter(live_server: LiveServer, send: Send) -> None:
    """What comes within a day of a pause starts a run, which goes no further yet."""
    await waiting(live_server, status="PausedAndQueueing")
    page = await send()
    assert "did not start" not in page
    assert "It goes on once the workflow is no longer paused." in page


async def test_what_it_started(live_server: LiveServer, send: Send, client: httpx2.AsyncClient) -> None:
    """The run with its state; nothing that did not start."""
    await waiting(live_server)
    page = await send()
    assert "did not start" not in page
    assert "Welcome" in page

    async def finished() -> bool:
        return bool(await live_server.pool.fetchval("SELECT count(*) FROM run WHERE status = 'finished'"))

    await until(finished)
    events = (await client.get("/events")).text
    event_id = await live_server.pool.fetchval("SELECT id FROM event")
    contact_id = await live_server.pool.fetchval("SELECT id FROM contact")
    for path in (f"/events/{event_id}", f"/contacts/{contact_id}"):
        page = (await client.get(path)).text
        assert "<summary>1 step</summary>" in page, "the way of its run"
        assert "<li>Exit <time" in page
    assert f'href="/events/{event_id}"' in events
    assert "finished" in (await client.get(f"/events/{event_id}")).text


@pytest.mark.parametrize(
    ("status", "says"),
    [
        pytest.param("Draft", "It was a draft when the event came", id="a draft"),
        pytest.param("Paused", "It was paused when the event came", id="paused"),
    ],
)
async def test_a_workflow_that_nobody_may_enter(
    live_server: LiveServer, send: Send, client: httpx2.AsyncClient, status: WorkflowStatus, says: str
) -> None:
    """The page goes on saying so once it sends again: it tells of that moment."""
    await waiting(live_server, status=status)
    assert says in await send()
    await set_status(live_server, "Sending")
    event_id = await live_server.pool.fetchval("SELECT id FROM event")
    assert says in (await client.get(f"/events/{event_id}")).text


async def test_a_contact_that_is_not_on_the_list(live_server: LiveServer, send: Send) -> None:
    """Left it, or never joined; with the list in the event it enters."""
    team_id = await first_team(live_server.pool)
    await add_list(live_server.pool, team_id, "news", name="Product news")
    await waiting(live_server, mailing_list_id="news")
    assert "The contact was not subscribed to “Product news”" in await send()
    assert "did not start" not in await send(mailingLists={"news": True})


async def test_a_contact_that_has_not_confirmed(live_server: LiveServer, send: Send) -> None:
    """Double opt-in comes before every workflow."""
    await waiting(live_server)
    await send("hello")
    await live_server.pool.execute("UPDATE contact SET opt_in_status = 'pending'")
    assert "had not confirmed its address" in await send()


async def test_a_contact_that_was_in_it_before(live_server: LiveServer, send: Send) -> None:
    """With a link to the event that let it in."""
    await waiting(live_server, once=True)
    assert "did not start" not in await send()
    first = await live_server.pool.fetchval("SELECT id FROM event")
    page = await send()
    assert "The contact was in it before, and it takes each contact once." in page
    assert f'href="/events/{first}"' in page


async def test_a_workflow_made_afterwards(
    live_server: LiveServer, send: Send, client: httpx2.AsyncClient
) -> None:
    """It could not have started."""
    await send()
    await waiting(live_server)
    event_id = await live_server.pool.fetchval("SELECT id FROM event")
    assert "made or changed after this event came" in (await client.get(f"/events/{event_id}")).text


async def test_an_event_that_nobody_waits_for(live_server: LiveServer, send: Send) -> None:
    """The names that are nearly it are told; those of other events too."""
    assert "There is no workflow yet that starts with an event." in await send()
    await waiting(live_server, event="Sign up")
    await waiting(live_server, event="invoice.paid")
    page = await send("sign_up")
    assert "No workflow waits for <b>sign_up</b>" in page
    assert 'Nearly the same: <span class="event">Sign up</span>' in page
    assert "Workflows also wait for: invoice.paid" in page


async def test_a_paused_workflow_holds_its_runs(
    live_server: LiveServer, send: Send, client: httpx2.AsyncClient
) -> None:
    """Whoever is inside waits, and the page says for what."""
    await waiting(live_server)
    await send()
    event_id = await live_server.pool.fetchval("SELECT id FROM event")
    await live_server.pool.execute("UPDATE run SET status = 'active'")
    await set_status(live_server, "Paused")
    page = (await client.get(f"/events/{event_id}")).text
    assert "It goes on once the workflow is no longer paused." in page


async def test_an_email_that_was_skipped(
    live_server: LiveServer, send: Send, client: httpx2.AsyncClient
) -> None:
    """Its state and its reason stand below its run."""
    await waiting(live_server)
    await send()
    rows = Rows(live_server.pool, await first_team(live_server.pool))
    await rows.email(
        "Hello",
        "ada@example.com",
        await live_server.pool.fetchval("SELECT contact_id FROM run"),
        run_id=await live_server.pool.fetchval("SELECT id FROM run"),
        status="skipped",
        reason="the contact is unsubscribed",
    )
    event_id = await live_server.pool.fetchval("SELECT id FROM event")
    page = (await client.get(f"/events/{event_id}")).text
    assert "skipped" in page
    assert "the contact is unsubscribed" in page
