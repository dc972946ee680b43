"""The queue of emails: which are due, who has taken them, and what became of them.

An email that is taken has a token and a lease. Who holds both sends it; when the lease is over, another takes
it, and what the former writes about it is refused. `sending` are those that a connection has in hand: of them
alone nobody knows, after a crash, whether they have left.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Literal, LiteralString

import msgspec
from asyncpg import Record
from msgspec import Struct

from loopwright.ids import new_id
from loopwright.wire.transactional import Attachment

from .contacts import ContactRow, decode_contact
from .database import Connection, is_storable
from .emails import Kind, Value
from .facts import EmailFact

CHANNEL = "loopwright_email"
"""Notified when emails are queued."""


class Lane(IntEnum):
    """Who goes first. A lane that waits for a slow server holds up no other."""

    TRANSACTIONAL = 0
    WORKFLOW = 1
    CAMPAIGN = 2


class Preview(Struct, frozen=True, kw_only=True):
    """What a preview is of, and the contact properties that its request gave; it goes as transactional."""

    kind: Kind
    contact: dict[str, Value] = {}


class Delivery(Struct, frozen=True, kw_only=True):
    """An email that was taken to be sent, with all that decides about it and fills it.

    `token` is that of whoever took it, `attempts` are those made before. `contact` is the one of a marketing
    email, unless it was deleted. `trying_since` is when the first attempt was made that did not end it. What
    follows `secret` is the team's, which has a warm-up plan when `is_warming`. `is_stopped`: marketing no
    longer goes to the address.
    """

    id: str
    team_id: str
    token: str
    kind: Kind
    message_id: str
    revision_id: str
    to_email: str
    mailing_list_id: str | None
    list_name: str | None
    event_properties: dict[str, Value]
    data_variables: dict[str, Value]
    attempts: int
    trying_since: datetime | None
    mime_id: str
    contact_id: str | None
    has_attachments: bool
    is_suppressed: bool
    is_stopped: bool
    contact: ContactRow | None
    preview: Preview | None
    secret: bytes
    sending_domain: str
    company: str
    address: str
    tracking: bool
    is_warming: bool

    @property
    def is_tracked(self) -> bool:
        """Whether it tells of opens and clicks: marketing of teams that want to know, and no preview."""
        return self.tracking and self.kind == "marketing" and self.preview is None

    @property
    def rendered_as(self) -> Kind:
        """What it looks like: a preview is sent as transactional, whatever it is of."""
        return self.preview.kind if self.preview else self.kind


class InHand(Struct, frozen=True, kw_only=True):
    """An email that a connection takes in hand: whose lease it is, and what it says to whom."""

    id: str
    token: str
    subject: str
    to_email: str


class Result(Struct, frozen=True, kw_only=True):
    """What became of an email. A `queued` one goes again when it is `due_at`, and a `held` one stays in the
    queue until it is let go; for the others that is None.

    `attempts` counts those made so far. `bounced` is an address that nobody is at, and that is written to no
    more. `is_soft_bounce`: its mailbox does not take it now.
    `is_suppressed`: it was skipped because its address bounced or complained earlier.
    `trying_since` is left as it is when it is None.
    """

    id: str
    token: str
    status: Literal["held", "queued", "sent", "skipped", "failed"]
    reason: str = ""
    attempts: int
    due_at: datetime | None = None
    bounced: str | None = None
    trying_since: datetime | None = None
    is_soft_bounce: bool = False
    is_suppressed: bool = False

    @property
    def fact(self) -> EmailFact | None:
        """What the result tells of; None for an email that waits, and for one that nobody tried to send."""
        match self.status:
            case "sent":
                return "email_sent"
            case "failed":
                return "email_bounced" if self.bounced else "email_failed"
            case "queued" if self.is_soft_bounce:
                return "email_soft_bounced"
            case "skipped" if self.is_suppressed:
                return "email_suppressed"
            case _:
                return None


class Recorded(Struct, frozen=True):
    """The ids of the emails whose results were stored, and of those marked as being in hand.

    Those that are missing had another token by then, or were in the hands of somebody else.
    """

    stored: frozenset[str]
    in_hand: frozenset[str]


CLAIM: LiteralString = """
    UPDATE email_queue
       SET token = $3, leased_until = clock_timestamp() + $5::interval
     WHERE ctid = ANY (ARRAY (
               SELECT ctid FROM email_queue
                WHERE lane = $1 AND due_at <= $2 AND (token IS NULL OR leased_until <= clock_timestamp())
                  AND paused_workflow_id IS NULL
                ORDER BY due_at, email_id LIMIT $4 FOR UPDATE SKIP LOCKED))
    RETURNING team_id, email_id
