"""Visits: who asked for the links and the picture of an email, hit by hit, and how often.

The first fifty hits of an email and link are kept as they were judged, further ones are only counted.
"""

from datetime import datetime, timedelta
from typing import Literal, LiteralString, TypeAlias

import msgspec
from msgspec import Struct

from loopwright.ids import new_id

from .database import Connection
from .emails import Value

HITS_KEPT = 50
BURST = timedelta(seconds=10)

Who: TypeAlias = Literal["human", "machine", "unsure"]


class Verdict(Struct, frozen=True):
    """Who a hit was made by, and why that is thought."""

    who: Who
    reason: str


class TrackedEmail(Struct, frozen=True, kw_only=True):
    """What a tracked link needs of its email.

    `event_properties` are empty once the email's row is gone and its links need none; then `sent_at` is None,
    and while `is_leaving`, when it may have arrived, and its result is not stored yet.
    `owner_id` is its message, unknown of emails that went before it was noted. `links_lately` is how many
    links of the email were followed within the last ten seconds, and `hidden_lately` whether one was the link
    that nobody sees.
    """

    team_id: str
    email_id: str
    secret: bytes
    hash_visitors: bool
    owner_id: str | None
    revision_id: str | None
    contact_id: str | None
    event_properties: dict[str, Value]
    sent_at: datetime | None
    is_leaving: bool
    links_lately: int
    hidden_lately: bool


class Hit(Struct, frozen=True, kw_only=True):
    """One hit of a link, or of the picture, which is link 0. `visitor` and `agent` are hashes."""

    link: int
    verdict: Verdict
    delay: timedelta | None
    visitor: bytes | None = None
    agent: bytes | None = None


TRACKED_EMAIL: LiteralString = """
    SELECT email.team_id, email.id AS email_id, email.message_id AS owner_id, email.revision_id,
           email.contact_id, email.event_properties::text AS event_properties, email.sent_at,
           email.status = 'sending' AS is_leaving, team.secret, team.hash_visitors
      FROM email JOIN team ON team.id = email.team_id
     WHERE email.team_id = $1 AND email.id = $2 AND email.kind = 'marketing'
"""
# Of an email whose row has had its time.
TRACKED_LINK: LiteralString = """
    SELECT link.team_id, link.email_id, link.owner_id, link.revision_id, link.contact_id,
           coalesce(link.event_properties, '{}')::text AS event_properties, NULL::timestamptz AS sent_at,
           false AS is_leaving, team.secret, team.hash_visitors
      FROM email_link AS link JOIN team ON team.id = link.team_id
     WHERE link.team_id = $1 AND link.email_id = $2
"""
LINKS_LATELY: LiteralString = """
    SELECT count(DISTINCT link) AS links, coalesce(bool_or(link = $4), false) AS hidden FROM email_hit
     WHERE team_id = $1 AND email_id = $2 AND link > 0 AND happened_at > $3
"""
RECORD_HIT: LiteralString = """
    WITH visit AS (
        INSERT INTO email_visit AS known (team_id, email_id, link, hits, human, machine, unsure)
        VALUES ($1, $2, $3, 1, ($4 = 'human')::int, ($4 = 'machine')::int, ($4 = 'unsure')::int)
        ON CONFLICT (email_id, link) DO UPDATE
           SET hits = known.hits + 1, human = known.human + excluded.human,
               machine = known.machine + excluded.machine, unsure = known.unsure + excluded.unsure
         WHERE known.team_id = excluded.team_id
        RETURNING hits, human + unsure AS by_people
    ), hit AS (
        INSERT INTO email_hit (
            id, team_id, email_id, link, verdict, reason, delay, visitor, agent, happened_at
        )
        SELECT $9, $1, $2, $3, $4, $5, $6::interval, $7::bytea, $8::bytea, $10 FROM visit WHERE hits <= $13
    ), counted AS (
        INSERT INTO visit_count AS known (
            team_id, owner_id, revision_id, link, hour, part, human, machine, unsure
        )
        SELECT $1, $14, $15, $3, date_bin('1 hour', $10::timestamptz, '2000-01-01Z'), pg_backend_pid() % 4,
               ($4 = 'human')::int, ($4 = 'machine')::int, ($4 = 'unsure')::int
         WHERE $14::text IS NOT NULL AND $15::text IS NOT NULL
        ON CONFLICT (team_id, owner_id, revision_id, link, hour, part) DO UPDATE
           SET human = known.human + excluded.human, machine = known.machine + excluded.machine,
               unsure = known.unsure + excluded.unsure
    )
    INSERT INTO fact (id, team_id, kind, contact_id, email_id, detail, happened_at)
    SELECT $9, $1, CASE $3 WHEN 0 THEN 'email_opened' ELSE 'email_clicked' END, $11, $2, $12, $10
      FROM visit WHERE by_people = 1 AND $4 <> 'machine'
"""

_values = msgspec.json.Decoder(dict[str, Value]).decode


async def load_tracked(
    tx: Connection, team_id: str, email_id: str, *, hidden: int, now: datetime
) -> TrackedEmail | None:
    """What the links of that marketing email need; `hidden` is the number of the one that nobody sees."""
    row = await tx.fetchrow(TRACKED_EMAIL, team_id, email_id) or await tx.fetchrow(
        TRACKED_LINK, team_id, email_id
    )
    if row is None:
        return None
    values = dict(row)
    values["event_properties"] = _values(values["event_properties"])
    lately = await tx.fetchrow(LINKS_LATELY, team_id, email_id, now - BURST, hidden)
    assert lately is not None, "this statement always has one row"
    return TrackedEmail(**values, links_lately=lately["links"], hidden_lately=lately["hidden"])


async def record_hit(tx: Connection, email: TrackedEmail, hit: Hit, *, now: datetime) -> None:
    """Note and count a hit, with the fact that the first one by a person is, in one statement."""
    await tx.execute(
        RECORD_HIT,
        email.team_id,
        email.email_id,
        hit.link,
        hit.verdict.who,
        hit.verdict.reason,
        hit.delay,
        hit.visitor,
        hit.agent,
        new_id(now),
        now,
        email.contact_id,
        msgspec.json.encode({"link": hit.link, "verdict": hit.verdict.who}).decode(),
        HITS_KEPT,
        email.owner_id,
        email.revision_id,
    )
