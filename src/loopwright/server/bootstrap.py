"""Teams come into being, the first at the first start, and each gets a key to its door."""

from datetime import datetime
from secrets import token_bytes

from loopwright.ids import new_id
from loopwright.server.clock import Clock
from loopwright.server.keys import hash_key, new_key
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.forms import FormRow, insert_form
from loopwright.server.store.teams import TeamRow, has_key, insert_key, insert_team, load_teams, lock_names
from loopwright.server.team_settings import check_name

FIRST_TEAM = "My team"
FIRST_FORM = "Newsletter"
FIRST_KEY = "First key"
# Reserved by RFC 2606: mail from it can be mistaken for nobody's.
FIRST_DOMAIN = "mail.example.com"


async def ensure_team(pool: Pool, clock: Clock) -> TeamRow:
    """The oldest team, made when there is none yet."""
    async with pool.acquire() as tx, tx.transaction():
        return await _ensure_team(tx, clock)


async def ensure_key(pool: Pool, clock: Clock, wanted: str | None) -> str | None:
    """See that the first team can be reached: with the `wanted` key, or with a new one when it has none.

    Returns a key that was made just now, to be shown once; None when nothing was made.
    """
    async with pool.acquire() as tx, tx.transaction():
        team = await _ensure_team(tx, clock)
        if wanted is None and await has_key(tx, team.id):
            return None
        key = wanted or new_key()
        now = clock.now()
        await insert_key(tx, team.id, key_id=new_id(now), name=FIRST_KEY, key_hash=hash_key(key), now=now)
        return None if wanted else key


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
