"""How rows are sent as events: in lines where the server has bulk, else by a call each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from loopwright import AsyncLoops
from loopwright.cli.importing.event_rows import RowEvent, event_of
from loopwright.cli.importing.files import Fields
from loopwright.cli.importing.plan import Plan
from loopwright.cli.importing.progress import row_key
from loopwright.cli.importing.run import ALREADY, Verdict, verdict_on
from loopwright.client.bulk import AT_ONCE, LINES
from loopwright.client.many import EventToSend
from loopwright.errors import ConflictError, LoopsError
from loopwright.wire.operations import SEND_EVENT


class EventSender(Struct, frozen=True, kw_only=True):
    """Rows become events. `name` is for rows without an event name of their own, `content` the file's."""

    loops: AsyncLoops
    plan: Plan
    name: str | None
    content: str
    rows: int
    at_once: int

    def read(self, fields: Fields) -> RowEvent:
        return event_of(fields, self.plan, name=self.name)

    def names(self, item: RowEvent) -> Collection[str]:
        return [name for name in (item.user_id, item.email and item.email.lower()) if name]

    async def send(self, items: Sequence[tuple[int, RowEvent]]) -> Sequence[Verdict]:
        events = [self._event(number, item) for number, item in items]
        if self.rows > 1:
            outcomes = self.loops.events.send_many(events, at_once=1)
            return [_verdict(outcome.error) async for outcome in outcomes]
        try:
            for event in events:
                await self.loops.events.send(**event)
        except (LoopsError, ValueError, TypeError) as error:
            return [_verdict(error)]
        return [None]

    def _event(self, number: int, item: RowEvent) -> EventToSend:
        return {
            "name": item.name,
            "email": item.email,
            "user_id": item.user_id,
            "properties": item.properties,
            "contact": item.contact,
            "mailing_lists": item.mailing_lists,
            "idempotency_key": row_key(self.content, number, "" if item.own_name else item.name),
        }


async def event_sender(
    loops: AsyncLoops, plan: Plan, *, name: str | None, content: str, parallel: int
) -> EventSender:
    """By what the server offers. `parallel` counts requests at once."""
    lines = await loops.find_bulk(SEND_EVENT, {}) is not None
    return EventSender(
        loops=loops,
        plan=plan,
        name=name,
        content=content,
        rows=LINES if lines else 1,
        at_once=min(parallel, AT_ONCE) if lines else parallel,
    )


def _verdict(error: LoopsError | ValueError | TypeError | None) -> Verdict:
    if isinstance(error, ConflictError):
        return ALREADY
    return verdict_on(error)
