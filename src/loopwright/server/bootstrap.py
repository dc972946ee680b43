"""Teams come into being, the first at the first start, and each gets a key to its door."""

import logging
from datetime import datetime
from secrets import token_bytes

from loopwright.ids import new_id
from loopwright.server.clock import Clock
from loopwright.server.keys import hash_key, new_key
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.forms import FormRow, insert_form
from loopwright.server.store.teams import (
    TeamRow,
    fix_key,
    has_key,
    insert_key,
    insert_team,
    load_teams,
    lock_names,
    team_of_key,
)
from loopwright.server.team_settings import check_name

FIRST_TEAM = "My team"
FIRST_FORM = "Newsletter"
FIRST_KEY = "First key"
# Reserved by RFC 2606: mail from it can be mistaken for nobody's.
FIRST_DOMAIN = "mail.example.com"

logger = logging.getLogger(__name__)


class KeyTaken(ValueError):
    """The key that is to open the first team opens another one."""


async def ensure_team(pool: Pool, clock: Clock) -> TeamRow:
    """The oldest team, made when there is none yet."""
    async with pool.acquire() as tx, tx.transaction():
        return await _ensure_team(tx, clock)


async def ensure_key(pool: Pool, clock: Clock, wanted: str | None) -> str | None:
    """See that the first team can be reached: with the `wanted` key, or with a new one when it has none.

    Another key that was wanted at an earlier start opens nothing any more. Returns a key that was made just
    now, to be shown once; None when nothing was made. Raises `KeyTaken`.
    """
    async with pool.acquire() as tx, tx.transaction():
        team = await _ensure_team(tx, clock)
        now = clock.now()
        if wanted is not None:
            await _fix_key(tx, team, hash_key(wanted), now)
            return None
        if await has_key(tx, team.id):
            return None
        key = new_key()
        await insert_key(tx, team.id, key_id=new_id(now), name=FIRST_KEY, key_hash=hash_key(key), now=now)
        return key


async def _fix_key(tx: Connection, team: TeamRow, key_hash: bytes, now: datetime) -> None:
    holder = await team_of_key(tx, key_hash)
    if holder is None:
        await insert_key(tx, team.id, key_id=new_id(now), name="--api-key", key_hash=key_hash, now=now)
    elif holder.id != team.id:
        raise KeyTaken(f"the API key that was given opens the team {holder.name}; give another one")
    if await fix_key(tx, team.id, key_hash):
        logger.warning("the API key that was given before opens nothing any more; this one took its place")


async def create_team(tx: Connection, name: str, now: datetime) -> tuple[TeamRow, str]:
    """Add a team with a newsletter form, in the caller's transaction; returns it and its first API key.

    The key is not stored, so it can be shown only now. Raises `ValueError` for a name that is empty or taken.
    """
    await lock_names(tx)
    check_name(name, await load_teams(tx))
    team = await _insert_team(tx, name.strip(), now)
    key = new_key()
    await insert_key(tx, team.id, key_id=new_id(now), name=FIRST_KEY, key_hash=hash_key(key), now=now)
    return team, key


async def _ensure_team(tx: Connection, clock: Clock) -> TeamRow:
    # Two processes that start together must not each make a team.
    await lock_names(tx)
    teams = await load_teams(tx)
    return teams[0] if teams else await _insert_team(tx, FIRST_TEAM, clock.now())


async def _insert_team(tx: Connection, name: str, now: datetime) -> TeamRow:
    team = TeamRow(
        id=new_id(now),
        name=name,
        secret=token_bytes(32),
        sending_domain=FIRST_DOMAIN,
        company=name,
        address="",
    )
    await insert_team(tx, team, now=now)
    await insert_form(tx, FormRow(id=new_id(now), team_id=team.id, name=FIRST_FORM), now=now)
    return team
