"""Warm-up plans: what they are, how far they have come, what they count, and the emails that wait."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection
from .deliveries import Lane


class WarmUpRow(Struct, frozen=True, kw_only=True):
    """A team's plan, and the level it has come to: `day` may have `cap` emails."""

    team_id: str
    per_day: int
    per_hour: int
    growth: int
    until: int
    cap: int
    day: date


class SentRow(Struct, frozen=True, kw_only=True):
    """Marketing email of five minutes, and what came back in them."""

    since: datetime
    sends: int
    complaints: int
    hard_bounces: int


FIND: LiteralString = """
    SELECT team_id, per_day, per_hour, growth, until, cap, day FROM warm_up WHERE team_id = $1
"""
LOCK: LiteralString = f"{FIND} FOR UPDATE"
TEAMS: LiteralString = "SELECT team_id FROM warm_up WHERE day < $1 AND cap < until ORDER BY team_id"
SAVE: LiteralString = """
    INSERT INTO warm_up (team_id, per_day, per_hour, growth, until, cap, day)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (team_id) DO UPDATE
       SET per_day = excluded.per_day, per_hour = excluded.per_hour, growth = excluded.growth,
           until = excluded.until, cap = excluded.cap, day = excluded.day
"""
DELETE: LiteralString = "DELETE FROM warm_up WHERE team_id = $1"
# One look at both: what is in hand is sent by one commit. What is in hand comes first, without a time.
SENT: LiteralString = """
    SELECT NULL AS since, count(*) AS sends, 0 AS complaints, 0 AS hard_bounces
      FROM email_queue WHERE team_id = $1 AND admitted
     UNION ALL
    SELECT since, sum(sends)::bigint AS sends, sum(complaints)::bigint AS complaints,
           sum(hard_bounces)::bigint AS hard_bounces
      FROM brake_counter WHERE team_id = $1 AND since >= $2
     GROUP BY since ORDER BY since NULLS FIRST
"""
# Whoever waits for rows of the queue locks them by ascending id.
ADMIT: LiteralString = """
    WITH ours AS MATERIALIZED (
        SELECT email_id FROM email_queue WHERE email_id = ANY ($1::text[]) AND token = $2
         ORDER BY email_id FOR UPDATE
    )
    UPDATE email_queue SET admitted = true FROM ours WHERE email_queue.email_id = ours.email_id
"""
ADMITTED: LiteralString = """
    SELECT email_id FROM email_queue WHERE email_id = ANY ($1::text[]) AND token = $2 AND admitted
"""
WAITING: LiteralString = """
    SELECT count(*) FROM email_queue
     WHERE team_id = $1 AND lane = $2 AND NOT admitted AND token IS NULL AND due_at > $3
"""
# All that is due, not only what a sender has taken: the emails of others are not to wait behind it.
PUT_OFF: LiteralString = """
    WITH due AS MATERIALIZED (
        SELECT email_id, due_at FROM email_queue
         WHERE lane = $1 AND team_id = $2 AND due_at <= $3 AND paused_workflow_id IS NULL
           AND (token IS NULL OR (token = $4 AND email_id = ANY ($6::text[])))
         ORDER BY due_at, email_id LIMIT cardinality($5::timestamptz[]) FOR UPDATE SKIP LOCKED
    ), numbered AS (
        SELECT email_id, row_number() OVER (ORDER BY due_at, email_id) AS n FROM due
    )
    UPDATE email_queue SET due_at = turn.at, admitted = false, token = NULL, leased_until = NULL
      FROM numbered JOIN unnest($5::timestamptz[]) WITH ORDINALITY AS turn (at, n) USING (n)
     WHERE email_queue.email_id = numbered.email_id
"""
# Each has the turn of one that waits before it, so that no turn passes without anybody who asks.
MOVE_UP: LiteralString = """
    WITH waiting AS MATERIALIZED (
        SELECT email_id, due_at FROM email_queue
         WHERE team_id = $1 AND NOT admitted AND token IS NULL AND due_at > $2 AND due_at < 'infinity'
         ORDER BY due_at, email_id LIMIT $4 FOR UPDATE SKIP LOCKED
    ), moved AS (
        SELECT email_id, lag(due_at, $3, $2) OVER (ORDER BY due_at, email_id) AS due_at FROM waiting
    )
    UPDATE email_queue SET due_at = moved.due_at
      FROM moved WHERE email_queue.email_id = moved.email_id AND email_queue.due_at <> moved.due_at
"""
LET_GO: LiteralString = """
    UPDATE email_queue SET due_at = least(due_at, $2), admitted = NULL
     WHERE email_id = ANY (ARRAY (
               SELECT email_id FROM email_queue
                WHERE team_id = $1 AND NOT admitted AND token IS NULL ORDER BY email_id FOR UPDATE))
"""
COUNT: LiteralString = "SELECT count(*) FROM email_queue WHERE NOT admitted"
# Recipients of campaigns wait outside the queue, which never holds much of one.
TO_COME: LiteralString = """
    WITH queue AS (
        SELECT count(*) FILTER (WHERE lane = 1) AS workflows, count(*) FILTER (WHERE lane = 2) AS campaigns
          FROM email_queue WHERE lane IN (1, 2) AND team_id = $1 AND due_at < 'infinity'
    ), outside AS (
        SELECT coalesce(sum(greatest(
                   recipients
                   - coalesce((SELECT sum(sends) FROM email_counter
                                WHERE team_id = $1 AND owner_id = campaign.message_id), 0)
                   - coalesce((SELECT sum(emails) FROM campaign_unsent_count
                                WHERE team_id = $1 AND campaign_id = campaign.id), 0), 0)), 0)::bigint
               AS recipients
          FROM campaign WHERE team_id = $1 AND status = 'Sending' AND stopped = ''
    )
    SELECT workflows + greatest(campaigns, outside.recipients) FROM queue, outside
"""


