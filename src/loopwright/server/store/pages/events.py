"""Events, and what each of them caused: runs, and their emails."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec

from loopwright.server.store.database import Connection
from loopwright.server.store.workflows import Hindrance, WorkflowStatus

from .contacts import find_people

NAMES_SEARCHED = 100
PEOPLE_SEARCHED = 300


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event; `contact_email` is `None` when the contact was deleted since.

    `properties` are `None` when they are too long for a page.
    """

    id: str
    name: str
    properties: dict[str, Any] | None
    received_at: datetime
    contact_id: str
    contact_email: str | None


class EventDetail(EventLine, frozen=True, kw_only=True):
    """One event with what kept its contact out of workflows: workflow id -> why."""

    kept_out: dict[str, Hindrance]


class WayLine(msgspec.Struct, frozen=True, array_like=True):
    """A node that a run came to; `type_name` is None when the node is gone since."""

    node_id: str
    at: datetime
    why: str
    type_name: str | None


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One contact's way through a workflow; `event_id` is `None` when no event started it.

    `timer` is the timer it waits at, such as `30 m`; `way` are the nodes it came to behind the trigger.
    """

    id: str
    event_id: str | None
    workflow_name: str
    status: str
    reason: str
    entered_at: datetime
    created_at: datetime
    workflow_id: str = ""
    workflow_status: WorkflowStatus = "Sending"
    timer: str | None = None
    way: Sequence[WayLine] = ()


class EmailLine(msgspec.Struct, frozen=True, kw_only=True):
    """One email to one person; `inbox_id` is its copy in the inbox, if one stayed there.

    `node_id` is the node of its run that it comes from.
    """

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
    node_id: str | None = None


# Long lists within the properties are not for a page: 50 events could have 200 MB of them.
_COLUMNS: LiteralString = """
    event.id, event.name, event.received_at, event.contact_id, contact.email AS contact_email,
    CASE WHEN octet_length(event.properties::text) <= 20000 THEN event.properties END AS properties
"""

NEWEST: LiteralString = """
    SELECT id FROM event WHERE team_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
"""
NAMES: LiteralString = """
    SELECT name FROM event_pattern
     WHERE team_id = $1 AND strpos(lower(name), $2) > 0
     ORDER BY id DESC
     LIMIT $3
"""
# Of each name and each contact the newest, by its index; and those of the newest events that match.
FOUND: LiteralString = """
    SELECT one.id FROM unnest($4::text[]) AS named (name), LATERAL (
            SELECT id FROM event
             WHERE team_id = $1 AND name = named.name AND id < $2 ORDER BY id DESC LIMIT $3) AS one
     UNION
    SELECT one.id FROM unnest($5::text[]) AS person (id), LATERAL (
            SELECT id FROM event
             WHERE team_id = $1 AND contact_id = person.id AND id < $2 ORDER BY id DESC LIMIT $3) AS one
     UNION
    SELECT newest.id
      FROM (SELECT id, name, contact_id FROM event
             WHERE team_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1000) AS newest
      LEFT JOIN contact ON contact.team_id = $1 AND contact.id = newest.contact_id
     WHERE strpos(lower(newest.name), $6) > 0 OR strpos(contact.email, $6) > 0
     ORDER BY id DESC
     LIMIT $3
"""

EVENTS_BY_ID: LiteralString = f"""
    SELECT {_COLUMNS}
      FROM event
      LEFT JOIN contact ON contact.team_id = event.team_id AND contact.id = event.contact_id
     WHERE event.team_id = $1 AND event.id = ANY($2::text[])
"""

EVENT: LiteralString = f"""
    SELECT {_COLUMNS}, event.kept_out
      FROM event
      LEFT JOIN contact ON contact.team_id = event.team_id AND contact.id = event.contact_id
     WHERE event.team_id = $1 AND event.id = $2
