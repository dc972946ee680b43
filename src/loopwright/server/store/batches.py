"""A batch of changes, written by one statement: all of it, or nothing.

No lock is held while a batch is made. Instead the statement insists that all is still as it was read: each
contact that changes, the keys, and what the teams have declared.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

import msgspec
from msgspec import Struct

from .contacts import ContactRow
from .database import Connection
from .events import EventRow, PatternRow, UsedKey
from .facts import FactRow
from .workflows import Hindrance


class BatchChanges(Struct, frozen=True, kw_only=True):
    """What a batch comes to. Contacts that change or go have the `version` they were loaded with.

    `kept_out` says of events, by their ids, which workflows did not take the contact in: workflow id -> why.
    `revisions` maps each team to the revision of it that all was decided by.
    """

    updated: Sequence[ContactRow] = ()
    deleted: Sequence[ContactRow] = ()
    inserted: Sequence[ContactRow] = ()
    patterns: Sequence[PatternRow] = ()
    keys: Sequence[UsedKey] = ()
    events: Sequence[EventRow] = ()
    facts: Sequence[FactRow] = ()
    kept_out: Mapping[str, Mapping[str, Hindrance]] = {}
    revisions: Mapping[str, int] = {}


# Every batch keeps to one order, in which nobody waits for somebody who waits for them: contacts by id, new
# ones by address, teams that learn patterns, patterns by name, keys. Whoever waited for a team sees its new
# revision, which a plain look does not. The counts in the conditions make one part wait for the other.
# Contacts are found by their places, which takes no index; a place that has another row by now is not found.
# A pattern may have learned other properties from another process: they stay. A key is taken over once its
# window has passed.
SAVE: LiteralString = """
    WITH locked AS MATERIALIZED (
        SELECT id FROM contact WHERE ctid = ANY ($1::tid[] || $3::tid[]) ORDER BY id FOR NO KEY UPDATE
    ), updated AS (
        UPDATE contact
           SET email = new.email, user_id = new.user_id, first_name = new.first_name,
               last_name = new.last_name, source = new.source, subscribed = new.subscribed,
               user_group = new.user_group, opt_in_status = new.opt_in_status, notes = new.notes,
               properties = new.properties, mailing_lists = new.mailing_lists, updated_at = $10
          FROM unnest($2::contact_state[]) WITH ORDINALITY AS new
         WHERE contact.ctid = ($1::tid[])[new.ordinality]
           AND contact.team_id = new.team_id AND contact.id = new.id AND contact.xmin = new.version
           AND (SELECT count(*) FROM locked) > 0
        RETURNING 1
    ), deleted AS (
        DELETE FROM contact USING unnest($4::contact_state[]) WITH ORDINALITY AS gone
         WHERE contact.ctid = ($3::tid[])[gone.ordinality]
           AND contact.team_id = gone.team_id AND contact.id = gone.id AND contact.xmin = gone.version
           AND (SELECT count(*) FROM updated) >= 0
        RETURNING 1
    ), inserted AS (
        INSERT INTO contact (
            id, team_id, email, user_id, first_name, last_name, source, subscribed, user_group, opt_in_status,
            notes, properties, mailing_lists, created_at, updated_at
        )
        SELECT id, team_id, email, user_id, first_name, last_name, source, subscribed, user_group,
               opt_in_status, notes, properties, mailing_lists, $10, $10
          FROM unnest($5::contact_state[])
         WHERE (SELECT count(*) FROM deleted) >= 0
         ORDER BY team_id, email
        RETURNING 1
    ), teaching AS (
        SELECT id, revision FROM team
         WHERE id IN (SELECT team_id FROM unnest($6::event_record[]))
           AND (SELECT count(*) FROM inserted) >= 0
         ORDER BY id FOR NO KEY UPDATE
    ), learned AS (
        INSERT INTO event_pattern AS known (id, team_id, name, properties, created_at)
        SELECT id, team_id, name, properties, $10
          FROM unnest($6::event_record[]) AS new
         WHERE (SELECT count(*) FROM teaching) >= 0
         ORDER BY team_id, name
        ON CONFLICT (team_id, name) DO UPDATE SET properties = known.properties || excluded.properties
        RETURNING 1
    ), claimed AS (
        INSERT INTO idempotency_key AS used (team_id, endpoint, key, created_at)
        SELECT team_id, endpoint, key, $10
          FROM unnest($7::text[], $8::text[], $9::text[]) AS new (team_id, endpoint, key)
         WHERE (SELECT count(*) FROM learned) >= 0
         ORDER BY team_id, endpoint, key
        ON CONFLICT (team_id, endpoint, key) DO UPDATE SET created_at = excluded.created_at
         WHERE used.created_at <= $11
        RETURNING 1
    ), recorded AS (
        INSERT INTO event (id, team_id, contact_id, name, properties, received_at, kept_out)
        SELECT id, team_id, contact_id, name, properties, $10, kept_out
          FROM unnest($12::event_record[], $15::jsonb[])
               AS new (id, team_id, contact_id, name, properties, kept_out)
    ), told AS (
        INSERT INTO fact (id, team_id, kind, contact_id, email_id, detail, happened_at)
        SELECT id, team_id, kind, contact_id, email_id, detail, $10 FROM unnest($16::fact_record[])
    )
    SELECT insist(
        (SELECT count(*) FROM claimed) = cardinality($7)
        AND (SELECT count(*) FROM updated) = cardinality($2)
        AND (SELECT count(*) FROM deleted) = cardinality($4)
        AND NOT EXISTS (
            SELECT FROM unnest($13::text[], $14::bigint[]) AS seen (id, revision)
              JOIN team USING (id)
              LEFT JOIN teaching USING (id)
             WHERE coalesce(teaching.revision, team.revision) <> seen.revision
        )
    )
