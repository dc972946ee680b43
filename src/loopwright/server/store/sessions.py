"""Sessions of the dashboard: who signed in, until the sign-out, their time's end or the end of their key."""

from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class Operator(Struct, frozen=True, kw_only=True):
    """The holder of one of a team's API keys."""

    team_id: str
    team_name: str
    key_id: str
    key_name: str


_OPERATORS: LiteralString = """
    SELECT team.id AS team_id, team.name AS team_name, api_key.id AS key_id, api_key.name AS key_name
      FROM api_key JOIN team ON team.id = api_key.team_id
"""
OPERATOR_BY_KEY: LiteralString = f"{_OPERATORS} WHERE api_key.key_hash = $1"
OPERATOR_OF_SESSION: LiteralString = f"""
    {_OPERATORS} JOIN dashboard_session AS session ON session.key_id = api_key.id
     WHERE session.token_hash = $1 AND session.expires_at > $2
"""
INSERT_SESSION: LiteralString = """
    INSERT INTO dashboard_session (token_hash, team_id, key_id, expires_at) VALUES ($1, $2, $3, $4)
"""
DELETE_SESSION: LiteralString = "DELETE FROM dashboard_session WHERE token_hash = $1"


async def find_operator(tx: Connection, key_hash: bytes) -> Operator | None:
    """Find who holds the API key with this SHA-256."""
    row = await tx.fetchrow(OPERATOR_BY_KEY, key_hash)
    return None if row is None else Operator(**row)


async def operator_of_session(tx: Connection, token_hash: bytes, *, now: datetime) -> Operator | None:
    """Find who is signed in by the token with this SHA-256; None once the session has ended."""
    row = await tx.fetchrow(OPERATOR_OF_SESSION, token_hash, now)
    return None if row is None else Operator(**row)


async def insert_session(
    tx: Connection, operator: Operator, *, token_hash: bytes, expires_at: datetime
) -> None:
    """Begin a session."""
    await tx.execute(INSERT_SESSION, token_hash, operator.team_id, operator.key_id, expires_at)


async def delete_session(tx: Connection, token_hash: bytes) -> None:
    """End a session, wherever its cookie may be."""
    await tx.execute(DELETE_SESSION, token_hash)
