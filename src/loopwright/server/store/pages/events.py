"""Events, and what each of them caused: runs, and their emails."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec

from loopwright.server.store.database import Connection


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event; `contact_email` is `None` when the contact was deleted since."""

    id: str
    name: str
    properties: dict[str, Any]
    received_at: datetime
    contact_id: str
    contact_email: str | None


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One contact's way through a workflow; `event_id` is `None` when no event started it."""

    id: str
    event_id: str | None
    workflow_name: str
    status: str
    reason: str
    entered_at: datetime
    created_at: datetime


class EmailLine(msgspec.Struct, frozen=True, kw_only=True):
    """One email to one person; `inbox_id` is its copy in the inbox, if one stayed there."""

    id: str
    run_id: str | None
    contact_id: str | None
    kind: str
    to_email: str
    subject: str
    status: str
    reason: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    inbox_id: str | None


EVENTS: LiteralString = """
    SELECT event.id, event.name, event.properties, event.received_at, event.contact_id,
           contact.email AS contact_email
      FROM event
      LEFT JOIN contact ON contact.team_id = event.team_id AND contact.id = event.contact_id
     WHERE event.team_id = $1 AND event.id < $2
       AND ($3 = '' OR strpos(lower(event.name), lower($3)) > 0 OR event.contact_id IN (
             SELECT id FROM contact WHERE team_id = $1 AND strpos(email, lower($3)) > 0))
     ORDER BY event.id DESC
     LIMIT $4
"""

EVENTS_BY_ID: LiteralString = """
    SELECT event.id, event.name, event.properties, event.received_at, event.contact_id,
           contact.email AS contact_email
      FROM event
      LEFT JOIN contact ON contact.team_id = event.team_id AND contact.id = event.contact_id
     WHERE event.team_id = $1 AND event.id = ANY($2::text[])
"""

RUNS: LiteralString = """
    SELECT run.id, run.event_id, workflow.name AS workflow_name, run.status, run.reason,
           run.entered_at, run.created_at
      FROM run JOIN workflow ON workflow.team_id = run.team_id AND workflow.id = run.workflow_id
     WHERE run.team_id = $1 AND (run.event_id = ANY($2::text[]) OR run.id = ANY($3::text[]))
     ORDER BY run.id
"""

EMAILS: LiteralString = """
    SELECT email.id, email.run_id, email.contact_id, email.kind, email.to_email,
           COALESCE(NULLIF(email.subject, ''), email_message.subject) AS subject,
           email.status, email.reason, email.attempts, email.created_at, email.sent_at,
           copy.id AS inbox_id
      FROM email
      JOIN email_message ON email_message.team_id = email.team_id AND email_message.id = email.message_id
      LEFT JOIN LATERAL (
            SELECT id FROM inbox_message
             WHERE inbox_message.team_id = email.team_id AND inbox_message.email_id = email.id
             ORDER BY id LIMIT 1
           ) AS copy ON true
     WHERE email.team_id = $1 AND (email.run_id = ANY($2::text[]) OR email.id = ANY($3::text[]))
     ORDER BY email.id
"""


async def list_events(
    tx: Connection, team_id: str, *, search: str, before: str, limit: int
) -> Sequence[EventLine]:
    """List events whose name or contact's address contains `search`, in any letter case."""
    return [_event(row) for row in await tx.fetch(EVENTS, team_id, before, search, limit)]


async def load_events(tx: Connection, team_id: str, ids: Sequence[str]) -> Sequence[EventLine]:
    """Load the events with these ids, in any order."""
    return [_event(row) for row in await tx.fetch(EVENTS_BY_ID, team_id, ids)]


async def load_runs(
    tx: Connection, team_id: str, *, events: Sequence[str], runs: Sequence[str] = ()
) -> Sequence[RunLine]:
    """Load the runs these events started, and those with an id in `runs`; oldest first."""
    return [RunLine(**row) for row in await tx.fetch(RUNS, team_id, events, runs)]


async def load_emails(
    tx: Connection, team_id: str, *, runs: Sequence[str], emails: Sequence[str] = ()
) -> Sequence[EmailLine]:
    """Load the emails of these runs, and those with an id in `emails`; oldest first."""
    return [EmailLine(**row) for row in await tx.fetch(EMAILS, team_id, runs, emails)]


def _event(row: Any) -> EventLine:
    return EventLine(**{**row, "properties": msgspec.json.decode(row["properties"])})
