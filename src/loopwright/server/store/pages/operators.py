"""Who may look: the holder of one of a team's API keys."""

from typing import LiteralString

import msgspec

from loopwright.server.store.database import Connection


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """The person who signed in with an API key; `secret` is the team's and signs the session."""

    team_id: str
    team_name: str
    key_id: str
    key_name: str
    secret: bytes


OPERATOR_BY_KEY: LiteralString = """
    SELECT team.id AS team_id, team.name AS team_name, team.secret,
           api_key.id AS key_id, api_key.name AS key_name
      FROM api_key JOIN team ON team.id = api_key.team_id
     WHERE api_key.key_hash = $1
"""

OPERATOR_OF_SESSION: LiteralString = """
    SELECT team.id AS team_id, team.name AS team_name, team.secret,
           api_key.id AS key_id, api_key.name AS key_name
      FROM api_key JOIN team ON team.id = api_key.team_id
     WHERE api_key.team_id = $1 AND api_key.id = $2
"""


async def find_operator(tx: Connection, key_hash: bytes) -> Operator | None:
    """Find who holds the API key with this SHA-256."""
    row = await tx.fetchrow(OPERATOR_BY_KEY, key_hash)
    return None if row is None else Operator(**row)


async def load_operator(tx: Connection, team_id: str, key_id: str) -> Operator | None:
    """Load who signed in with this key; `None` once the key is revoked, which ends its sessions."""
    row = await tx.fetchrow(OPERATOR_OF_SESSION, team_id, key_id)
    return None if row is None else Operator(**row)
