"""The way to a relay: turns that its state leaves, connections kept open, and what came of each message.

Outcome
├── Accepted   the server has taken the message
├── Deferred   not now; the same message may pass later
├── Held       the relay takes nothing from anybody; the message waits for it, however long
├── Bounced    there is no such recipient, and there will not be one
└── Refused    the server will never take this message, for a reason that is not the recipient
"""

import asyncio
import logging
import random
import time
from collections import deque
from datetime import datetime
from typing import TypeAlias

from aiosmtplib import SMTP
from msgspec import Struct

from loopwright.server.clock import Clock

from .compose import Composed
from .relay import (
    Condition,
    Limits,
    RelayState,
    Setback,
    answered,
    consequence_of,
    fresh,
    pushed_back,
    refused,
    stopped,
    taken,
)
from .reply import asks_to_sign_in, meaning_of, speaks_of_sender, without_addresses
from .senders import Senders
from .session import (
    Answered,
    Failure,
    Interrupted,
    MayFinish,
    NotOurs,
    Timeouts,
    forget_message,
    leave,
    open_session,
    own_name,
    talk,
)
from .smtp_url import Server
from .turns import Turns

IDLE_SECONDS = 20.0
"""Servers close a quiet connection sooner or later; we do it first."""
PACE_SECONDS = 10.0
"""The pace of a relay is that of so many seconds."""
SOON_SECONDS = 5.0
"""Those that were sent away together come back one after the other."""

STOPPING = "this server stopped meanwhile"

logger = logging.getLogger(__name__)


class Accepted(Struct, frozen=True):
    """The server has taken the message. `note` says which copies it refused, and is empty when none."""

    note: str = ""


class Deferred(Struct, frozen=True):
    """Not now; the same message may pass later.

    `seconds` is after which time when it was the relay that wanted less: then it was no try of the message.
    `by_mailbox` says that it is the recipient's mailbox which does not take it now.
    """

    reason: str
    seconds: float | None = None
    by_mailbox: bool = False


class Held(Struct, frozen=True):
    """The relay takes nothing from anybody; the message waits for it, and asks again after `seconds`."""

    reason: str
    seconds: float


class Bounced(Struct, frozen=True):
    """There is no such recipient, and there will not be one."""

    reason: str


class Refused(Struct, frozen=True):
    """The server will never take this message, for a reason that is not the recipient."""

    reason: str


Outcome: TypeAlias = Accepted | Deferred | Held | Bounced | Refused


class RelayStatus(Struct, frozen=True, kw_only=True):
    """How a relay is, for people: its condition since when, and what it said. `host` is the server's."""

    host: str
    condition: Condition
    reason: str
    since: datetime
    connections: int
    rate: float | None


class Sending(Struct, frozen=True, kw_only=True):
    """How messages are sent. `messages` is how many go over a connection; `ehlo_name` what we call ourselves.

    Without a name it is that of the first message's sender's domain.
    """

    limits: Limits
    messages: int = 100
    ehlo_name: str | None = None
    timeouts: Timeouts = Timeouts()


class _Kept(Struct):
    """A connection, and how many messages went over it."""

    client: SMTP
    messages: int = 0
    since: float = 0.0


