"""The buttons of a workflow, and one contact's way through it."""

import json
from datetime import timedelta

import httpx2
import pytest

from loopwright.server.store.pages.workflows import list_states
from loopwright.server.store.workflows import WorkflowStatus
from loopwright.server.workflow.graph import EventTrigger, ExitAction, Node, SendEmailAction, TimerAction
from support.content import write_message
from support.dashboard_site import FROM_HERE, Site, words
from support.workflows import add_workflow, wait_at


async def write(
    site: Site, status: WorkflowStatus, *, subject: str = "Hello", waiting: int = 0, entering: int = 0
) -> str:
    pool, team_id = site.rows.pool, site.rows.team_id
    message = await write_message(pool, team_id, subject=subject)
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("mail",), event_name="signup"),
        "mail": SendEmailAction(next_node_ids=("day",), email_message_id=message.message_id),
        "day": TimerAction(next_node_ids=("exit",), amount=1, unit="d"),
        "exit": ExitAction(),
    }
    row = await add_workflow(pool, team_id, nodes, status=status)
    await wait_at(pool, row, "day", waiting)
    for _ in range(entering):
        contact = await site.rows.contact("late@example.com")
        await site.rows.run(row.id, contact, status="active", node_id="root")
    return row.id


async def status_of(site: Site, workflow: str) -> str:
    async with site.rows.pool.acquire() as tx:
        [state] = await list_states(tx, site.rows.team_id, only=workflow)
    return state.status


async def test_a_workflow_is_started_paused_resumed_and_stopped(
    site: Site, operator: httpx2.AsyncClient
) -> None:
    """Each state has its buttons, and each button leads back to the page, which says what was done."""
    await site.rows.own_domain()
    workflow = await write(site, "Draft")
    path = f"/workflows/{workflow}"
    for verb, says, status, offered in [
        ("start", "The workflow is sending.", "Sending", {"pause", "stop"}),
        ("pause", "The workflow is paused.", "PausedAndQueueing", {"resume", "stop"}),
        ("resume", "The workflow goes on.", "Sending", {"pause", "stop"}),
        ("stop", "The workflow is stopped.", "Paused", {"resume"}),
    ]:
        page = await operator.post(f"{path}/{verb}", headers=FROM_HERE)
        assert page.url.path == path
        assert says in page.text
        assert await status_of(site, workflow) == status
        assert {
            one for one in ("start", "pause", "resume", "stop") if f"{path}/{one}" in page.text
        } == offered
    assert (await operator.get(f"{path}/stop")).url.path == path


async def test_a_start_is_refused_with_every_reason_at_once(site: Site, operator: httpx2.AsyncClient) -> None:
    """Nothing has changed then."""
    workflow = await write(site, "Draft", subject="")
    page = await operator.post(f"/workflows/{workflow}/start", headers=FROM_HERE)
    assert page.status_code == 422
    assert "It cannot send: node mail: subject is empty the team has no sending domain" in words(page.text)
    assert await status_of(site, workflow) == "Draft"
    again = await operator.post(f"/workflows/{workflow}/pause", headers=FROM_HERE)
    assert "draft that was never started" in again.text


async def test_who_waits_is_told_of_before_it_counts(site: Site, operator: httpx2.AsyncClient) -> None:
    """Where people wait a button opens a question, with the number of them."""
    workflow = await write(site, "PausedAndQueueing", waiting=2, entering=1)
    page = words((await operator.get(f"/workflows/{workflow}")).text)
    assert "Resume… Inside: 3 contacts, who go on from where they are. 1 of them wait to enter" in page
    assert (
        "Stop… Inside: 3 contacts, who stay where they are. 1 of them wait to enter, and are dropped" in page
    )


@pytest.mark.parametrize("verb", ["start", "resume", "pause", "stop"])
async def test_nobody_else_presses_a_button(site: Site, operator: httpx2.AsyncClient, verb: str) -> None:
    """Not another site, and not who is signed out."""
    path = f"/workflows/{await write(site, 'Sending')}/{verb}"
    assert (await operator.post(path, headers={"sec-fetch-site": "cross-site"})).status_code == 403
    async with httpx2.AsyncClient(base_url=site.base_url) as stranger:
        answer = await stranger.post(path, headers=FROM_HERE)
        assert answer.headers["location"] == "/sign-in"


async def test_one_contacts_way(site: Site, operator: httpx2.AsyncClient) -> None:
    """From the workflow and from the contact to each step, with its time, its reason and its email."""
    workflow = await write(site, "Sending", subject="A tip", waiting=1)
    contact = await site.rows.contact("ada@example.com")
    began = site.clock.now() - timedelta(hours=1)
    event = await site.rows.event("signup", contact, at=began)
    way = [
        ["mail", (began + timedelta(seconds=3)).isoformat(), ""],
        ["day", began.isoformat(), "by hand"],
        ["gone", began.isoformat(), ""],
    ]
    run = await site.rows.run(
        workflow, contact, event_id=event, event_name="signup", status="active", at=began, node_id="day",
        way=json.dumps(way),
    )  # fmt: skip
    await site.rows.email("A tip", "ada@example.com", contact, run_id=run, cause=f"run:{run}:mail")
    inside = (await operator.get(f"/workflows/{workflow}?at=day")).text
    assert f'href="/runs/{run}"' in inside
    assert inside.count('href="/runs/') == 2
    assert (await operator.get(f"/workflows/{workflow}?at=mail")).text.count('href="/runs/') == 0
    assert f'href="/runs/{run}"' in (await operator.get(f"/contacts/{contact}")).text
    page = (await operator.get(f"/runs/{run}")).text
    for link in (f"/events/{event}", f"/contacts/{contact}", f"/workflows/{workflow}"):
        assert f'href="{link}"' in page
    said = words(page)
    assert "Entered signup" in said
    assert said.index("Email A tip") < said.index("Timer 1 day") < said.index("A step that is gone")
    assert "by hand" in said
    assert "sent" in said
    assert "It waits here." in said
    assert (await operator.get("/runs/cnone")).status_code == 404
