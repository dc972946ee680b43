"""A batch is written whole, or not at all when something is no longer as it was read."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import SerializationError
from msgspec.structs import replace

from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Pool
from loopwright.server.store.events import EventRow, PatternRow, UsedKey
from loopwright.server.store.teams import TeamRow, load_revisions
from loopwright.server.workflow.graph import SignupTrigger
from support.audience import contact_of, declare
from support.factories import add_list, know_pattern
from support.workflows import add_contact, add_workflow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = NOW - timedelta(days=1)


def event(contact: ContactRow) -> EventRow:
    return EventRow(id="e", team_id=contact.team_id, contact_id=contact.id, name="signup", properties={})


async def commit(pool: Pool, changes: BatchChanges, *, now: datetime = NOW) -> None:
    async with pool.acquire() as tx:
        await save(tx, changes, now=now, window=now - timedelta(days=1))


async def refused(pool: Pool, changes: BatchChanges) -> None:
    """It is refused, and has recorded no event."""
    with pytest.raises(SerializationError):
        await commit(pool, changes)
    assert await pool.fetchval("SELECT count(*) FROM event") == 0


async def loaded(pool: Pool, team: TeamRow) -> ContactRow:
    await add_contact(pool, team.id, "ada@example.com")
    contact = await contact_of(pool, team.id, "ada@example.com")
    assert contact is not None
    return contact


async def test_all_of_it_is_written(pool: Pool, team: TeamRow) -> None:
    """One contact goes and gives its address to a new one, another changes."""
    gone = await loaded(pool, team)
    await add_contact(pool, team.id, "bob@example.com")
    bob = await contact_of(pool, team.id, "bob@example.com")
    assert bob is not None
    new = replace(gone, id="new", first_name="Next", version=0, place=(0, 0))
    changes = BatchChanges(
        updated=[replace(bob, first_name="Bob")], deleted=[gone], inserted=[new], events=[event(new)]
    )
    await commit(pool, changes)
    rows = await pool.fetch("SELECT email, first_name FROM contact ORDER BY email")
    assert [tuple(row) for row in rows] == [("ada@example.com", "Next"), ("bob@example.com", "Bob")]
    assert await pool.fetchval("SELECT received_at FROM event") == NOW


@pytest.mark.parametrize("change", ["UPDATE contact SET notes = 'changed'", "DELETE FROM contact"])
async def test_a_contact_that_changed_meanwhile(pool: Pool, team: TeamRow, change: str) -> None:
    """What somebody else did to it is neither undone nor written over."""
    contact = await loaded(pool, team)
    await pool.execute(change)
    after = await pool.fetch("SELECT * FROM contact")
    named = replace(contact, first_name="Ada")
    await refused(pool, BatchChanges(updated=[named], events=[event(contact)]))
    await refused(pool, BatchChanges(deleted=[contact], events=[event(contact)]))
    assert await pool.fetch("SELECT * FROM contact") == after


async def test_a_contact_whose_place_another_has_taken(pool: Pool, team: TeamRow) -> None:
    """Where a contact was, another one may be: it is not taken for the first."""
    await pool.execute("TRUNCATE contact")
    gone = await loaded(pool, team)
    await pool.execute("DELETE FROM contact")
    await pool.execute("VACUUM contact")
    await add_contact(pool, team.id, "bob@example.com")
    assert await pool.fetchval("SELECT ctid FROM contact") == gone.place
    await refused(pool, BatchChanges(updated=[replace(gone, first_name="Ada")], events=[event(gone)]))
    await refused(pool, BatchChanges(deleted=[gone], events=[event(gone)]))
    assert await pool.fetchval("SELECT email FROM contact") == "bob@example.com"


async def test_a_contact_of_another_team(pool: Pool, team: TeamRow) -> None:
    """A contact that claims to be another team's is not found there."""
    stranger = replace(await loaded(pool, team), team_id="another", first_name="Mine")
    await refused(pool, BatchChanges(updated=[stranger]))
    await refused(pool, BatchChanges(deleted=[stranger]))
    assert await pool.fetchval("SELECT first_name FROM contact") == "Ada"


async def test_a_key_that_was_used_meanwhile(pool: Pool, team: TeamRow) -> None:
    """A live key refuses the batch; one that was used at the window's edge is taken over."""
    contact = await loaded(pool, team)
    used, fresh = UsedKey(team.id, "e", "used"), UsedKey(team.id, "e", "fresh")
    await commit(pool, BatchChanges(keys=[used]), now=NOW)
    await refused(pool, BatchChanges(keys=[fresh, used], events=[event(contact)]))
    await commit(pool, BatchChanges(keys=[fresh, used], events=[event(contact)]), now=NOW + timedelta(days=1))
    assert await pool.fetchval("SELECT count(*) FROM idempotency_key WHERE created_at > $1", NOW) == 2


def changing(statement: str) -> Callable[[Pool, str], Awaitable[object]]:
    return lambda pool, team_id: pool.execute(statement, team_id)


DECLARATIONS: list[Callable[[Pool, str], Awaitable[object]]] = [
    lambda pool, team_id: declare(pool, team_id, plan="string"),
    lambda pool, team_id: add_list(pool, team_id, "l"),
    changing("UPDATE mailing_list SET name = 'M' WHERE team_id = $1"),
    changing("DELETE FROM mailing_list WHERE team_id = $1"),
    lambda pool, team_id: add_workflow(pool, team_id, {"root": SignupTrigger()}, status="Draft"),
    changing("UPDATE workflow SET status = 'Sending' WHERE team_id = $1"),
    lambda pool, team_id: know_pattern(pool, team_id, "signup"),
]


async def test_what_was_declared_meanwhile(pool: Pool, team: TeamRow) -> None:
    """Each change of what a team has declared counts, and refuses a batch that was made before it."""
    contact = await loaded(pool, team)
    for declaration in DECLARATIONS:
        async with pool.acquire() as tx:
            [(revision, *_)] = (await load_revisions(tx, [team.id])).values()
        await declaration(pool, team.id)
        await refused(pool, BatchChanges(events=[event(contact)], revisions={team.id: revision}))


async def test_patterns_learn_from_everybody(pool: Pool, team: TeamRow) -> None:
    """Properties that another process has learned stay."""
    first = PatternRow(id="p1", team_id=team.id, name="signup", properties={"plan": "string"})
    second = PatternRow(id="p2", team_id=team.id, name="signup", properties={"seats": "number"})
    await commit(pool, BatchChanges(patterns=[first]))
    await commit(pool, BatchChanges(patterns=[second]))
    rows = await pool.fetch("SELECT id, properties::text FROM event_pattern")
    assert [tuple(row) for row in rows] == [("p1", '{"plan": "string", "seats": "number"}')]
