"""The first start: a team, and a key to its door."""

from secrets import token_bytes

from loopwright.ids import new_id
from loopwright.server.clock import Clock
from loopwright.server.keys import hash_key, new_key
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.forms import FormRow, insert_form
from loopwright.server.store.teams import TeamRow, has_key, insert_key, insert_team, load_teams

FIRST_TEAM = "My team"
FIRST_FORM = "Newsletter"
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
        await insert_key(tx, team.id, key_id=new_id(now), name="First key", key_hash=hash_key(key), now=now)
        return None if wanted else key


async def _ensure_team(tx: Connection, clock: Clock) -> TeamRow:
    # Two processes that start together must not each make a team.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('loopwright.bootstrap'))")
    teams = await load_teams(tx)
    if teams:
        return teams[0]
    now = clock.now()
    team = TeamRow(
        id=new_id(now),
        name=FIRST_TEAM,
        secret=token_bytes(32),
        sending_domain=FIRST_DOMAIN,
        company=FIRST_TEAM,
        address="",
    )
    await insert_team(tx, team, now=now)
    await insert_form(tx, FormRow(id=new_id(now), team_id=team.id, name=FIRST_FORM), now=now)
    return team
