"""Long requests share the space there is: in their order, and no team takes all of it."""

import asyncio

import pytest

from loopwright.server.http.space import FREE, Share, Space
from loopwright.server.refusal import Unavailable


async def waits(taking: asyncio.Task[None]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not taking.done()


async def test_what_finds_no_space_waits_for_it() -> None:
    """In the order they came."""
    space = Space(in_all=10, of_a_team=10)
    await space.take("a", 8)
    second = asyncio.create_task(space.take("b", 4))
    third = asyncio.create_task(space.take("c", 1))
    assert await waits(second)
    assert await waits(third), "the third would fit, and keep the second out for ever"
    space.give_back("a", 8)
    assert not await waits(second)
    assert not await waits(third)


async def test_a_team_holds_up_itself_alone() -> None:
    """Others pass those of a team that has its share."""
    space = Space(in_all=10, of_a_team=4)
    await space.take("a", 4)
    more = asyncio.create_task(space.take("a", 1))
    other = asyncio.create_task(space.take("b", 4))
    assert await waits(more)
    assert not await waits(other)
    space.give_back("a", 4)
    assert not await waits(more)


async def test_who_waits_for_long_is_told_to_come_again() -> None:
    """And holds up nobody behind it."""
    space = Space(in_all=4, of_a_team=4, patience=0.05)
    await space.take("a", 3)
    with pytest.raises(Unavailable, match="again"):
        await space.take("b", 2)
    await space.take("b", 1)


async def test_who_goes_leaves_nothing_taken() -> None:
    """While it waits, and at the very moment it is let in."""
    space = Space(in_all=4, of_a_team=4)
    await space.take("a", 4)
    gone = asyncio.create_task(space.take("b", 4))
    assert await waits(gone)
    gone.cancel()
    assert not await waits(gone)
    late = asyncio.create_task(space.take("c", 4))
    assert await waits(late)
    late.cancel()
    space.give_back("a", 4)
    assert not await waits(late)
    await space.take("d", 4)


async def test_short_requests_need_none() -> None:
    """And a long one takes its share once."""
    space = Space(in_all=FREE + 1, of_a_team=FREE + 1)
    long, short = Share(space, "a"), Share(space, "a")
    await long.make_sure(FREE + 1)
    await long.make_sure(FREE + 1)
    await short.make_sure(FREE)
    short.give_back()
    long.give_back()
    long.give_back()
    await Share(space, "a").make_sure(FREE + 1)
