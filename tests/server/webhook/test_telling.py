"""What endpoints are told: made of facts, in the transaction that writes them."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from loopwright import webhooks
from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import (
    AnswerOptIn,
    ContactInput,
    DeleteContact,
    Identity,
    SubmitForm,
    UpdateContact,
)
from loopwright.server.runtime.forgetting import Forgetting
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Pool
from loopwright.server.store.jobs import ForgetContact
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.webhooks import delete_endpoint, disable_endpoint
from loopwright.server.workflow.graph import ExitAction, SignupTrigger
from support.audience import contact_of, declare
from support.clock import HandClock
from support.content import publish, write_message, write_transactional
from support.contract import digest, faults
from support.factories import add_campaign, add_email, add_endpoint, add_fact, add_list, add_team
from support.sequential import CONFIRM
from support.workflows import add_workflow

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
SEALING = SealingKey(bytes(32))
ADA = Identity("ada@elsewhere.org", "u1")
CONTRACT = digest()


def merged(schema: Any) -> Any:
    """A schema with those that it is all of."""
    if "$ref" in schema:
        return merged(CONTRACT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    parts = [schema] if "allOf" not in schema else [merged(part) for part in schema["allOf"]]
    return {
        "type": "object",
        "required": [name for part in parts for name in part["required"]],
        "properties": {name: kind for part in parts for name, kind in part["properties"].items()},
        "additionalProperties": False,
    }


SCHEMAS = {
    schema["properties"]["eventName"]["const"]: schema
    for item in CONTRACT["webhooks"].values()
    for schema in [merged(item["post"]["requestBody"]["content"]["application/json"]["schema"])]
}


@pytest.fixture
def clock() -> Clock:
    return HandClock(NOW)


async def told(pool: Pool) -> list[dict[str, Any]]:
    """The payloads in their order, each as the contract has it."""
    rows = await pool.fetch("SELECT payload::text FROM webhook_delivery ORDER BY sequence")
    payloads = [json.loads(row["payload"]) for row in rows]
    for payload in payloads:
        schema = SCHEMAS[payload["eventName"]]
        assert list(faults(schema, payload, CONTRACT)) == [], payload
        event = webhooks.read(json.dumps(payload))
        assert not isinstance(event, webhooks.UnknownEvent)
        assert json.loads(webhooks.write(event)) == payload
        assert event.occurred_at == NOW
    return payloads


def names(payloads: list[dict[str, Any]]) -> list[str]:
    return [payload["eventName"] for payload in payloads]


def update(team: TeamRow, **said: Any) -> UpdateContact:
    return UpdateContact(team_id=team.id, identity=ADA, input=ContactInput(**said))


async def test_what_happens_to_a_contact(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Created, on a list and off it, unsubscribed, deleted: each told once, in that order."""
    await add_list(pool, team.id, "news", name="News")
    await declare(pool, team.id, plan="string", seats="number")
    await ingest.submit(update(team))
    await add_endpoint(pool, team.id, "https://hooks.test", sealing=SEALING)
    await ingest.submit(DeleteContact(team_id=team.id, identity=replace(ADA, user_id=None)))
    await ingest.submit(update(team, custom={"plan": "pro"}, lists={"news": True}))
    await ingest.submit(update(team, custom={"plan": "free"}))
    await ingest.submit(update(team, fields={"subscribed": False}, lists={"news": False}))
    await ingest.submit(update(team, fields={"subscribed": True}))
    payloads = await told(pool)
    assert names(payloads) == [
        "contact.unsubscribed",
        "contact.deleted",
        "contact.created",
        "contact.mailingList.subscribed",
        "contact.unsubscribed",
        "contact.mailingList.unsubscribed",
    ]
    contact = await contact_of(pool, team.id, "ada@elsewhere.org")
    assert contact is not None
    identity = {"id": contact.id, "email": "ada@elsewhere.org", "userId": "u1"}
    assert [payload["contactIdentity"] == identity for payload in payloads] == [False] * 2 + [True] * 4
    assert payloads[2]["contact"] == {
        "id": contact.id, "email": "ada@elsewhere.org", "firstName": None, "lastName": None, "source": "API",
        "subscribed": True, "userGroup": "", "userId": "u1", "mailingLists": {"news": True},
        "optInStatus": None, "plan": "pro", "seats": None,
    }  # fmt: skip
    assert payloads[3]["mailingList"] == {
        "id": "news", "name": "News", "description": None, "isPublic": True,
    }  # fmt: skip


