"""Campaigns and workflows of which too much comes back, from the first fact to the pause."""

from datetime import timedelta
from typing import Literal

import pytest

from loopwright.server.campaign import launch
from loopwright.server.doctor import of_brakes
from loopwright.server.feedback.braking import Braking
from loopwright.server.store.brakes import count_brakes, delete_counters, load_brakes, load_reason
from loopwright.server.store.campaigns import find_campaign, lock_campaign
from loopwright.server.workflow import control
from support.factories import add_campaign, add_facts_of
from support.feedback import Post
from support.workflows import add_workflow, email_timer_email

MINUTE = timedelta(minutes=1)


class Road:
    """A campaign and a workflow on their way, and what brakes make of them."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.pool, self.team = post.pool, post.team
        self.braking = Braking(post.pool, post.clock)

    async def begin(self) -> None:
        now = self.post.clock.now()
        self.message_id = await add_campaign(
            self.pool, self.team.id, "cnews", status="Sending", started_at=now
        )
        nodes = await email_timer_email(self.pool, self.team.id, 1)
        self.workflow_id = (await add_workflow(self.pool, self.team.id, nodes)).id

    async def sent(
        self, owner: Literal["campaign", "workflow"], count: int, *, bounced: int = 0, complained: int = 0
    ) -> None:
        await add_facts_of(
            self.pool, self.team.id, self.message_id, owner, count, bounced=bounced, complained=complained,
            now=self.post.clock.now(),
        )  # fmt: skip

    async def looked(self) -> list[tuple[str, str]]:
        """What people see after a look: kind and state."""
        await self.braking.look()
        async with self.pool.acquire() as tx:
            return [(one.kind, one.state) for one in await load_brakes(tx, self.team.id)]

    async def states(self) -> tuple[str, str]:
        async with self.pool.acquire() as tx:
            campaign = await find_campaign(tx, self.team.id, "cnews")
        assert campaign
        status = await self.pool.fetchval("SELECT status FROM workflow WHERE id = $1", self.workflow_id)
        return launch.state_of(campaign), status


@pytest.fixture
async def road(post: Post) -> Road:
    road = Road(post)
    await road.begin()
    return road


async def test_a_campaign_is_warned_of_then_paused_then_counted_anew(road: Road) -> None:
    """Whoever resumes it knows better: only what comes after counts again."""
    await road.sent("campaign", 400, bounced=19)
    assert await road.looked() == []
    await road.sent("campaign", 0, bounced=2)
    assert await road.looked() == [("campaign", "warned")]
    assert await road.states() == ("sending", "Sending")
    await road.sent("campaign", 0, bounced=30)
    assert await road.looked() == [("campaign", "braked")]
    assert await road.states() == ("paused", "Sending")
    now = road.post.clock.now()
    async with road.pool.acquire() as tx, tx.transaction():
        reason = await load_reason(tx, road.team.id, "cnews")
        assert reason == "brake: 51 hard bounces of 400 emails in an hour, 13 %; 10 % pauses it"
        assert dict(await count_brakes(tx)) == {"braked": 1}
        [finding] = of_brakes(await load_brakes(tx, road.team.id))
        assert finding.remedy.endswith("loopwright campaigns resume cnews")
        campaign = await lock_campaign(tx, road.team.id, "cnews")
        assert campaign
        await launch.resume(tx, campaign, now=now)
    assert await road.looked() == []
    assert await road.states() == ("sending", "Sending")
    road.post.clock.advance(6 * MINUTE)
    await road.sent("campaign", 200, bounced=20)
    assert await road.looked() == [("campaign", "braked")]


async def test_complaints_pause_a_workflow(road: Road) -> None:
    """Of a day, where an hour says too little; and `resume` lets it go on."""
    for _ in range(4):
        await road.sent("workflow", 250, complained=2)
        assert await road.looked() in ([], [("workflow", "warned")])
        road.post.clock.advance(90 * MINUTE)
    await road.sent("workflow", 100, complained=2)
    assert await road.looked() == [("workflow", "braked")]
    assert await road.states() == ("sending", "PausedAndQueueing")
    async with road.pool.acquire() as tx, tx.transaction():
        await control.resume(tx, road.team.id, road.workflow_id, has_relay=False, now=road.post.clock.now())
    assert await road.looked() == []
    assert await road.states() == ("sending", "Sending")


async def test_suppressed_addresses_brake_nothing(road: Road) -> None:
    """They count as hard bounces in metrics alone, whoever remembers them."""
    await road.sent("campaign", 200)
    await add_facts_of(
        road.pool, road.team.id, road.message_id, "campaign", 0, suppressed=200, now=road.post.clock.now()
    )
    assert await road.looked() == []
    bounces = await road.pool.fetchval("SELECT sum(hard_bounces) FROM email_counter")
    assert bounces == 200


async def test_what_is_old_is_forgotten(road: Road) -> None:
    """By brakes after a day, by the database after two."""
    await road.sent("campaign", 1000, bounced=40)
    assert await road.looked() == [("campaign", "warned")]
    road.post.clock.advance(timedelta(hours=25))
    assert await road.looked() == []
    async with road.pool.acquire() as tx:
        assert await delete_counters(tx, road.post.clock.now(), 100) > 0
