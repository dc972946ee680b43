"""A campaign whose workers are killed again and again, and which people stop meanwhile."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from loopwright.server.campaign import launch
from loopwright.server.mail.sender import PLACES
from loopwright.server.store.campaign_outcomes import load_progress
from loopwright.server.store.campaigns import CampaignRow, find_campaign, lock_campaign
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.deliveries import Lane
from loopwright.server.store.teams import TeamRow
from support.smtp_peer import Peer
from support.workflows import until, utc_now

from .workers import two_workers, worker, write_newsletter

pytestmark = pytest.mark.slow

RECIPIENTS = 1_500
KILLS = 4


async def load(pool: Pool, team: TeamRow) -> CampaignRow:
    async with pool.acquire() as tx:
        row = await find_campaign(tx, team.id, "cnews")
    assert row
    return row


async def ask(pool: Pool, team: TeamRow, act: Callable[[Connection, CampaignRow], Awaitable[None]]) -> None:
    """Have somebody do something with the campaign."""
    async with pool.acquire() as tx, tx.transaction():
        row = await lock_campaign(tx, team.id, "cnews")
        assert row
        await act(tx, row)


async def test_nobody_is_written_to_twice(
    database_url: str,
    pool: Pool,
    team: TeamRow,
    peer: Peer,
) -> None:
    """Everybody gets it once, save those who were in hand at a kill: they are marked, and are few.

    Leaving a worker's context kills it.
    """
    await write_newsletter(pool, team, RECIPIENTS)
    await ask(pool, team, lambda tx, row: launch.send(tx, team, row, relay_url=None, now=utc_now()))
    dice = random.Random(11)
    for kill in range(KILLS):
        async with two_workers(database_url, peer, emails=dice.randrange(50, 400)):
            if kill == 1:
                await ask(pool, team, lambda tx, row: launch.pause(tx, row, now=utc_now()))
        if kill == 1:
            await ask(pool, team, lambda tx, row: launch.resume(tx, row, now=utc_now()))

    async def is_over() -> bool:
        return (await load(pool, team)).status == "Sent"

    async with worker(database_url, peer):
        await until(is_over, within=120)
    async with pool.acquire() as tx:
        progress = await load_progress(tx, await load(pool, team))
    got = Counter(one.rcpt_tos[0] for one in peer.received)
    assert max(got.values()) == 1
    assert progress.sent + progress.unknown == RECIPIENTS
    assert progress.unknown <= 2 * KILLS * PLACES[Lane.CAMPAIGN]
    assert len(got) >= progress.sent
