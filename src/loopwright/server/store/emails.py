"""Emails: one row for one message to one person, from its cause to its outcome."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

import msgspec
from msgspec import Struct

from loopwright.ids import new_id
from loopwright.wire.transactional import Attachment

from .database import Connection
from .messages import RENDITION

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | list[dict[str, Scalar | None]]
Kind: TypeAlias = Literal["marketing", "transactional"]
Status: TypeAlias = Literal["held", "queued", "sending", "sent", "unknown", "skipped", "failed"]
"""`held`: something is missing before it may leave. `sending`: a connection has it in hand. `unknown`: it may
have left or not, and nobody knows."""


class NewEmail(Struct, frozen=True, kw_only=True):
    """An email to be queued. `cause` is unique in the team: one effect, one email.

    `revision_id` names the content that was accepted; None is for the message's current revision.
    """

    team_id: str
    cause: str
    kind: Kind
    message_id: str
    revision_id: str | None = None
    contact_id: str | None
    to_email: str
    workflow_id: str | None = None
    run_id: str | None = None
    mailing_list_id: str | None = None
    transactional_id: str | None = None
    campaign_id: str | None = None
    event_properties: dict[str, Value] = {}
    data_variables: dict[str, Value] = {}
    attachments: list[Attachment] = []


class SubscriptionRow(Struct, frozen=True, kw_only=True):
    """What the unsubscribe link of an email is about. `sender` is the company, or else the team's name."""

    team_id: str
    email_id: str
    secret: bytes
    sender: str
    to_email: str
    contact_id: str | None
    mailing_list_id: str | None
    list_name: str | None


# Of several with one cause the first is inserted; every process waits for others in one order.
INSERT_EMAILS: LiteralString = f"""
    INSERT INTO email (
        id, team_id, cause, kind, message_id, revision_id, contact_id, to_email, workflow_id, run_id,
        mailing_list_id, transactional_id, event_properties, data_variables, status, mime_id, created_at,
        campaign_id
    )
    SELECT new.id, new.team_id, new.cause, new.kind, new.message_id,
           coalesce(new.revision_id, {RENDITION}), new.contact_id, new.to_email,
           new.workflow_id, new.run_id, new.mailing_list_id, new.transactional_id, new.event_properties,
           new.data_variables, 'queued', new.id || '@' || team.sending_domain, $15, new.campaign_id
      FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
               $9::text[], $10::text[], $11::text[], $12::text[], $13::jsonb[], $14::jsonb[],
               $16::text[]
           ) WITH ORDINALITY AS new (
               id, team_id, cause, kind, message_id, revision_id, contact_id, to_email, workflow_id, run_id,
               mailing_list_id, transactional_id, event_properties, data_variables, campaign_id, turn
           )
      JOIN team ON team.id = new.team_id
      LEFT JOIN email_message AS message ON message.team_id = new.team_id AND message.id = new.message_id
     ORDER BY new.team_id, new.cause, new.turn
    ON CONFLICT (team_id, cause) DO NOTHING
    RETURNING id
"""
PREVIEW_CAUSE = "preview:"
MARK_PREVIEWS: LiteralString = """
    UPDATE email SET preview = $3
      FROM unnest($1::text[], $2::text[]) AS made (team_id, cause)
     WHERE email.team_id = made.team_id AND email.cause = made.cause
"""
COUNT_PREVIEWS: LiteralString = """
    SELECT count(*) FROM email
     WHERE team_id = $1 AND cause >= 'preview:' AND cause < 'preview;' AND created_at >= $2
"""
CAUSES: LiteralString = """
    SELECT email.team_id, email.cause, email.created_at
      FROM unnest($1::text[], $2::text[]) AS wanted (team_id, cause)
      JOIN email ON email.team_id = wanted.team_id AND email.cause = wanted.cause
"""
INSERT_ATTACHMENTS: LiteralString = """
    INSERT INTO email_attachment (team_id, email_id, place, filename, content_type, data)
    SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[])
"""
SUBSCRIPTION: LiteralString = """
    SELECT email.team_id, email.id AS email_id, team.secret,
           coalesce(nullif(team.company, ''), team.name) AS sender, email.to_email, email.contact_id,
           email.mailing_list_id, mailing_list.name AS list_name
      FROM email
      JOIN team ON team.id = email.team_id
      LEFT JOIN mailing_list
             ON mailing_list.team_id = email.team_id AND mailing_list.id = email.mailing_list_id
     WHERE email.team_id = $1 AND email.id = $2 AND email.kind = 'marketing'
"""
# Of an email whose row has had its time.
LINK: LiteralString = """
    SELECT link.team_id, link.email_id, team.secret,
           coalesce(nullif(team.company, ''), team.name) AS sender, coalesce(contact.email, '') AS to_email,
           link.contact_id, link.mailing_list_id, mailing_list.name AS list_name
      FROM email_link AS link
      JOIN team ON team.id = link.team_id
      LEFT JOIN contact ON contact.team_id = link.team_id AND contact.id = link.contact_id
      LEFT JOIN mailing_list
             ON mailing_list.team_id = link.team_id AND mailing_list.id = link.mailing_list_id
     WHERE link.team_id = $1 AND link.email_id = $2
"""