"""

_encode = msgspec.json.Encoder().encode


async def save(tx: Connection, changes: BatchChanges, *, now: datetime, window: datetime) -> None:
    """Write a batch that happened at `now`; keys used at `window` or before it are free again.

    Raises `asyncpg.SerializationError` when something is no longer as it was read, and
    `asyncpg.UniqueViolationError` when another process added the same contact.
    """
    await tx.execute(
        SAVE,
        [contact.place for contact in changes.updated],
        [_contact_state(contact) for contact in changes.updated],
        [contact.place for contact in changes.deleted],
        [_contact_state(contact) for contact in changes.deleted],
        [_contact_state(contact) for contact in changes.inserted],
        [(p.id, p.team_id, None, p.name, _encode(p.properties).decode()) for p in changes.patterns],
        [key.team_id for key in changes.keys],
        [key.endpoint for key in changes.keys],
        [key.key for key in changes.keys],
        now,
        window,
        [(e.id, e.team_id, e.contact_id, e.name, _encode(e.properties).decode()) for e in changes.events],
        list(changes.revisions),
        list(changes.revisions.values()),
        [_why(changes.kept_out.get(event.id)) for event in changes.events],
        [
            (f.id, f.team_id, f.kind, f.contact_id, f.email_id, _encode(f.detail).decode())
            for f in changes.facts
        ],
    )


def _why(kept_out: Mapping[str, Hindrance] | None) -> str | None:
    return _encode(kept_out).decode() if kept_out else None


def _contact_state(contact: ContactRow) -> tuple[object, ...]:
    return (
        contact.id,
        contact.version,
        contact.team_id,
        contact.email,
        contact.user_id,
        contact.first_name,
        contact.last_name,
        contact.source,
        contact.subscribed,
        contact.user_group,
        contact.opt_in_status,
        contact.notes,
        _encode(contact.properties).decode(),
        _encode(contact.mailing_lists).decode(),
    )
