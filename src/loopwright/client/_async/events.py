"""Events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack, overload

from loopwright.client.body import Properties
from loopwright.client.call import Call, CallOptions
from loopwright.client.calls.events import event_call
from loopwright.client.many import (
    AT_ONCE,
    AsyncItems,
    AsyncOutcomes,
    EventToSend,
    Many,
    Progress,
    event_arguments,
)
from loopwright.wire.events import EventAccepted
from loopwright.wire.operations import SEND_EVENT

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncEvents:
    """Events start workflows, and create or update the contact they are about."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def send(
        self,
        name: str,
        *,
        email: str | None = None,
        user_id: str | None = None,
        properties: Properties | None = None,
        contact: Properties | None = None,
        mailing_lists: Mapping[str, bool] | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[CallOptions],
    ) -> EventAccepted:
        """Send an event about one contact, creating the contact when its email is not known yet.

        Give `email`, `user_id` or both. `properties` belong to the event and live in the runs it starts;
        `contact` holds contact properties by the API's names (`firstName`), which are saved, and cleared
        by `None`. A custom one that was never declared is ignored by the API in silence: declare it once with
        `contact_properties.create("planName", "string")`. `mailing_lists` maps list ids to whether the
        contact is on them.

        Every call carries an idempotency key, a new one unless `idempotency_key` (at most 100 characters) is
        given, so it is repeated safely: `replayed` tells that an earlier attempt had arrived. A key that
        was used within 24 hours before this call raises `ConflictError`. Raises `ArgumentError` before any
        request is made: for neither identifier, an empty name or one with a colon, a key too long, a value
        that cannot travel.
        """
        return await self._client.send(
            event_call(options, name, email, user_id, properties, contact, mailing_lists, idempotency_key)
        )

    @overload
    def send_many(
        self,
        events: AsyncItems[EventToSend],
        *,
        at_once: int = AT_ONCE,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncOutcomes[EventToSend, EventAccepted]: ...
    @overload
    def send_many(
        self,
        events: AsyncItems[Mapping[str, object]],
        *,
        at_once: int = AT_ONCE,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncOutcomes[Any, EventAccepted]: ...
    def send_many(
        self,
        events: AsyncItems[Any],
        *,
        at_once: int = AT_ONCE,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncOutcomes[Any, EventAccepted]:
        """Send many events, at most `at_once` at a time, and give their outcomes in the order of `events`.

        Each event is a mapping of the arguments of `send`, which type checkers know as `EventToSend`. Iterate
        over the answer: nothing is sent before, and nothing more once that stops. One failure does not stop
        the rest: an `Outcome` has a `result` or an `error`. `on_progress` is called after each, in the
        iterating task or thread. `events` is read as needed, so it may be endless.

        A Loopwright server gets up to 500 events in one request, by two requests at a time, or one with
        `at_once=1`. Then events of an async iterable leave as they come, others when 500 are read.
        """

        def call(event: Mapping[str, object]) -> Call[EventAccepted]:
            return event_call(options, **event_arguments(event))

        many = Many("events.send_many", SEND_EVENT, call, options)
        return AsyncOutcomes(self._client, many, events, at_once, on_progress)
