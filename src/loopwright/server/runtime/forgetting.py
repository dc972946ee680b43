"""Forgetting: once a contact is deleted, what else is held about the person goes too, some rows at a time.

The contact itself goes in the batch that deletes it, and this job is written in that transaction. It comes a
second time for what was under way just then, and again for as long as an email that was promised is not out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from loopwright.server.store.database import Pool
from loopwright.server.store.jobs import ForgetContact, enqueue
from loopwright.server.store.people import Person, forget_address, forget_contact, is_anything_due

AT_ONCE = 1_000
"""Rows of a table in one transaction, so that none takes long."""
PARALLEL = 2
"""How many contacts are forgotten at a time: jobs that somebody waits for go first."""

ONCE_MORE = timedelta(minutes=2)
"""By then every batch and every step that had read the contact has ended."""
LATER = timedelta(minutes=10)


class Forgetting:
    """Answers `ForgetContact` jobs."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turns = asyncio.Semaphore(PARALLEL)

    async def forget(self, job: ForgetContact) -> None:
        """Clear everything personal of a deleted contact. May be interrupted anywhere, and be done again."""
        async with self._turns:
            if job.email:
                person = Person(team_id=job.team_id, contact_id=job.contact_id, email=job.email)
                await self._until_done(partial(forget_address, person=person, before=job.deleted_at))
            await self._until_done(partial(forget_contact, team_id=job.team_id, contact_id=job.contact_id))
            # From here on the contact's id will do: the address is not kept waiting with the job.
            nameless = replace(job, email="", again=False)
            async with self._pool.acquire() as tx, tx.transaction():
                if await is_anything_due(tx, job.team_id, job.contact_id):
                    await enqueue(tx, [nameless], delay=LATER)
                elif job.again:
                    await enqueue(tx, [nameless], delay=ONCE_MORE)

    async def _until_done(self, forget: Callable[..., Awaitable[bool]]) -> None:
        done = False
        while not done:
            async with self._pool.acquire() as tx, tx.transaction():
                done = await forget(tx, limit=AT_ONCE)