"""
# The address of a contact may have changed since: that one is looked for among the suppressed.
DELIVERIES: LiteralString = """
    SELECT contact.id, contact.team_id, contact.email, contact.user_id, contact.first_name, contact.last_name,
           contact.source, contact.subscribed, contact.user_group, contact.opt_in_status, contact.notes,
           contact.properties, contact.mailing_lists, contact.created_at, contact.xmin, contact.ctid,
           email.id, email.team_id, email.kind, email.message_id, email.revision_id, email.to_email,
           email.mailing_list_id, email.event_properties, email.data_variables, email.preview,
           email.attempts, email.trying_since, email.mime_id, email.contact_id,
           mailing_list.name, team.secret, team.sending_domain, team.company, team.address, team.tracking,
           EXISTS (
               SELECT FROM warm_up WHERE warm_up.team_id = email.team_id AND cap < until
           ) AS is_warming,
           EXISTS (SELECT FROM email_attachment AS file WHERE file.email_id = email.id) AS has_attachments,
           EXISTS (
               SELECT FROM suppression
                WHERE suppression.team_id = email.team_id
                  AND suppression.email = lower(coalesce(contact.email, email.to_email))
           ) AS is_suppressed,
           EXISTS (
               SELECT FROM soft_bouncing
                WHERE soft_bouncing.team_id = email.team_id AND soft_bouncing.stopped_at IS NOT NULL
                  AND soft_bouncing.email = lower(coalesce(contact.email, email.to_email))
           ) AS is_stopped
      FROM unnest($1::text[], $2::text[]) AS taken (team_id, id)
      JOIN email ON email.team_id = taken.team_id AND email.id = taken.id
      JOIN team ON team.id = email.team_id
      LEFT JOIN mailing_list
             ON mailing_list.team_id = email.team_id AND mailing_list.id = email.mailing_list_id
      LEFT JOIN contact
             ON contact.team_id = email.team_id AND contact.id = email.contact_id AND email.kind = 'marketing'
     WHERE email.status IN ('queued', 'sending')
     ORDER BY email.id
"""
# Nobody knows whether it has left, and a newsletter is not worth sending somebody twice. It may have: caps
# count it.
UNCERTAIN: LiteralString = """
    WITH taken AS MATERIALIZED (
        SELECT email_queue.team_id, email_id AS id
          FROM email_queue JOIN unnest($1::text[], $2::text[]) AS taken (team_id, email_id)
                             USING (team_id, email_id)
         ORDER BY email_id FOR UPDATE OF email_queue
    ), uncertain AS (
        UPDATE email SET status = 'unknown', reason = 'its sender died while it was being sent'
          FROM taken
         WHERE email.team_id = taken.team_id AND email.id = taken.id AND email.status = 'sending'
        RETURNING email.team_id, email.id, campaign_id
    ), begun AS (
        UPDATE email_queue SET admitted = NULL FROM uncertain WHERE email_queue.email_id = uncertain.id
    )
    INSERT INTO brake_counter AS known (team_id, owner_id, since, part, sends, complaints, hard_bounces)
    SELECT team_id, campaign_id, date_bin('5 minutes', $3::timestamptz, '2000-01-01Z'), 0, count(*), 0, 0
      FROM uncertain GROUP BY 1, 2 ORDER BY 2
    ON CONFLICT (owner_id, since, part) DO UPDATE SET sends = known.sends + excluded.sends
"""
FORGET: LiteralString = """
    DELETE FROM email_queue
     USING unnest($1::text[], $2::text[]) AS gone (team_id, id)
     WHERE email_queue.team_id = gone.team_id AND email_queue.email_id = gone.id AND token = $3
