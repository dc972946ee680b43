"""Contacts, loaded by the batch."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Literal, LiteralString, TypeAlias

import msgspec
from asyncpg import Record
from msgspec import Struct

from loopwright.wire.contacts import Contact

from .database import Connection

Value: TypeAlias = str | int | float | bool
Membership: TypeAlias = Literal["subscribed", "unsubscribed", "opted_out", "pending"]
"""`opted_out` is the contact's own doing, `pending` a wish that the contact has yet to confirm."""

ATTRIBUTES = {
    "email": "email",
    "userId": "user_id",
    "firstName": "first_name",
    "lastName": "last_name",
    "source": "source",
    "userGroup": "user_group",
    "subscribed": "subscribed",
}
"""The properties that every contact has and that can change: the API's key -> the row's attribute."""


class ContactRow(Struct, frozen=True, kw_only=True):
    """A contact. `properties` holds the custom ones by key, dates as ISO 8601 text.

    `version` is the row's xmin, which every change in the database changes, and `place` its ctid, by which it
    is found again without an index; 0 and (0, 0) for a contact to be added.
    """

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
    version: int = 0
    place: tuple[int, int] = (0, 0)

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the contact has been asked for its own word, and has not said yes."""
        return self.opt_in_status in ("pending", "rejected")


CONTACT_COLUMNS: LiteralString = """
    id, team_id, email, user_id, first_name, last_name, source, subscribed, user_group, opt_in_status,
    notes, properties, mailing_lists, created_at, contact.xmin, contact.ctid
"""

CONTACT: LiteralString = f"SELECT {CONTACT_COLUMNS} FROM contact WHERE team_id = $1 AND id = $2"
CONTACT_BY_EMAIL: LiteralString = f"SELECT {CONTACT_COLUMNS} FROM contact WHERE team_id = $1 AND email = $2"
CONTACT_BY_USER_ID: LiteralString = (
    f"SELECT {CONTACT_COLUMNS} FROM contact WHERE team_id = $1 AND user_id = $2"
)

PAGE: LiteralString = f"""
    SELECT {CONTACT_COLUMNS} FROM contact WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3
"""
COUNT: LiteralString = "SELECT count(*) FROM contact WHERE team_id = $1 AND id > $2"

# The contacts that any of the identifiers name.
NAMED: LiteralString = f"""
    SELECT {CONTACT_COLUMNS} FROM contact WHERE ctid IN (
        SELECT contact.ctid FROM unnest($1::text[], $2::text[]) AS wanted (team_id, email)
          JOIN contact ON contact.team_id = wanted.team_id AND contact.email = wanted.email
        UNION
        SELECT contact.ctid FROM unnest($3::text[], $4::text[]) AS wanted (team_id, user_id)
          JOIN contact ON contact.team_id = wanted.team_id AND contact.user_id = wanted.user_id
        UNION
        SELECT contact.ctid FROM unnest($5::text[], $6::text[]) AS wanted (team_id, id)
          JOIN contact ON contact.team_id = wanted.team_id AND contact.id = wanted.id
    )
"""
# Most batches name their contacts by address alone, which is one look-up less for each.
NAMED_BY_EMAIL: LiteralString = f"""
    SELECT {CONTACT_COLUMNS}
      FROM (SELECT team_id AS wanted_team, email AS wanted_email
              FROM unnest($1::text[], $2::text[]) AS pair (team_id, email)) AS wanted
      JOIN contact ON contact.team_id = wanted_team AND contact.email = wanted_email
"""
# In ascending id order, which every batch keeps to.
LOCK: LiteralString = """
    SELECT FROM contact WHERE (team_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
     ORDER BY id FOR NO KEY UPDATE
"""

_properties = msgspec.json.Decoder(dict[str, Value])
_mailing_lists = msgspec.json.Decoder(dict[str, Membership])


async def load_contact(tx: Connection, team_id: str, contact_id: str) -> ContactRow | None:
    """One contact of the team by id."""
    row = await tx.fetchrow(CONTACT, team_id, contact_id)
    return decode_contact(row) if row else None


async def find_by_email(tx: Connection, team_id: str, email: str) -> ContactRow | None:
    """The contact with that address, which is trimmed and lower-cased already."""
    row = await tx.fetchrow(CONTACT_BY_EMAIL, team_id, email)
    return decode_contact(row) if row else None


async def find_by_user_id(tx: Connection, team_id: str, user_id: str) -> ContactRow | None:
    """The contact with that external id."""
    row = await tx.fetchrow(CONTACT_BY_USER_ID, team_id, user_id)
    return decode_contact(row) if row else None


async def load_page(tx: Connection, team_id: str, *, after: str, limit: int) -> list[ContactRow]:
    """At most `limit` contacts with ids above `after`, in the order of ids; an empty `after` is the start."""
    return [decode_contact(row) for row in await tx.fetch(PAGE, team_id, after, limit)]


async def count_contacts(tx: Connection, team_id: str, *, after: str) -> int:
    """How many contacts have an id above `after`."""
    count: int = await tx.fetchval(COUNT, team_id, after)
    return count


async def load_named(
    tx: Connection,
    *,
    emails: Collection[tuple[str, str]],
    user_ids: Collection[tuple[str, str]],
    ids: Collection[tuple[str, str]],
) -> list[ContactRow]:
    """Every contact that one of the (team, identifier) pairs names."""
    if user_ids or ids:
        rows = await tx.fetch(NAMED, *_columns(emails), *_columns(user_ids), *_columns(ids))
    else:
        rows = await tx.fetch(NAMED_BY_EMAIL, *_columns(emails))
    return [decode_contact(row) for row in rows]


async def lock_contacts(tx: Connection, contacts: Collection[ContactRow]) -> None:
    """Keep others from changing the contacts until the transaction ends."""
    await tx.execute(LOCK, *_columns([(contact.team_id, contact.id) for contact in contacts]))


def flat(contact: ContactRow, declared: Iterable[str]) -> dict[str, object]:
    """The contact as the API's one flat object; a declared property that it lacks is null."""
    return Contact(
        id=contact.id,
        email=contact.email,
        first_name=contact.first_name,
        last_name=contact.last_name,
        source=contact.source,
        subscribed=contact.subscribed,
        user_group=contact.user_group,
        user_id=contact.user_id,
        mailing_lists={key: True for key, state in contact.mailing_lists.items() if state == "subscribed"},
        opt_in_status=contact.opt_in_status,
        properties={key: contact.properties.get(key) for key in declared},
    ).to_wire()


def _columns(pairs: Collection[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [team for team, _ in pairs], [value for _, value in pairs]


def decode_contact(row: Record | tuple[Any, ...]) -> ContactRow:
    """A contact from its columns, which are in the order of `CONTACT_COLUMNS`."""
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
        version=row[14],
        place=row[15],
    )
