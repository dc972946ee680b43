"""A test of a campaign: its email to one address, as the contact of that address would have it."""

from datetime import datetime

from loopwright.server.content.previews import queue_previews
from loopwright.server.ingest.values import read_email
from loopwright.server.refusal import BadRequest
from loopwright.server.store.audience import load_properties
from loopwright.server.store.campaigns import CampaignRow
from loopwright.server.store.contacts import find_by_email, flat
from loopwright.server.store.database import Connection
from loopwright.server.store.messages import MessageOwner, load_current_revision
from loopwright.server.store.teams import TeamRow


async def send_test(
    tx: Connection, team: TeamRow, campaign: CampaignRow, address: str, *, has_relay: bool, now: datetime
) -> None:
    """Queue the test. Raises what `queue_previews` does, and `BadRequest` for an address that is none."""
    email = read_email(address)
    if email is None:
        raise BadRequest("email is empty; say where the test goes", code="email_invalid", path="email")
    contact = await find_by_email(tx, team.id, email)
    declared = (await load_properties(tx, [team.id]))[team.id]
    values = flat(contact, declared) if contact else {"email": email}
    known = {key: value for key, value in values.items() if isinstance(value, str | int | float)}
    revision = await load_current_revision(tx, team.id, campaign.message_id)
    assert revision is not None, "a campaign has a message, and a message a revision"
    owner = MessageOwner(kind="campaign", id=campaign.id, state=campaign.status)
    await queue_previews(
        tx,
        team,
        owner,
        revision,
        [email],
        {"contact": known, "event": {}, "data": {}},
        has_relay=has_relay,
        now=now,
    )