async def queue_emails(tx: Connection, emails: Sequence[NewEmail], *, now: datetime) -> None:
    """Insert one row for each new cause, in the caller's transaction; a trigger has senders hear of it.

    An email whose cause is known already is left as it is, and is not sent again.
    """
    if not emails:
        return
    by_id = {new_id(now): email for email in emails}
    rows = await tx.fetch(
        INSERT_EMAILS,
        list(by_id),
        [email.team_id for email in emails],
        [email.cause for email in emails],
        [email.kind for email in emails],
        [email.message_id for email in emails],
        [email.revision_id for email in emails],
        [email.contact_id for email in emails],
        [email.to_email for email in emails],
        [email.workflow_id for email in emails],
        [email.run_id for email in emails],
        [email.mailing_list_id for email in emails],
        [email.transactional_id for email in emails],
        [_json(email.event_properties) for email in emails],
        [_json(email.data_variables) for email in emails],
        now,
        [email.campaign_id for email in emails],
    )
    files = [
        (by_id[row["id"]].team_id, row["id"], place, file)
        for row in rows
        for place, file in enumerate(by_id[row["id"]].attachments, 1)
    ]
    if files:
        await tx.execute(
            INSERT_ATTACHMENTS,
            [team_id for team_id, _, _, _ in files],
            [email_id for _, email_id, _, _ in files],
            [place for _, _, place, _ in files],
            [file.filename for _, _, _, file in files],
            [file.content_type for _, _, _, file in files],
            [file.data for _, _, _, file in files],
        )


async def insert_previews(
    tx: Connection, emails: Sequence[NewEmail], kind: Kind, contact: Mapping[str, Value], *, now: datetime
) -> None:
    """Add emails that are previews of an email of that kind, with these contact properties."""
    await queue_emails(tx, emails, now=now)
    preview = _json({"kind": kind, "contact": contact})
    await tx.execute(MARK_PREVIEWS, [one.team_id for one in emails], [one.cause for one in emails], preview)


async def count_previews(tx: Connection, team_id: str, *, since: datetime) -> int:
    """How many previews the team has sent since then."""
    return int(await tx.fetchval(COUNT_PREVIEWS, team_id, since))


async def load_causes(tx: Connection, causes: Collection[tuple[str, str]]) -> dict[str, dict[str, datetime]]:
    """Which of the (team, cause) pairs have an email, and since when: by team, then by cause."""
    found: dict[str, dict[str, datetime]] = {}
    for row in await tx.fetch(CAUSES, [team for team, _ in causes], [cause for _, cause in causes]):
        found.setdefault(row["team_id"], {})[row["cause"]] = row["created_at"]
    return found


async def load_subscription(tx: Connection, team_id: str, email_id: str) -> SubscriptionRow | None:
    """What the unsubscribe link of that marketing email is about."""
    row = await tx.fetchrow(SUBSCRIPTION, team_id, email_id) or await tx.fetchrow(LINK, team_id, email_id)
    return SubscriptionRow(**row) if row else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
