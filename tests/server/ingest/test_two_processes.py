"""Two ingests on one database: nothing lost, nothing blocked, the same end as with one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.clock import SystemClock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import Command, ContactInput, Identity, UpdateContact
from loopwright.server.store.database import Pool, open_pool
from loopwright.server.store.teams import TeamRow
from support.audience import contact_of, declare
from support.commands import commands
from support.sequential import LISTS, PROPERTIES, Sequential

STREAMS = 5
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Ingest]:
    """What a second process would run: its own pool, its own batches."""
    pool = await open_pool(database_url)
    ingest = Ingest(pool, SystemClock())
    ingest.start()
    yield ingest
    await ingest.close()
    await pool.close()


async def new_team(pool: Pool) -> str:
    """A team with the model's lists and properties."""
    now = datetime.now(UTC)
    team_id = new_id(now)
    await pool.execute(
        "INSERT INTO team (id, name, secret, sending_domain, created_at) VALUES ($1, '', '', '', now())",
        team_id,
    )
    await declare(pool, team_id, **PROPERTIES)
    for name in LISTS:
        await pool.execute(
            "INSERT INTO mailing_list (id, team_id, name, is_public, created_at) "
            "VALUES ($1, $2, '', true, now())",
            f"{team_id}{name}",
            team_id,
        )
    return team_id


def of_stream(command: Command, team_id: str, stream: int) -> Command:
    """The command about contacts that no other stream speaks of."""
    identity: Identity = command.identity  # type: ignore[union-attr]
    changes: dict[str, object] = {
        "team_id": team_id,
        "identity": Identity(
            identity.email and f"{stream}-{identity.email}",
            identity.user_id and f"{stream}-{identity.user_id}",
        ),
    }
    said = getattr(command, "input", None)
    if isinstance(said, ContactInput):
        lists = {f"{team_id}{name}" if name in LISTS else name: on for name, on in said.lists.items()}
        changes["input"] = replace(said, lists=lists)
    key = getattr(command, "key", None)
    if key is not None:
        changes["key"] = replace(key, team_id=team_id, key=f"{stream}-{key.key}")
    return replace(command, **changes)


async def answer(ingest: Ingest, command: Command) -> str:
    try:
        await ingest.submit(command)
    except Exception as failure:
        return type(failure).__name__
    return "ok"


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(streams=st.lists(commands("t"), min_size=STREAMS, max_size=STREAMS))
async def test_the_same_end_as_one_process(
    streams: list[list[Command]], ingest: Ingest, other: Ingest, pool: Pool
) -> None:
    """Streams of commands run side by side, each by turns in either process: as in the model."""
    team_id = await new_team(pool)
    before = await pool.fetchval(DEADLOCKS)

    async def run(number: int, stream: list[Command]) -> list[str]:
        return [
            await answer((ingest, other)[(index + number) % 2], of_stream(command, team_id, number))
            for index, command in enumerate(stream)
        ]

    answers = await asyncio.gather(*(run(number, stream) for number, stream in enumerate(streams)))
    for number, stream in enumerate(streams):
        model = Sequential()
        assert answers[number] == [model.take(command) for command in stream]
        for expected in model.contacts:
            contact = await contact_of(pool, team_id, f"{number}-{expected['email']}")
            assert contact is not None
            memberships = contact.mailing_lists.items()
            lists = {name.removeprefix(team_id): True for name, on in memberships if on == "subscribed"}
            assert expected == {
                "email": expected["email"],
                "user_id": contact.user_id and contact.user_id.removeprefix(f"{number}-"),
                "first_name": contact.first_name,
                "subscribed": contact.subscribed,
                **contact.properties,
                **lists,
            }
        stored = await pool.fetchval(
            "SELECT count(*) FROM contact WHERE team_id = $1 AND email LIKE $2", team_id, f"{number}-%"
        )
        assert stored == len(model.contacts)
    assert await pool.fetchval("SELECT count(*) FROM event WHERE team_id = $1", team_id) == sum(
        one == "ok" for number, stream in enumerate(streams)
        for command, one in zip(stream, answers[number], strict=True) if type(command).__name__ == "SendEvent"
    )  # fmt: skip
    assert await pool.fetchval(DEADLOCKS) == before


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
