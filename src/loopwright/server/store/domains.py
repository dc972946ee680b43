"""Sending domains and the keys that sign for them."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, LiteralString

from msgspec import Struct

from .database import Connection


class DomainRow(Struct, frozen=True, kw_only=True):
    """A domain that a team sends from. Bounces come back to `bounce_domain`, if there is one."""

    team_id: str
    name: str
    bounce_domain: str


class KeyRow(Struct, frozen=True, kw_only=True):
    """A key that signs while it is active and not retired. `record` is what is published of it."""

    id: str
    domain: str
    selector: str
    algorithm: Literal["rsa", "ed25519"]
    sealed_key: bytes
    record: str
    active_since: datetime | None
    retired_at: datetime | None


_KEY_COLUMNS: LiteralString = "id, domain, selector, algorithm, sealed_key, record, active_since, retired_at"

DOMAINS: LiteralString = (
    "SELECT team_id, name, bounce_domain FROM sending_domain WHERE team_id = $1 ORDER BY name"
)
SAVE_DOMAIN: LiteralString = """
    INSERT INTO sending_domain (team_id, name, bounce_domain, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (team_id, name) DO UPDATE SET bounce_domain = excluded.bounce_domain
"""
DELETE_DOMAIN: LiteralString = "DELETE FROM sending_domain WHERE team_id = $1 AND name = $2"
COUNT_WAITING: LiteralString = "SELECT count(*) FROM email_queue WHERE team_id = $1"
KEYS: LiteralString = f"SELECT {_KEY_COLUMNS} FROM signing_key WHERE team_id = $1 ORDER BY domain, id"
INSERT_KEY: LiteralString = f"""
    INSERT INTO signing_key (team_id, {_KEY_COLUMNS}, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
RETIRE: LiteralString = """
    UPDATE signing_key SET retired_at = $3
     WHERE team_id = $1 AND domain = $2 AND active_since IS NOT NULL AND retired_at IS NULL
"""
ACTIVATE: LiteralString = """
    UPDATE signing_key SET active_since = $3 WHERE team_id = $1 AND id = ANY ($2::text[])
"""


async def load_domains(tx: Connection, team_id: str) -> list[DomainRow]:
    """The team's domains, by name."""
    return [DomainRow(**row) for row in await tx.fetch(DOMAINS, team_id)]


async def save_domain(tx: Connection, domain: DomainRow, *, now: datetime) -> None:
    """Add a domain, or change one that is there."""
    await tx.execute(SAVE_DOMAIN, domain.team_id, domain.name, domain.bounce_domain, now)


async def delete_domain(tx: Connection, team_id: str, name: str) -> None:
    """Forget a domain and its keys."""
    await tx.execute(DELETE_DOMAIN, team_id, name)


async def count_waiting(tx: Connection, team_id: str) -> int:
    """How many emails of the team wait to be sent."""
    count: int = await tx.fetchval(COUNT_WAITING, team_id)
    return count


async def load_keys(tx: Connection, team_id: str) -> list[KeyRow]:
    """The keys of all the team's domains, oldest first."""
    return [KeyRow(**row) for row in await tx.fetch(KEYS, team_id)]


async def insert_key(tx: Connection, team_id: str, key: KeyRow, *, now: datetime) -> None:
    """Add a key."""
    await tx.execute(
        INSERT_KEY,
        team_id,
        key.id,
        key.domain,
        key.selector,
        key.algorithm,
        key.sealed_key,
        key.record,
        key.active_since,
        key.retired_at,
        now,
    )


async def replace_active(
    tx: Connection, team_id: str, domain: str, key_ids: Collection[str], *, now: datetime
) -> None:
    """From now on these keys sign for the domain, and those before no more."""
    await tx.execute(RETIRE, team_id, domain, now)
    await tx.execute(ACTIVATE, team_id, list(key_ids), now)
