"""Feedback: which email something was told of, what follows from it, and what nobody understood."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

from msgspec import Struct

from loopwright.ids import new_id

from .database import Connection

FeedbackFact: TypeAlias = Literal[
    "email_bounced", "email_soft_bounced", "email_failed", "email_complained", "email_delivered"
]
"""What is told of an email that has left. `email_failed`: it came back, and not because of its address."""


class EmailReport(Struct, frozen=True, kw_only=True):
    """One thing told of one email, once. `address` is where it went, `suppresses` why nothing goes there."""

    team_id: str
    email_id: str
    contact_id: str | None
    fact: FeedbackFact
    address: str
    reply: str
    code: str
    suppresses: Literal["hard_bounce", "complaint"] | None = None


class SentEmail(Struct, frozen=True, kw_only=True):
    """An email that something may be about, with what its tokens are signed with."""

    id: str
    team_id: str
    contact_id: str | None
    to_email: str
    mime_id: str
    mailing_list_id: str | None
    secret: bytes


class UnknownRow(Struct, frozen=True, kw_only=True):
    """What came and was not understood, or not applied, and why. `raw` is how it began."""

    id: str
    team_id: str
    door: str
    reason: str
    raw: bytes
    received_at: datetime


class StoppedRow(Struct, frozen=True, kw_only=True):
    """An address that marketing no longer goes to, as it bounced softly again and again."""

    email: str
    first_at: datetime
    stopped_at: datetime


RAW_BYTES = 16_000
"""Of what was not understood, what is kept."""
UNKNOWN_KEPT = 1_000
"""A team's newest ones: anybody can send to the door."""

# Whose it is, is known only from what comes: the team is asked for where a door is a team's own.
SENT: LiteralString = """
    SELECT email.id, email.team_id, email.contact_id, email.to_email, email.mime_id, email.mailing_list_id,
           team.secret
      FROM email JOIN team ON team.id = email.team_id
     WHERE (email.id = ANY ($1::text[]) OR email.mime_id = ANY ($2::text[]))
       AND ($3::text IS NULL OR email.team_id = $3)
"""
NEWEST_TO: LiteralString = """
    SELECT address, newest.mime_id
      FROM unnest($2::text[]) AS wanted (address)
     CROSS JOIN LATERAL (
               SELECT mime_id FROM email
                WHERE email.team_id = $1 AND email.to_email = wanted.address AND email.sent_at >= $3
                ORDER BY email.id DESC LIMIT 1
           ) AS newest
"""
REPORTED: LiteralString = """
    SELECT wanted.email_id, known.kind
      FROM unnest($1::text[], $2::text[]) AS wanted (team_id, email_id)
      JOIN (
               SELECT team_id, email_id, kind FROM email_report
                UNION
               SELECT team_id, email_id, kind FROM email_outcome
           ) AS known USING (team_id, email_id)
"""
# Who told the same at the same time makes this fail: the batch is then made once more, and finds it told.
TELL: LiteralString = """
    WITH report AS (
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[]
        ) AS report (fact_id, team_id, email_id, contact_id, kind, address, reply, code, suppresses)
    ), noted AS (
        INSERT INTO email_report (team_id, email_id, kind)
        SELECT team_id, email_id, kind FROM report ORDER BY email_id, kind
    ), suppressed AS (
        INSERT INTO suppression (team_id, email, reason, created_at)
        SELECT DISTINCT ON (team_id, address) team_id, address, suppresses, $10::timestamptz FROM report
         WHERE suppresses IS NOT NULL
         ORDER BY team_id, address, suppresses
        ON CONFLICT DO NOTHING
    )
    INSERT INTO fact (id, team_id, kind, contact_id, email_id, detail, happened_at)
    SELECT fact_id, team_id, kind, contact_id, email_id,
           jsonb_build_object('reply', reply, 'code', code), $10
      FROM report
"""
NOTE_UNKNOWN: LiteralString = """
    WITH noted AS (
        INSERT INTO feedback_unknown (id, team_id, door, reason, raw, received_at)
        VALUES ($1, $2, $3, $4, $5, $6)
    )
    DELETE FROM feedback_unknown
     WHERE team_id = $2 AND id <= (
               SELECT id FROM feedback_unknown WHERE team_id = $2 ORDER BY id DESC OFFSET $7 LIMIT 1)
"""
UNKNOWN_PAGE: LiteralString = """
    SELECT id, team_id, door, reason, raw, received_at FROM feedback_unknown
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
"""
COUNT_UNKNOWN: LiteralString = "SELECT count(*) FROM feedback_unknown WHERE team_id = $1"
CLEAR_UNKNOWN: LiteralString = """
    WITH gone AS (DELETE FROM feedback_unknown WHERE team_id = $1 RETURNING 1) SELECT count(*) FROM gone
"""
DELETE_UNKNOWN: LiteralString = """
    DELETE FROM feedback_unknown WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM feedback_unknown WHERE received_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
STOPPED: LiteralString = """
    SELECT email, first_at, stopped_at FROM soft_bouncing
     WHERE team_id = $1 AND stopped_at IS NOT NULL AND ($2::text IS NULL OR email > $2)
     ORDER BY email LIMIT $3