class Relay:
    """A server that takes messages for others, as fast as it wants them."""

    def __init__(self, server: Server, sending: Sending, clock: Clock) -> None:
        self._server = server
        self._sending = sending
        self._clock = clock
        self._tls = server.tls_context()
        self._state = fresh(sending.limits)
        self._since = clock.now()
        self._senders = Senders(server.host, sending.limits, clock)
        self._turns = Turns(sending.limits, clock)
        self._idle: list[_Kept] = []  # the one that has been quiet for longest is the first
        self._is_watching_idle = False
        self._busy: set[SMTP] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._taken: deque[float] = deque()
        self._is_closed = False

    @property
    def _has_credentials(self) -> bool:
        return self._server.username is not None

    async def send(self, message: Composed, may_finish: MayFinish) -> Outcome:
        """Hand the message over when it is its turn, if it `may_finish`. Only cancellation raises."""
        if unwanted := self._senders.waiting(_domain(message.sender)):
            return self._held(unwanted)
        if not await self._turns.take(self._state, is_urgent=message.is_urgent):
            return self._held(self._state)
        began_at = self._clock.monotonic()
        try:
            note = await self._hand_over(message, may_finish)
        except NotOurs:
            return Held("another sender has taken the email", 0.0)
        except Answered as refusal:
            return self._after_answer(refusal, message, began_at)
        except Interrupted as problem:
            return self._after_interruption(problem, began_at)
        else:
            self._note_taken(_domain(message.sender))
            return Accepted(note)
        finally:
            self._turns.give_back(self._state)

    def status(self) -> RelayStatus:
        """How it is now."""
        unwanted = self._senders.unwanted() if self._state.condition != "down" else None
        return RelayStatus(
            host=self._server.host,
            condition=unwanted.condition if unwanted else self._state.condition,
            reason=unwanted.reason if unwanted else self._state.reason,
            since=unwanted.since if unwanted else self._since,
            connections=int(self._state.connections),
            rate=self._state.rate,
        )

    async def close(self) -> None:
        """Say goodbye on every connection that is not in use."""
        self._is_closed = True
        self._turns.close()
        while self._idle:
            self._leave(self._idle.pop().client)
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _hand_over(self, message: Composed, may_finish: MayFinish) -> str:
        while kept := self._take_idle():
            try:
                return await self._talk(kept, message, may_finish)
            except Failure as failure:
                if not _was_stale(failure):
                    raise
        name = self._sending.ehlo_name or own_name(message.sender)
        client = await open_session(self._server, name, self._sending.timeouts, self._tls)
        return await self._talk(_Kept(client), message, may_finish)

    async def _talk(self, kept: _Kept, message: Composed, may_finish: MayFinish) -> str:
        """One message on one connection, which is kept as long as both sides want it."""
        client = kept.client
        self._busy.add(client)
        is_whole = False
        try:
            note = await talk(client, message, may_finish, self._sending.timeouts)
            is_whole = True
            return note
        except Answered as refusal:
            await forget_message(client, refusal)
            is_whole = client.is_connected
            raise
        finally:
            self._busy.discard(client)
            kept.messages += 1
            if is_whole:
                self._keep(kept)
            else:
                client.close()

    def _keep(self, kept: _Kept) -> None:
        open_now = len(self._idle) + len(self._busy) + 1
        if kept.messages >= self._sending.messages or open_now > self._state.connections or self._is_closed:
            self._leave(kept.client)
            return
        kept.since = time.monotonic()
        self._idle.append(kept)
        if not self._is_watching_idle:
            self._watch_idle(IDLE_SECONDS)

    def _take_idle(self) -> _Kept | None:
        while self._idle:
            kept = self._idle.pop()
            if kept.client.is_connected:
                return kept
        return None

    def _watch_idle(self, seconds: float) -> None:
        self._is_watching_idle = True
        asyncio.get_running_loop().call_later(seconds, self._leave_idle)

    def _leave_idle(self) -> None:
        """Close what has been quiet for long."""
        self._is_watching_idle = False
        quiet_since = time.monotonic() - IDLE_SECONDS
        while self._idle and self._idle[0].since <= quiet_since:
            self._leave(self._idle.pop(0).client)
        if self._idle:
            self._watch_idle(self._idle[0].since - quiet_since)

    def _leave(self, client: SMTP) -> None:
        task = asyncio.ensure_future(leave(client))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _after_answer(self, refusal: Answered, message: Composed, began_at: float) -> Outcome:
        reply, moment = refusal.reply, refusal.moment
        setback = self._setback(refusal, began_at)
        if speaks_of_sender(moment, reply):
            return self._after_refused_sender(refusal, message, setback)
        is_known = self._has_credentials or self._state.takes_ours
        match consequence_of(moment, reply, meaning_of(moment, reply), signs_in=is_known):
            case "stop":
                self._turn(stopped(self._state, setback))
                return self._held(self._state)
            case "slow":
                self._turn(pushed_back(self._state, setback))
                return self._later(refusal.reason)
            case "count":
                return self._after_refusal(refusal, message, setback)

    def _after_refused_sender(self, refusal: Answered, message: Composed, setback: Setback) -> Outcome:
        """It does not want this sender, by the same rules as it may want nobody."""
        reply, sender = refusal.reply, _domain(message.sender)
        before = self._senders.state_of(sender)
        if asks_to_sign_in(reply, signs_in=self._has_credentials or before.takes_ours):
            state = stopped(before, setback)
        else:
            state = refused(before, reply, "relay", _domain(message.recipient), setback)
        self._senders.turn(sender, state)
        self._turn(answered(self._state, setback.now))
        return self._held(state) if state.condition == "down" else Deferred(refusal.reason)

    def _after_refusal(self, refusal: Answered, message: Composed, setback: Setback) -> Outcome:
        """It refused this email; what it said in the same words before may make that everybody's matter."""
        reply = refusal.reply
        meaning = meaning_of(refusal.moment, reply)
        is_unwanted = meaning == "relay" and asks_to_sign_in(reply, signs_in=self._has_credentials)
        refused_for = message.recipient if is_unwanted else _domain(message.recipient)
        before = self._state
        self._turn(refused(before, reply, meaning, refused_for, setback))
        if self._state.condition == "down":
            return self._held(self._state)
        if self._state.turned_at != before.turned_at:
            return self._later(refusal.reason)
        match meaning:
            case "recipient":
                return Bounced(refusal.reason)
            case "message":
                return Refused(refusal.reason)
            case _:
                return Deferred(refusal.reason, by_mailbox=meaning == "soft")

    def _after_interruption(self, problem: Interrupted, began_at: float) -> Outcome:
        setback = self._setback(problem, began_at)
        if problem.moment in ("connect", "EHLO", "STARTTLS", "AUTH"):
            self._turn(stopped(self._state, setback))
            return self._held(self._state)
        self._turn(pushed_back(self._state, setback))
        # Whoever heard nothing after the final dot may have been heard: each time it costs a longer wait.
        return Deferred(problem.reason) if problem.moment == "DATA end" else self._later(problem.reason)

    def _setback(self, failure: Failure, began_at: float) -> Setback:
        now = self._clock.monotonic()
        recent = [moment for moment in self._taken if now - moment <= PACE_SECONDS]
        return Setback(
            reason=failure.reason,
            began_at=began_at,
            now=now,
            jitter=random.uniform(0.75, 1.25),  # noqa: S311  # no secret
            others=len(self._busy) + len(self._idle) if failure.moment == "connect" else 0,
            pace=len(recent) / max(1.0, now - recent[0]) if recent else 0.0,
        )

    def _held(self, state: RelayState) -> Outcome:
        """To be asked again when the relay is."""
        pause = max(state.next_at - self._clock.monotonic(), 0.0)
        wait = pause + random.uniform(0, min(SOON_SECONDS, 1 + pause))  # noqa: S311  # no secret
        if self._is_closed:
            return Held(STOPPING, 0.0)
        if state.condition == "down":
            return Held(state.reason, wait)
        return Deferred(state.reason or "others are sent before", wait)

    def _later(self, reason: str) -> Deferred:
        pause = max(self._state.next_at - self._clock.monotonic(), 0.0)
        return Deferred(reason, pause + random.uniform(0, SOON_SECONDS))  # noqa: S311  # no secret

    def _note_taken(self, sender: str) -> None:
        now = self._clock.monotonic()
        self._taken.append(now)
        while now - self._taken[0] > PACE_SECONDS:
            self._taken.popleft()
        limits = self._sending.limits
        self._turn(taken(self._state, limits, now))
        self._senders.turn(sender, taken(self._senders.state_of(sender), limits, now))

    def _turn(self, state: RelayState) -> None:
        """The state is this now; people are told when it is another condition."""
        before, self._state = self._state, state
        if state.condition == before.condition:
            return
        said = without_addresses(state.reason)
        lasted = self._clock.monotonic() - before.since
        self._since = self._clock.now()
        if state.condition == "down":
            logger.warning("the relay %s takes no email, and all of it waits: %s", self._server.host, said)
        elif before.condition == "down":
            logger.warning("the relay %s takes email again, after %.0f s", self._server.host, lasted)
        elif state.condition == "slow":
            logger.warning("the relay %s wants less, and gets it: %s", self._server.host, said)
        else:
            logger.info("the relay %s has its full pace again", self._server.host)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _was_stale(failure: Failure) -> bool:
    """Whether a kept connection had been closed by the server before our message was under way."""
    if failure.moment != "MAIL":
        return False
    return isinstance(failure, Interrupted) or (isinstance(failure, Answered) and failure.reply.code == 421)
