"""Teams and their API keys."""

from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class TeamRow(Struct, frozen=True, kw_only=True):
    """A team: the wall around everything else."""

    id: str
    name: str
    secret: bytes
    sending_domain: str
    company: str
    address: str


_COLUMNS: LiteralString = "id, name, secret, sending_domain, company, address"

TEAM: LiteralString = f"SELECT {_COLUMNS} FROM team WHERE id = $1"
TEAMS: LiteralString = f"SELECT {_COLUMNS} FROM team ORDER BY id"
TEAM_OF_KEY: LiteralString = """
    SELECT team.id, team.name, team.secret, team.sending_domain, team.company, team.address
      FROM api_key JOIN team ON team.id = api_key.team_id
     WHERE api_key.key_hash = $1
"""
INSERT_TEAM: LiteralString = """
    INSERT INTO team (id, name, secret, sending_domain, company, address, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
HAS_KEY: LiteralString = "SELECT EXISTS (SELECT FROM api_key WHERE team_id = $1)"
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
    """Add a team."""
    await tx.execute(
        INSERT_TEAM, team.id, team.name, team.secret, team.sending_domain, team.company, team.address, now
    )


async def has_key(tx: Connection, team_id: str) -> bool:
    """Whether the team has any API key."""
    return bool(await tx.fetchval(HAS_KEY, team_id))


async def insert_key(
    tx: Connection, team_id: str, *, key_id: str, name: str, key_hash: bytes, now: datetime
) -> None:
    """Add an API key by its hash; a hash that is known already stays where it is."""
    await tx.execute(INSERT_KEY, key_id, team_id, name, key_hash, now)
