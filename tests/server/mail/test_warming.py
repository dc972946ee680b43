"""The warm-up plan with real emails: caps that all senders keep together, and email that waits."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from loopwright.server.campaign.dispatcher import Sizes
from loopwright.server.mail.warming import Standing, keep_levels, let_in, load_standing
from loopwright.server.runtime.housekeeping import COUNTERS_KEPT
from loopwright.server.store import waiting
from loopwright.server.store.brakes import delete_counters
from loopwright.server.store.deliveries import Lane, claim, record
from loopwright.server.store.warm_ups import WarmUpRow, find_warm_up
from loopwright.server.team_settings import SettingChanges, WarmUpChanges, change_team
from support.factories import add_facts_of
from support.mail_office import Office, taken_in_hand
from support.newsroom import Newsroom
from support.smtp_peer import Peer
from support.workflows import until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class WarmRoom(Newsroom):
    """A newsroom whose team has a warm-up plan: ten a day, four an hour."""

    async def plan(self, **given: Any) -> None:
        await self.change({"per_day": 10, "per_hour": 4, **given})

    async def change(self, given: dict[str, Any]) -> None:
        await self.settings(warm_up=WarmUpChanges(**given))

    async def settings(self, **given: Any) -> None:
        async with self.pool.acquire() as tx, tx.transaction():
            changes = SettingChanges(**given)
            await change_team(tx, self.team.id, changes, now=self.office.clock.now())

    async def standing(self) -> Standing:
        async with self.pool.acquire() as tx:
            found = await load_standing(tx, self.team.id, now=self.office.clock.now())
        assert found
        return found

    async def warm_up(self) -> WarmUpRow:
        async with self.pool.acquire() as tx:
            found = await find_warm_up(tx, self.team.id)
        assert found
        return found

    async def begun(self, contacts: int) -> None:
        """A campaign to so many, all of them queued."""
        await self.contacts(contacts)
        await self.campaign()
        await self.send()
        for _ in range(3):
            await self.turn()

    async def sent_now(self, peer: Peer) -> int:
        """How many leave before the clock is moved, by two senders at once."""
        before = len(peer.received)
        async with self.pool.acquire() as tx:
            await waiting.tell(tx)
        async with self.office.sending(peer.url), self.office.sending(peer.url):
            await until(self.office.is_done)
        return len(peer.received) - before


@pytest.fixture
def room(office: Office) -> WarmRoom:
    return WarmRoom(office, Sizes(contacts=100, emails=100, room=200))


async def test_two_senders_keep_the_caps_together(room: WarmRoom, peer: Peer) -> None:
    """Hour by hour and day by day as foretold, more on the second day; nobody is left out, nobody has two."""
    await room.plan()
    await room.begun(31)
    foretold = (await room.standing()).through_at
    assert foretold
    sent = Counter({0: await room.sent_now(peer)})
    assert sent[0] == 4
    standing = await room.standing()
    assert (standing.sent_in_hour, standing.sent_in_day, standing.to_come) == (4, 4, 27)
    assert standing.next_at
    assert HOUR <= standing.next_at - room.office.clock.now() <= HOUR + timedelta(minutes=5)
    began = room.office.clock.now()
    while (left := await room.pool.fetchval("SELECT min(due_at) FROM email_queue")) is not None:
        room.office.clock.advance(left - room.office.clock.now())
        sent[(room.office.clock.now() - began) // HOUR] += await room.sent_now(peer)
        last = room.office.clock.now()
    assert [sent[hour] for hour in (1, 2, 3)] == [4, 2, 0]
    assert last == foretold
    assert (await room.warm_up()).cap == 22
    assert await room.is_over()
    assert len({one.rcpt_tos[0] for one in peer.received}) == len(peer.received) == 31


async def test_whoever_is_skipped_takes_nobodys_turn(room: WarmRoom, peer: Peer) -> None:
    """Neither at once nor at a later turn: others go instead, and no more than may."""

    async def leave(count: int) -> None:
        """The next contacts leave."""
        await room.pool.execute(
            """
            UPDATE contact SET subscribed = false
             WHERE id IN (SELECT contact_id FROM email JOIN email_queue ON email_id = email.id
                           ORDER BY due_at, email_id LIMIT $1)
            """,
            count,
        )

    await room.plan(per_day=30)
    await room.begun(20)
    await leave(3)
    assert await room.sent_now(peer) == 4
    assert await room.emails() == {"queued": 13, "skipped": 3, "sent": 4}
    await leave(2)
    turn = await room.pool.fetchval("SELECT min(due_at) FROM email_queue")
    room.office.clock.advance(turn - room.office.clock.now())
    assert await room.sent_now(peer) == 4
    assert await room.emails() == {"queued": 7, "skipped": 5, "sent": 8}
    assert (await room.standing()).sent_in_hour == 4


async def test_transactional_email_does_not_wait(room: WarmRoom, peer: Peer) -> None:
    """Nor does it count, nor does the email of another team wait."""
    await room.plan()
    await room.begun(9)
    assert await room.sent_now(peer) == 4
    for _ in range(3):
        await room.office.email(await room.office.message())
    assert await room.sent_now(peer) == 3
    assert (await room.standing()).sent_in_day == 4


async def test_what_many_took_at_once(room: WarmRoom) -> None:
    """Each has a part of what is allowed, and none what another has; the rest is due later, in order."""
    await room.plan()
    await room.begun(20)
    now, kept = room.office.clock.now(), 0
    for token in ("one", "two", "three"):
        async with room.pool.acquire() as tx:
            taken = await claim(tx, Lane.CAMPAIGN, token=token, limit=3, lease=HOUR, now=now)
        kept += len(await let_in(room.pool, Lane.CAMPAIGN, taken, now=now))
    assert kept == 4
    assert await room.office.is_done() is False  # the four in hand
    rows = await room.pool.fetch("SELECT due_at FROM email_queue WHERE NOT admitted ORDER BY due_at")
    times = [row["due_at"] for row in rows]
    assert times[0] > now
    assert list(Counter(times).values()) == [4, 2, 5, 4, 1]


async def test_whoever_dies(room: WarmRoom, peer: Peer) -> None:
    """What it had in hand counts, goes on to another unless it may have left, and is not counted twice."""
    await room.plan()
    await room.begun(9)
    now = room.office.clock.now()
    async with room.pool.acquire() as tx:
        taken = await claim(tx, Lane.CAMPAIGN, token="dead", limit=3, lease=timedelta(seconds=-1), now=now)
        assert len(await let_in(room.pool, Lane.CAMPAIGN, taken, now=now)) == 3
        await record(tx, [], [taken_in_hand(taken[0].id, "dead")], now=now)
    assert await room.sent_now(peer) == 3
    assert await room.emails() == {"queued": 5, "sent": 3, "unknown": 1}
    assert (await room.standing()).sent_in_hour == 4
    room.office.clock.advance(HOUR + timedelta(minutes=5))
    assert await room.sent_now(peer) == 4


async def test_paused_and_cancelled_while_it_waits(room: WarmRoom, peer: Peer) -> None:
    """What waits for its turn is taken back like all that waits, and skipped at the end."""
    await room.plan()
    await room.begun(12)
    assert await room.sent_now(peer) == 4
    await room.pause()
    assert await room.emails() == {"sent": 4}
    room.office.clock.advance(DAY)
    assert await room.sent_now(peer) == 0
    await room.resume()
    await room.turn()
    assert await room.sent_now(peer) == 4
    await room.cancel()
    for _ in range(3):
        await room.turn()
    assert await room.stands() == ("Sent", "cancelled")
    assert await room.emails() == {"sent": 8, "skipped": 4}


async def test_without_the_plan_nothing_waits(room: WarmRoom, peer: Peer) -> None:
    """Taken away, and when it is through; changed, it goes on from where it is."""
    await room.plan()
    await room.begun(12)
    assert await room.sent_now(peer) == 4
    await room.change({"per_hour": 6})
    assert await room.sent_now(peer) == 2
    assert (await room.warm_up()).cap == 10
    await room.settings(warm_up="off")
    assert await room.sent_now(peer) == 6
    with pytest.raises(ValueError, match="no warm-up plan to change"):
        await room.change({"growth": 10})
    with pytest.raises(ValueError, match="no more an hour than a day"):
        await room.plan(per_hour=11)


async def test_growth_stops_on_what_comes_back(room: WarmRoom) -> None:
    """A day with complaints leaves the next as it is; levels are kept before what they are made of goes."""
    await room.plan()
    await room.campaign()
    message_id = (await room.row()).message_id
    clock = room.office.clock

    async def day(sent: int, **came_back: int) -> int:
        await add_facts_of(
            room.pool, room.team.id, message_id, "campaign", sent, now=clock.now(), **came_back
        )
        clock.advance(DAY)
        await keep_levels(room.pool, now=clock.now())
        async with room.pool.acquire() as tx:
            await delete_counters(tx, clock.now() - COUNTERS_KEPT, 1000)
        return (await room.warm_up()).cap

    assert await day(10) == 15
    assert await day(15, complained=2) == 15
    assert await day(5) == 15
    assert await day(15) == 22
    await add_facts_of(room.pool, room.team.id, message_id, "campaign", 20, bounced=5, now=clock.now())
    assert (await room.standing()).held_back == "5 hard bounces of 20 emails today"
    await room.change({"until": 23})
    clock.advance(DAY)
    assert await day(22) == 23
    async with room.pool.acquire() as tx:
        assert await load_standing(tx, room.team.id, now=clock.now()) is None