async def test_nobody_hears_of_a_contact_that_is_asked_to_confirm(
    ingest: Ingest, pool: Pool, team: TeamRow
) -> None:
    """Neither of itself, nor of the email that asks; once it has said yes, of all there is."""
    await add_list(pool, team.id, "news")
    asking = await write_transactional(pool, team.id, "Confirm", now=NOW)
    await publish(pool, team.id, asking, now=NOW)
    await add_endpoint(pool, team.id, "https://hooks.test", sealing=SEALING)
    revision = await pool.fetchrow("SELECT id, message_id FROM email_revision")
    assert revision is not None
    ask = replace(
        CONFIRM, transactional_id=asking, message_id=revision["message_id"], revision_id=revision["id"]
    )
    said = ContactInput(lists={"news": True})
    await ingest.submit(
        SubmitForm(team_id=team.id, identity=replace(ADA, user_id=None), input=said, opt_in=ask)
    )
    [email_id] = [row["id"] for row in await pool.fetch("SELECT id FROM email")]
    await add_fact(pool, team.id, "email_sent", email_id=email_id, now=NOW)
    assert await told(pool) == []
    contact = await contact_of(pool, team.id, "ada@elsewhere.org")
    assert contact is not None
    await ingest.submit(AnswerOptIn(team_id=team.id, contact_id=contact.id, accepted=True))
    assert names(await told(pool)) == ["contact.created", "contact.mailingList.subscribed"]


OF_EMAILS = {
    "email_sent": ["sent", "email.delivered"],
    "email_failed": [],
    "email_soft_bounced": ["email.softBounced"],
    "email_bounced": ["email.hardBounced"],
    "email_opened": ["email.opened"],
    "email_clicked": ["email.clicked"],
    "email_unsubscribed": ["email.unsubscribed"],
    "email_resubscribed": ["email.resubscribed"],
    "email_complained": ["email.spamReported"],
}