"""
# Whoever waits for rows of the queue locks them by ascending id: then nobody waits for each other.
_HELD: LiteralString = """
    locked AS MATERIALIZED (
        SELECT email_id AS id, token FROM email_queue WHERE email_id = ANY ($1::text[])
         ORDER BY email_id FOR UPDATE
    ), held AS (
        SELECT id, token FROM locked JOIN unnest($1::text[], $2::text[]) AS held (id, token) USING (id, token)
    )
"""
RENEW: LiteralString = f"""
    WITH {_HELD}
    UPDATE email_queue SET leased_until = clock_timestamp() + $3::interval
      FROM held
     WHERE email_queue.email_id = held.id
    RETURNING held.id, held.token
"""
RELEASE: LiteralString = f"""
    WITH {_HELD}, ours AS (
        UPDATE email_queue SET token = NULL, leased_until = NULL, admitted = NULL
          FROM held
         WHERE email_queue.email_id = held.id
        RETURNING email_queue.team_id, email_queue.email_id
    )
    UPDATE email SET status = 'queued' FROM ours
     WHERE email.team_id = ours.team_id AND email.id = ours.email_id AND email.status = 'sending'
"""
ATTACHMENTS: LiteralString = """
    SELECT filename, content_type, data FROM email_attachment
     WHERE team_id = $1 AND email_id = $2 ORDER BY place
"""
# A process of the release before holds the row of an email while it sends it: that one is left to it.
# Rows of the queue are locked before they are compared: a join misses those that are being renewed.
# What an email says to whom is noted before it leaves: links may be followed before its result is stored.
RECORD: LiteralString = """
    WITH result AS (
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::text[],
            $8::text[], $9::text[], $10::timestamptz[]
        ) AS result (id, token, status, reason, attempts, due_at, bounced, fact_id, fact, trying_since)
    ), next AS (
        SELECT * FROM unnest($11::text[], $12::text[], $13::text[], $14::text[])
                      AS next (id, token, subject, to_email)
    ), ours AS MATERIALIZED (
        SELECT team_id, email_id AS id, token FROM email_queue
         WHERE email_id = ANY ($1::text[] || $11::text[])
         ORDER BY email_id FOR UPDATE
    ), stored AS (
        UPDATE email
           SET status = result.status, reason = result.reason, attempts = result.attempts,
               trying_since = coalesce(result.trying_since, email.trying_since),
               sent_at = CASE WHEN result.status = 'sent' THEN $15 ELSE email.sent_at END
          FROM result JOIN ours USING (id, token)
         WHERE email.team_id = ours.team_id AND email.id = result.id
        RETURNING email.team_id, email.id, email.contact_id, email.reason, result.due_at, result.bounced,
                  result.fact_id, result.fact
    ), told AS (
        INSERT INTO fact (id, team_id, kind, contact_id, email_id, detail, happened_at)
        SELECT fact_id, team_id, fact, contact_id, id, jsonb_build_object('reply', reason), $15
          FROM stored WHERE fact IS NOT NULL
    ), suppressed AS (
        INSERT INTO suppression (team_id, email, reason, created_at)
        SELECT DISTINCT team_id, bounced, 'hard_bounce', $15::timestamptz FROM stored
         WHERE bounced IS NOT NULL
         ORDER BY team_id, bounced
        ON CONFLICT DO NOTHING
    ), over AS (
        DELETE FROM email_queue USING stored WHERE email_queue.email_id = stored.id AND stored.due_at IS NULL
    ), later AS (
        UPDATE email_queue
           SET due_at = CASE WHEN paused_workflow_id IS NULL THEN stored.due_at ELSE 'infinity' END,
               token = NULL, leased_until = NULL, admitted = NULL
          FROM stored
         WHERE email_queue.email_id = stored.id AND stored.due_at IS NOT NULL
    ), free AS MATERIALIZED (
        SELECT email.team_id, email.id, next.subject, next.to_email FROM next JOIN ours USING (id, token)
          JOIN email ON email.team_id = ours.team_id AND email.id = next.id
         WHERE email.status IN ('queued', 'sending')
           FOR UPDATE OF email SKIP LOCKED
    ), in_hand AS (
        UPDATE email SET status = 'sending', subject = free.subject, to_email = free.to_email FROM free
         WHERE email.team_id = free.team_id AND email.id = free.id
        RETURNING email.id
    )
    SELECT ARRAY (SELECT id FROM stored) AS stored, ARRAY (SELECT id FROM in_hand) AS in_hand
