"""Many calls at once: bounded in flight and in memory, results in the order of the input, failures beside
them.

Both colours are written here by hand: one runs threads, the other tasks. Nothing is sent before the results
are asked for, and never more than a window of items is held; whoever stops asking stops the sending. What is
sent at a time, an item or a chunk of them, is the work's to say.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from typing import TYPE_CHECKING, Any, Generic, Required, Self, TypeAlias, TypedDict, TypeVar, cast

from msgspec import Struct

from loopwright.client.arguments import count, is_many
from loopwright.client.keywords import check_keywords
from loopwright.errors import ArgumentTypeError, LoopsError, mistyped

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from loopwright.client._async.client import AsyncLoops
    from loopwright.client._sync.client import Loops
    from loopwright.client.body import Properties
    from loopwright.client.bulk import Chunk
    from loopwright.client.call import Call, CallOptions
    from loopwright.wire.operations import Operation

Batch = TypeVar("Batch")
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


class Many(Struct, Generic[Item, Result], frozen=True):
    """Many calls of one operation: `call` makes one of an item. `name` is the method's, for people."""

    name: str
    operation: Operation
    call: Callable[[Item], Call[Result]]
    options: CallOptions


class Work(Struct, Generic[Batch, Item, Result], frozen=True):
    """Items by the batch, and how one batch is sent: `at_once` at a time. `held` may be unasked for."""

    batches: Iterator[Batch]
    send: Callable[[Batch], list[Outcome[Item, Result]]]
    at_once: int
    held: int


class AsyncWork(Struct, Generic[Batch, Item, Result], frozen=True):
    """The same for asyncio."""

    batches: AsyncGenerator[Batch, None]
    send: Callable[[Batch], Awaitable[list[Outcome[Item, Result]]]]
    at_once: int
    held: int


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
        client: Loops,
        many: Many[Item, Result],
        items: Items[Item],
        at_once: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        _check_items(many.name, items)
        self._running = _run(client, many, items, count("at_once", at_once, least=1))
        self._tally = Tally[Item, Result](many.name, on_progress)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Outcome[Item, Result]:
        self._tally.asked = True
        return self._tally.count(next(self._running))


class AsyncOutcomes(AsyncIterator[Outcome[Item, Result]]):
    """The same with tasks; the items may come from an async iterable too."""

    def __init__(
        self,
        client: AsyncLoops,
        many: Many[Item, Result],
        items: AsyncItems[Item],
        at_once: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        _check_items(many.name, items)
        self._running = _run_async(client, many, items, count("at_once", at_once, least=1))
        self._tally = Tally[Item, Result](many.name, on_progress)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome[Item, Result]:
        self._tally.asked = True
        return self._tally.count(await anext(self._running))


def event_arguments(event: Mapping[str, object]) -> EventToSend:
    """The event, as `events.send` takes it. Raises `ArgumentTypeError` for one it would not take."""
    _check_item("send", event, EventToSend)
    if "name" not in event:
        raise ArgumentTypeError("send() lacks its argument name")
    return cast("EventToSend", event)


def contact_arguments(contact: Mapping[str, object]) -> ContactUpdate:
    """The contact, as `contacts.update` takes it. Raises `ArgumentTypeError` for one it would not take."""
    _check_item("update", contact, ContactUpdate)
    return cast("ContactUpdate", contact)


def _check_item(method: str, item: Mapping[str, object], kind: Any) -> None:
    if not isinstance(item, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise mistyped("an item", f"a mapping of the arguments of {method}", item)
    check_keywords(method, item, kind.__annotations__)


def _check_items(name: str, items: object) -> None:
    if not (is_many(items) or isinstance(items, AsyncIterable)):
        raise mistyped(f"what {name} takes", "an iterable of mappings", items)


def numbered(items: Items[Item]) -> Iterator[tuple[int, Item]]:
    """Each item with its index, from 0."""
    return enumerate(items)


async def async_numbered(items: AsyncItems[Item]) -> AsyncGenerator[tuple[int, Item], None]:
    """The same, of either kind of items."""
    index = 0
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield index, item
            index += 1
    else:
        for index, item in enumerate(items):
            yield index, item


def chunked(items: Items[Item], start: Callable[[], Chunk[Item, Result]]) -> Iterator[Chunk[Item, Result]]:
    """The items in full chunks, and the last in what is left. `start` makes an empty one."""
    chunk = start()
    for index, item in enumerate(items):
        chunk.add(index, item)
        if chunk.full:
            yield chunk
            chunk = start()
    if len(chunk):
        yield chunk


async def async_chunked(
    items: AsyncItems[Item], start: Callable[[], Chunk[Item, Result]]
) -> AsyncGenerator[Chunk[Item, Result], None]:
    """The same; of an async iterable what has come is a chunk as soon as one is asked for.

    A task reads ahead meanwhile, a chunk at most: items that come one by one wait for no others.
    """
    if not isinstance(items, AsyncIterable):
        for chunk in chunked(items, start):
            yield chunk
        return

    import asyncio

    from loopwright.client.bulk import LINES

    come: asyncio.Queue[tuple[int, Item] | asyncio.Task[None]] = asyncio.Queue()
    room = asyncio.Semaphore(LINES)

    async def read() -> None:
        async for one in async_numbered(items):
            await room.acquire()
            come.put_nowait(one)

    reading = asyncio.create_task(read())
    reading.add_done_callback(come.put_nowait)  # the last that comes is the end, good or bad
    try:
        chunk = start()
        while isinstance(one := await come.get(), tuple):
            room.release()
            chunk.add(*one)
            if chunk.full or come.empty():
                yield chunk
                chunk = start()
        one.result()
        if len(chunk):
            yield chunk
    finally:
        reading.remove_done_callback(come.put_nowait)  # else the two keep each other, and the items
        reading.cancel()


def _run(
    client: Loops, many: Many[Item, Result], items: Items[Item], at_once: int
) -> Iterator[Outcome[Item, Result]]:
    from concurrent.futures import ThreadPoolExecutor

    from loopwright.client._sync.work import find_work

    work: Work[Any, Item, Result] = find_work(client, many, items, at_once)
    window: deque[Future[list[Outcome[Item, Result]]]] = deque()
    threads = ThreadPoolExecutor(work.at_once, thread_name_prefix="loopwright")
    try:
        for batch in work.batches:
            window.append(threads.submit(work.send, batch))
            if len(window) >= work.held:
                yield from window.popleft().result()
        while window:
            yield from window.popleft().result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


async def _run_async(
    client: AsyncLoops, many: Many[Item, Result], items: AsyncItems[Item], at_once: int
) -> AsyncIterator[Outcome[Item, Result]]:
    import asyncio

    from loopwright.client._async.work import find_work

    work: AsyncWork[Any, Item, Result] = await find_work(client, many, items, at_once)
    places = asyncio.Semaphore(work.at_once)

    async def send(batch: Any) -> list[Outcome[Item, Result]]:
        async with places:
            return await work.send(batch)

    window: deque[asyncio.Task[list[Outcome[Item, Result]]]] = deque()
    try:
        async for batch in work.batches:
            window.append(asyncio.create_task(send(batch)))
            if len(window) >= work.held:
                for outcome in await window.popleft():
                    yield outcome
        while window:
            for outcome in await window.popleft():
                yield outcome
    finally:
        for task in window:
            task.cancel()
        await asyncio.gather(*window, return_exceptions=True)
        await work.batches.aclose()
