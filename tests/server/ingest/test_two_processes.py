"""Two ingests on one database: nothing that either is told is lost."""

import asyncio
import json

from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import ContactInput, CreateContact, Identity, SendEvent, UpdateContact
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.audience import contact_of, declare


async def test_no_update_is_lost(ingest: Ingest, other: Ingest, pool: Pool, team: TeamRow) -> None:
    """Both processes write one contact, each its own property: the last values of both stay."""
    await declare(pool, team.id, first="number", second="number")

    async def write(by: Ingest, key: str) -> None:
        for number in range(100):
            await by.submit(
                UpdateContact(
                    team_id=team.id,
                    identity=Identity("ada@example.com", None),
                    input=ContactInput(custom={key: number}),
                )
            )

    await asyncio.gather(write(ingest, "first"), write(other, "second"))
    contact = await contact_of(pool, team.id, "ada@example.com")
    assert contact is not None
    assert contact.properties == {"first": 99, "second": 99}


async def test_a_guess_given_up_stays_so(ingest: Ingest, other: Ingest, pool: Pool, team: TeamRow) -> None:
    """Both processes learn one pattern: a property that had a value of each kind counts as text."""

    def event(number: int, email: str, **properties: object) -> SendEvent:
        return SendEvent(
            team_id=team.id, identity=Identity(email, None), name=f"event{number}", properties=properties
        )

    for email in ("ada@example.com", "bob@example.com"):
        await ingest.submit(CreateContact(team_id=team.id, identity=Identity(email, None)))
    for number in range(100):
        await asyncio.gather(
            ingest.submit(event(number, "ada@example.com", size="many", old=1)),
            other.submit(event(number, "bob@example.com", size=3, new=1)),
        )
    patterns = await pool.fetch("SELECT properties FROM event_pattern ORDER BY id")
    learned = [json.loads(row["properties"]) for row in patterns]
    assert learned == [{"size": "string", "old": "number", "new": "number"}] * 100