"""

_values = msgspec.json.Decoder(dict[str, Value]).decode
_preview = msgspec.json.Decoder(Preview).decode


async def claim(
    tx: Connection, lane: Lane, *, token: str, limit: int, lease: timedelta, now: datetime
) -> list[Delivery]:
    """Take up to `limit` emails of a lane that are due, first due first, and load them.

    Not in one transaction: others are to see at once that they are taken. An email of a campaign that a
    sender had in hand when it died is not sent again.
    """
    rows = await tx.fetch(CLAIM, lane, now, token, limit, lease)
    if not rows:
        return []
    taken = [(row["team_id"], row["email_id"]) for row in rows]
    if lane is Lane.CAMPAIGN:
        await tx.execute(UNCERTAIN, *_columns(taken), now)
    deliveries = [_delivery(row, token) for row in await tx.fetch(DELIVERIES, *_columns(taken))]
    if len(deliveries) < len(taken):  # deleted since, uncertain, or sent by a process of the release before
        left = {delivery.id for delivery in deliveries}
        await tx.execute(FORGET, *_columns([one for one in taken if one[1] not in left]), token)
    return deliveries


async def renew(
    tx: Connection, held: Collection[tuple[str, str]], *, lease: timedelta
) -> set[tuple[str, str]]:
    """Prolong the leases of these emails with these tokens; returns those that still had them."""
    return {(row["id"], row["token"]) for row in await tx.fetch(RENEW, *_columns(held), lease)}


async def release(tx: Connection, held: Collection[tuple[str, str]]) -> None:
    """Give back emails of which nothing has left: others may take them at once."""
    await tx.execute(RELEASE, *_columns(held))


async def record(
    tx: Connection, results: Sequence[Result], in_hand: Sequence[InHand], *, now: datetime
) -> Recorded:
    """Store results with the facts they tell, and mark emails as being in hand, in one statement."""
    row = await tx.fetchrow(
        RECORD,
        [result.id for result in results],
        [result.token for result in results],
        [result.status for result in results],
        [_text(result.reason) for result in results],
        [result.attempts for result in results],
        [result.due_at for result in results],
        [_text(result.bounced) for result in results],
        [new_id(now) for _ in results],
        [result.fact for result in results],
        [result.trying_since for result in results],
        [one.id for one in in_hand],
        [one.token for one in in_hand],
        [_text(one.subject) for one in in_hand],
        [_text(one.to_email) for one in in_hand],
        now,
    )
    assert row is not None, "this statement always has one row"
    return Recorded(frozenset(row["stored"]), frozenset(row["in_hand"]))


async def load_attachments(tx: Connection, team_id: str, email_id: str) -> list[Attachment]:
    """The files of an email, in their order."""
    return [Attachment(**row) for row in await tx.fetch(ATTACHMENTS, team_id, email_id)]


_CONTACT_COLUMNS = 16


def _delivery(row: Record, token: str) -> Delivery:
    """An email from its columns, which are in the order of `DELIVERIES`."""
    email: tuple[Any, ...] = row[_CONTACT_COLUMNS:]
    return Delivery(
        id=email[0],
        team_id=email[1],
        token=token,
        kind=email[2],
        message_id=email[3],
        revision_id=email[4],
        to_email=email[5],
        mailing_list_id=email[6],
        event_properties=_values(email[7]),
        data_variables=_values(email[8]),
        preview=_preview(email[9]) if email[9] else None,
        attempts=email[10],
        trying_since=email[11],
        mime_id=email[12],
        contact_id=email[13],
        list_name=email[14],
        secret=email[15],
        sending_domain=email[16],
        company=email[17],
        address=email[18],
        tracking=email[19],
        is_warming=email[20],
        has_attachments=email[21],
        is_suppressed=email[22],
        is_stopped=email[23],
        contact=decode_contact(row[:_CONTACT_COLUMNS]) if row[0] else None,
    )


def _columns(pairs: Collection[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [first for first, _ in pairs], [second for _, second in pairs]


def _text(text: str | None) -> str | None:
    """Text that PostgreSQL can hold, whatever a server said."""
    if text is None or is_storable(text):
        return text
    return text.replace("\x00", "").encode(errors="replace").decode()
