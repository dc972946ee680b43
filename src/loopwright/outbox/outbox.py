"""The face of durable sending: `Outbox`."""

from __future__ import annotations

import asyncio
import atexit
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from numbers import Real
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast, overload
from uuid import uuid4

from loopwright.client.arguments import count, is_many, path_of_file
from loopwright.client.body import (
    Properties,
    check_event_name,
    check_key,
    lists_to_wire,
    properties_to_wire,
    some_identifier,
)
from loopwright.client.calls.events import event_contact
from loopwright.client.keywords import strict_class
from loopwright.client.many import EventToSend, event_arguments
from loopwright.errors import ArgumentValueError, ClientClosedError, LoopsError, mistyped
from loopwright.outbox import process
from loopwright.outbox.dispatcher import Dispatcher
from loopwright.outbox.records import DeadLetter, EventArguments, Kept, Status, Values
from loopwright.outbox.spool import Spool, telling_of

if TYPE_CHECKING:
    from loopwright import Loops

DRAIN_SECONDS = 10.0
PARALLEL = 16

TOGETHER = 100
"""So many events of `send_many` share a transaction: flushing it to disk is most of what one costs."""


@strict_class
class Outbox:
    """Sends events that survive the program: `send` keeps them in a file, a dispatcher delivers them.

    `path` is the file; it is made when it does not exist, with the folders it lacks, readable for its owner
    only, and any number of processes of this machine may share it. A relative one means the folder that is
    current now, and `~` the home folder. `loops` is the client to deliver through, `Loops()` unless given.

    Events of one contact arrive in the order of sending, where a contact is its `user_id`, or its `email`
    when there is none; up to `parallel` contacts are served at a time. An event that cannot be delivered now
    is tried again until it can, one that the API refuses for good becomes a dead letter.

    At normal exit and on SIGTERM the dispatcher gets `drain` seconds to deliver what waits. The rest, like
    the rest after a crash, goes out as soon as a program opens the file again. Each event has one idempotency
    key for all its attempts, so it is accepted once as long as its attempts lie within the 24 hours that the
    API remembers.

    Open it once a program, in its main thread (only there can it hear SIGTERM), before or after forking.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        loops: Loops | None = None,
        drain: float = DRAIN_SECONDS,
        parallel: int = PARALLEL,
    ) -> None:
        parallel = count("parallel", parallel, least=1)
        self._drain_seconds = _seconds("drain", drain)
        self._leave_by: float | None = None
        self._closed = False
        loops = _client(loops)
        self._allowed = loops.allowed_recipients
        events = loops.events
        path = _path(path)
        with telling_of(path):
            self._spool = Spool(path, guard=process.held)
        self._dispatcher = Dispatcher(self._spool, events, parallel=parallel)
        process.join(self)
        atexit.register(self._on_exit)
        if self._spool.next_ready() is not None:
            self._dispatcher.wake()

    # Sending ------------------------------------------------------------------------------------------------

    def send(
        self,
        name: str,
        *,
        email: str | None = None,
        user_id: str | None = None,
        properties: Properties | None = None,
        contact: Properties | None = None,
        mailing_lists: Mapping[str, bool] | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Keep an event for delivery. It is on disk when this returns; the answer is its idempotency key.

        The arguments are those of `events.send`. What that would refuse before any request raises the same
        `ArgumentError` here, before anything is kept. `idempotency_key` names the event: given again with the
        same arguments, within 24 hours or while the event is in the file, it is the same event and is not
        kept twice; with others it raises `ArgumentError`. Raises `ClientClosedError` after `close`,
        `RecipientNotAllowedError` in the client's safe mode, and `OutboxFileError` when the file cannot be
        written, as on a full disk: then nothing was kept.
        """
        kept = _to_keep(name, email, user_id, properties, contact, mailing_lists, idempotency_key)
        self._keep([kept])
        return kept.key

    @overload
    def send_many(self, events: Iterable[EventToSend]) -> list[str]: ...
    @overload
    def send_many(self, events: Iterable[Mapping[str, object]]) -> list[str]: ...
    def send_many(self, events: Iterable[Any]) -> list[str]:
        """Keep many events, a hundred in a transaction. Returns their idempotency keys, in order.

        Each event is a mapping of the arguments of `send`, and `events` is read as it is kept. One that
        would be refused raises the error of `send`, and nothing of its hundred is kept: the error's notes
        tell which one it was, and how many before it are kept.
        """
        if not is_many(events):
            raise mistyped("what send_many takes", "an iterable of mappings", events)
        keys: list[str] = []
        events = iter(events)
        try:
            while hundred := list(islice(events, TOGETHER)):
                kept = [_numbered(number, event) for number, event in enumerate(hundred, len(keys))]
                self._keep(kept)
                keys += [one.key for one in kept]
        except LoopsError as error:
            error.add_note(f"Of this send_many, {len(keys)} events are kept.")
            raise
        return keys

    async def asend(
        self,
        name: str,
        *,
        email: str | None = None,
        user_id: str | None = None,
        properties: Properties | None = None,
        contact: Properties | None = None,
        mailing_lists: Mapping[str, bool] | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """`send` for asyncio: the write to disk happens on a thread, so the event loop goes on meanwhile."""
        return await asyncio.to_thread(
            self.send,
            name,
            email=email,
            user_id=user_id,
            properties=properties,
            contact=contact,
            mailing_lists=mailing_lists,
            idempotency_key=idempotency_key,
        )

    @overload
    async def asend_many(self, events: Iterable[EventToSend]) -> list[str]: ...
    @overload
    async def asend_many(self, events: Iterable[Mapping[str, object]]) -> list[str]: ...
    async def asend_many(self, events: Iterable[Any]) -> list[str]:
        """`send_many` for asyncio; `events` is read on a thread too."""
        return await asyncio.to_thread(self.send_many, events)

    def _keep(self, kept: list[Kept]) -> None:
        if self._closed:
            raise ClientClosedError("this outbox is closed; make a new one")
        if self._allowed is not None:
            self._allowed.check(one.event.email for one in kept)
        with process.held():
            with telling_of(self._spool.path):
                self._spool.add(kept, now=time.time())
            self._dispatcher.wake()

    # Looking ------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """How many events wait (`depth`), since when (`age`, of the oldest), and how many are
        `dead_letters`.
        """
        return self._spool.status(now=time.time())

    def dead_letters(self) -> list[DeadLetter]:
        """The events that were refused for good, oldest first, each with the status and the reason."""
        return self._spool.dead_letters()

    def retry(self, letters: Iterable[DeadLetter]) -> int:
        """Send dead letters again, each under the key it had. Returns how many were still there.

        Raises `ClientClosedError` after `close`.
        """
        if self._closed:
            raise ClientClosedError("this outbox is closed; make a new one")
        moved = self._spool.requeue(_ids(letters), now=time.time())
        self._dispatcher.wake()
        return moved

    def discard(self, letters: Iterable[DeadLetter]) -> int:
        """Delete dead letters. Returns how many were still there."""
        return self._spool.discard(_ids(letters))

    # Ending -------------------------------------------------------------------------------------------------

    def drain(self, within: timedelta) -> bool:
        """Wait until everything is delivered, at most `within`. True when nothing waits any more.

        Returns early when this process can deliver nothing more in that time: the API cannot be reached, or
        another process has the rest under way.
        """
        if not isinstance(within, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise mistyped("within", "a timedelta, as timedelta(seconds=5)", within)
        return self._dispatcher.drain(time.time() + within.total_seconds())

    def close(self) -> None:
        """Drain as at exit and stop. What is left stays in the file, and nothing more can be sent."""
        self._closed = True
        self._finish()
        atexit.unregister(self._on_exit)
        process.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _finish(self) -> None:
        """Use the drain time, once: SIGTERM, exit and `close` may all come in turn."""
        if self._leave_by is None:
            self._leave_by = time.time() + self._drain_seconds
        self._dispatcher.drain(self._leave_by)
        self._dispatcher.stop()
        self._spool.close()

    def _on_exit(self) -> None:
        self._finish()

    def on_termination(self) -> None:
        """SIGTERM: called by `process`."""
        if self._leave_by is None:
            self._leave_by = time.time() + self._drain_seconds
        self._dispatcher.drain(self._leave_by)

    def before_fork(self) -> None:
        """Called by `process`, as the two below: what must not cross a fork is closed."""
        self._dispatcher.before_fork()
        self._spool.before_fork()

    def after_fork_in_parent(self) -> None:
        """Deliver again."""
        self._spool.after_fork_in_parent()
        self._dispatcher.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Deliver here too; connections and threads are the child's own."""
        self._spool.after_fork_in_child()
        self._dispatcher.after_fork_in_child()
        self._leave_by = None


def _client(loops: Loops | None) -> Loops:
    from loopwright import Loops  # here, so that importing this module stays cheap

    if loops is None:
        return Loops()
    if not isinstance(loops, Loops):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise mistyped("loops", "a Loops", loops)
    return loops


def _to_keep(
    name: str,
    email: str | None = None,
    user_id: str | None = None,
    properties: Properties | None = None,
    contact: Properties | None = None,
    mailing_lists: Mapping[str, bool] | None = None,
    idempotency_key: str | None = None,
) -> Kept:
    """Raises `ArgumentError` for what can never be sent: it is an error now rather than a dead letter."""
    identifiers = some_identifier(email, user_id)
    event = EventArguments(
        name=check_event_name(name),
        email=identifiers.get("email"),
        user_id=identifiers.get("userId"),
        properties=cast("Values", {} if properties is None else properties_to_wire(properties)),
        contact=cast("Values", event_contact(contact)),
        mailing_lists={} if mailing_lists is None else lists_to_wire(mailing_lists),
    )
    key = check_key(idempotency_key)
    return Kept(event=event, key=key or uuid4().hex, given=key is not None)


def _numbered(number: int, event: Mapping[str, object]) -> Kept:
    try:
        return _to_keep(**event_arguments(event))
    except LoopsError as error:
        error.add_note(f"It is event {number}, counted from 0.")
        raise


def _path(path: str | PathLike[str]) -> Path:
    """Once and for all: the program may go to another folder."""
    given = Path(path_of_file("path", path))
    if str(given) == ":memory:" or str(given).startswith("file:"):
        raise ArgumentValueError(f"path {str(given)!r} is SQLite's for no plain file: give a file's path")
    return given.expanduser().absolute()


def _ids(letters: Iterable[DeadLetter]) -> list[int]:
    found = list(letters) if is_many(letters) else [None]
    if not all(isinstance(letter, DeadLetter) for letter in found):
        raise mistyped("letters", "an iterable of dead letters, as dead_letters() gives them", letters)
    return [letter.id for letter in found if letter]


def _seconds(name: str, seconds: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise mistyped(name, "a number of seconds", seconds)
    if not seconds >= 0:
        raise ArgumentValueError(f"{name} is 0 seconds or more, not {seconds}")
    return float(seconds)
