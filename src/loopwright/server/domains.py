"""Sending domains: adding one to a team, the keys that sign for it, and their rotation."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex

from msgspec import Struct
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.bootstrap import FIRST_DOMAIN
from loopwright.server.mail.addresses import ascii_domain, domain_mistake
from loopwright.server.mail.dkim import Algorithm, new_private_key, public_record, read_private_key
from loopwright.server.mail.identity import purpose_of
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Connection
from loopwright.server.store.domains import (
    DomainRow,
    KeyRow,
    delete_domain,
    insert_key,
    load_domains,
    load_keys,
    replace_active,
    save_domain,
)
from loopwright.server.store.teams import lock_team
from loopwright.server.team_settings import SettingChanges, change_team


class Domain(Struct, frozen=True, kw_only=True):
    """A sending domain with its keys; `is_used` says whether the team's email comes from it."""

    name: str
    bounce_domain: str
    is_used: bool
    keys: Sequence[KeyRow]

    @property
    def active(self) -> list[KeyRow]:
        """The keys that sign."""
        return [key for key in self.keys if key.active_since and not key.retired_at]

    @property
    def waiting(self) -> list[KeyRow]:
        """The keys that will sign once they are published."""
        return [key for key in self.keys if not key.active_since]


def read_domain(text: str) -> str:
    """A domain's name as the DNS has it, in small letters. Raises `ValueError`."""
    name = text.strip()
    if mistake := domain_mistake(name):
        raise ValueError(f"the domain {mistake} (got {name})")
    return ascii_domain(name).lower()


async def add_domain(
    tx: Connection,
    team_id: str,
    sealing: SealingKey,
    name: str,
    *,
    ed25519: bool,
    bounce_domain: str | None,
    now: datetime,
) -> Domain:
    """Have the team send from a domain, with keys that sign at once; what is there already stays.

    `bounce_domain` None leaves it, an empty one takes it away. Raises `ValueError` for what is no domain.
    """
    name = read_domain(name)
    bounce = None if bounce_domain is None else bounce_domain and read_domain(bounce_domain)
    if bounce == name:
        raise ValueError(f"{name} takes mail of its own; give another bounce domain, such as bounces.{name}")
    await lock_team(tx, team_id)
    known = {domain.name: domain for domain in await load_domains(tx, team_id)}.get(name)
    domain = known or DomainRow(team_id=team_id, name=name, bounce_domain="")
    await save_domain(tx, domain if bounce is None else replace(domain, bounce_domain=bounce), now=now)
    there = {
        key.algorithm for key in await load_keys(tx, team_id) if key.domain == name and not key.retired_at
    }
    wanted: list[Algorithm] = ["rsa", "ed25519"] if ed25519 else ["rsa"]
    for algorithm in wanted:
        if algorithm not in there:
            key = _new_key(sealing, name, algorithm, now)
            await insert_key(tx, team_id, replace(key, active_since=now), now=now)
    await change_team(tx, team_id, SettingChanges(sending_domain=name), now=now)
    return await load_domain(tx, team_id, name)


async def begin_rotation(
    tx: Connection, team_id: str, sealing: SealingKey, name: str | None, *, now: datetime
) -> Domain:
    """See that each key that signs has one which waits to take its place."""
    await lock_team(tx, team_id)
    domain = await load_domain(tx, team_id, name)
    wanted: set[Algorithm] = {key.algorithm for key in domain.active} or {"rsa"}
    for algorithm in sorted(wanted - {key.algorithm for key in domain.waiting}):
        await insert_key(tx, team_id, _new_key(sealing, domain.name, algorithm, now), now=now)
    return await load_domain(tx, team_id, domain.name)


async def end_rotation(tx: Connection, team_id: str, name: str, *, now: datetime) -> Domain:
    """Have the keys that wait sign from now on, and those before no more."""
    await lock_team(tx, team_id)
    domain = await load_domain(tx, team_id, name)
    await replace_active(tx, team_id, name, [key.id for key in domain.waiting], now=now)
    return await load_domain(tx, team_id, name)


async def remove_domain(tx: Connection, team_id: str, name: str, *, now: datetime) -> None:
    """Forget a domain and its keys; a team that sent from it has no domain of its own then."""
    await lock_team(tx, team_id)
    domain = await load_domain(tx, team_id, name)
    await delete_domain(tx, team_id, domain.name)
    if domain.is_used:
        await change_team(tx, team_id, SettingChanges(sending_domain=FIRST_DOMAIN), now=now)


async def load_all(tx: Connection, team_id: str) -> list[Domain]:
    """The team's domains, by name."""
    team, keys = await lock_team(tx, team_id), await load_keys(tx, team_id)
    return [
        Domain(
            name=domain.name,
            bounce_domain=domain.bounce_domain,
            is_used=domain.name == team.sending_domain,
            keys=[key for key in keys if key.domain == domain.name],
        )
        for domain in await load_domains(tx, team_id)
    ]


async def load_domain(tx: Connection, team_id: str, name: str | None) -> Domain:
    """The domain of that name, or the one that the team sends from. Raises `LookupError`."""
    domains = await load_all(tx, team_id)
    wanted = None if name is None else read_domain(name)
    found = [domain for domain in domains if (domain.is_used if wanted is None else domain.name == wanted)]
    if found:
        return found[0]
    what = f"the domain {wanted} is" if wanted else "a sending domain is"
    raise LookupError(f"{what} not set up yet; begin with: loopwright domain add {wanted or 'DOMAIN'}")


def _new_key(sealing: SealingKey, domain: str, algorithm: Algorithm, now: datetime) -> KeyRow:
    """A key that waits. Its selector is nobody else's: other servers may sign for the domain, too."""
    private, key_id = new_private_key(algorithm), new_id(now)
    return KeyRow(
        id=key_id,
        domain=domain,
        selector=f"lw{now:%Y%m%d}{token_hex(2)}",
        algorithm=algorithm,
        sealed_key=sealing.seal(private, purpose_of(key_id)),
        record=public_record(read_private_key(private)),
        active_since=None,
        retired_at=None,
    )
