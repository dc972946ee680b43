"""A warm-up plan that several workers keep together while they are killed again and again."""

import random
from collections import Counter

import pytest

from loopwright.server.campaign import launch
from loopwright.server.store.campaigns import lock_campaign
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.team_settings import SettingChanges, WarmUpChanges, change_team
from support.smtp_peer import Peer
from support.workflows import until, utc_now

from .workers import two_workers, worker, write_newsletter

pytestmark = pytest.mark.slow

RECIPIENTS = 1_200
CAP = 500
KILLS = 4


async def test_killed_workers_keep_the_cap(database_url: str, pool: Pool, team: TeamRow, peer: Peer) -> None:
    """All that an hour may have is sent, no email more, and nobody has two; the rest waits for its turn."""
    await write_newsletter(pool, team, RECIPIENTS)
    plan = WarmUpChanges(per_day=10 * CAP, per_hour=CAP)
    async with pool.acquire() as tx, tx.transaction():
        await change_team(tx, team.id, SettingChanges(warm_up=plan), now=utc_now())
        row = await lock_campaign(tx, team.id, "cnews")
        assert row
        await launch.send(tx, team, row, relay_url=None, now=utc_now())
    dice = random.Random(7)
    for _ in range(KILLS):
        async with two_workers(database_url, peer, emails=dice.randrange(20, 90)):
            pass

    async def is_quiet() -> bool:
        begun = "SELECT count(*) FROM email_queue WHERE admitted OR due_at <= $1"
        made = "SELECT queued_at IS NOT NULL FROM campaign"
        return bool(await pool.fetchval(made)) and not await pool.fetchval(begun, utc_now())

    async with worker(database_url, peer), worker(database_url, peer):
        await until(is_quiet, within=90)
    rows = await pool.fetch("SELECT status, count(*) AS count FROM email GROUP BY 1")
    outcomes = Counter({row["status"]: row["count"] for row in rows})
    unknown = outcomes["unknown"]
    assert outcomes["sent"] + unknown == CAP
    assert outcomes["queued"] == RECIPIENTS - CAP
    assert CAP - unknown <= len(peer.seen) <= CAP
    assert len(set(peer.seen)) == len(peer.seen)
