"""Contacts, loaded and saved by the batch."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

import asyncpg
import msgspec
from msgspec import Struct

from .database import Connection

Value: TypeAlias = str | int | float | bool
Membership: TypeAlias = Literal["subscribed", "unsubscribed", "opted_out", "pending"]
"""`opted_out` is the contact's own doing, `pending` a wish that the contact has yet to confirm."""


class ContactRow(Struct, frozen=True, kw_only=True):
    """A contact. `properties` holds the custom ones by key, dates as ISO 8601 text."""

    id: str
    team_id: str
    email: str
    user_id: str | None
    first_name: str | None
    last_name: str | None
    source: str
    subscribed: bool
    user_group: str
    opt_in_status: Literal["accepted", "pending", "rejected"] | None
    notes: str | None
    properties: dict[str, Value]
    mailing_lists: dict[str, Membership]
    created_at: datetime
    updated_at: datetime


_COLUMNS: LiteralString = """
    id, team_id, email, user_id, first_name, last_name, source, subscribed, user_group, opt_in_status,
    notes, properties, mailing_lists, created_at, updated_at
"""

CONTACT: LiteralString = f"SELECT {_COLUMNS} FROM contact WHERE team_id = $1 AND id = $2"
CONTACT_BY_EMAIL: LiteralString = f"SELECT {_COLUMNS} FROM contact WHERE team_id = $1 AND email = $2"
CONTACT_BY_USER_ID: LiteralString = f"SELECT {_COLUMNS} FROM contact WHERE team_id = $1 AND user_id = $2"

# Keyset pages over contact_newest, read backwards.
PAGE: LiteralString = f"""
    SELECT {_COLUMNS} FROM contact WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3
"""
COUNT: LiteralString = "SELECT count(*) FROM contact WHERE team_id = $1 AND id > $2"

# Lock the contacts that any of the identifiers name, in ascending id order: the order every batch keeps to.
LOCK_CONTACTS: LiteralString = f"""
    WITH named AS (
        SELECT contact.id FROM unnest($1::text[], $2::text[]) AS wanted (team_id, email)
          JOIN contact ON contact.team_id = wanted.team_id AND contact.email = wanted.email
        UNION
        SELECT contact.id FROM unnest($3::text[], $4::text[]) AS wanted (team_id, user_id)
          JOIN contact ON contact.team_id = wanted.team_id AND contact.user_id = wanted.user_id
        UNION
        SELECT contact.id FROM unnest($5::text[], $6::text[]) AS wanted (team_id, id)
          JOIN contact ON contact.team_id = wanted.team_id AND contact.id = wanted.id
    )
    SELECT {_COLUMNS} FROM contact WHERE id IN (SELECT id FROM named) ORDER BY id FOR NO KEY UPDATE
"""

# Most batches name their contacts by address alone, which is one look-up less for each.
LOCK_CONTACTS_BY_EMAIL: LiteralString = f"""
    SELECT {_COLUMNS}
      FROM (SELECT team_id AS wanted_team, email AS wanted_email
              FROM unnest($1::text[], $2::text[]) AS pair (team_id, email)) AS wanted
      JOIN contact ON contact.team_id = wanted_team AND contact.email = wanted_email
     ORDER BY id
       FOR NO KEY UPDATE OF contact
"""
INSERT_CONTACTS: LiteralString = f"""
    INSERT INTO contact ({_COLUMNS})
    SELECT id, team_id, email, user_id, first_name, last_name, source, subscribed, user_group, opt_in_status,
           notes, properties, mailing_lists, created_at, updated_at
      FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
        $9::text[], $10::text[], $11::text[], $12::jsonb[], $13::jsonb[],
        $14::timestamptz[], $15::timestamptz[]
      ) AS new ({_COLUMNS})
"""

UPDATE_CONTACTS: LiteralString = f"""
    UPDATE contact
       SET email = new.email, user_id = new.user_id, first_name = new.first_name, last_name = new.last_name,
           source = new.source, subscribed = new.subscribed, user_group = new.user_group,
           opt_in_status = new.opt_in_status, notes = new.notes, properties = new.properties,
           mailing_lists = new.mailing_lists, updated_at = new.updated_at
      FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
        $9::text[], $10::text[], $11::text[], $12::jsonb[], $13::jsonb[],
        $14::timestamptz[], $15::timestamptz[]
      ) AS new ({_COLUMNS})
     WHERE contact.id = new.id AND contact.team_id = new.team_id
"""

