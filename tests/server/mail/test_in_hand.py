"""What is told of an email before its result is stored, or of one that did not arrive."""

import json
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from loopwright.server.mail.links import Tracking
from loopwright.server.sealing import SealingKey
from loopwright.server.store.contacts import ContactRow
from loopwright.server.tracking.door import routes
from support.factories import add_endpoint
from support.mail_office import NOW, Office
from support.smtp_peer import Peer
from support.stored_emails import EmailRow
from support.workflows import until

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
LMX = '<Paragraph><Link href="https://acme.example/">One</Link></Paragraph>'


async def queued(office: Office) -> tuple[ContactRow, EmailRow]:
    """A tracked email of a workflow, whose contact has another address by now, and an endpoint that hears."""
    await office.pool.execute("UPDATE team SET tracking = true")
    await add_endpoint(office.pool, office.team.id, "https://hooks.test", sealing=SealingKey(bytes(32)))
    message = await office.message(LMX, subject="Hello {contact.firstName}")
    contact = await office.contact()
    email = await office.email(message, contact, workflow_id="cflow")
    await office.pool.execute("UPDATE contact SET email = 'ada@new.org'")
    return contact, email


async def told(office: Office) -> dict[str, Any]:
    """The payloads by the event's name."""
    rows = await office.pool.fetch("SELECT payload::text FROM webhook_delivery ORDER BY sequence")
    return {payload["eventName"]: payload for payload in (json.loads(row["payload"]) for row in rows)}


async def test_a_link_followed_before_the_result_is_stored(office: Office, peer: Peer) -> None:
    """The relay has the message and no more is known: subject and address are told, and the hit was early."""
    contact, email = await queued(office)
    peer.stalled.add("ada@new.org")
    secret = await office.pool.fetchval("SELECT secret FROM team")
    link = Tracking("", secret, office.team.id, email.id).click("1")

    async def is_stalled() -> bool:
        return bool(peer.seen)

    async with office.sending(peer.url, timeout=3.0):
        await until(is_stalled)
        app = Starlette(routes=list(routes(office.pool, office.clock)))
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here", headers=BROWSER) as http:
            assert (await http.get(link)).status_code == 302
        assert (await office.reload(email)).status == "sending"
    clicked = (await told(office))["email.clicked"]
    assert clicked["email"] == {
        "id": email.id, "emailMessageId": email.message_id, "subject": "Hello Ada",
    }  # fmt: skip
    assert clicked["contactIdentity"] == {"id": contact.id, "email": "ada@new.org", "userId": None}
    reason = await office.pool.fetchval("SELECT reason FROM email_hit")
    assert reason == "it came 0.0 s after delivery"


@pytest.mark.parametrize(
    ("replies", "name"),
    [
        pytest.param(["550 5.1.1 no such user"], "email.hardBounced", id="nobody there"),
        pytest.param(["452 4.2.2 mailbox full"] * 2, "email.softBounced", id="full, twice"),
    ],
)
async def test_what_did_not_arrive(office: Office, peer: Peer, replies: list[str], name: str) -> None:
    """Subject and address are those that were tried."""
    _, email = await queued(office)
    peer.answers["rcpt"] = list(replies)
    for _ in replies:
        await office.deliver(peer.url)
        await office.pool.execute("UPDATE email_queue SET due_at = $1", NOW)
    bounced = (await told(office))[name]
    assert bounced["email"]["subject"] == "Hello Ada"
    assert bounced["contactIdentity"]["email"] == "ada@new.org"
    assert (await office.reload(email)).to_email == "ada@new.org"
