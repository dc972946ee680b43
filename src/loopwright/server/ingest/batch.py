"""Group commit: commands that wait together are loaded, folded, saved and acknowledged together.

    submit ──▶ waiting ──▶ committers: load (locks) ─▶ fold (pure) ─▶ save ─▶ commit ─▶ acknowledge each

Nothing waits when the server is idle; under load a batch is whatever came while the one before it was
committed.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import asyncpg

from loopwright.server.clock import Clock
from loopwright.server.refusal import Unavailable
from loopwright.server.store import audience, contacts, emails, events, runs, teams, transactional, workflows
from loopwright.server.store.database import AWAY, Connection, Pool
from loopwright.server.workflow.entry import entries
from loopwright.wire.limits import IDEMPOTENCY_HOURS

from .command import (
    AnswerOptIn,
    Command,
    CreateContact,
    DeleteContact,
    SendEvent,
    SendTransactional,
    SubmitForm,
    Unsubscribe,
    UpdateContact,
)
from .fold import Folded, Loaded, Outcome, fold

WAITING_LIMIT = 10_000
BATCH_LIMIT = 500
# While one waits for the disk, the other makes the next batch.
COMMITTERS = 2
ATTEMPTS = 20

logger = logging.getLogger(__name__)

# What another process can cause by being first; taking the batch again meets the state it left.
_LOST_RACES = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.CheckViolationError,  # a month of events was given a table of its own
)


BatchDone = Callable[[Sequence[Command], Sequence[object], float], None]
"""Hears of each batch: its commands, what became of each, and the seconds from loading to commit."""


class _KeyRaceLost(Exception):
    """Another process used one of the batch's idempotency keys since it was loaded."""


@dataclass(frozen=True)
class _Waiting:
    """Commands of one caller, who hears of them all at once."""

    commands: Sequence[Command]
    done: asyncio.Future[Sequence[Outcome | Exception]]
    since: float  # perf_counter seconds


def _tell_nobody(commands: Sequence[Command], outcomes: Sequence[object], seconds: float) -> None:
    """What an ingest does whose batches nobody observes."""


class Ingest:
    """Takes commands and commits them by the batch. One for each process."""

    def __init__(self, pool: Pool, clock: Clock, batch_done: BatchDone = _tell_nobody) -> None:
        self._pool = pool
        self._clock = clock
        self._batch_done = batch_done
        self._waiting: deque[_Waiting] = deque()
        self._count = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._turn = asyncio.Lock()
        self._committers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to commit."""
        self._committers = [asyncio.create_task(self._commit_forever()) for _ in range(COMMITTERS)]

    async def close(self) -> None:
        """Commit what was accepted, and take no more."""
        self._closing = True
        self._arrived.set()
        await asyncio.gather(*self._committers)

    async def submit(self, command: Command) -> Outcome:
        """Have `command` committed, and return what became of it.

        Returns once it is durable. Raises the `Refusal` it met, and `Unavailable` when too many wait already.
        A caller that gives up waiting does not take its command back.
        """
        [outcome] = await self.submit_many([command])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def submit_many(self, commands: Sequence[Command]) -> Sequence[Outcome | Exception]:
        """Have `commands` committed in their order, as `submit` does; failures are among the outcomes.

        At most `BATCH_LIMIT` of them, which share one transaction.
        """
        if self._closing or self._count >= WAITING_LIMIT:
            raise Unavailable("The server is busy; send the request again in a moment.", code="busy")
        done: asyncio.Future[Sequence[Outcome | Exception]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(commands, done, time.perf_counter()))
        self._count += len(commands)
        self._arrived.set()
        return await done

    def waiting(self) -> tuple[int, float]:
        """How many commands wait for a batch, and for how many seconds the first of them has."""
        if not self._waiting:
            return 0, 0.0
        return self._count, time.perf_counter() - self._waiting[0].since

    async def _commit_forever(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = self._take()
            commands = [command for one in batch for command in one.commands]
            started = time.perf_counter()
            outcomes = await self._outcomes(commands)
            self._batch_done(commands, outcomes, time.perf_counter() - started)
            remaining = iter(outcomes)
            for one in batch:
                answers = list(islice(remaining, len(one.commands)))
                # A caller that is gone has cancelled its future.
                if not one.done.done():
                    one.done.set_result(answers)

    def _take(self) -> list[_Waiting]:
        """The next batch: what waits, up to the limit."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and size + len(self._waiting[0].commands) <= BATCH_LIMIT:
            batch.append(self._waiting.popleft())
            size += len(batch[-1].commands)
        self._count -= size
        return batch

    async def _outcomes(self, commands: Sequence[Command]) -> Sequence[Outcome | Exception]:
        """Commit `commands` together; if the database cannot take them so, find the one it cannot take."""
        try:
            return await self._commit(commands)
        except AWAY as problem:
            logger.warning(
                "the database is away (%s); %d commands were not confirmed",
                type(problem).__name__,
                len(commands),
            )
            gone = Unavailable(
                "The database is away; send the request again in a moment.", code="database_away"
            )
            return [gone] * len(commands)
        except Exception as failure:
            if len(commands) == 1:
                logger.exception("a command could not be committed")
                return [failure]
            half = len(commands) // 2
            return [*await self._outcomes(commands[:half]), *await self._outcomes(commands[half:])]

    async def _commit(self, commands: Sequence[Command]) -> Sequence[Outcome | Exception]:
        for attempt in range(ATTEMPTS):
            try:
                return await self._commit_once(commands)
            except (*_LOST_RACES, _KeyRaceLost):
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def _commit_once(self, commands: Sequence[Command]) -> Sequence[Outcome | Exception]:
        """One batch, one transaction.

        Batches load and fold in turn, so that they take effect in the order in which they were taken. The
        next one may begin while this one is saved: whatever both speak of is locked. Only who has come, gone
        or changed identifiers cannot be seen before it is committed.
        """
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(self._turn)
            async with self._pool.acquire() as tx, tx.transaction():
                now = self._clock.now()
                window = now - timedelta(hours=IDEMPOTENCY_HOURS)
                folded = fold(await _load(tx, commands, window), commands, now=now)
                if not folded.identities_changed:
                    await turn.aclose()
                if folded.keys and not await events.claim_keys(tx, folded.keys, now=now, since=window):
                    raise _KeyRaceLost
                await _save(tx, folded, now)
        return folded.outcomes