"""
COUNT_STOPPED: LiteralString = (
    "SELECT count(*) FROM soft_bouncing WHERE team_id = $1 AND stopped_at IS NOT NULL"
)
RELEASE: LiteralString = "DELETE FROM soft_bouncing WHERE team_id = $1 AND email = $2"
BOUNCE_DOMAINS: LiteralString = """
    SELECT DISTINCT ON (bounce_domain) bounce_domain, team_id FROM sending_domain
     WHERE bounce_domain = ANY ($1::text[]) ORDER BY bounce_domain, created_at
"""


async def load_sent(
    tx: Connection, ids: Collection[str], mime_ids: Collection[str], *, team_id: str | None
) -> list[SentEmail]:
    """The emails of those ids and Message-IDs, of one team or of any."""
    return [SentEmail(**row) for row in await tx.fetch(SENT, list(ids), list(mime_ids), team_id)]


async def load_newest_to(
    tx: Connection, team_id: str, addresses: Collection[str], *, since: datetime
) -> dict[str, str]:
    """The Message-IDs of the newest emails that were sent to these addresses since then."""
    rows = await tx.fetch(NEWEST_TO, team_id, list(addresses), since)
    return {row["address"]: row["mime_id"] for row in rows}


async def load_reported(tx: Connection, emails: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """What was told before of these (team, email) pairs: (email id, kind of the fact)."""
    rows = await tx.fetch(REPORTED, [team for team, _ in emails], [email for _, email in emails])
    return {(row["email_id"], row["kind"]) for row in rows}


async def tell_reports(tx: Connection, reports: Sequence[EmailReport], *, now: datetime) -> None:
    """Write what was told as facts, and suppress addresses. Raises `asyncpg.UniqueViolationError`."""
    if not reports:
        return
    await tx.execute(
        TELL,
        [new_id(now) for _ in reports],
        [report.team_id for report in reports],
        [report.email_id for report in reports],
        [report.contact_id for report in reports],
        [report.fact for report in reports],
        [report.address for report in reports],
        [_text(report.reply) for report in reports],
        [_text(report.code) for report in reports],
        [report.suppresses for report in reports],
        now,
    )


async def note_unknown(
    tx: Connection, team_id: str, door: str, reason: str, raw: bytes, *, now: datetime
) -> None:
    """Keep what was not understood, or could not be applied, for people to look at."""
    await tx.execute(
        NOTE_UNKNOWN, new_id(now), team_id, door, _text(reason), raw[:RAW_BYTES], now, UNKNOWN_KEPT
    )


async def load_unknown(
    tx: Connection, team_id: str, *, before: str | None = None, limit: int
) -> list[UnknownRow]:
    """What was not understood, newest first, from those before an id."""
    return [UnknownRow(**row) for row in await tx.fetch(UNKNOWN_PAGE, team_id, before, limit)]


async def count_unknown(tx: Connection, team_id: str) -> int:
    """How much was not understood and is kept."""
    return int(await tx.fetchval(COUNT_UNKNOWN, team_id))


async def clear_unknown(tx: Connection, team_id: str) -> int:
    """Forget what was not understood; returns how much there was."""
    return int(await tx.fetchval(CLEAR_UNKNOWN, team_id))


async def delete_unknown(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of those that came before; returns how many there were."""
    return int((await tx.execute(DELETE_UNKNOWN, before, limit)).rsplit(" ", 1)[1])


async def load_stopped(
    tx: Connection, team_id: str, *, after: str | None = None, limit: int
) -> list[StoppedRow]:
    """The addresses that marketing no longer goes to, in their order, from those after one."""
    return [StoppedRow(**row) for row in await tx.fetch(STOPPED, team_id, after, limit)]


async def count_stopped(tx: Connection, team_id: str) -> int:
    """To how many addresses marketing no longer goes."""
    return int(await tx.fetchval(COUNT_STOPPED, team_id))


async def release_address(tx: Connection, team_id: str, email: str) -> bool:
    """Forget the soft bounces of an address; whether there were any."""
    return (await tx.execute(RELEASE, team_id, email)) != "DELETE 0"


async def load_bounce_domains(tx: Connection, domains: Collection[str]) -> dict[str, str]:
    """Whose bounces come to these domains: domain -> team id."""
    rows = await tx.fetch(BOUNCE_DOMAINS, list(domains))
    return {row["bounce_domain"]: row["team_id"] for row in rows}


def _text(text: str) -> str:
    """Text that PostgreSQL can hold."""
    return text.replace("\x00", "").encode(errors="replace").decode()
