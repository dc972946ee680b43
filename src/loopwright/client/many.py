"""Many calls at once: bounded in flight and in memory, results in the order of the input, failures beside
them.

Both colours are written here by hand: one runs threads, the other tasks. Nothing is sent before the results
are asked for, and never more than a window of items is held; whoever stops asking stops the sending.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, Required, Self, TypeAlias, TypedDict, TypeVar

from msgspec import Struct

from loopwright.errors import LoopsError

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from loopwright.client.call import Properties

Item = TypeVar("Item")
Result = TypeVar("Result")

Items: TypeAlias = Iterable[Item]
AsyncItems: TypeAlias = Iterable[Item] | AsyncIterable[Item]

AT_ONCE = 16
WINDOW = 4
"""So many times `at_once` items may be under way or done but not yet asked for."""

REFUSED = (LoopsError, ValueError, TypeError)
"""What one item may fail with; anything else is a mistake that ends the whole."""


class EventToSend(TypedDict, total=False):
    """The arguments of `events.send`; `name` is required."""

    name: Required[str]
    email: str | None
    user_id: str | None
    properties: Properties | None
    contact: Properties | None
    mailing_lists: Mapping[str, bool] | None
    idempotency_key: str | None


class ContactUpdate(TypedDict, total=False):
    """The arguments of `contacts.update`."""

    email: str | None
    user_id: str | None
    first_name: str | None
    last_name: str | None
    source: str | None
    user_group: str | None
    subscribed: bool
    properties: Properties | None
    mailing_lists: Mapping[str, bool] | None


class Outcome(Struct, Generic[Item, Result], frozen=True, kw_only=True):
    """What became of one item. Exactly one of `result` and `error` is there; `index` counts from 0."""

    index: int
    item: Item
    result: Result | None = None
    error: LoopsError | ValueError | TypeError | None = None


class Progress(Struct, frozen=True):
    """How far it has come: items done so far, and how many of those failed."""

    done: int
    failed: int


class Tally(Generic[Item, Result]):
    """Counts outcomes on their way out, and warns when nobody ever asked for one."""

    def __init__(self, name: str, on_progress: Callable[[Progress], None] | None) -> None:
        self._name = name
        self._on_progress = on_progress
        self._done = 0
        self._failed = 0
        self.asked = False

    def __del__(self) -> None:
        if not self.asked:
            warnings.warn(
                f"{self._name}(...) was never iterated, so nothing was sent", RuntimeWarning, stacklevel=2
            )

    def count(self, outcome: Outcome[Item, Result]) -> Outcome[Item, Result]:
        self._done += 1
        self._failed += outcome.error is not None
        if self._on_progress is not None:
            self._on_progress(Progress(self._done, self._failed))
        return outcome


class Outcomes(Iterator[Outcome[Item, Result]]):
    """The outcomes of many calls, made by threads while this is iterated."""

    def __init__(
        self,
        name: str,
        do: Callable[[Item], Result],
        items: Items[Item],
        at_once: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._running = _run(do, items, check_at_once(at_once))
        self._tally = Tally[Item, Result](name, on_progress)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Outcome[Item, Result]:
        self._tally.asked = True
        return self._tally.count(next(self._running))


class AsyncOutcomes(AsyncIterator[Outcome[Item, Result]]):
    """The same with tasks; the items may come from an async iterable too."""

    def __init__(
        self,
        name: str,
        do: Callable[[Item], Awaitable[Result]],
        items: AsyncItems[Item],
        at_once: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._running = _run_async(do, items, check_at_once(at_once))
        self._tally = Tally[Item, Result](name, on_progress)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome[Item, Result]:
        self._tally.asked = True
        return self._tally.count(await anext(self._running))


def check_at_once(at_once: int) -> int:
    if at_once < 1:
        raise ValueError(f"at_once is 1 or more, not {at_once}")
    return at_once


async def _each(items: AsyncItems[Item]) -> AsyncIterator[Item]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def _run(do: Callable[[Item], Result], items: Items[Item], at_once: int) -> Iterator[Outcome[Item, Result]]:
    from concurrent.futures import ThreadPoolExecutor

    def attempt(index: int, item: Item) -> Outcome[Item, Result]:
        try:
            return Outcome(index=index, item=item, result=do(item))
        except REFUSED as error:
            return Outcome(index=index, item=item, error=error)

    window: deque[Future[Outcome[Item, Result]]] = deque()
    threads = ThreadPoolExecutor(at_once, thread_name_prefix="loopwright")
    try:
        for index, item in enumerate(items):
            window.append(threads.submit(attempt, index, item))
            if len(window) >= at_once * WINDOW:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


async def _run_async(
    do: Callable[[Item], Awaitable[Result]],
    items: AsyncItems[Item],
    at_once: int,
) -> AsyncIterator[Outcome[Item, Result]]:
    import asyncio

    places = asyncio.Semaphore(at_once)

    async def attempt(index: int, item: Item) -> Outcome[Item, Result]:
        async with places:
            try:
                return Outcome(index=index, item=item, result=await do(item))
            except REFUSED as error:
                return Outcome(index=index, item=item, error=error)

    window: deque[asyncio.Task[Outcome[Item, Result]]] = deque()
    index = 0
    try:
        async for item in _each(items):
            window.append(asyncio.create_task(attempt(index, item)))
            index += 1
            if len(window) >= at_once * WINDOW:
                yield await window.popleft()
        while window:
            yield await window.popleft()
    finally:
        for task in window:
            task.cancel()
        await asyncio.gather(*window, return_exceptions=True)
