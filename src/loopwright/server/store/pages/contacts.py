"""Contacts: the list, one contact with all that is known, and what happened to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec

from loopwright.server.store.database import Connection


class ContactLine(msgspec.Struct, frozen=True, kw_only=True):
    """One contact in the list; `suppression` is its reason, `None` when there is none."""

    id: str
    email: str
    user_id: str | None
    first_name: str | None
    last_name: str | None
    subscribed: bool
    opt_in_status: str | None
    suppression: str | None
    created_at: datetime


class ContactDetail(ContactLine, frozen=True, kw_only=True):
    """One contact; `property_types` maps each of the team's custom property keys to its type."""

    source: str
    user_group: str
    notes: str | None
    properties: dict[str, Any]
    property_types: dict[str, str]
    suppressed_at: datetime | None
    updated_at: datetime


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A mailing list the contact is or was in."""

    name: str
    is_public: bool
    state: str


# What a search in lower case means, by whether it looks like an address: those are found by an index.
ANYBODY: LiteralString = "$2::text = ''"
BEGINS: LiteralString = "contact.email >= $2 AND contact.email < $2 || chr(1114111)"
CONTAINS: LiteralString = "(strpos(contact.email, $2) > 0 OR strpos(lower(contact.user_id), $2) > 0)"

CONTACTS: LiteralString = """
    SELECT contact.id, contact.email, user_id, first_name, last_name, subscribed, opt_in_status,
           suppression.reason AS suppression, contact.created_at
      FROM contact
      LEFT JOIN suppression
             ON suppression.team_id = contact.team_id AND suppression.email = contact.email
     WHERE contact.team_id = $1 AND {matches} AND contact.id < $3
     ORDER BY contact.id DESC
     LIMIT $4
"""
PEOPLE: LiteralString = """
    SELECT contact.id FROM contact WHERE contact.team_id = $1 AND {matches} ORDER BY contact.id DESC LIMIT $3
"""

CONTACT: LiteralString = """
    SELECT contact.id, contact.email, user_id, first_name, last_name, subscribed, opt_in_status,
           suppression.reason AS suppression, contact.created_at, source, user_group, notes, properties,
           suppression.created_at AS suppressed_at, updated_at,
           (SELECT COALESCE(json_object_agg(key, type), '{}') FROM contact_property
             WHERE team_id = $1) AS property_types
      FROM contact
      LEFT JOIN suppression
             ON suppression.team_id = contact.team_id AND suppression.email = contact.email
     WHERE contact.team_id = $1 AND contact.id = $2
"""

MEMBERSHIPS: LiteralString = """
    SELECT mailing_list.name, mailing_list.is_public, membership.state
      FROM contact, jsonb_each_text(contact.mailing_lists) AS membership (list_id, state)
      JOIN mailing_list ON mailing_list.team_id = $1 AND mailing_list.id = list_id
     WHERE contact.team_id = $1 AND contact.id = $2
     ORDER BY mailing_list.name, mailing_list.id
"""

# What has a cause is shown below that cause, so only beginnings are entries of their own.
TIMELINE: LiteralString = """
    (SELECT id, 'event' AS kind FROM event
      WHERE team_id = $1 AND contact_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4)
    UNION ALL
    (SELECT id, 'run' FROM run
      WHERE team_id = $1 AND contact_id = $2 AND event_id IS NULL AND id < $3 ORDER BY id DESC LIMIT $4)
    UNION ALL
    (SELECT id, 'email' FROM email
      WHERE team_id = $1 AND contact_id = $2 AND run_id IS NULL AND id < $3 ORDER BY id DESC LIMIT $4)
    ORDER BY id DESC
    LIMIT $4
"""


async def list_contacts(
    tx: Connection, team_id: str, *, search: str, before: str, limit: int
) -> Sequence[ContactLine]:
    """List contacts whose address or user id contains `search`, in any letter case.

    What looks like an address, with an `@` behind its first character, is what addresses begin with.
    """
    statement = CONTACTS.format(matches=_matches(search))
    rows = await tx.fetch(statement, team_id, search.lower(), before, limit)
    return [ContactLine(**row) for row in rows]


async def find_people(tx: Connection, team_id: str, *, search: str, limit: int) -> Sequence[str]:
    """The ids of the newest contacts that `search` finds, as in their list."""
    rows = await tx.fetch(PEOPLE.format(matches=_matches(search)), team_id, search.lower(), limit)
    return [row["id"] for row in rows]


def _matches(search: str) -> LiteralString:
    if not search:
        return ANYBODY
    return BEGINS if search.find("@") > 0 else CONTAINS


async def load_contact_detail(tx: Connection, team_id: str, contact_id: str) -> ContactDetail | None:
    """Load one contact with its suppression and the types of the team's custom properties."""
    row = await tx.fetchrow(CONTACT, team_id, contact_id)
    if row is None:
        return None
    decoded = {key: msgspec.json.decode(row[key]) for key in ("properties", "property_types")}
    return ContactDetail(**{**row, **decoded})


async def load_memberships(tx: Connection, team_id: str, contact_id: str) -> Sequence[Membership]:
    """Load the mailing lists a contact is or was in, by name."""
    return [Membership(**row) for row in await tx.fetch(MEMBERSHIPS, team_id, contact_id)]


async def list_timeline(
    tx: Connection, team_id: str, contact_id: str, *, before: str, limit: int
) -> Sequence[tuple[str, str]]:
    """List what began with this contact as (id, 'event' | 'run' | 'email'), newest first."""
    rows = await tx.fetch(TIMELINE, team_id, contact_id, before, limit)
    return [(row["id"], row["kind"]) for row in rows]
