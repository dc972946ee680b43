"""Where teams are written to about their own affairs."""

from typing import LiteralString

from .database import Connection

ADDRESS: LiteralString = "SELECT to_email FROM team_notice WHERE team_id = $1"
SET_ADDRESS: LiteralString = """
    INSERT INTO team_notice (team_id, to_email) VALUES ($1, $2)
    ON CONFLICT (team_id) DO UPDATE SET to_email = excluded.to_email
"""
FORGET_ADDRESS: LiteralString = "DELETE FROM team_notice WHERE team_id = $1"


async def load_address(tx: Connection, team_id: str) -> str | None:
    """The address; None for a team that wants no notices."""
    address: str | None = await tx.fetchval(ADDRESS, team_id)
    return address


async def set_address(tx: Connection, team_id: str, address: str | None) -> None:
    """Write to that address from now on, or not at all."""
    if address is None:
        await tx.execute(FORGET_ADDRESS, team_id)
    else:
        await tx.execute(SET_ADDRESS, team_id, address)
