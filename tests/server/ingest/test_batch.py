"""Group commit, on a real database: what is acknowledged is there, whoever else writes at the same time."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from loopwright.server.clock import SystemClock
from loopwright.server.ingest.batch import BATCH_BYTES, WAITING_BYTES, Ingest
from loopwright.server.ingest.command import (
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    SendEvent,
    UpdateContact,
)
from loopwright.server.refusal import BadRequest, Conflict, Refusal, Unavailable
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.events import UsedKey
from loopwright.server.store.teams import TeamRow
from support.audience import contact_of, declare
from support.factories import add_team


def event(team: TeamRow, email: str, key: str | None = None, **properties: object) -> SendEvent:
    used = UsedKey(team.id, "events/send", key) if key else None
    return SendEvent(
        team_id=team.id, identity=Identity(email, None), name="signup", properties=properties, key=used
    )


def update(team: TeamRow, email: str | None, user_id: str | None = None, **custom: object) -> UpdateContact:
    return UpdateContact(
        team_id=team.id, identity=Identity(email, user_id), input=ContactInput(custom=custom)
    )


async def submit_all(ingest: Ingest, commands: list[Command]) -> list[object]:
    return await asyncio.gather(*(ingest.submit(one) for one in commands), return_exceptions=True)


async def test_what_is_acknowledged_is_there(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """A contact's every kind of value survives the way to the database and back."""
    await declare(pool, team.id, plan="string", seats="number", trial="boolean", ends="date")
    said = {"plan": 'pro "x" \\ ☃', "seats": 2.5, "trial": False, "ends": "2026-01-02"}
    await ingest.submit(update(team, "ada@example.com", "u1", **said))
    contact = await contact_of(pool, team.id, "ada@example.com")
    assert contact is not None
    assert contact.user_id == "u1"
    assert contact.properties == {**said, "ends": "2026-01-02T00:00:00.000Z"}


async def test_many_at_once_are_all_there(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """A thousand events for a hundred new contacts are just that."""
    outcomes = await submit_all(
        ingest, [event(team, f"p{number % 100}@example.com", seats=number) for number in range(1000)]
    )
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert await pool.fetchval("SELECT count(*) FROM contact") == 100
    assert await pool.fetchval("SELECT count(*) FROM event") == 1000


async def test_a_bad_command_fails_alone(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """Its neighbours in the batch are committed; also when only the database finds out."""
    stranger = replace(event(team, "x@example.com"), team_id="no-such-team")
    unstorable = update(team, "nul@example.com")
    unstorable = replace(unstorable, input=ContactInput(fields={"first_name": "a\0b"}))
    commands: list[Command] = [event(team, f"p{number}@example.com") for number in range(20)]
    outcomes = await submit_all(ingest, [*commands[:10], stranger, unstorable, *commands[10:]])
    failed = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Exception)]
    assert failed == [10, 11]
    assert await pool.fetchval("SELECT count(*) FROM event") == 20


