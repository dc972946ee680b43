"""Teams and their API keys."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple

from msgspec import Struct

from loopwright.wire.groups import DEFAULT_GROUP

from .database import Connection


class TeamRow(Struct, frozen=True, kw_only=True):
    """A team: the wall around everything else.

    `blocklist` holds addresses that no contact may have, `*` standing for anything. With `double_opt_in`,
    contacts of forms are asked to confirm by the transactional email `opt_in_id`. `copies` lets emails have
    CC and BCC addresses, `attachments` lets sends bring files along. `tracking` has marketing email tell of
    opens and clicks; then `hash_visitors` keeps a hash of who made them, else nothing is kept of that.
    `time_zone` is that of times that are given without an offset, by its name, as in Europe/Berlin.
    """

    id: str
    name: str
    secret: bytes
    sending_domain: str
    company: str
    address: str
    double_opt_in: bool = False
    opt_in_id: str | None = None
    blocklist: list[str] = []
    copies: bool = False
    attachments: bool = True
    tracking: bool = False
    hash_visitors: bool = False
    time_zone: str = "UTC"


class Revision(NamedTuple):
    """What counts the changes of what a team has declared, its blocklist, and whether it has webhooks."""

    revision: int
    blocklist: Sequence[str]
    has_webhooks: bool


class KeyRow(Struct, frozen=True, kw_only=True):
    """An API key by its name; the key itself is not stored."""

    id: str
    name: str
    created_at: datetime


_COLUMNS: LiteralString = """
    id, name, secret, sending_domain, company, address, double_opt_in, opt_in_id, blocklist,
    copies, attachments, tracking, hash_visitors, time_zone
"""

TEAM: LiteralString = f"SELECT {_COLUMNS} FROM team WHERE id = $1"
TEAMS: LiteralString = f"SELECT {_COLUMNS} FROM team ORDER BY id"
TEAM_OF_KEY: LiteralString = """
    SELECT team.id, team.name, team.secret, team.sending_domain, team.company, team.address,
           team.double_opt_in, team.opt_in_id, team.blocklist, team.copies, team.attachments,
           team.tracking, team.hash_visitors, team.time_zone
      FROM api_key JOIN team ON team.id = api_key.team_id
     WHERE api_key.key_hash = $1
"""
INSERT_TEAM: LiteralString = """
    INSERT INTO team (
        id, name, secret, sending_domain, company, address, double_opt_in, opt_in_id, blocklist, created_at,
        copies, attachments, tracking, hash_visitors, time_zone
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
# What every team has from its first day, with ids made of its own.
INSERT_GROUPS: LiteralString = """
    INSERT INTO content_group (id, team_id, kind, name, description, created_at, updated_at)
    SELECT left($1, 24) || left(kind, 1), $1, kind, $2, '', $3, $3
      FROM unnest(ARRAY['campaign', 'transactional', 'workflow']) AS kind
"""
INSERT_THEME: LiteralString = """
    INSERT INTO theme (id, team_id, name, styles, is_default, created_at, updated_at)
    VALUES (left($1, 24) || 'd', $1, 'Default', '{}', true, $2, $2)
"""
UPDATE_TEAM: LiteralString = """
    UPDATE team
       SET name = $2, sending_domain = $3, company = $4, address = $5, double_opt_in = $6, opt_in_id = $7,
           blocklist = $8, copies = $9, attachments = $10, tracking = $11, hash_visitors = $12,
           time_zone = $13,
           revision = revision + 1
     WHERE id = $1
"""
LOCK_TEAM: LiteralString = f"{TEAM} FOR NO KEY UPDATE"
LOCK_NAMES: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('loopwright.bootstrap'))"
REVISIONS: LiteralString = """
    SELECT id, revision, blocklist,
           EXISTS (SELECT FROM webhook_endpoint WHERE team_id = team.id) AS has_webhooks
      FROM team WHERE id = ANY ($1::text[])
"""
KEYS: LiteralString = "SELECT id, name, created_at FROM api_key WHERE team_id = $1 ORDER BY id"
DELETE_KEY: LiteralString = "DELETE FROM api_key WHERE team_id = $1 AND id = $2 RETURNING id"
HAS_KEY: LiteralString = "SELECT EXISTS (SELECT FROM api_key WHERE team_id = $1)"
FIX_KEY: LiteralString = """
    UPDATE api_key SET is_fixed = true WHERE team_id = $1 AND key_hash = $2 AND NOT is_fixed
"""
DELETE_FORMER_FIXED_KEYS: LiteralString = """
    DELETE FROM api_key WHERE team_id = $1 AND key_hash <> $2 AND is_fixed RETURNING id
"""
INSERT_KEY: LiteralString = """
    INSERT INTO api_key (id, team_id, name, key_hash, created_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (key_hash) DO NOTHING
"""


