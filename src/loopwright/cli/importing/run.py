"""Sending the rows: several contacts at a time, each contact's rows in order, results in the file's order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable

from msgspec import Struct
from msgspec.structs import replace

from loopwright.cli.importing.files import RejectedRows, Row
from loopwright.cli.importing.progress import Progress, row_key
from loopwright.cli.importing.rows import RowError, RowEvent, event_of
from loopwright.client._async.events import AsyncEvents
from loopwright.errors import AuthenticationError, ConflictError, RateLimitError, ServerError, StatusError

WINDOW = 4
"""Rows read ahead of the oldest unsettled one, as a multiple of those under way: memory stays flat."""


class Import(Struct, frozen=True, kw_only=True):
    """One import. `name` is for rows without an event name of their own, `parallel` counts rows under way."""

    events: AsyncEvents
    rejected: RejectedRows
    name: str | None
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
            event = event_of(row.fields, name=self.name)
        except RowError as error:
            return asyncio.create_task(_known(str(error)))
        contact = event.user_id or event.email or ""
        task = asyncio.create_task(self._send(event, row_key(content, row.number), tails.get(contact), turn))
        tails[contact] = task
        task.add_done_callback(lambda done: tails.pop(contact) if tails.get(contact) is done else None)
        return task

    async def _send(
        self,
        event: RowEvent,
        key: str,
        earlier: asyncio.Task[str | None] | None,
        turn: asyncio.Semaphore,
    ) -> str | None:
        """Send one row's event after its contact's earlier one. None is sent, text says why not."""
        if earlier is not None:
            await asyncio.wait([earlier])
        async with turn:
            try:
                await self.events.send(
                    event.name,
                    email=event.email,
                    user_id=event.user_id,
                    properties=event.properties,
                    contact=event.contact,
                    mailing_lists=event.mailing_lists,
                    idempotency_key=key,
                )
            except ConflictError:
                return ALREADY
            except (AuthenticationError, RateLimitError, ServerError):
                raise
            except StatusError as error:
                return f"{error.status}: {error.message}"
        return None

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


async def _known(outcome: str) -> str:
    return outcome
