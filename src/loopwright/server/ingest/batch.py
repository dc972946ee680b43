"""Group commit: commands that wait together are loaded, folded, saved and acknowledged together.

    submit ──▶ waiting ──▶ committers: load ─▶ fold (pure) ─▶ save and commit ─▶ acknowledge each

Nothing waits when the server is idle; under load a batch is whatever came while the one before it was
committed. A batch takes no locks until it is saved, which fails when another process has changed what it was
made from; it is then made once more, with locks.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from itertools import islice

import asyncpg
from msgspec import Struct

from loopwright.server.clock import Clock
from loopwright.server.refusal import Refusal, Unavailable
from loopwright.server.store import contacts, emails, jobs, runs, suppressions, transactional
from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import AWAY, Connection, Pool
from loopwright.server.store.events import UsedKey
from loopwright.server.store.feedback import tell_reports
from loopwright.server.store.jobs import ForgetContact

from .command import (
    Command,
    SendEvent,
    SendTransactional,
)
from .consequences import consequences
from .fold import fold
from .loading import key_window, load_asked, load_contacts, load_keys, load_reported
from .state import CommandResult, Folded, Loaded
from .team_cache import TeamCache, TeamSnapshot

WAITING_LIMIT = 10_000
WAITING_BYTES = 32_000_000
BATCH_LIMIT = 500
BATCH_BYTES = 4_000_000
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
    asyncpg.ForeignKeyViolationError,  # a workflow that somebody was to enter was deleted
)


BatchDone = Callable[[Sequence[Command], Sequence[object], float], None]
"""Hears of each batch: its commands, what became of each, and the seconds from loading to commit."""


class _Waiting(Struct, frozen=True):
    """Commands of one caller, who hears of them all at once. `size`: the bytes they came in."""

    commands: Sequence[Command]
    size: int
    done: asyncio.Future[Sequence[CommandResult | Exception]]
    since: float  # perf_counter seconds


class _Made(Struct, frozen=True):
    """A batch that is folded, and what it was made from."""

    loaded: Sequence[ContactRow]
    folded: Folded
    teams: Mapping[str, TeamSnapshot]
    now: datetime


class _Saving:
    """A batch of this process on its way into the database, behind those that were on theirs before it.

    Should one of those lose a race, it is made once more, and has to find what it was made from.
    """

    def __init__(self, loaded: Sequence[ContactRow], folded: Folded, behind: Collection["_Saving"]) -> None:
        self.over = asyncio.Event()
        # Who is new, gone or renamed, and what was learned, cannot be told apart from what is not there.
        self.comes_first = folded.identities_changed or bool(folded.patterns)
        self._behind = behind
        self._read = {contact.id for contact in loaded}
        self._changed = {contact.id for contact in folded.updated}

    def changes(self, loaded: Sequence[ContactRow]) -> bool:
        """Whether a batch that is made from these contacts has to wait for this one."""
        return any(contact.id in self._changed for contact in loaded)

    async def follow(self) -> None:
        """Wait for the batches before this one that were made from what this one changes."""
        await _over(
            other for other in self._behind if self.comes_first or not self._changed.isdisjoint(other._read)
        )

    async def begin_again(self) -> None:
        """Have everybody behind this batch wait for it, and wait for everybody before it."""
        self.comes_first = True
        await _over(self._behind)

    def end(self) -> None:
        """It is committed, or has failed. Whoever is behind it must not keep all that were ever before it."""
        self._behind = ()
        self.over.set()


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
        self._size = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._turn = asyncio.Lock()
        self._saving: set[_Saving] = set()
        self._team_cache = TeamCache()
        self._committers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to commit."""
        self._committers = [asyncio.create_task(self._commit_forever()) for _ in range(COMMITTERS)]

    async def close(self) -> None:
        """Commit what was accepted, and take no more."""
        self._closing = True
        self._arrived.set()
        await asyncio.gather(*self._committers)

    async def submit(self, command: Command, *, size: int = 0) -> CommandResult:
        """Have `command`, which came in `size` bytes, committed, and return what became of it.

        Returns once it is durable. Raises the `Refusal` it met, and `Unavailable` when too many wait already.
        A caller that gives up waiting does not take its command back.
        """
        [outcome] = await self.submit_many([command], size=size)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def submit_many(
        self, commands: Sequence[Command], *, size: int = 0
    ) -> Sequence[CommandResult | Exception]:
        """Have `commands` committed in their order, as `submit` does; failures are among the outcomes.

        At most `BATCH_LIMIT` of them, which share one transaction.
        """
        if self._closing or self._count >= WAITING_LIMIT or self._size >= WAITING_BYTES:
            raise Unavailable("The server is busy; send the request again in a moment.", code="busy")
        done: asyncio.Future[Sequence[CommandResult | Exception]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(commands, size, done, time.perf_counter()))
        self._count += len(commands)
        self._size += size
        self._arrived.set()
        return await done

    def waiting(self) -> tuple[int, float]:
        """How many commands wait for a batch, and for how many seconds the first of them has."""
        if not self._waiting:
            return 0, 0.0
        return self._count, time.perf_counter() - self._waiting[0].since

    async def _commit_forever(self) -> None:
        while self._waiting or not self._closing:
            if self._waiting:
                await self._commit_next()
            else:
                self._arrived.clear()
                await self._arrived.wait()

    async def _commit_next(self) -> None:
        """Commit what waits. Nothing is left of a batch once it is over: it may have been a large one."""
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
        """The next batch: what waits, up to the limits; what is larger than a batch goes alone."""
        batch: list[_Waiting] = []
        count = size = 0
        while self._waiting:
            one = self._waiting[0]
            if batch and (count + len(one.commands) > BATCH_LIMIT or size + one.size > BATCH_BYTES):
                break
            batch.append(self._waiting.popleft())
            count += len(one.commands)
            size += one.size
        self._count -= count
        self._size -= size
        return batch

    async def _outcomes(self, commands: Sequence[Command]) -> Sequence[CommandResult | Exception]:
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

    async def _commit(self, commands: Sequence[Command]) -> Sequence[CommandResult | Exception]:
        """Commit a batch in two round trips, as if nobody else wrote, nor had used its keys.

        Batches load and fold in turn, so that they take effect in the order in which they were taken; the
        next one begins while this one is saved, or made once more because it lost a race.
        """
        async with AsyncExitStack() as stack:
            async with self._turn:
                tx = await stack.enter_async_context(self._pool.acquire())
                made = await self._make(tx, commands, await self._load_behind_others(tx, commands))
                if _refused_with_key(commands, made.folded.outcomes):
                    await _over(self._saving)
                    made = await self._make_with_keys(tx, commands)
                saving = _Saving(made.loaded, made.folded, behind=list(self._saving))
                self._saving.add(saving)
            try:
                await saving.follow()
                with suppress(*_LOST_RACES):
                    await self._save(tx, made)
                    return made.folded.outcomes
                await stack.aclose()
                return await self._commit_again(saving, commands)
            finally:
                self._saving.remove(saving)
                saving.end()

    async def _commit_again(
        self, saving: _Saving, commands: Sequence[Command]
    ) -> Sequence[CommandResult | Exception]:
        """Commit a batch that lost a race, in its place: behind those before it, before those behind it."""
        await saving.begin_again()
        for _ in range(ATTEMPTS - 1):
            with suppress(*_LOST_RACES):
                return await self._commit_locked(commands)
        return await self._commit_locked(commands)

    async def _load_behind_others(self, tx: Connection, commands: Sequence[Command]) -> list[ContactRow]:
        """The contacts that the commands name, as they are after the batches that are being saved."""
        await _over(saving for saving in self._saving if saving.comes_first)
        others = list(self._saving)
        loaded = await load_contacts(tx, commands)
        if at_the_same := [saving for saving in others if saving.changes(loaded)]:
            await _over(at_the_same)
            loaded = await load_contacts(tx, commands)
        return loaded

    async def _commit_locked(self, commands: Sequence[Command]) -> Sequence[CommandResult | Exception]:
        """Commit a batch when another process is at the same contacts or keys: it waits for us, or we do."""
        self._team_cache.forget({command.team_id for command in commands})
        async with self._pool.acquire() as tx, tx.transaction():
            await contacts.lock_contacts(tx, await load_contacts(tx, commands))
            made = await self._make_with_keys(tx, commands)
            await self._save(tx, made)
        return made.folded.outcomes

    async def _make_with_keys(self, tx: Connection, commands: Sequence[Command]) -> _Made:
        keys = await load_keys(tx, commands, self._clock.now())
        return await self._make(tx, commands, await load_contacts(tx, commands), keys)

    async def _make(
        self,
        tx: Connection,
        commands: Sequence[Command],
        contacts_: Sequence[ContactRow],
        keys: Collection[UsedKey] = (),
    ) -> _Made:
        names = {(command.team_id, command.name) for command in commands if isinstance(command, SendEvent)}
        teams = await self._team_cache.of(tx, {command.team_id for command in commands}, names)
        ids = {(c.team_id, c.transactional_id) for c in commands if isinstance(c, SendTransactional)}
        now = self._clock.now()
        loaded = Loaded(
            contacts=contacts_,
            properties={team_id: team.properties for team_id, team in teams.items()},
            lists={team_id: team.lists for team_id, team in teams.items()},
            watched={team_id: team.watched for team_id, team in teams.items() if team.watched},
            blocklists={team_id: team.blocklist for team_id, team in teams.items()},
            patterns=[
                pattern
                for team_id, name in names
                if team_id in teams and (pattern := teams[team_id].patterns.get(name))
            ],
            transactionals=await transactional.load_transactionals(tx, ids) if ids else (),
            keys=keys,
            asked=await load_asked(tx, commands, now),
            reported=await load_reported(tx, commands),
        )
        return _Made(contacts_, fold(loaded, commands, now=now), teams, now)

    async def _save(self, tx: Connection, made: _Made) -> None:
        folded, now = made.folded, made.now
        follows = consequences(folded.facts, made.teams, now=now)
        changes = BatchChanges(
            updated=folded.updated,
            deleted=folded.deleted,
            inserted=folded.inserted,
            patterns=folded.patterns,
            keys=folded.keys,
            events=folded.events,
            facts=follows.rows,
            kept_out=follows.kept_out,
            revisions={team_id: team.revision for team_id, team in made.teams.items()},
        )
        if follows.runs or folded.emails or folded.forgotten or folded.reports or folded.lifted:
            async with tx.transaction():
                await save(tx, changes, now=now, window=key_window(now))
                await suppressions.take_back(tx, folded.lifted)
                await tell_reports(tx, folded.reports, now=now)
                await runs.start_runs(tx, follows.runs, now=now)
                await emails.queue_emails(tx, folded.emails, now=now)
                await jobs.enqueue(tx, [_forgetting(contact, now) for contact in folded.forgotten])
        else:
            await save(tx, changes, now=now, window=key_window(now))
        self._team_cache.forget({pattern.team_id for pattern in folded.patterns})


async def _over(batches: Iterable[_Saving]) -> None:
    """Wait until these are committed, or have failed."""
    for saving in list(batches):
        await saving.over.wait()


def _refused_with_key(commands: Sequence[Command], outcomes: Sequence[object]) -> bool:
    """Whether a refusal may be hiding a used key, which comes before every other reason."""
    return any(
        isinstance(outcome, Refusal) and isinstance(command, SendEvent | SendTransactional) and command.key
        for command, outcome in zip(commands, outcomes, strict=True)
    )


def _forgetting(contact: ContactRow, now: datetime) -> ForgetContact:
    return ForgetContact(team_id=contact.team_id, contact_id=contact.id, email=contact.email, deleted_at=now)