async def find_warm_up(tx: Connection, team_id: str) -> WarmUpRow | None:
    """The team's plan; None when it has none."""
    row = await tx.fetchrow(FIND, team_id)
    return WarmUpRow(**row) if row else None


async def lock_warm_up(tx: Connection, team_id: str) -> WarmUpRow | None:
    """The same, while nobody else admits emails or changes it, until the transaction ends."""
    row = await tx.fetchrow(LOCK, team_id)
    return WarmUpRow(**row) if row else None


async def load_left_behind(tx: Connection, today: date) -> Sequence[str]:
    """The teams whose level is that of an earlier day."""
    return [row["team_id"] for row in await tx.fetch(TEAMS, today)]


async def save_warm_up(tx: Connection, row: WarmUpRow) -> None:
    """Write a plan and its level."""
    await tx.execute(SAVE, row.team_id, row.per_day, row.per_hour, row.growth, row.until, row.cap, row.day)


async def delete_warm_up(tx: Connection, team_id: str, *, now: datetime) -> None:
    """Take the plan away; what has waited for it is due now."""
    await tx.execute(DELETE, team_id)
    await let_go(tx, team_id, now=now)


async def let_go(tx: Connection, team_id: str, *, now: datetime) -> None:
    """Have what waits for the plan ask again now."""
    await tx.execute(LET_GO, team_id, now)


async def load_sent(tx: Connection, team_id: str, *, since: datetime) -> tuple[int, Sequence[SentRow]]:
    """How many emails senders may have begun, whose result is not written; and what was sent and what came
    back, by five minutes, oldest first.
    """
    in_hand, *sent = await tx.fetch(SENT, team_id, since)
    return in_hand["sends"], [SentRow(**row) for row in sent]


async def load_admitted(tx: Connection, ids: Sequence[str], token: str) -> frozenset[str]:
    """Which of these were admitted before, to a sender that died."""
    return frozenset(row["email_id"] for row in await tx.fetch(ADMITTED, ids, token))


async def admit(tx: Connection, ids: Sequence[str], token: str) -> None:
    """Have these emails count as begun."""
    await tx.execute(ADMIT, ids, token)


async def count_waiting(tx: Connection, team_id: str, lane: Lane, *, now: datetime) -> int:
    """How many emails of a lane wait for a later turn."""
    return int(await tx.fetchval(WAITING, team_id, lane, now))


async def put_off(
    tx: Connection,
    team_id: str,
    lane: Lane,
    token: str,
    refused: Sequence[str],
    turns: Sequence[datetime],
    *,
    now: datetime,
) -> None:
    """Have all that is due of a lane wait, each for its turn: what nobody has taken, and what the sender with
    that token was refused.
    """
    await tx.execute(PUT_OFF, lane, team_id, now, token, turns, refused)


async def move_up(tx: Connection, team_id: str, places: int, *, most: int, now: datetime) -> None:
    """Have the first so many that wait for a later turn be due now, and of the `most` the others move up."""
    await tx.execute(MOVE_UP, team_id, now, places, most)


async def count_to_come(tx: Connection, team_id: str) -> int:
    """How many marketing emails the team has yet to send, recipients of its campaigns among them."""
    return int(await tx.fetchval(TO_COME, team_id))


async def count_put_off(tx: Connection) -> int:
    """How many emails of all teams wait for their turn."""
    return int(await tx.fetchval(COUNT))
