"""A team's doors for feedback: providers that tell by HTTP, and mailboxes that are read."""

from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

from msgspec import Struct

from .database import Connection

Provider: TypeAlias = Literal["ses", "postmark", "mailgun", "sendgrid", "resend", "imap"]


class DoorRow(Struct, frozen=True, kw_only=True):
    """A door. `last_problem` is what went wrong since it told something last.

    Of a mailbox `place` is the last message that was read, within what the server calls its validity.
    """

    id: str
    team_id: str
    provider: Provider
    path_hash: bytes | None
    sealed_credentials: bytes
    tells_delivered: bool
    last_at: datetime | None = None
    last_problem: str = ""
    place: int = 0
    place_of: int = 0
    created_at: datetime


_COLUMNS: LiteralString = """
    id, team_id, provider, path_hash, sealed_credentials, tells_delivered, last_at, last_problem, place,
    place_of, created_at
"""
DOORS: LiteralString = f"SELECT {_COLUMNS} FROM feedback_door WHERE team_id = $1 ORDER BY id"
MAILBOXES: LiteralString = f"SELECT {_COLUMNS} FROM feedback_door WHERE provider = 'imap' ORDER BY id"
# Whose door it is, is known by the secret in its address.
BY_PATH: LiteralString = f"SELECT {_COLUMNS} FROM feedback_door WHERE path_hash = $1 AND provider = $2"
INSERT: LiteralString = """
    INSERT INTO feedback_door (
        id, team_id, provider, path_hash, sealed_credentials, tells_delivered, created_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
DELETE: LiteralString = "DELETE FROM feedback_door WHERE team_id = $1 AND id = $2"
# A busy provider tells a thousand times a minute.
NOTE_GOOD: LiteralString = """
    UPDATE feedback_door SET last_at = $3::timestamptz, last_problem = ''
     WHERE team_id = $1 AND id = $2
       AND (last_problem <> '' OR last_at IS NULL OR last_at < $3::timestamptz - interval '1 minute')
"""
NOTE_PROBLEM: LiteralString = """
    UPDATE feedback_door SET last_problem = $3 WHERE team_id = $1 AND id = $2 AND last_problem <> $3
"""
# One process reads a mailbox at a time; by the real time, as only a crash needs the end of it.
TAKE_MAILBOX: LiteralString = """
    UPDATE feedback_door SET leased_until = clock_timestamp() + interval '5 minutes'
     WHERE team_id = $1 AND id = $2 AND (leased_until IS NULL OR leased_until <= clock_timestamp())
"""
LEAVE_MAILBOX: LiteralString = "UPDATE feedback_door SET leased_until = NULL WHERE team_id = $1 AND id = $2"
SET_PLACE: LiteralString = """
    UPDATE feedback_door SET place_of = $3, place = $4 WHERE team_id = $1 AND id = $2
"""


async def load_doors(tx: Connection, team_id: str) -> list[DoorRow]:
    """The team's doors, oldest first."""
    return [DoorRow(**row) for row in await tx.fetch(DOORS, team_id)]


async def load_mailboxes(tx: Connection) -> list[DoorRow]:
    """The mailboxes of all teams."""
    return [DoorRow(**row) for row in await tx.fetch(MAILBOXES)]


async def find_door(tx: Connection, provider: str, path_hash: bytes) -> DoorRow | None:
    """The door with that secret in its address."""
    row = await tx.fetchrow(BY_PATH, path_hash, provider)
    return DoorRow(**row) if row else None


async def insert_door(tx: Connection, door: DoorRow) -> None:
    """Add a door."""
    await tx.execute(
        INSERT,
        door.id,
        door.team_id,
        door.provider,
        door.path_hash,
        door.sealed_credentials,
        door.tells_delivered,
        door.created_at,
    )


async def delete_door(tx: Connection, team_id: str, door_id: str) -> bool:
    """Take a door away; whether there was one."""
    return (await tx.execute(DELETE, team_id, door_id)) != "DELETE 0"


async def note_good(tx: Connection, door: DoorRow, *, now: datetime) -> None:
    """The door has told something that was its own."""
    await tx.execute(NOTE_GOOD, door.team_id, door.id, now)


async def note_problem(tx: Connection, door: DoorRow, problem: str) -> None:
    """Something came to the door, or it was tried, and that went wrong."""
    await tx.execute(NOTE_PROBLEM, door.team_id, door.id, problem)


async def take_mailbox(tx: Connection, door: DoorRow) -> bool:
    """Have a mailbox alone for five minutes, or until it is left; False when another has it."""
    return (await tx.execute(TAKE_MAILBOX, door.team_id, door.id)) != "UPDATE 0"


async def leave_mailbox(tx: Connection, door: DoorRow) -> None:
    """Let others have the mailbox."""
    await tx.execute(LEAVE_MAILBOX, door.team_id, door.id)


async def set_place(tx: Connection, door: DoorRow, *, validity: int, place: int) -> None:
    """Remember up to where the mailbox was read."""
    await tx.execute(SET_PLACE, door.team_id, door.id, validity, place)
