"""The pages of workflows: how they stand, and each as a picture."""

import httpx2

from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    EventTrigger,
    ExitAction,
    Node,
    SendEmailAction,
)
from support.content import write_message
from support.dashboard_site import Site, words
from support.factories import insert
from support.workflows import add_workflow, wait_at

MESSAGE_OF = "SELECT nodes -> 'mail' ->> 'emailMessageId' FROM workflow WHERE id = $1"
EVIL = "<script>alert(1)</script>\"'&"


async def write(site: Site, *, subject: str, name: str = "Welcome") -> str:
    pool, team_id = site.rows.pool, site.rows.team_id
    message = await write_message(pool, team_id, subject=subject)
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("only",), event_name="signup"),
        "only": AudienceFilterNode(next_node_ids=("mail",)),
        "mail": SendEmailAction(next_node_ids=("exit",), email_message_id=message.message_id),
        "exit": ExitAction(),
    }
    row = await add_workflow(pool, team_id, nodes, status="PausedAndQueueing", name=name)
    await wait_at(pool, row, "mail", 2)
    await wait_at(pool, row, "root", 0)
    return row.id


async def test_who_waits_where(site: Site, operator: httpx2.AsyncClient) -> None:
    """In the list, in the picture and step by step; each step of the picture says all of it."""
    workflow = await write(site, subject="A subject that is much too long for its box")
    listed = (await operator.get("/workflows")).text
    assert f'href="/workflows/{workflow}"' in listed
    assert "Welcome 2 inside paused, new matches wait" in words(listed)
    page = (await operator.get(f"/workflows/{workflow}")).text
    said = "Email: A subject that is much too long for its box; 0 sent, 0 opened, 0 clicked; 2 here"
    assert f'aria-label="{said}"' in page
    assert f"<title>{said}</title>" in page
    assert ">A subject that is…</text>" in page
    assert "Event received signup" in words(page)
    assert "0 sent, 0 opened, 0 clicked" in words(page)
    assert page.count("<path d=") >= 3


async def test_what_was_sent_is_counted_in_its_step(site: Site, operator: httpx2.AsyncClient) -> None:
    """From the first email on, each step of the picture has its own."""
    pool, team_id = site.rows.pool, site.rows.team_id
    workflow = await write(site, subject="Hello")
    message = await pool.fetchval(MESSAGE_OF, workflow)
    await insert(pool, "email_counter", team_id=team_id, owner_id=message, part=0, sends=7, opens=3, clicks=1)
    assert "7 sent, 3 opened, 1 clicked" in words((await operator.get(f"/workflows/{workflow}")).text)


async def test_names_are_only_text(site: Site, operator: httpx2.AsyncClient) -> None:
    """Whatever people call a workflow or write in a subject."""
    workflow = await write(site, subject=EVIL, name=EVIL)
    for path in ("/workflows", f"/workflows/{workflow}"):
        page = (await operator.get(path)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


async def test_what_is_not_there(site: Site, operator: httpx2.AsyncClient) -> None:
    """No workflow yet, none of that id."""
    assert "No workflow yet" in (await operator.get("/workflows")).text
    assert (await operator.get("/workflows/cnone")).status_code == 404
