"""Sending the rows: some batches at a time, each contact's rows in order, results in the file's order.

A batch is what a sender takes at once: hundreds of rows where the server has bulk, else one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from loopwright.cli.importing.files import Fields, Row
from loopwright.cli.importing.progress import Progress
from loopwright.cli.importing.rejected import RejectedRows
from loopwright.cli.importing.row_parts import RowError
from loopwright.errors import (
    ArgumentError,
    AuthenticationError,
    LoopsError,
    MethodNotAllowedError,
    PermissionDeniedError,
    RateLimitError,
    RecipientNotAllowedError,
    ServerError,
    StatusError,
)

WINDOW = 2
"""Batches that are held, as a multiple of those under way: memory stays flat."""

SLACK = 20
"""So many rows before it is full a batch may end."""

Item = TypeVar("Item")

Verdict: TypeAlias = str | LoopsError | None
"""What became of a row: None is sent, `ALREADY` was, other text says why not, an error ends the import."""

ALREADY = "already there"
"""The verdict on a row whose key the API knows: an earlier import of this file sent it."""


class Sender(Protocol[Item]):
    """What a kind of import makes of its rows, and how they go: `rows` in a batch, `at_once` batches."""

    @property
    def rows(self) -> int: ...

    @property
    def at_once(self) -> int: ...

    def read(self, fields: Fields) -> Item:
        """Read one row. Raises `RowError`."""
        ...

    def names(self, item: Item) -> Collection[str]:
        """Whom the row is about; rows that share a name go out one after the other."""
        ...

    async def send(self, items: Sequence[tuple[int, Item]]) -> Sequence[Verdict]:
        """Send items, each with its row's number; what became of each, of none behind an error."""
        ...


class _Read(Struct, Generic[Item], frozen=True):
    """A row that was read: what it says and of whom, or the `fault` for which it cannot be sent."""

    row: Row
    item: Item | None = None
    names: Collection[str] = ()
    fault: str = ""


class _Batch(Struct, Generic[Item], frozen=True):
    """Rows that are under way, those that cannot be sent among them."""

    rows: Sequence[_Read[Item]]
    sending: asyncio.Task[Sequence[Verdict]]


class Import(Generic[Item]):
    """One import, good for one run."""

    def __init__(self, sender: Sender[Item], rejected: RejectedRows) -> None:
        self._sender = sender
        self._rejected = rejected
        self._turn = asyncio.Semaphore(sender.at_once)
        self._tails: dict[str, asyncio.Task[Sequence[Verdict]]] = {}
        self._over = False

    async def run(self, rows: Iterable[Row], progress: Progress) -> AsyncGenerator[Progress]:
        """Send `rows`, those that `progress` does not cover; yields the progress after each batch, in order.

        Raises the client's error when going on makes no sense: a wrong key, no answer, a server that fails.
        Everything settled by then has been yielded; what was under way is sent again next time, under the
        same keys.
        """
        async with aclosing(self._carried_out(iter(rows))) as batches:
            async for batch in batches:
                progress, error = self._settled(progress, batch)
                yield progress
                if error is not None:
                    raise error
        yield replace(progress, finished=True)

    async def _carried_out(self, rows: Iterator[Row]) -> AsyncGenerator[_Batch[Item]]:
        """The batches in their order, each when it is done."""
        waiting: deque[_Batch[Item]] = deque()
        try:
            for batch in self._batches(rows):
                waiting.append(self._start(batch))
                await asyncio.sleep(0)
                while len(waiting) > self._sender.at_once * WINDOW or (waiting and waiting[0].sending.done()):
                    await waiting[0].sending
                    yield waiting.popleft()
            while waiting:
                await waiting[0].sending
                yield waiting.popleft()
        finally:
            for one in waiting:
                one.sending.cancel()
            await asyncio.gather(*(one.sending for one in waiting), return_exceptions=True)

    def _batches(self, rows: Iterator[Row]) -> Iterator[list[_Read[Item]]]:
        """Rows by the batch. One that is nearly full ends where rows about somebody else begin.

        The next one would have to wait for it otherwise, where a file has a contact's rows together.
        """
        most = self._sender.rows
        batch: list[_Read[Item]] = []
        names: set[str] = set()
        for one in map(self._read, rows):
            if len(batch) >= most or (len(batch) >= most - SLACK > 0 and names.isdisjoint(one.names)):
                yield batch
                batch, names = [], set()
            batch.append(one)
            names.update(one.names)
        if batch:
            yield batch

    def _read(self, row: Row) -> _Read[Item]:
        if row.fault:
            return _Read(row, fault=row.fault)
        try:
            item = self._sender.read(row.fields)
        except RowError as error:
            return _Read(row, fault=str(error))
        return _Read(row, item, self._sender.names(item))

    def _start(self, rows: Sequence[_Read[Item]]) -> _Batch[Item]:
        names = {name for one in rows for name in one.names}
        earlier = {self._tails[name] for name in names if name in self._tails}
        items = [(one.row.number, one.item) for one in rows if one.item is not None]
        task = asyncio.create_task(self._send(items, earlier))
        self._tails.update(dict.fromkeys(names, task))
        task.add_done_callback(lambda done: self._forget(names, done))
        return _Batch(rows, task)

    async def _send(
        self, items: Sequence[tuple[int, Item]], earlier: Collection[asyncio.Task[Sequence[Verdict]]]
    ) -> Sequence[Verdict]:
        """Send a batch after the earlier ones about the same; nothing more once an error has ended it all."""
        if earlier:
            await asyncio.wait(earlier)
        async with self._turn:
            verdicts = () if self._over or not items else await self._sender.send(items)
        self._over = self._over or any(isinstance(verdict, LoopsError) for verdict in verdicts)
        return verdicts

    def _settled(self, progress: Progress, batch: _Batch[Item]) -> tuple[Progress, LoopsError | None]:
        """Count what became of the rows, as far as no error ends the import."""
        verdicts = iter(batch.sending.result())
        row, sent, already, rejected = progress.row, progress.sent, progress.already, progress.rejected
        error: LoopsError | None = None
        for one in batch.rows:
            verdict = one.fault or next(verdicts)
            if isinstance(verdict, LoopsError):
                error = verdict
                break
            row = one.row.number
            if verdict is None:
                sent += 1
            elif verdict is ALREADY:
                already += 1
            else:
                rejected += 1
                self._rejected.add(one.row, verdict)
        progress = replace(
            progress,
            row=row,
            sent=sent,
            already=already,
            rejected=rejected,
            rejected_bytes=self._rejected.size,
        )
        return progress, error

    def _forget(self, names: Collection[str], done: asyncio.Task[Sequence[Verdict]]) -> None:
        for name in names:
            if self._tails.get(name) is done:
                del self._tails[name]


def verdict_on(error: LoopsError | ValueError | TypeError | None) -> Verdict:
    """What an error, or none, says of its row."""
    match error:
        case None:
            return None
        case (
            AuthenticationError()
            | PermissionDeniedError()
            | MethodNotAllowedError()
            | RateLimitError()
            | ServerError()
        ):
            return error
        case StatusError():
            return f"{error.status}: {error.message}"
        case RecipientNotAllowedError() | ArgumentError():
            return error.message
        case LoopsError():
            return error
        case _:
            return str(error)
