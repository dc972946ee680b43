"""Leases: which emails this process has taken, and until when they are surely its own.

A lease is counted from the moment it was asked for, and by this machine's own clock that never jumps; it ends
here before it ends in the database. So whoever holds one is alone with the email.
"""

import logging
import time
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from secrets import token_hex

from loopwright.server.runtime.repeating import repeating
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.deliveries import release, renew

LEASE = timedelta(seconds=10)
RENEW_SECONDS = 3.0
MARGIN_SECONDS = 1.0
"""For a final dot that is on its way when the lease is over."""

logger = logging.getLogger(__name__)


class Lease:
    """The emails of one claim that are still to be sent, and its token."""

    def __init__(self) -> None:
        self.token = token_hex(8)
        self.ids: set[str] = set()
        self._asked_at = time.monotonic()

    def holds(self, email_id: str) -> bool:
        """Whether nobody else may send the email now."""
        last = self._asked_at + LEASE.total_seconds() - MARGIN_SECONDS
        return email_id in self.ids and time.monotonic() < last

    def renewed(self, asked_at: float, ids: Collection[str]) -> None:
        """It was prolonged for these, and is over for the others."""
        self._asked_at = asked_at
        self.ids.intersection_update(ids)


class Leases:
    """All leases of one sender."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._leases: dict[str, Lease] = {}

    def keep(self, lease: Lease) -> None:
        """Prolong the lease of what was claimed by its token from now on."""
        self._leases[lease.token] = lease

    def end(self, token: str, email_id: str) -> None:
        """The email is done with."""
        lease = self._leases.get(token)
        if lease:
            lease.ids.discard(email_id)

    def holds(self, token: str, email_id: str) -> bool:
        """Whether nobody else may send the email now."""
        lease = self._leases.get(token)
        return lease is not None and lease.holds(email_id)

    def kept_up(self) -> AbstractAsyncContextManager[None]:
        """While the context lasts, leases do not run out; those of emails that are done with are dropped."""
        return repeating(self._renew, what="leases of emails", seconds=RENEW_SECONDS)

    async def give_back(self) -> None:
        """Let others have at once all that is held."""
        held = self._held()
        self._leases.clear()
        if held:
            async with self._pool.acquire() as tx:
                await release(tx, held)

    async def _renew(self) -> None:
        self._leases = {token: lease for token, lease in self._leases.items() if lease.ids}
        leases, held, asked_at = [*self._leases.values()], self._held(), time.monotonic()
        if not held:
            return
        try:
            async with self._pool.acquire() as tx:
                kept = await renew(tx, held, lease=LEASE)
        except AWAY as problem:
            logger.warning("the leases of %d emails were not renewed (%s)", len(held), type(problem).__name__)
            return
        for lease in leases:
            lease.renewed(asked_at, {email_id for email_id, token in kept if token == lease.token})

    def _held(self) -> list[tuple[str, str]]:
        return [(email_id, token) for token, lease in self._leases.items() for email_id in lease.ids]
