"""Keeping a team's marketing email to its warm-up plan: who may go now is settled where emails are taken.

    claimed ──▶ the plan's row, locked ──▶ admitted, which counts at once ──▶ sent, which a counter counts
                                     └───▶ put off, each email until its own turn

Whoever is to get nothing takes nobody's turn: those that wait move up. What is admitted and what was sent are
never more than the cap together, whoever asks, and one commit makes the one of the other. Who waits has a
time, so that nobody else's email waits behind it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.store import warm_ups
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.deliveries import Delivery, Lane
from loopwright.server.store.warm_ups import WarmUpRow

from .decide import reason_to_skip
from .warm_up import (
    DAY,
    SPAN,
    Level,
    Plan,
    Span,
    advanced,
    allowed,
    forecast,
    held_back,
    is_over,
)

AT_ONCE = 2_000
"""Emails that are put off, or move up, by one statement."""


class Standing(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a team stands with its plan: the caps of today, what was sent of the last hour and 24 hours, and
    `to_come`, all marketing emails that it has yet to send.

    `next_at` is when something that waits may go, and `through_at` when all of it is through, if nothing
    comes back, both to the minute; None when nothing waits, the latter when that takes more than a year, too.
    `held_back` is why tomorrow will have no more.
    """

    per_hour: int
    per_day: int
    sent_in_hour: int
    sent_in_day: int
    to_come: int
    next_at: datetime | None
    through_at: datetime | None
    held_back: str


async def let_in(
    pool: Pool, lane: Lane, deliveries: Sequence[Delivery], *, now: datetime
) -> Sequence[Delivery]:
    """Those of the emails just taken that may be begun now; the others wait. Transactional ones never do."""
    if lane is Lane.TRANSACTIONAL:
        return deliveries
    warming = sorted({delivery.team_id for delivery in deliveries if delivery.is_warming})
    kept = [delivery for delivery in deliveries if not delivery.is_warming]
    for team_id in warming:
        taken = [delivery for delivery in deliveries if delivery.team_id == team_id]
        async with pool.acquire() as tx, tx.transaction():
            kept += await _let_in(tx, team_id, lane, taken, now)
    return kept


async def load_standing(tx: Connection, team_id: str, *, now: datetime) -> Standing | None:
    """Where the team stands; None when it has no plan, or is through with it."""
    row = await warm_ups.find_warm_up(tx, team_id)
    if row is None:
        return None
    plan, level, in_hand, sent = await _today(tx, row, now)
    if is_over(plan, level):
        return None
    to_come = await warm_ups.count_to_come(tx, team_id)
    turns = forecast(plan, level, sent, in_hand, to_come, now=now)
    return Standing(
        per_hour=plan.per_hour_of(level.cap),
        per_day=level.cap,
        sent_in_hour=_sum_since(sent, now, 12),
        sent_in_day=_sum_since(sent, now, 288),
        to_come=to_come,
        next_at=_minute(turns[0].at) if turns else None,
        through_at=_minute(turns[-1].at) if turns and sum(turn.emails for turn in turns) == to_come else None,
        held_back=held_back(sent, now=now),
    )


async def keep_levels(pool: Pool, *, now: datetime) -> None:
    """Write the levels of today, before what they are made of is forgotten."""
    async with pool.acquire() as tx:
        left_behind = await warm_ups.load_left_behind(tx, now.date())
    for team_id in left_behind:
        async with pool.acquire() as tx, tx.transaction():
            row = await warm_ups.lock_warm_up(tx, team_id)
            if row is not None:
                await _today_kept(tx, row, now)


def plan_of(row: WarmUpRow) -> Plan:
    """What was planned."""
    return Plan(per_day=row.per_day, per_hour=row.per_hour, growth=row.growth, until=row.until)


def level_of(row: WarmUpRow) -> Level:
    """How far it has come."""
    return Level(cap=row.cap, day=row.day)


async def _let_in(
    tx: Connection, team_id: str, lane: Lane, taken: Sequence[Delivery], now: datetime
) -> Sequence[Delivery]:
    row = await warm_ups.lock_warm_up(tx, team_id)
    if row is None:
        return taken
    plan, level, in_hand, sent = await _today_kept(tx, row, now)
    free = allowed(plan, level, sent, in_hand, now=now)
    if free is None:
        return taken
    token = taken[0].token
    known = await warm_ups.load_admitted(tx, [delivery.id for delivery in taken], token)
    skipped = {delivery.id for delivery in taken if reason_to_skip(delivery)} - known
    asking = [delivery for delivery in taken if delivery.id not in known | skipped]
    let_in, refused = asking[:free], asking[free:]
    await warm_ups.admit(tx, [delivery.id for delivery in let_in], token)
    if refused:
        ahead = await warm_ups.count_waiting(tx, team_id, lane, now=now)
        turns = forecast(plan, level, sent, in_hand + len(let_in), ahead + AT_ONCE, now=now)
        times = [turn.at for turn in turns for _ in range(turn.emails)][ahead:]
        times += [turns[-1].at] * (AT_ONCE - len(times))
        await warm_ups.put_off(tx, team_id, lane, token, [one.id for one in refused], times, now=now)
    elif vacant := min(free - len(let_in), len(skipped)):
        await warm_ups.move_up(tx, team_id, vacant, most=AT_ONCE, now=now)
    kept = known | skipped | {delivery.id for delivery in let_in}
    return [delivery for delivery in taken if delivery.id in kept]


class _Today(NamedTuple):
    """A plan with the level of today, what senders have in hand, and what was sent lately."""

    plan: Plan
    level: Level
    in_hand: int
    sent: Sequence[Span]


async def _today(tx: Connection, row: WarmUpRow, now: datetime) -> _Today:
    plan, level = plan_of(row), level_of(row)
    since = min(now - DAY - SPAN, datetime.combine(row.day, time(), UTC))
    in_hand, rows = await warm_ups.load_sent(tx, row.team_id, since=since)
    sent = [
        Span(since=one.since, sends=one.sends, complaints=one.complaints, hard_bounces=one.hard_bounces)
        for one in rows
    ]
    return _Today(plan, advanced(plan, level, sent, now=now), in_hand, sent)


async def _today_kept(tx: Connection, row: WarmUpRow, now: datetime) -> _Today:
    today = await _today(tx, row, now)
    if today.level.day != row.day:
        await warm_ups.save_warm_up(tx, replace(row, cap=today.level.cap, day=today.level.day))
        if is_over(today.plan, today.level):
            await warm_ups.let_go(tx, row.team_id, now=now)
    return today


def _minute(at: datetime) -> datetime:
    """The next full minute, or the moment when it is one."""
    before = at - timedelta(microseconds=1)
    return before.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _sum_since(sent: Sequence[Span], now: datetime, spans: int) -> int:
    return sum(span.sends for span in sent if span.since + SPAN > now - spans * SPAN)
