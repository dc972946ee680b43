"""What is done again and again goes on after any failure, and the log tells of each trouble once."""

import asyncio
import logging

import pytest

from loopwright.server.runtime.repeating import Looking, repeating

NOT_AT_ONCE = 60.0


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records]


async def test_each_trouble_is_told_when_it_begins_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    troubles = iter(
        [OSError("no route"), OSError("no route"), ValueError("a"), ValueError("a"), KeyError("b"), None]
    )

    async def look() -> float:
        trouble = next(troubles)
        if trouble:
            raise trouble
        looking.stop()
        return 0

    looking = Looking(look, what="parcels", seconds=0.001)
    await looking.run()

    assert told(caplog) == [
        "the database is away (OSError); parcels wait",
        "parcels could not go on; a look follows every 0.001 s",
        "parcels could not go on; a look follows every 0.001 s",
        "parcels go on",
    ]
    assert [bool(record.exc_info) for record in caplog.records] == [False, True, True, False]


async def test_a_wake_ends_the_wait_and_zero_is_at_once(caplog: pytest.LogCaptureFixture) -> None:
    waits = iter([0.0, 0.0, NOT_AT_ONCE, NOT_AT_ONCE])
    looked: list[float] = []
    waiting = asyncio.Event()

    async def look() -> float:
        looked.append(next(waits))
        if looked[-1]:
            waiting.set()
        return looked[-1]

    looking = Looking(look, what="parcels", seconds=NOT_AT_ONCE)
    running = asyncio.create_task(looking.run())
    for end in (looking.wake, looking.stop):
        await waiting.wait()
        waiting.clear()
        end()
    await running
    assert looked == [0.0, 0.0, NOT_AT_ONCE, NOT_AT_ONCE]
    assert not told(caplog)


async def test_something_repeated_does_not_end_with_its_first_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = 0
    often = asyncio.Event()

    async def do() -> None:
        nonlocal done
        done += 1
        if done == 1:
            raise ValueError("once")
        often.set()

    with caplog.at_level(logging.WARNING):
        async with repeating(do, what="parcels", seconds=0.001):
            await asyncio.wait_for(often.wait(), 10)
    assert told(caplog)[0] == "parcels could not go on; a look follows every 0.001 s"