DELETE_CONTACTS: LiteralString = """
    DELETE FROM contact USING unnest($1::text[], $2::text[]) AS gone (team_id, id)
     WHERE contact.team_id = gone.team_id AND contact.id = gone.id
"""

_properties = msgspec.json.Decoder(dict[str, Value])
_mailing_lists = msgspec.json.Decoder(dict[str, Membership])
_encode = msgspec.json.Encoder().encode


async def load_contact(tx: Connection, team_id: str, contact_id: str) -> ContactRow | None:
    """One contact of the team by id."""
    row = await tx.fetchrow(CONTACT, team_id, contact_id)
    return _contact(row) if row else None


async def find_by_email(tx: Connection, team_id: str, email: str) -> ContactRow | None:
    """The contact with that address, which is trimmed and lower-cased already."""
    row = await tx.fetchrow(CONTACT_BY_EMAIL, team_id, email)
    return _contact(row) if row else None


async def find_by_user_id(tx: Connection, team_id: str, user_id: str) -> ContactRow | None:
    """The contact with that external id."""
    row = await tx.fetchrow(CONTACT_BY_USER_ID, team_id, user_id)
    return _contact(row) if row else None


async def load_page(tx: Connection, team_id: str, *, after: str, limit: int) -> list[ContactRow]:
    """At most `limit` contacts with ids above `after`, in the order of ids; an empty `after` is the start."""
    return [_contact(row) for row in await tx.fetch(PAGE, team_id, after, limit)]


async def count_contacts(tx: Connection, team_id: str, *, after: str) -> int:
    """How many contacts have an id above `after`."""
    count: int = await tx.fetchval(COUNT, team_id, after)
    return count


async def lock_contacts(
    tx: Connection,
    *,
    emails: Collection[tuple[str, str]],
    user_ids: Collection[tuple[str, str]],
    ids: Collection[tuple[str, str]],
) -> list[ContactRow]:
    """Lock and load every contact that one of the (team, identifier) pairs names, in id order."""
    if user_ids or ids:
        rows = await tx.fetch(LOCK_CONTACTS, *_columns(emails), *_columns(user_ids), *_columns(ids))
    else:
        rows = await tx.fetch(LOCK_CONTACTS_BY_EMAIL, *_columns(emails))
    return [_contact(row) for row in rows]


async def insert_contacts(tx: Connection, contacts: Sequence[ContactRow]) -> None:
    """Add contacts. A taken address or user id raises `asyncpg.UniqueViolationError`."""
    await tx.execute(INSERT_CONTACTS, *_arrays(contacts))


async def update_contacts(tx: Connection, contacts: Sequence[ContactRow]) -> None:
    """Write the contacts' new state over the old."""
    await tx.execute(UPDATE_CONTACTS, *_arrays(contacts))


async def delete_contacts(tx: Connection, contacts: Collection[tuple[str, str]]) -> None:
    """Remove contacts, given as (team, id)."""
    await tx.execute(DELETE_CONTACTS, *_columns(contacts))


def _columns(pairs: Collection[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [team for team, _ in pairs], [value for _, value in pairs]


def _arrays(contacts: Sequence[ContactRow]) -> tuple[list[object], ...]:
    return (
        [c.id for c in contacts],
        [c.team_id for c in contacts],
        [c.email for c in contacts],
        [c.user_id for c in contacts],
        [c.first_name for c in contacts],
        [c.last_name for c in contacts],
        [c.source for c in contacts],
        [c.subscribed for c in contacts],
        [c.user_group for c in contacts],
        [c.opt_in_status for c in contacts],
        [c.notes for c in contacts],
        [_encode(c.properties).decode() for c in contacts],
        [_encode(c.mailing_lists).decode() for c in contacts],
        [c.created_at for c in contacts],
        [c.updated_at for c in contacts],
    )


def _contact(row: asyncpg.Record) -> ContactRow:
    return ContactRow(
        id=row[0],
        team_id=row[1],
        email=row[2],
        user_id=row[3],
        first_name=row[4],
        last_name=row[5],
        source=row[6],
        subscribed=row[7],
        user_group=row[8],
        opt_in_status=row[9],
        notes=row[10],
        properties=_properties.decode(row[11]),
        mailing_lists=_mailing_lists.decode(row[12]),
        created_at=row[13],
        updated_at=row[14],
    )
