"""Who a team is to the world's mail servers: the keys that sign its email, and where bounces go."""

import time

from msgspec import Struct

from loopwright.server.sealing import CannotUnseal, SealingFailure, SealingKey
from loopwright.server.store.database import Pool
from loopwright.server.store.domains import KeyRow, load_domains, load_keys

from .dkim import SigningKey, read_private_key

MEMORY_SECONDS = 5.0
"""For so long a change at another process may go unnoticed here."""


class Identity(Struct, frozen=True, kw_only=True):
    """What a domain's email is signed with, and the domain that bounces go to; neither has to be there."""

    keys: tuple[SigningKey, ...] = ()
    bounce_domain: str = ""


class Identities:
    """The identities of the teams, loaded once and looked at again after a while."""

    def __init__(self, pool: Pool, sealing: SealingKey | None) -> None:
        self._pool = pool
        self._sealing = sealing
        self._known: dict[str, tuple[float, dict[str, Identity]]] = {}
        self._opened: dict[str, SigningKey] = {}

    async def of(self, team_id: str, domain: str) -> Identity:
        """Who the team is when it writes from `domain`.

        Raises `SealingFailure` when there are keys that this process cannot open.
        """
        until, identities = self._known.get(team_id, (0.0, {}))
        if until < time.monotonic():
            identities = await self._load(team_id)
            self._known[team_id] = time.monotonic() + MEMORY_SECONDS, identities
        return identities.get(domain.lower().removesuffix("."), Identity())

    async def _load(self, team_id: str) -> dict[str, Identity]:
        async with self._pool.acquire() as tx:
            domains, keys = await load_domains(tx, team_id), await load_keys(tx, team_id)
        active = [key for key in keys if key.active_since and not key.retired_at]
        return {
            domain.name: Identity(
                keys=tuple(self._open(key) for key in active if key.domain == domain.name),
                bounce_domain=domain.bounce_domain,
            )
            for domain in domains
        }

    def _open(self, key: KeyRow) -> SigningKey:
        if key.id not in self._opened:
            if self._sealing is None:
                raise SealingFailure(CANNOT_SIGN)
            try:
                private = self._sealing.unseal(key.sealed_key, purpose_of(key.id))
            except CannotUnseal:
                raise SealingFailure(CANNOT_SIGN) from None
            self._opened[key.id] = SigningKey(
                domain=key.domain, selector=key.selector, private=read_private_key(private)
            )
        return self._opened[key.id]


CANNOT_SIGN = (
    "this process cannot open the domain's DKIM keys; start it again with the sealing key that "
    "`loopwright domain add` had (--sealing-key)"
)


def purpose_of(key_id: str) -> str:
    """What a DKIM key is sealed for."""
    return f"dkim:{key_id}"
