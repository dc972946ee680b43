"""A team's contacts and properties, from a test's point of view."""

import json
from collections import Counter
from datetime import UTC, datetime

import asyncpg

from loopwright.server.store.audience import insert_property
from loopwright.server.store.contacts import ContactRow, find_by_email
from loopwright.server.store.database import Pool
from loopwright.server.store.messages import EMPTY, RevisionRow, write_revisions
from loopwright.wire.values import PropertyType
from support.factories import add_draft, add_list, add_published, add_team
from support.sequential import DRAFT, LISTS, MESSAGE, PROPERTIES, PUBLISHED, REVISION, TEAM, State, grouped

_MADE_BY_COMMANDS = ["contact", "event", "event_pattern", "email", "idempotency_key"]
_STATE = [
    """
    SELECT email, user_id, first_name, source, subscribed, user_group, opt_in_status, properties,
           mailing_lists
      FROM contact WHERE team_id = $1
    """,
    """
    SELECT event.name, contact.email, event.properties
      FROM event LEFT JOIN contact ON contact.id = event.contact_id
     WHERE event.team_id = $1 ORDER BY event.id
    """,
    "SELECT name, properties FROM event_pattern WHERE team_id = $1",
    """
    SELECT email.to_email, contact.email, email.transactional_id
      FROM email LEFT JOIN contact ON contact.id = email.contact_id
     WHERE email.team_id = $1
    """,
    "SELECT endpoint, key FROM idempotency_key WHERE team_id = $1",
]


async def declare(pool: Pool, team_id: str, **kinds: PropertyType) -> None:
    """Give the team custom properties."""
    async with pool.acquire() as tx:
        for key, kind in kinds.items():
            await insert_property(tx, team_id, key, kind, now=datetime.now(UTC))


async def contact_of(pool: Pool, team_id: str, email: str) -> ContactRow | None:
    """The contact with that address."""
    async with pool.acquire() as tx:
        return await find_by_email(tx, team_id, email)


async def add_models_team(pool: Pool) -> None:
    """Have the model's team, with all it has declared."""
    await add_team(pool, TEAM)
    for list_id in LISTS:
        await add_list(pool, TEAM, list_id)
    await add_published(pool, TEAM, [PUBLISHED], variables=["total"], required=["total"])
    await add_draft(pool, TEAM, DRAFT, MESSAGE)
    revision = RevisionRow(
        id=REVISION, team_id=TEAM, message_id=MESSAGE, content=EMPTY, created_at=datetime.now(UTC)
    )  # the one that the model's emails keep
    async with pool.acquire() as tx:
        await write_revisions(tx, [revision])
    await declare(pool, TEAM, **PROPERTIES)


async def begin_anew(pool: Pool) -> None:
    """Leave nothing in the model's team that commands have made."""
    for table in _MADE_BY_COMMANDS:
        await pool.execute(f"DELETE FROM {table} WHERE team_id = $1", TEAM)


async def state_of(pool: Pool) -> State:
    """The model's team, as the database has it."""
    async with pool.acquire() as tx:
        contacts, events, patterns, emails, keys = [await tx.fetch(query, TEAM) for query in _STATE]
    return State(
        contacts={row["email"]: _plain(row) for row in contacts},
        events=grouped((row["name"], (row["email"], json.loads(row["properties"]))) for row in events),
        patterns={row["name"]: json.loads(row["properties"]) for row in patterns},
        emails=Counter((row["to_email"], row["email"], row["transactional_id"]) for row in emails),
        keys={(row["endpoint"], row["key"]) for row in keys},
    )


async def links_of(pool: Pool) -> dict[str, str]:
    """The ids of the model's contacts, by address: whom the links in their emails are about."""
    rows = await pool.fetch("SELECT email, id FROM contact WHERE team_id = $1", TEAM)
    return {row["email"]: row["id"] for row in rows}


def _plain(row: asyncpg.Record) -> dict[str, object]:
    read = {name: json.loads(row[name]) for name in ("properties", "mailing_lists")}
    return {**row, **read}