"""

RUNS: LiteralString = """
    SELECT run.id, run.event_id, workflow.name AS workflow_name, run.status, run.reason,
           run.entered_at, run.created_at, run.workflow_id, workflow.status AS workflow_status,
           CASE WHEN run.status = 'active' AND workflow.nodes -> run.node_id ->> 'typeName' = 'TimerAction'
                THEN concat((workflow.nodes #>> ARRAY[run.node_id, 'amount'])::float8, ' ',
                            workflow.nodes #>> ARRAY[run.node_id, 'unit'])
            END AS timer,
           (SELECT jsonb_agg(jsonb_build_array(
                       point -> 0, point -> 1, point -> 2, workflow.nodes -> (point ->> 0) -> 'typeName'
                   ) ORDER BY place)
              FROM jsonb_array_elements(run.way) WITH ORDINALITY AS points (point, place)) AS way
      FROM run JOIN workflow ON workflow.team_id = run.team_id AND workflow.id = run.workflow_id
     WHERE run.team_id = $1 AND (run.event_id = ANY($2::text[]) OR run.id = ANY($3::text[]))
     ORDER BY run.id
"""

# Emails are found by their contact, by whom there is an index.
EMAILS: LiteralString = """
    WITH wanted AS (
        SELECT email.id FROM run
          JOIN email ON email.team_id = run.team_id AND email.contact_id = run.contact_id
                    AND email.run_id = run.id
         WHERE run.team_id = $1 AND run.id = ANY($2::text[])
         UNION
        SELECT unnest($3::text[])
    )
    SELECT email.id, email.run_id, email.contact_id, email.kind, email.to_email,
           COALESCE(NULLIF(email.subject, ''), revision.subject) AS subject,
           email.status, email.reason, email.attempts, email.created_at, email.sent_at,
           copy.id AS inbox_id,
           CASE WHEN email.run_id IS NOT NULL THEN split_part(email.cause, ':', 3) END AS node_id
      FROM wanted
      JOIN email ON email.id = wanted.id
      JOIN email_message AS message
           ON message.team_id = email.team_id AND message.id = email.message_id
      JOIN email_revision AS revision
           ON revision.id = COALESCE(email.revision_id, message.content_revision_id)
      LEFT JOIN LATERAL (
            SELECT id FROM inbox_message
             WHERE inbox_message.team_id = email.team_id AND inbox_message.email_id = email.id
             ORDER BY id LIMIT 1
           ) AS copy ON true
     WHERE email.team_id = $1
     ORDER BY email.id
"""


async def list_events(
    tx: Connection, team_id: str, *, search: str, before: str, limit: int
) -> tuple[Sequence[EventLine], bool]:
    """List events whose name contains `search`, in any letter case, and those of the contacts it finds.

    The second value is true when it fits so many names or contacts that only the newest were looked at.
    """
    if not search:
        rows = await tx.fetch(NEWEST, team_id, before, limit)
        return await _newest_first(tx, team_id, [row["id"] for row in rows]), False
    rows = await tx.fetch(NAMES, team_id, search.lower(), NAMES_SEARCHED)
    names = [row["name"] for row in rows]
    people = await find_people(tx, team_id, search=search, limit=PEOPLE_SEARCHED)
    rows = await tx.fetch(FOUND, team_id, before, limit, names, people, search.lower())
    is_cut = len(names) == NAMES_SEARCHED or len(people) == PEOPLE_SEARCHED
    return await _newest_first(tx, team_id, [row["id"] for row in rows]), is_cut


async def _newest_first(tx: Connection, team_id: str, ids: Sequence[str]) -> Sequence[EventLine]:
    return sorted(await load_events(tx, team_id, ids), key=lambda event: event.id, reverse=True)


async def load_events(tx: Connection, team_id: str, ids: Sequence[str]) -> Sequence[EventLine]:
    """Load the events with these ids, in any order."""
    return [_event(row) for row in await tx.fetch(EVENTS_BY_ID, team_id, ids)]


async def load_event(tx: Connection, team_id: str, event_id: str) -> EventDetail | None:
    """Load the event of that id."""
    row = await tx.fetchrow(EVENT, team_id, event_id)
    if row is None:
        return None
    values: dict[str, Any] = dict(row)
    values["properties"] = _decoded(row["properties"])
    values["kept_out"] = _decoded(row["kept_out"]) or {}
    return EventDetail(**values)


async def load_runs(
    tx: Connection, team_id: str, *, events: Sequence[str], runs: Sequence[str] = ()
) -> Sequence[RunLine]:
    """Load the runs these events started, and those with an id in `runs`; oldest first."""
    rows = await tx.fetch(RUNS, team_id, events, runs)
    return [_run(row) for row in rows]


async def load_emails(
    tx: Connection, team_id: str, *, runs: Sequence[str], emails: Sequence[str] = ()
) -> Sequence[EmailLine]:
    """Load the emails of these runs, and those with an id in `emails`; oldest first."""
    return [EmailLine(**row) for row in await tx.fetch(EMAILS, team_id, runs, emails)]


def _run(row: Any) -> RunLine:
    values: dict[str, Any] = dict(row)
    values["way"] = decode_way(row["way"] or b"[]")
    return RunLine(**values)


def _event(row: Any) -> EventLine:
    values: dict[str, Any] = dict(row)
    values["properties"] = _decoded(row["properties"])
    return EventLine(**values)


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


decode_way = msgspec.json.Decoder(tuple[WayLine, ...]).decode
