"""What shows whether a sealing key is the one that the database's secrets are sealed with."""

from datetime import datetime
from typing import LiteralString

from .database import Connection

LOCK: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('loopwright.sealing'))"
CHECK_VALUE: LiteralString = "SELECT check_value FROM sealing"
INSERT_CHECK_VALUE: LiteralString = "INSERT INTO sealing (check_value, created_at) VALUES ($1, $2)"
FORGET: LiteralString = "DELETE FROM sealing"
FORGET_KEYS: LiteralString = "DELETE FROM signing_key RETURNING id"
FORGET_SECRETS: LiteralString = """
    UPDATE webhook_endpoint
       SET sealed_secret = '', former_secret = NULL, disabled_at = coalesce(disabled_at, now()),
           disabled_reason = 'its secret was sealed with a key that is lost; rotate it, then enable it'
"""

FORGET_DOORS: LiteralString = """
    UPDATE feedback_door
       SET sealed_credentials = '',
           last_problem = 'its secrets were sealed with a key that is lost; remove the door, and add another'
"""


async def lock_sealing(tx: Connection) -> None:
    """Until the transaction ends, nobody else chooses the sealing key."""
    await tx.execute(LOCK)


async def load_check_value(tx: Connection) -> bytes | None:
    """What the right key opens; None while nothing is sealed."""
    value: bytes | None = await tx.fetchval(CHECK_VALUE)
    return value


async def insert_check_value(tx: Connection, value: bytes, *, now: datetime) -> None:
    """From now on everything is sealed with the key that opens `value`."""
    await tx.execute(INSERT_CHECK_VALUE, value, now)


async def forget_sealed(tx: Connection) -> int:
    """Take away all that is sealed; returns how many keys that were. Webhooks need new secrets then."""
    await tx.execute(FORGET)
    await tx.execute(FORGET_SECRETS)
    await tx.execute(FORGET_DOORS)
    return len(await tx.fetch(FORGET_KEYS))