async def test_what_happens_to_emails(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Whoever writes the fact: of workflows, of campaigns, and transactional ones."""
    await add_list(pool, team.id, "news", name="News")
    nodes = {"root": SignupTrigger(next_node_ids=("exit",)), "exit": ExitAction()}
    workflow = await add_workflow(pool, team.id, nodes)  # type: ignore[arg-type]
    receipt = await write_transactional(pool, team.id, "Receipt", now=NOW)
    message = (await write_message(pool, team.id, now=NOW)).message_id
    await ingest.submit(update(team))
    contact = await contact_of(pool, team.id, "ada@elsewhere.org")
    assert contact is not None
    await add_endpoint(pool, team.id, "https://hooks.test", sealing=SEALING)
    for_all = {"now": NOW, "status": "sent"}
    of_ada = {**for_all, "kind": "marketing", "contact_id": contact.id, "mailing_list_id": "news"}
    await add_email(pool, message, "cloop", workflow_id=workflow.id, **of_ada)  # type: ignore[arg-type]
    await add_email(pool, message, "ccampaign", **of_ada)  # type: ignore[arg-type]
    await add_email(pool, message, "creceipt", transactional_id=receipt, **for_all)  # type: ignore[arg-type]
    await add_campaign(pool, team.id, "cmay", name="May")
    await pool.execute("UPDATE email SET campaign_id = 'cmay' WHERE id = 'ccampaign'")
    for kind in OF_EMAILS:
        await add_fact(pool, team.id, kind, email_id="cloop", now=NOW)
        await add_fact(pool, team.id, kind, email_id="ccampaign", now=NOW)
    for kind in ("email_sent", "email_bounced"):
        await add_fact(pool, team.id, kind, email_id="creceipt", now=NOW)

    payloads = await told(pool)
    of_email = {
        email_id: [one for one in payloads if one["email"]["id"] == email_id]
        for email_id in ("cloop", "ccampaign", "creceipt")
    }
    after = [name for kind in OF_EMAILS.values() for name in kind if name != "sent"]
    assert names(of_email["cloop"]) == ["loop.email.sent", *after]
    assert names(of_email["ccampaign"]) == ["campaign.email.sent", *after]
    assert [of_email["ccampaign"][0][key] for key in ("campaignId", "campaignName")] == ["cmay", "May"]
    assert names(of_email["creceipt"]) == [
        "transactional.email.sent",
        "email.delivered",
        "email.hardBounced",
    ]
    email = {"emailMessageId": message, "subject": ""}
    ada = {"id": contact.id, "email": "ada@elsewhere.org", "userId": "u1"}
    news = {"id": "news", "name": "News", "description": None, "isPublic": True}
    sent, delivered = of_email["cloop"][:2]
    common = {
        "eventTime": int(NOW.timestamp()), "webhookSchemaVersion": "1.0.0", "contactIdentity": ada,
        "loopId": workflow.id, "email": {"id": "cloop", **email},
    }  # fmt: skip
    assert sent == {
        "eventName": "loop.email.sent", **common, "loopName": "Welcome", "mailingLists": [news],
    }  # fmt: skip
    assert delivered == {"eventName": "email.delivered", **common, "sourceType": "loop"}
    stranger = of_email["creceipt"][0]["contactIdentity"]
    assert stranger == of_email["creceipt"][1]["contactIdentity"]
    assert (stranger["email"], stranger["userId"], len(stranger["id"])) == ("ada@elsewhere.org", None, 25)


async def test_nothing_is_told_of_an_email_to_nobody(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Of a click, say, after the contact's deletion, which has taken the address along."""
    message = (await write_message(pool, team.id, now=NOW)).message_id
    await add_campaign(pool, team.id, "cmay", name="May")
    await ingest.submit(update(team))
    contact = await contact_of(pool, team.id, "ada@elsewhere.org")
    assert contact is not None
    await add_email(pool, message, "cmail", now=NOW, status="sent", kind="marketing", contact_id=contact.id)
    await pool.execute("UPDATE email SET campaign_id = 'cmay'")
    await ingest.submit(DeleteContact(team_id=team.id, identity=replace(ADA, user_id=None)))
    gone = ForgetContact(team_id=team.id, contact_id=contact.id, email=contact.email, deleted_at=NOW)
    await Forgetting(pool).forget(gone)
    assert await pool.fetchval("SELECT to_email FROM email") == ""
    await add_endpoint(pool, team.id, "https://hooks.test", sealing=SEALING)
    for kind in OF_EMAILS:
        await add_fact(pool, team.id, kind, email_id="cmail", now=NOW)
    assert await told(pool) == []


async def test_every_event_of_the_contract_can_happen() -> None:
    """What facts do not lead to is the test."""
    reached = {name for kind in OF_EMAILS.values() for name in kind} - {"sent"}
    reached |= {f"{source}.email.sent" for source in ("loop", "campaign", "transactional")}
    reached |= {name for name in webhooks.EVENT_TYPES if name.startswith("contact.")}
    assert webhooks.EVENT_TYPES.keys() - reached == {"testing.testEvent"}


async def test_each_endpoint_hears_what_it_asks_for(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """By the same id; one that is disabled misses it, and another team's hears nothing."""
    await add_team(pool, "cother")
    one = await add_endpoint(pool, team.id, "https://one.test", sealing=SEALING)
    two = await add_endpoint(
        pool, team.id, "https://two.test", sealing=SEALING, events=["contact.deleted", "contact.created"]
    )
    off = await add_endpoint(pool, team.id, "https://off.test", sealing=SEALING, events=["contact.created"])
    await add_endpoint(pool, "cother", "https://other.test", sealing=SEALING)
    async with pool.acquire() as tx:
        await disable_endpoint(tx, team.id, off.id, "by hand", now=NOW)
    await ingest.submit(update(team))
    await ingest.submit(DeleteContact(team_id=team.id, identity=replace(ADA, user_id=None)))
    rows = await pool.fetch(
        "SELECT endpoint_id, id, event_name, status, due_at FROM webhook_delivery ORDER BY sequence"
    )
    assert [(row["endpoint_id"], row["event_name"], row["status"]) for row in rows] == [
        (one.id, "contact.created", "queued"),
        (two.id, "contact.created", "queued"),
        (off.id, "contact.created", "missed"),
        (one.id, "contact.unsubscribed", "queued"),
        (one.id, "contact.deleted", "queued"),
        (two.id, "contact.deleted", "queued"),
    ]
    assert len({row["id"] for row in rows}) == 3
    assert [row["due_at"] is None for row in rows] == [row["status"] == "missed" for row in rows]
    async with pool.acquire() as tx:
        for endpoint in (one, two, off):
            await delete_endpoint(tx, team.id, endpoint.id)
    await ingest.submit(update(team))
    assert await pool.fetchval("SELECT count(*) FROM webhook_delivery") == 0


async def test_what_is_told_just_as_an_endpoint_is_disabled(pool: Pool, team: TeamRow) -> None:
    """It is missed, whichever commits first: left in the queue, nobody would send it, nor send it again."""
    endpoint = await add_endpoint(pool, team.id, "https://one.test", sealing=SEALING)
    message = (await write_message(pool, team.id, now=NOW)).message_id
    receipt = await write_transactional(pool, team.id, "Receipt", now=NOW)
    await add_email(pool, message, "cmail", now=NOW, status="sent", transactional_id=receipt)

    async def disable() -> None:
        async with pool.acquire() as tx, tx.transaction():
            await disable_endpoint(tx, team.id, endpoint.id, "it answered 410", now=NOW)

    async with pool.acquire() as telling:
        async with telling.transaction():
            await add_fact(telling, team.id, "email_sent", email_id="cmail", now=NOW)
            disabling = asyncio.create_task(disable())
            await asyncio.sleep(0.2)
        await disabling
    rows = await pool.fetch("SELECT status, due_at FROM webhook_delivery")
    assert [(row["status"], row["due_at"]) for row in rows] == [("missed", None)] * 2


async def test_an_endpoint_counts_at_once(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """What a process remembers of a team that had none is read anew, and so it is when the last one goes."""
    await ingest.submit(update(team))
    await add_endpoint(pool, team.id, "https://hooks.test", sealing=SEALING)
    await ingest.submit(replace(update(team), identity=Identity("bob@elsewhere.org", None)))
    assert names(await told(pool)) == ["contact.created"]