async def test_a_key_works_once(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """However many arrive at the same moment, one passes."""
    outcomes = await submit_all(ingest, [event(team, "ada@example.com", key="k") for _ in range(50)])
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 49
    assert await pool.fetchval("SELECT count(*) FROM event") == 1


async def test_a_key_is_free_again_after_a_day(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """The window is 24 hours; a key inside it is still taken."""
    await ingest.submit(event(team, "ada@example.com", key="old"))
    await pool.execute("UPDATE idempotency_key SET created_at = $1", datetime.now(UTC) - timedelta(hours=25))
    await ingest.submit(event(team, "ada@example.com", key="old"))
    with pytest.raises(Conflict):
        await ingest.submit(event(team, "ada@example.com", key="old"))


async def test_a_refused_command_leaves_its_key_unused(ingest: Ingest, team: TeamRow) -> None:
    """A program may mend the request and send it with the same key."""
    unknown = replace(event(team, "", key="k"), identity=Identity(None, "nobody"))
    with pytest.raises(BadRequest):
        await ingest.submit(unknown)
    await ingest.submit(event(team, "ada@example.com", key="k"))


async def test_a_caller_that_leaves_does_not_take_its_command_back(
    ingest: Ingest, pool: Pool, team: TeamRow
) -> None:
    """What was handed in is committed, and its neighbour hears of its own."""
    leaving = asyncio.create_task(ingest.submit(event(team, "gone@example.com")))
    staying = asyncio.create_task(ingest.submit(event(team, "here@example.com")))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert await contact_of(pool, team.id, "gone@example.com") is not None


async def test_closing_commits_what_was_accepted(pool: Pool, team: TeamRow) -> None:
    """A clean stop loses nothing, and a command that comes later is told to come back."""
    ingest = Ingest(pool, SystemClock())
    ingest.start()
    accepted = [asyncio.create_task(ingest.submit(event(team, f"p{n}@example.com"))) for n in range(100)]
    await asyncio.sleep(0)
    await ingest.close()
    await asyncio.gather(*accepted)
    assert await pool.fetchval("SELECT count(*) FROM event") == 100
    with pytest.raises(Unavailable):
        await ingest.submit(event(team, "late@example.com"))


async def test_two_processes_share_one_database(
    ingest: Ingest, database_url: str, pool: Pool, team: TeamRow
) -> None:
    """Two ingests race for the same new addresses, ids and keys: one contact each, no update lost."""
    other_pool = await open_pool(database_url)
    other = Ingest(other_pool, SystemClock())
    other.start()
    commands: list[Command] = []
    for number in range(300):
        name = f"p{number % 30}"
        commands += [
            UpdateContact(team_id=team.id, identity=Identity(f"{name}@example.com", name)),
            event(team, f"{name}@example.com", key=f"k{number}"),
        ]
    first, second = await asyncio.gather(
        submit_all(ingest, commands), submit_all(other, list(reversed(commands)))
    )
    await other.close()
    await other_pool.close()
    outcomes = Counter(type(outcome).__name__ for outcome in [*first, *second])
    assert outcomes == {"ContactSaved": 600, "EventAccepted": 300, "Conflict": 300}
    assert await pool.fetchval("SELECT count(*) FROM contact") == 30
    assert await pool.fetchval("SELECT count(*) FROM event") == 300


async def test_creating_and_deleting_at_once_ends_somewhere_true(
    ingest: Ingest, pool: Pool, team: TeamRow
) -> None:
    """Every answer fits some order of the commands."""
    ada = Identity("ada@example.com", None)
    create, delete = (
        CreateContact(team_id=team.id, identity=ada),
        DeleteContact(team_id=team.id, identity=ada),
    )
    outcomes = await submit_all(ingest, [create, delete] * 20)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert await pool.fetchval("SELECT count(*) FROM contact") == 0


async def test_teams_do_not_see_each_other(ingest: Ingest, pool: Pool, team: TeamRow) -> None:
    """The same address in two teams is two contacts."""
    await add_team(pool, "other")
    other = replace(team, id="other")
    await submit_all(ingest, [update(team, "ada@example.com", "u"), update(other, "ada@example.com", "u")])
    with pytest.raises(Refusal):
        await ingest.submit(DeleteContact(team_id="third", identity=Identity("ada@example.com", None)))
    assert await pool.fetchval("SELECT count(DISTINCT team_id) FROM contact") == 2


async def test_a_batch_has_as_many_bytes_as_it_may(pool: Pool, team: TeamRow) -> None:
    """What waits together is committed in pieces; one that is longer than a piece goes alone."""
    batches: list[int] = []
    ingest = Ingest(pool, SystemClock(), lambda commands, *_: batches.append(len(commands)))
    sizes = [BATCH_BYTES // 2, BATCH_BYTES // 2, 1, BATCH_BYTES * 2, 0]
    waiting = [
        asyncio.create_task(ingest.submit(event(team, f"p{n}@example.com"), size=size))
        for n, size in enumerate(sizes)
    ]
    await asyncio.sleep(0)
    ingest.start()
    await asyncio.gather(*waiting)
    await ingest.close()
    assert batches == [2, 1, 1, 1]


async def test_as_many_bytes_wait_as_may(pool: Pool, team: TeamRow) -> None:
    """Whoever comes then is told to come again; nothing of theirs is kept."""
    ingest = Ingest(pool, SystemClock())
    waiting = asyncio.create_task(ingest.submit(event(team, "ada@example.com"), size=WAITING_BYTES))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await ingest.submit(event(team, "late@example.com"), size=1)
    ingest.start()
    await waiting
    await ingest.submit(event(team, "again@example.com"), size=1)
    await ingest.close()
    assert await pool.fetchval("SELECT count(*) FROM event") == 2
