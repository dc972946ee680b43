"""Sending the rows: several contacts at a time, each contact's rows in order, results in the file's order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterable
from typing import Generic, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from loopwright.cli.importing.files import RejectedRows, Row
from loopwright.cli.importing.progress import Progress, row_key
from loopwright.cli.importing.rows import Fields, RowError, RowEvent, event_of
from loopwright.client._async.events import AsyncEvents
from loopwright.errors import AuthenticationError, ConflictError, RateLimitError, ServerError, StatusError

WINDOW = 4
"""Rows read ahead of the oldest unsettled one, as a multiple of those under way: memory stays flat."""


Item = TypeVar("Item")


class Sender(Protocol[Item]):
    """What a kind of import makes of its rows, and how it sends that."""

    def read(self, fields: Fields) -> Item:
        """Read one row. Raises `RowError`."""
        ...

    def names(self, item: Item) -> Collection[str]:
        """Whom the row is about; rows that share a name go out one after the other."""
        ...

    async def send(self, item: Item, key: str) -> str | None:
        """Send it under its row's idempotency key. None is sent, `ALREADY` was, text says why not."""
        ...


class EventSender(Struct, frozen=True):
    """Rows become events. `name` is for rows without an event name of their own."""

    events: AsyncEvents
    name: str | None

    def read(self, fields: Fields) -> RowEvent:
        return event_of(fields, name=self.name)

    def names(self, item: RowEvent) -> Collection[str]:
        return (item.user_id or item.email or "",)

    async def send(self, item: RowEvent, key: str) -> str | None:
        try:
            await self.events.send(
                item.name,
                email=item.email,
                user_id=item.user_id,
                properties=item.properties,
                contact=item.contact,
                mailing_lists=item.mailing_lists,
                idempotency_key=key,
            )
        except ConflictError:
            return ALREADY
        return None


class Import(Struct, Generic[Item], frozen=True, kw_only=True):
    """One import. `parallel` counts rows under way."""

    sender: Sender[Item]
    rejected: RejectedRows
    parallel: int

    async def run(self, rows: Iterable[Row], progress: Progress) -> AsyncGenerator[Progress]:
        """Send the rows that `progress` does not cover yet; yields the progress after each, in their order.

        Raises the client's error when going on makes no sense: a wrong key, no answer, a server that fails.
        Everything settled by then has been yielded; what was under way is sent again next time, under the
        same keys.
        """
        waiting: deque[tuple[Row, asyncio.Task[str | None]]] = deque()
        tails: dict[str, asyncio.Task[str | None]] = {}
        turn = asyncio.Semaphore(self.parallel)
        try:
            for row in rows:
                if row.number <= progress.row:
                    continue
                waiting.append((row, self._start(row, progress.content, tails, turn)))
                while len(waiting) > self.parallel * WINDOW or (waiting and waiting[0][1].done()):
                    progress = self._settled(progress, waiting[0][0], await waiting[0][1])
                    waiting.popleft()
                    yield progress
            while waiting:
                progress = self._settled(progress, waiting[0][0], await waiting[0][1])
                waiting.popleft()
                yield progress
            yield replace(progress, finished=True)
        finally:
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)

    def _start(
        self, row: Row, content: str, tails: dict[str, asyncio.Task[str | None]], turn: asyncio.Semaphore
    ) -> asyncio.Task[str | None]:
        try:
            if row.fault:
                raise RowError(row.fault)
            item = self.sender.read(row.fields)
        except RowError as error:
            return asyncio.create_task(_known(str(error)))
        names = self.sender.names(item)
        earlier = {tails[name] for name in names if name in tails}
        task = asyncio.create_task(self._send(item, row_key(content, row.number), earlier, turn))
        tails.update(dict.fromkeys(names, task))
        task.add_done_callback(lambda done: _forget(tails, names, done))
        return task

    async def _send(
        self,
        item: Item,
        key: str,
        earlier: Collection[asyncio.Task[str | None]],
        turn: asyncio.Semaphore,
    ) -> str | None:
        """Send one row after the earlier ones about the same. None is sent, text says why not."""
        if earlier:
            await asyncio.wait(earlier)
        async with turn:
            try:
                return await self.sender.send(item, key)
            except (AuthenticationError, RateLimitError, ServerError):
                raise
            except StatusError as error:
                return f"{error.status}: {error.message}"

    def _settled(self, progress: Progress, row: Row, outcome: str | None) -> Progress:
        progress = replace(progress, row=row.number)
        if outcome is None:
            return replace(progress, sent=progress.sent + 1)
        if outcome == ALREADY:
            return replace(progress, already=progress.already + 1)
        self.rejected.add(row, outcome)
        return replace(progress, rejected=progress.rejected + 1, rejected_bytes=self.rejected.size)


ALREADY = "already there"
"""The outcome of a row whose key the API knows: an earlier import of this file sent it."""


def _forget(
    tails: dict[str, asyncio.Task[str | None]], names: Collection[str], done: asyncio.Task[str | None]
) -> None:
    for name in names:
        if tails.get(name) is done:
            del tails[name]


async def _known(outcome: str) -> str:
    return outcome
