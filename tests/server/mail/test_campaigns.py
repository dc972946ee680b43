"""Campaigns on their way: who gets one, once, whatever happens meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.json import encode

from loopwright.server.audience.predicate import Audience
from loopwright.server.campaign import launch
from loopwright.server.campaign.dispatcher import LATE
from loopwright.server.refusal import BadRequest, Conflict, Unprocessable
from loopwright.server.store.audience import matching
from loopwright.server.store.campaign_outcomes import load_outcomes
from loopwright.server.store.campaign_sending import queue_recipients, take_campaign
from loopwright.server.store.campaigns import CampaignRow
from loopwright.server.store.database import Connection
from loopwright.server.store.deliveries import Lane, claim, record, release
from loopwright.wire.filters import ActivityCondition, AudienceFilter, PropertyCondition
from support.content import write_message
from support.factories import add_campaign, add_list, suppress
from support.mail_office import NOW, Office, taken_in_hand
from support.newsroom import Newsroom
from support.smtp_peer import Peer
from support.workflows import until

MINUTE = timedelta(minutes=1)
ROWS_READ = """
    SELECT seq_tup_read + idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'email_unsent'
"""
"""By this connection just now, of the table that has a row for each email that did not leave."""


@pytest.fixture
def room(office: Office) -> Newsroom:
    return Newsroom(office)


async def test_from_a_draft_to_its_end(room: Newsroom, peer: Peer) -> None:
    """Members of the list who match and whom marketing reaches get it, from its message as it was then."""
    await add_list(room.pool, room.team.id, "cweekly")
    weekly: dict[str, Any] = {"mailing_lists": {"cweekly": "subscribed"}, "properties": {"plan": "pro"}}
    await room.contact("cyes", **weekly)
    await room.contact("cleft", **{**weekly, "mailing_lists": {"cweekly": "unsubscribed"}})
    await room.contact("cfree", **{**weekly, "properties": {"plan": "free"}})
    await room.contact("cgone", **weekly, subscribed=False)
    await room.contact("cwait", **weekly, opt_in_status="pending")
    await room.contact("cdead", **weekly)
    await suppress(room.pool, room.team.id, "cdead@elsewhere.org")
    pros = PropertyCondition(key="plan", operator="equals", value="PRO")
    await room.campaign(mailing_list_id="cweekly")
    pro = AudienceFilter(match="all", conditions=[pros])
    await room.pool.execute("UPDATE campaign SET filter = $1", encode(pro).decode())
    await room.send()
    message_id = (await room.row()).message_id
    await write_message(room.pool, room.team.id, message_id, now=NOW, subject="Changed")
    await room.contact("clate", **weekly | {"created_at": NOW + MINUTE})
    assert await room.stands() == ("Sending", "sending")
    await room.finish(peer)
    assert await room.emails() == {"sent": 1}
    assert ((await room.row()).recipients, peer.message()["Subject"]) == (1, "Hello")
    assert peer.message()["To"] == "cyes@elsewhere.org"
    with pytest.raises(Conflict, match="not in draft"):
        await room.send()
    got = ActivityCondition(action="sent", target="campaign", id="cnews")
    async with room.pool.acquire() as tx:
        audience = Audience(filter=AudienceFilter(match="all", conditions=[got]))
        assert await matching(tx, room.team.id, audience, ["cyes", "cfree"]) == {"cyes"}


async def test_consent_is_asked_again(room: Newsroom, peer: Peer) -> None:
    """Of each contact, when its email is about to leave."""
    await room.contacts(3)
    await room.campaign()
    await room.send()
    for _ in range(4):
        await room.turn()
    await room.pool.execute("UPDATE contact SET subscribed = false WHERE id = 'c1'")
    await room.finish(peer)
    assert await room.emails() == {"sent": 2, "skipped": 1}
    assert await room.pool.fetchval("SELECT reason FROM email WHERE status = 'skipped'") == (
        "the contact is unsubscribed"
    )


async def test_paused_and_resumed(room: Newsroom, peer: Peer) -> None:
    """Nothing waits in the queue meanwhile, and everybody gets one email; the queue holds few at a time."""
    await room.contacts(9)
    await room.campaign()
    await room.send()
    for _ in range(5):
        await room.turn()
    assert await room.emails() == {"queued": 4}
    await room.pause()
    assert await room.stands() == ("Sending", "paused")
    await room.turn()
    assert (await room.emails(), await room.pool.fetchval("SELECT count(*) FROM email_queue")) == ({}, 0)
    with pytest.raises(Conflict, match="It is paused: only one that is being sent"):
        await room.pause()
    await room.resume()
    async with room.office.sending(peer.url):

        async def is_begun() -> bool:
            await room.turn()
            return len(peer.seen) >= 3

        await until(is_begun)
        await room.pause()
    await room.resume()
    with pytest.raises(Conflict, match="nothing to resume"):
        await room.resume()
    await room.finish(peer)
    assert await room.emails() == {"sent": 9}
    assert sorted(one.rcpt_tos[0] for one in peer.received) == [f"c{n}@elsewhere.org" for n in range(9)]


async def test_whoever_dies(room: Newsroom, peer: Peer) -> None:
    """Another goes on; who was in hand is not written to again, and is marked."""
    await room.contacts(6)
    await room.campaign()
    await room.send()
    await room.turn()
    await room.turn()
    async with room.pool.acquire() as tx:
        over, now = timedelta(seconds=-1), room.office.clock.now()
        taken = await claim(tx, Lane.CAMPAIGN, token="dead", limit=2, lease=over, now=now)
        assert len(taken) == 2
        await record(tx, [], [taken_in_hand(taken[0].id, "dead")], now=now)

    async with room.pool.acquire() as tx:  # and a turn that was never committed
        turn = tx.transaction()
        await turn.start()
        row = await take_campaign(tx, room.team.id, "cnews")
        assert row
        await queue_recipients(tx, row, limit=2, now=now)
        await turn.rollback()
    await Newsroom(room.office).finish(peer)
    assert await room.emails() == {"sent": 5, "unknown": 1}
    got = [one.rcpt_tos[0] for one in peer.received]
    assert (len(got), len(set(got))) == (5, 5)
    assert taken[0].to_email not in got


async def test_two_processes_share_a_campaign(room: Newsroom, peer: Peer) -> None:
    """While one sees to it the other passes it over."""
    await room.contacts(8)
    await room.campaign()
    await room.send()
    first, second = Newsroom(room.office), Newsroom(room.office)
    await first.dispatcher.start()
    await second.dispatcher.start()

    async def is_sent() -> bool:
        return (await room.row()).status == "Sent"

    async with room.office.sending(peer.url):
        await until(is_sent, within=20)
    await first.dispatcher.stop()
    await second.dispatcher.stop()
    assert await room.emails() == {"sent": 8}
    assert len({one.rcpt_tos[0] for one in peer.received}) == 8


async def test_scheduled(room: Newsroom) -> None:
    """It begins at its time, not before; cancelled before, it is a draft again."""
    await room.contacts(1)
    await room.campaign()
    with pytest.raises(BadRequest, match="no time is planned"):
        await room.schedule(None)
    with pytest.raises(BadRequest, match="has passed"):
        await room.schedule(-MINUTE)
    await room.schedule(MINUTE)
    await room.turn()
    assert await room.stands() == ("Scheduled", "scheduled")
    await room.cancel()
    assert await room.stands() == ("Draft", "draft")
    await room.schedule(None)
    room.office.clock.advance(MINUTE)
    await room.turn()
    assert await room.stands() == ("Sending", "sending")


async def test_late(room: Newsroom) -> None:
    """One whose time was missed by more than an hour waits for somebody to say that it still may."""
    await room.contacts(1)
    await room.campaign()
    await room.schedule(MINUTE)
    room.office.clock.advance(MINUTE + LATE + MINUTE)
    await room.turn()
    await room.turn()
    assert await room.stands() == ("Scheduled", "late")
    await room.resume()
    assert await room.stands() == ("Sending", "sending")


async def test_cancelled(room: Newsroom, peer: Peer) -> None:
    """What was sent stays sent; whoever is left has an email that is skipped, queued already or not."""
    await room.contacts(9)
    await room.campaign()
    with pytest.raises(Conflict, match="It is draft: there is nothing to cancel"):
        await room.cancel()
    await room.send()
    await room.turn()
    await room.turn()
    async with room.pool.acquire() as tx:
        over, now = timedelta(seconds=-1), room.office.clock.now()
        [in_hand] = await claim(tx, Lane.CAMPAIGN, token="one", limit=1, lease=over, now=now)
    await room.cancel()
    assert await room.stands() == ("Sending", "cancelled")
    with pytest.raises(Conflict, match="It is cancelled: there is nothing to cancel"):
        await room.cancel()
    for _ in range(6):
        await room.turn()
    assert (await room.row()).queued_at is not None
    assert await room.stands() == ("Sending", "cancelled")  # somebody has one in hand
    async with room.pool.acquire() as tx:
        await release(tx, [(in_hand.id, "one")])
    await room.turn()
    await room.turn()
    assert await room.stands() == ("Sent", "cancelled")
    await room.office.deliver(peer.url)
    assert await room.emails() == {"skipped": 9}
    assert await reasons(room) == {"the campaign was cancelled"}
    async with room.pool.acquire() as tx, tx.transaction():
        before = await tx.fetchval(ROWS_READ)
        outcomes = await load_outcomes(tx, await room.row())
        rows_read = await tx.fetchval(ROWS_READ) - before
    assert outcomes.reasons == {"the campaign was cancelled": 9}
    assert rows_read == 0
    assert await room.pool.fetchval("SELECT count(*) FROM email_queue") == 0
    assert peer.received == []


async def reasons(room: Newsroom) -> set[str]:
    return {row["reason"] for row in await room.pool.fetch("SELECT DISTINCT reason FROM email")}


async def test_unconfirmed_contacts_are_counted(room: Newsroom, peer: Peer) -> None:
    """Whoever has yet to confirm gets nothing and is no recipient, but is told apart from those not meant."""
    await add_list(room.pool, room.team.id, "cweekly")
    await room.contact("cyes", mailing_lists={"cweekly": "subscribed"})
    await room.contact("cwait", mailing_lists={"cweekly": "pending"}, opt_in_status="pending")
    await room.contact("celse", opt_in_status="pending")
    await room.contact(
        "cno", mailing_lists={"cweekly": "pending"}, opt_in_status="rejected", subscribed=False
    )
    await room.campaign(mailing_list_id="cweekly")
    await room.send()
    await room.finish(peer)
    row = await room.row()
    assert (row.recipients, row.unconfirmed) == (1, 1)
    assert await room.emails() == {"sent": 1}


async def test_to_those_who_joined_since(room: Newsroom, peer: Peer) -> None:
    """Whoever is in its audience now and was not then, however old; it says what it said."""
    await add_list(room.pool, room.team.id, "cweekly")
    on_list: dict[str, Any] = {"mailing_lists": {"cweekly": "subscribed"}}
    await room.contact("cb", **on_list)
    await room.contact("ca")
    await room.campaign(mailing_list_id="cweekly")

    async def again() -> None:
        async def act(tx: Connection, row: CampaignRow) -> None:
            await launch.send_to_joined(tx, room.team, row, relay_url=None, now=room.office.clock.now())

        await room.ask(act)

    with pytest.raises(Conflict, match="It is draft"):
        await again()
    await room.send()
    await room.finish(peer)
    with pytest.raises(Unprocessable, match="nobody whom marketing email reaches has joined"):
        await again()
    await write_message(room.pool, room.team.id, (await room.row()).message_id, now=NOW, subject="Changed")
    await room.pool.execute(
        "UPDATE contact SET mailing_lists = $1 WHERE id = 'ca'", '{"cweekly": "subscribed"}'
    )
    room.office.clock.advance(MINUTE)
    await room.contact("cc", **on_list | {"created_at": NOW + MINUTE})
    await again()
    assert await room.stands() == ("Sending", "sending")
    await room.finish(peer)
    assert sorted(one.rcpt_tos[0][:2] for one in peer.received) == ["ca", "cb", "cc"]
    assert {peer.message(number)["Subject"] for number in range(3)} == {"Hello"}
    assert (await room.row()).recipients == 3


@pytest.mark.parametrize("paused", [False, True])
async def test_sent_again_to_those_who_got_nothing(room: Newsroom, peer: Peer, *, paused: bool) -> None:
    """Only emails of that status, as there is room; a pause leaves them as they were, for later."""
    await room.contacts(7)
    await room.campaign()

    async def again() -> None:
        await room.ask(lambda tx, row: launch.retry(tx, row, "failed", now=room.office.clock.now()))

    with pytest.raises(Conflict, match="It is draft"):
        await again()
    await room.send()
    peer.answers["data"] = ["554 5.6.0 we do not like what it says"] * 5
    await room.finish(peer)
    room.office.clock.advance(MINUTE)
    await again()
    assert await room.stands() == ("Sending", "sending")
    with pytest.raises(Conflict, match="that were failed are being sent again"):
        await room.ask(lambda tx, row: launch.retry(tx, row, "unknown", now=room.office.clock.now()))
    if paused:
        await room.turn()
        await room.turn()
        assert await room.emails() == {"queued": 4, "failed": 1, "sent": 2}
        await room.pause()
        assert await room.emails() == {"failed": 5, "sent": 2}
        await room.resume()
    await room.finish(peer)
    assert await room.emails() == {"sent": 7}
    assert len(peer.received) == 7


async def test_all_that_stands_in_its_way(room: Newsroom) -> None:
    """Told at once: content, what the team lacks, an audience of nobody. A draft is left as it is."""
    await add_campaign(room.pool, room.team.id, "cnews")
    with pytest.raises(Unprocessable) as caught:
        await room.send(relay_url="http://here")
    for reason in ("subject is empty", "fromEmail is empty", "lmx is empty", "no sending domain", "https"):
        assert reason in caught.value.message
    assert "reaches nobody in its audience" in caught.value.message
    assert await room.stands() == ("Draft", "draft")
