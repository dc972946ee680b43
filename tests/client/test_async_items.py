"""What only asyncio has: items that come one by one."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from loopwright import AsyncLoops, EventToSend
from support.cutting_proxy import CuttingProxy
from support.live import LiveServer


@pytest.fixture
def proxy(live_server: LiveServer) -> Iterator[CuttingProxy]:
    """Before the real server."""
    with CuttingProxy(live_server.base_url, []) as proxy:
        yield proxy


def numbered(number: int) -> EventToSend:
    return {"name": "signup", "email": f"p{number}@example.com"}


async def test_what_has_come_waits_for_nothing(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """The fourth event comes only when the third has arrived."""

    def arrived() -> int:
        return sum(len(chunk) for chunk in proxy.chunks)

    async def events() -> AsyncIterator[EventToSend]:
        for number in range(3):
            yield numbered(number)
        while arrived() < 3:
            await asyncio.sleep(0.01)
        yield numbered(3)

    async with AsyncLoops(live_server.api_key, base_url=proxy.url) as loops, asyncio.timeout(20):
        outcomes = [outcome async for outcome in loops.events.send_many(events())]
    assert [(outcome.index, outcome.error) for outcome in outcomes] == [(number, None) for number in range(4)]
    assert arrived() == 4


async def test_what_comes_fast_shares_chunks(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """And none is left out at a chunk's end."""

    async def events() -> AsyncIterator[EventToSend]:
        for number in range(1201):
            yield numbered(number)

    async with AsyncLoops(live_server.api_key, base_url=proxy.url) as loops:
        outcomes = [outcome async for outcome in loops.events.send_many(events())]
    assert [outcome.item for outcome in outcomes] == [numbered(number) for number in range(1201)]
    assert all(outcome.error is None for outcome in outcomes)
    assert sorted(len(chunk) for chunk in proxy.chunks) == [201, 500, 500]


@pytest.mark.parametrize("failure", [OSError("gone"), asyncio.CancelledError()], ids=["error", "cancelled"])
async def test_a_source_that_fails_ends_the_whole(
    proxy: CuttingProxy, live_server: LiveServer, failure: BaseException
) -> None:
    """Its own failure comes out."""

    async def events() -> AsyncIterator[EventToSend]:
        yield numbered(0)
        raise failure

    async with AsyncLoops(live_server.api_key, base_url=proxy.url) as loops, asyncio.timeout(20):
        with pytest.raises(type(failure)):
            async for _ in loops.events.send_many(events()):
                pass


async def test_reading_ends_with_the_asking(proxy: CuttingProxy, live_server: LiveServer) -> None:
    """Of an endless source no more is read than a chunk ahead, and then it is let go."""
    taken = 0
    ended = asyncio.Event()

    async def events() -> AsyncIterator[EventToSend]:
        nonlocal taken
        try:
            while True:
                yield numbered(taken)
                taken += 1
        finally:
            ended.set()

    async with AsyncLoops(live_server.api_key, base_url=proxy.url) as loops:
        outcomes = loops.events.send_many(events())
        await anext(outcomes)
        await asyncio.sleep(0.1)
        assert taken <= 2000
        del outcomes
        async with asyncio.timeout(20):
            await ended.wait()
