"""Previews: what is refused, and what arrives."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from loopwright.server.store.teams import load_teams
from support.contract import read
from support.drafts import SOUND, create
from support.examples import WELCOME
from support.live import LiveServer
from support.refusals import refused

from .conftest import Serving


async def received(http: httpx2.AsyncClient, to: str) -> dict[str, Any]:
    """The message that arrives at an address."""
    root = str(http.base_url).split("/api/")[0]
    for _ in range(200):
        found = (await http.get(f"{root}/loopwright/v1/inbox", params={"to": to})).json()
        if found:
            return dict(found[0])
        await asyncio.sleep(0.05)
    raise AssertionError(f"nothing came to {to}")


async def draft_of(http: httpx2.AsyncClient, **content: object) -> str:
    """The address of a draft's previews."""
    made = await create(http, **{**SOUND, **content})
    return f"/email-messages/{made['draftEmailMessageId']}/preview"


async def workflow_email(http: httpx2.AsyncClient, live_server: LiveServer) -> str:
    """The address of the previews of a workflow's email."""
    async with live_server.pool.acquire() as tx, tx.transaction():
        (team,) = await load_teams(tx)
        await apply_definitions(tx, team.id, parse(read_folder(WELCOME)), now=datetime.now(UTC))
    found: str = await live_server.pool.fetchval(
        "SELECT node.value ->> 'emailMessageId' FROM workflow, jsonb_each(nodes) AS node"
        " WHERE node.value ->> 'emailMessageId' IS NOT NULL LIMIT 1"
    )
    await live_server.pool.execute("UPDATE workflow SET status = 'Paused'")
    body = {
        "subject": "Hello {contact.firstName}",
        "lmx": '<Section if="{contact.plan}" ifOperation="equal" ifValue="pro"><Paragraph>Pro</Paragraph>'
        "</Section><Paragraph>{event.order} {contact.city}</Paragraph>",
        "contactPropertiesFallbacks": {"city": "Paris"},
    }
    read(await http.post(f"/email-messages/{found}", json=body))
    return f"/email-messages/{found}/preview"


async def test_a_draft_arrives_as_a_test(serving: Serving) -> None:
    """Before anything is published, with the request's values, which never become markup."""
    async with serving(jobs=True) as http:
        path = await draft_of(http)
        body = {"emails": [" Ada@example.com", "bob@example.com"], "dataVariables": {"code": "<b>7</b>"}}
        assert read(await http.post(path, json=body)) == {"id": path.split("/")[2]}
        for to in ("ada@example.com", "bob@example.com"):
            message = await received(http, to)
            assert message["subject"] == "[Test] Your code"
            assert "Your code is &lt;b&gt;7&lt;/b&gt;." in message["html"]


async def test_a_workflow_email_looks_as_it_will(serving: Serving, live_server: LiveServer) -> None:
    """Conditions, fallbacks and the footer of marketing email; nobody has to be in the audience."""
    async with serving(jobs=True) as http:
        path = await workflow_email(http, live_server)
        values = {
            "contactProperties": {"firstName": "Ada", "plan": "pro"},
            "eventProperties": {"order": "A7"},
        }
        read(await http.post(path, json={"emails": ["eve@example.com"], **values}))
        message = await received(http, "eve@example.com")
    assert message["subject"] == "[Test] Hello Ada"
    assert "Pro" in message["text"]
    assert "A7 Paris" in message["text"]
    assert "/unsubscribe/" in message["html"]


async def test_lists_are_repeated(serving: Serving) -> None:
    """They are asked for as a whole, and come with any fields."""
    lmx = '<For variable="{data.items}"><Paragraph>{data.items[].name} and</Paragraph></For>'
    async with serving(jobs=True) as http:
        path = await draft_of(http, lmx=lmx)
        refused(await http.post(path, json={"emails": ["ann@example.com"]}), 400, "send dataVariables.items")
        items = [{"name": "Tea"}, {"name": None}, {"price": 1}]
        body = {"emails": ["ann@example.com"], "dataVariables": {"items": items}}
        read(await http.post(path, json=body))
        text = (await received(http, "ann@example.com"))["text"]
    assert text.split() == ["Tea", "and", "and", "and"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"emails": []}, "emails"),
        ({"emails": [""]}, "an address is empty"),
        ({"emails": ["nobody"]}, "emails[0]: Invalid email address."),
        ({"emails": ["a@b.test"]}, "send dataVariables.code"),
        ({"emails": ["a@b.test"], "contactProperties": {"code": "1"}}, "contactProperties has no place"),
        ({"emails": ["a@b.test"], "variables": {}}, "variables is not a key"),
    ],
)
async def test_what_cannot_be_sent(http: httpx2.AsyncClient, body: dict[str, object], text: str) -> None:
    """Told by name, and nothing is queued."""
    refused(await http.post(await draft_of(http), json=body), 400, text)


async def test_values_go_by_whose_email_it_is(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """A workflow has contacts and events, and no data."""
    path = await workflow_email(http, live_server)
    body = {"emails": ["a@b.test"], "dataVariables": {"x": "1"}}
    refused(await http.post(path, json=body), 400, "dataVariables has no place in a workflow email")


async def test_a_hundred_a_day(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Each address counts; of many at once none is too many; a day later there are as many again."""
    path = await draft_of(http)
    body = {"emails": [f"a{number}@b.test" for number in range(30)], "dataVariables": {"code": "1"}}
    answers = await asyncio.gather(*(http.post(path, json=body) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [200, 200, 200, 429, 429]
    refused(await http.post(path, json=body), 429, "10 are left")
    assert await live_server.pool.fetchval("SELECT count(*) FROM email WHERE preview IS NOT NULL") == 90
    await live_server.pool.execute("UPDATE email SET created_at = created_at - interval '25 hours'")
    read(await http.post(path, json=body))


async def test_a_relay_wants_a_sending_domain(serving: Serving) -> None:
    """Addresses for tests stay here and need none."""
    async with serving(smtp_url="smtp://localhost:9", jobs=False) as http:
        path = await draft_of(http)
        values = {"dataVariables": {"code": "1"}}
        refused(await http.post(path, json={"emails": ["a@b.org"], **values}), 400, "no sending domain")
        read(await http.post(path, json={"emails": ["a@example.com"], **values}))