async def load_team(tx: Connection, team_id: str) -> TeamRow:
    """The team of that id; `LookupError` when there is none."""
    row = await tx.fetchrow(TEAM, team_id)
    if row is None:
        raise LookupError(f"no team {team_id}")
    return TeamRow(**row)


async def load_teams(tx: Connection) -> list[TeamRow]:
    """All teams, oldest first."""
    return [TeamRow(**row) for row in await tx.fetch(TEAMS)]


async def team_of_key(tx: Connection, key_hash: bytes) -> TeamRow | None:
    """The team that a key's SHA-256 opens."""
    row = await tx.fetchrow(TEAM_OF_KEY, key_hash)
    return TeamRow(**row) if row else None


async def insert_team(tx: Connection, team: TeamRow, *, now: datetime) -> None:
    """Add a team, with its default groups and theme."""
    await tx.execute(
        INSERT_TEAM,
        team.id,
        team.name,
        team.secret,
        team.sending_domain,
        team.company,
        team.address,
        team.double_opt_in,
        team.opt_in_id,
        team.blocklist,
        now,
        team.copies,
        team.attachments,
        team.tracking,
        team.hash_visitors,
        team.time_zone,
    )
    await tx.execute(INSERT_GROUPS, team.id, DEFAULT_GROUP, now)
    await tx.execute(INSERT_THEME, team.id, now)


async def lock_team(tx: Connection, team_id: str) -> TeamRow:
    """The team of that id, which nobody else changes until the transaction ends."""
    row = await tx.fetchrow(LOCK_TEAM, team_id)
    if row is None:
        raise LookupError(f"no team {team_id}")
    return TeamRow(**row)


async def lock_names(tx: Connection) -> None:
    """Until the transaction ends, nobody else makes or renames a team."""
    await tx.execute(LOCK_NAMES)


async def update_team(tx: Connection, team: TeamRow) -> None:
    """Write the team's settings over the old; its secret stays."""
    await tx.execute(
        UPDATE_TEAM,
        team.id,
        team.name,
        team.sending_domain,
        team.company,
        team.address,
        team.double_opt_in,
        team.opt_in_id,
        team.blocklist,
        team.copies,
        team.attachments,
        team.tracking,
        team.hash_visitors,
        team.time_zone,
    )


async def load_revisions(tx: Connection, team_ids: Collection[str]) -> dict[str, Revision]:
    """Each team's revision and what is read with it, by the team's id."""
    return {row["id"]: Revision(*row[1:]) for row in await tx.fetch(REVISIONS, list(team_ids))}


async def load_keys(tx: Connection, team_id: str) -> list[KeyRow]:
    """The team's API keys, oldest first."""
    return [KeyRow(**row) for row in await tx.fetch(KEYS, team_id)]


async def delete_key(tx: Connection, team_id: str, key_id: str) -> bool:
    """Take an API key away; False when the team has none of that id."""
    return await tx.fetchval(DELETE_KEY, team_id, key_id) is not None


async def has_key(tx: Connection, team_id: str) -> bool:
    """Whether the team has any API key."""
    return bool(await tx.fetchval(HAS_KEY, team_id))


async def fix_key(tx: Connection, team_id: str, key_hash: bytes) -> bool:
    """Make a key of the team the fixed one; True when it takes the place of another, which is deleted."""
    await tx.execute(FIX_KEY, team_id, key_hash)
    return bool(await tx.fetch(DELETE_FORMER_FIXED_KEYS, team_id, key_hash))


async def insert_key(
    tx: Connection, team_id: str, *, key_id: str, name: str, key_hash: bytes, now: datetime
) -> None:
    """Add an API key by its hash; a hash that is known already stays where it is."""
    await tx.execute(INSERT_KEY, key_id, team_id, name, key_hash, now)
