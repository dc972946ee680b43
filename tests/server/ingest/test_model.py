"""Any lists of commands, by whatever batches and processes, come to the same as one at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import (
    Command,
    CreateContact,
    DeleteContact,
    Identity,
    SendEvent,
    SubmitForm,
    UpdateContact,
)
from loopwright.server.store.database import Pool
from support.audience import add_models_team, begin_anew, links_of, state_of
from support.clock import HandClock
from support.commands import batches, follow
from support.sequential import CONFIRM, TEAM, Sequential

NOW = datetime(2026, 5, 17, 10, 30, tzinfo=UTC)
ADA, BOB = Identity("a@example.com", None), Identity("b@example.com", None)
STREAMS = 5
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

on_a_database = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def clock() -> Clock:
    """It stands still."""
    return HandClock(NOW)


@pytest.fixture(autouse=True)
async def models_team(pool: Pool) -> None:
    """The team that all commands are for."""
    await add_models_team(pool)


async def answers(ingest: Ingest, batch: Sequence[Command], links: Mapping[str, str]) -> list[str]:
    """Have `batch` committed; the outcomes as the model tells them."""
    outcomes = await ingest.submit_many([follow(command, links) for command in batch])
    return [type(one).__name__ if isinstance(one, Exception) else "ok" for one in outcomes]


async def hand_in(
    ingest: Ingest, batch: Sequence[Command], links: Mapping[str, str]
) -> asyncio.Task[list[str]]:
    """Have `batch` taken as one; what was taken before it may still be on its way into the database."""
    answering = asyncio.create_task(answers(ingest, batch, links))
    await asyncio.sleep(0)
    while ingest.waiting()[0]:
        await asyncio.sleep(0)
    return answering


CREATE = CreateContact(team_id=TEAM, identity=ADA)
ASK = SubmitForm(team_id=TEAM, identity=ADA, opt_in=CONFIRM)
NAME = UpdateContact(team_id=TEAM, identity=replace(ADA, user_id="u1"))
MOVE = UpdateContact(team_id=TEAM, identity=replace(BOB, user_id="u1"))
ASK_AGAIN = SubmitForm(team_id=TEAM, identity=BOB, opt_in=CONFIRM)
TEACH = SendEvent(team_id=TEAM, identity=ADA, name="signup")
DELETE = DeleteContact(team_id=TEAM, identity=ADA)


@on_a_database
@given(first=batches(), work=batches())
# What the third teaches has the second, whose refusal rests on the first, made once more: not after the last.
@example(first=[], work=[[CREATE], [CREATE], [TEACH], [DELETE]])
# One email asks an address, and another one the address that the contact has been given since.
@example(first=[[ASK, NAME, MOVE, ASK_AGAIN]], work=[])
async def test_batches_at_once(
    first: list[list[Command]], work: list[list[Command]], ingest: Ingest, pool: Pool
) -> None:
    """Each batch is made while the one before it is saved."""
    await begin_anew(pool)
    model = Sequential(NOW)
    known = [command for batch in first for command in batch]
    assert await answers(ingest, known, {}) == [model.take(command) for command in known]
    model.begin(NOW)
    links = await links_of(pool)
    answering = [await hand_in(ingest, batch, links) for batch in work]
    assert await asyncio.gather(*answering) == [[model.take(one) for one in batch] for batch in work]
    assert await state_of(pool) == model.state()


async def test_batches_at_once_learn_one_pattern(ingest: Ingest, pool: Pool) -> None:
    """An event is typed by what the one before it has taught, though that one is still being saved."""
    model = Sequential(NOW)
    known = [CreateContact(team_id=TEAM, identity=identity) for identity in (ADA, BOB)]
    work: list[Command] = [
        SendEvent(team_id=TEAM, identity=identity, name=f"event{number}", properties={"size": size})
        for number in range(50)
        for identity, size in ((ADA, "many"), (BOB, 3))
    ]
    await answers(ingest, known, {})
    await asyncio.gather(*[await hand_in(ingest, [event], {}) for event in work])
    assert {model.take(command) for command in [*known, *work]} == {"ok"}
    assert await state_of(pool) == model.state()


@on_a_database
@given(streams=st.tuples(*(batches(f"{number}-") for number in range(STREAMS))))
async def test_two_processes(
    streams: Sequence[list[list[Command]]], ingest: Ingest, other: Ingest, pool: Pool
) -> None:
    """Streams of commands run side by side, each by turns in either process."""
    await begin_anew(pool)
    before = await pool.fetchval(DEADLOCKS)

    async def run(number: int, stream: list[list[Command]]) -> list[list[str]]:
        links: dict[str, str] = {}
        heard: list[list[str]] = []
        for index, batch in enumerate(stream, start=number):
            links |= await links_of(pool)
            heard.append(await answers((ingest, other)[index % 2], batch, links))
        return heard

    heard = await asyncio.gather(*(run(number, stream) for number, stream in enumerate(streams)))
    model = Sequential(NOW)
    for number, stream in enumerate(streams):
        for batch, outcomes in zip(stream, heard[number], strict=True):
            model.begin(NOW)
            assert outcomes == [model.take(command) for command in batch]
    assert await state_of(pool) == model.state()
    assert await pool.fetchval(DEADLOCKS) == before
