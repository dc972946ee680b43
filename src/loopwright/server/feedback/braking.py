"""Looks at what comes back of each campaign and workflow, and pauses those of which too much does."""

import logging
from datetime import datetime

from loopwright.server.campaign import launch
from loopwright.server.clock import Clock
from loopwright.server.refusal import Refusal
from loopwright.server.store.brakes import Counted, load_counted, note_brake, rearm, take_turn
from loopwright.server.store.campaigns import lock_campaign
from loopwright.server.store.database import Connection, Pool
from loopwright.server.workflow import control

from .brake import Judgement, Tally, judge

LOOK_SECONDS = 15.0
logger = logging.getLogger("loopwright.brakes")


class Braking:
    """Looks again and again; any number share a database. What people resume is counted anew from then on."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def look(self) -> None:
        """Judge all that is sending."""
        now = self._clock.now()
        async with self._pool.acquire() as tx, tx.transaction():
            if not await take_turn(tx):
                return
            for owner_id in await rearm(tx, now=now):
                logger.info("%s goes on; its brake counts from now on", owner_id)
            for counted in await load_counted(tx, now=now):
                await _act(tx, counted, judge(*_tallies(counted)), now)


async def _act(tx: Connection, counted: Counted, judgement: Judgement | None, now: datetime) -> None:
    """Do what follows, and tell of it when it is news."""
    if judgement is None:
        if counted.state == "warned":
            await note_brake(tx, counted, "armed", "", now=now)
        return
    if judgement.action == "pause":
        await _pause(tx, counted, now)
        await note_brake(tx, counted, "braked", judgement.reason, now=now)
        logger.error("%s %s is paused: %s", counted.kind, counted.owner_id, judgement.reason)
        return
    await note_brake(tx, counted, "warned", judgement.reason, now=now)
    if counted.state != "warned":
        logger.warning("%s %s: %s", counted.kind, counted.owner_id, judgement.reason)


async def _pause(tx: Connection, counted: Counted, now: datetime) -> None:
    """Pause it as people do; somebody may just have been first."""
    try:
        if counted.kind == "workflow":
            await control.pause(tx, counted.team_id, counted.owner_id, now=now)
        elif campaign := await lock_campaign(tx, counted.team_id, counted.owner_id):
            await launch.pause(tx, campaign, now=now)
    except Refusal as refusal:
        logger.info("%s %s could not be paused: %s", counted.kind, counted.owner_id, refusal)


def _tallies(counted: Counted) -> tuple[Tally, Tally]:
    hour = Tally(
        sends=counted.hour_sends,
        complaints=counted.hour_complaints,
        hard_bounces=counted.hour_hard_bounces,
    )
    day = Tally(
        sends=counted.day_sends, complaints=counted.day_complaints, hard_bounces=counted.day_hard_bounces
    )
    return hour, day