async def _load(tx: Connection, commands: Sequence[Command], window: datetime) -> Loaded:
    team_ids = {command.team_id for command in commands}
    loaded = Loaded(contacts=await _lock_contacts(tx, commands))
    said = [
        c.input for c in commands if isinstance(c, CreateContact | UpdateContact | SendEvent | SubmitForm)
    ]
    if any(one.custom or one.lists for one in said):
        loaded.properties, loaded.lists = await audience.load_declared(tx, team_ids)
    if arrivals := _teams_with_arrivals(loaded.contacts, commands):
        loaded.blocklists = await teams.load_blocklists(tx, arrivals)
    names = {(c.team_id, c.name) for c in commands if isinstance(c, SendEvent)}
    if names:
        loaded.patterns = await events.load_patterns(tx, names)
    ids = {(c.team_id, c.transactional_id) for c in commands if isinstance(c, SendTransactional)}
    if ids:
        loaded.transactionals = await transactional.load_transactionals(tx, ids)
    keys = {c.key for c in commands if isinstance(c, SendEvent | SendTransactional) and c.key}
    if keys:
        loaded.keys = await events.load_live_keys(tx, keys, since=window)
    return loaded


def _teams_with_arrivals(known: Sequence[contacts.ContactRow], commands: Sequence[Command]) -> set[str]:
    """The teams in which some contact may get an address that no contact had before."""
    addresses = {(contact.team_id, contact.email) for contact in known}
    arrivals: set[str] = set()
    for command in commands:
        match command:
            case Unsubscribe() | AnswerOptIn():
                pass
            case DeleteContact():
                arrivals.add(command.team_id)  # whoever comes after it with the same address is new
            case SendTransactional():
                if command.add_to_audience and (command.team_id, command.email) not in addresses:
                    arrivals.add(command.team_id)
            case _:
                if command.identity.email and (command.team_id, command.identity.email) not in addresses:
                    arrivals.add(command.team_id)
    return arrivals


async def _lock_contacts(tx: Connection, commands: Sequence[Command]) -> list[contacts.ContactRow]:
    emails_, user_ids, ids = set[tuple[str, str]](), set[tuple[str, str]](), set[tuple[str, str]]()
    for command in commands:
        match command:
            case Unsubscribe() | AnswerOptIn():
                ids.add((command.team_id, command.contact_id))
            case SendTransactional():
                emails_.add((command.team_id, command.email))
            case _:
                if command.identity.email:
                    emails_.add((command.team_id, command.identity.email))
                if command.identity.user_id:
                    user_ids.add((command.team_id, command.identity.user_id))
    return await contacts.lock_contacts(tx, emails=emails_, user_ids=user_ids, ids=ids)


async def _save(tx: Connection, folded: Folded, now: datetime) -> None:
    if folded.deleted:
        await contacts.delete_contacts(tx, folded.deleted)
    if folded.updated:
        await contacts.update_contacts(tx, folded.updated)
    if folded.inserted:
        # In the order of their addresses, as in every batch: no two batches then wait for each other.
        ordered = sorted(folded.inserted, key=lambda contact: (contact.team_id, contact.email))
        await contacts.insert_contacts(tx, ordered)
    if folded.patterns:
        await events.save_patterns(tx, folded.patterns, now=now)
    if folded.events:
        await events.insert_events(tx, folded.events)
    if folded.happenings:
        active = await workflows.load_active(tx, {happening.trigger for happening in folded.happenings})
        if active:
            await runs.start_runs(tx, entries(folded.happenings, active, now=now), now=now)
    if folded.emails:
        await emails.queue_emails(tx, folded.emails, now=now)
