"""The sender: each email once, whoever else sends, and the rest of the queue whatever one server does."""

import asyncio
import time
from datetime import timedelta

import pytest

from loopwright.server.mail.compose import Composed
from loopwright.server.mail.leases import LEASE, Lease
from loopwright.server.mail.sender import PLACES
from loopwright.server.mail.transport import Held
from loopwright.server.store.deliveries import Lane, Result, claim, load_attachments, record, release, renew
from loopwright.wire.transactional import Attachment
from support.factories import OLDER_ATTACHMENT
from support.mail_office import NOW, Office, relay_to, taken_in_hand
from support.smtp_peer import Peer
from support.stored_emails import EmailRow
from support.workflows import until

LONG = timedelta(minutes=5)
OVER = timedelta(seconds=-1)


async def take(
    office: Office, token: str, *, lane: Lane = Lane.TRANSACTIONAL, lease: timedelta = LONG
) -> list[str]:
    """Claim what is due, as a sender with that token; answer with the ids."""
    async with office.pool.acquire() as tx:
        taken = await claim(tx, lane, token=token, limit=100, lease=lease, now=office.clock.now())
    return [delivery.id for delivery in taken]


def sent(email: EmailRow, token: str, **given: object) -> Result:
    values = {"id": email.id, "token": token, "status": "sent", "attempts": 1, **given}
    return Result(**values)  # type: ignore[arg-type]  # names of fields


async def test_two_senders_share_a_queue(office: Office, peer: Peer) -> None:
    """Every email goes once, whoever takes it."""
    message = await office.message()
    contacts = [await office.contact(f"p{number}@elsewhere.org") for number in range(60)]
    emails = [await office.email(message, contact) for contact in contacts]
    async with office.sending(peer.url), office.sending(peer.url):
        await until(office.is_done)
    assert sorted(peer.seen) == sorted(email.mime_id for email in emails)
    states = {(one.status, one.attempts) for one in [await office.reload(email) for email in emails]}
    assert states == {("sent", 1)}


async def test_what_is_written_before_its_turn_is_decided_as_the_rest(office: Office, peer: Peer) -> None:
    """More than there are places, which write the next ones while they send: who is to get none gets none."""
    message = await office.message()
    emails = [
        await office.email(
            message, await office.contact(f"p{number}@elsewhere.org", subscribed=number % 3 != 0)
        )
        for number in range(6 * PLACES[Lane.WORKFLOW])
    ]
    await office.deliver(peer.url)
    went = [email for number, email in enumerate(emails) if number % 3 != 0]
    assert sorted(peer.seen) == sorted(email.mime_id for email in went)
    reasons = {one.reason for one in [await office.reload(email) for email in emails]}
    assert reasons == {"", "the contact is unsubscribed"}


async def test_a_stalled_lane_holds_up_no_other(office: Office, peer: Peer) -> None:
    """Every place of a newsletter waits for a server; a password reset passes."""
    message = await office.message()
    for number in range(PLACES[Lane.WORKFLOW] + 5):
        contact = await office.contact(f"p{number}@slow.org")
        peer.stalled.add(contact.email)
        await office.email(message, contact)

    async def is_stalled() -> bool:
        return len(peer.seen) == PLACES[Lane.WORKFLOW]

    async def has_arrived() -> bool:
        return len(peer.received) == 1

    async with office.sending(peer.url, timeout=1.0):
        await until(is_stalled)
        await office.email(message, to_email="grace@elsewhere.org")
        await until(has_arrived)
        assert peer.received[0].rcpt_tos == ["grace@elsewhere.org"]


async def test_only_what_is_in_hand_is_marked(office: Office, peer: Peer) -> None:
    """While servers stall, one email for each connection may have left, and the rows say which."""
    message = await office.message()
    for number in range(PLACES[Lane.WORKFLOW] + 5):
        contact = await office.contact(f"p{number}@slow.org")
        peer.stalled.add(contact.email)
        await office.email(message, contact)

    async def is_stalled() -> bool:
        return len(peer.seen) == PLACES[Lane.WORKFLOW]

    async with office.sending(peer.url, timeout=1.0):
        await until(is_stalled)
        marked = await office.pool.fetch("SELECT mime_id FROM email WHERE status = 'sending'")
        assert sorted(row["mime_id"] for row in marked) == sorted(peer.seen)


async def test_what_a_crash_left_in_hand_goes_again(office: Office, peer: Peer) -> None:
    """Once its lease is over, with the same Message-ID; nobody takes it before."""
    email = await office.email(await office.message())
    assert await take(office, "crashed") == [email.id]
    async with office.pool.acquire() as tx:
        recorded = await record(tx, [], [taken_in_hand(email.id, "crashed")], now=NOW)
    assert recorded.in_hand == {email.id}
    assert (await office.reload(email)).status == "sending"
    assert await take(office, "early") == []
    await office.pool.execute("UPDATE email_queue SET leased_until = now()")
    await office.deliver(peer.url)
    assert peer.seen == [email.mime_id]
    assert (await office.reload(email)).status == "sent"


async def test_whoever_lost_the_lease_writes_nothing(office: Office) -> None:
    """Neither a result nor a mark: the email is somebody else's."""
    email = await office.email(await office.message())
    assert await take(office, "slow", lease=OVER) == [email.id]
    assert await take(office, "quick") == [email.id]
    async with office.pool.acquire() as tx:
        assert await renew(tx, [(email.id, "slow")], lease=LONG) == set()
        recorded = await record(tx, [sent(email, "slow")], [taken_in_hand(email.id, "slow")], now=NOW)
        assert (recorded.stored, recorded.in_hand) == (frozenset(), frozenset())
        await release(tx, [(email.id, "slow")])
        assert await renew(tx, [(email.id, "quick")], lease=LONG) == {(email.id, "quick")}
        recorded = await record(tx, [sent(email, "quick")], [], now=NOW)
    assert recorded.stored == {email.id}
    assert (await office.reload(email)).sent_at == NOW


async def test_recording_waits_for_a_renewal(office: Office) -> None:
    """A result that meets its row while its lease is being renewed is stored all the same."""
    emails = [await office.email(await office.message()) for _ in range(2)]
    await take(office, "one")
    async with office.pool.acquire() as renewing, office.pool.acquire() as tx:
        async with renewing.transaction():
            await renew(renewing, [(email.id, "one") for email in emails], lease=LONG)
            recording = asyncio.create_task(
                record(tx, [sent(emails[0], "one")], [taken_in_hand(emails[1].id, "one")], now=NOW)
            )
            await until(lambda: _is_waiting(office))
        recorded = await recording
    assert recorded.stored == {emails[0].id}
    assert recorded.in_hand == {emails[1].id}


async def _is_waiting(office: Office) -> bool:
    return bool(await office.pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))


def test_a_lease_ends_here_before_it_ends_there() -> None:
    """Unless it is renewed, and only for the emails it was renewed for."""
    lease = Lease()
    lease.ids.update({"a", "b"})
    assert lease.holds("a")
    assert not lease.holds("c")
    lease.renewed(time.monotonic(), {"a"})
    assert lease.holds("a")
    assert not lease.holds("b")
    lease.renewed(time.monotonic() - LEASE.total_seconds(), {"a"})
    assert not lease.holds("a")


async def test_without_a_lease_no_message_is_finished(peer: Peer) -> None:
    """All is said but the message, and nothing has arrived."""
    relay = relay_to(peer.url, connections=1)
    message = Composed(data=b"Subject: x\r\n\r\n", sender="a@b.org", recipient="c@d.org", copies=())

    async def never() -> bool:
        return False

    assert isinstance(await relay.send(message, never), Held)
    await relay.close()
    assert (peer.asked["rcpt"], peer.seen) == (1, [])


@pytest.mark.parametrize("reason", ["nul \x00 inside", "surrogate \udcff inside", "x" * 5_000])
async def test_whatever_a_server_said_is_stored(office: Office, reason: str) -> None:
    """A result that could not be written down would send its email again."""
    email = await office.email(await office.message())
    await take(office, "one")
    async with office.pool.acquire() as tx:
        failed = sent(email, "one", status="failed", reason=reason)
        assert (await record(tx, [failed], [], now=NOW)).stored == {email.id}
    assert (await office.reload(email)).reason.startswith(reason[:3])


async def test_attachments_travel_with_their_email(office: Office, peer: Peer) -> None:
    """In the order they were given; an email without any asks for none."""
    files = [
        Attachment(filename=f"{number}.txt", content_type="text/plain", data="SGVsbG8=")
        for number in range(3)
    ]
    message = await office.message()
    email = await office.email(message, attachments=files)
    await office.email(message)
    await office.deliver(peer.url)
    counts = {}
    for number in range(2):
        received = peer.message(number)
        counts[received["Message-ID"]] = [part.get_filename() for part in received.iter_attachments()]
    assert counts.pop(f"<{email.mime_id}>") == ["0.txt", "1.txt", "2.txt"]
    assert list(counts.values()) == [[]]


async def test_an_email_of_the_release_before_is_sent(office: Office, peer: Peer) -> None:
    """With its attachments, which that release keeps in the row."""
    message = await office.message()
    await office.pool.execute(OLDER_ATTACHMENT, office.team.id, message, NOW)
    async with office.pool.acquire() as tx:
        assert [file.data for file in await load_attachments(tx, office.team.id, "cbefore")] == ["QQ=="]
    await office.deliver(peer.url)
    assert [part.get_filename() for part in peer.message().iter_attachments()] == ["a.txt"]


async def test_what_the_release_before_has_in_hand_is_left_to_it(office: Office) -> None:
    """It holds the row while it sends; its result takes the email out of the queue."""
    email = await office.email(await office.message())
    async with office.pool.acquire() as before, office.pool.acquire() as tx:
        async with before.transaction():
            await before.fetchrow("SELECT FROM email WHERE id = $1 FOR UPDATE", email.id)
            assert await take(office, "new") == [email.id]
            assert (await record(tx, [], [taken_in_hand(email.id, "new")], now=NOW)).in_hand == frozenset()
            await before.execute("UPDATE email SET status = 'sent' WHERE id = $1", email.id)
        assert (await record(tx, [], [taken_in_hand(email.id, "new")], now=NOW)).in_hand == frozenset()
    assert await office.is_done()


async def test_a_stopped_sender_gives_back_what_it_did_not_send(office: Office, peer: Peer) -> None:
    """Others need not wait for its leases; what was in hand has its result."""
    message = await office.message()
    for number in range(40):
        await office.email(message, await office.contact(f"p{number}@elsewhere.org"))
    async with office.sending(peer.url):
        await until(lambda: _has_some(peer))
    left = await office.pool.fetch("SELECT token, status FROM email_queue JOIN email ON email.id = email_id")
    assert {(row["token"], row["status"]) for row in left} <= {(None, "queued")}
    assert len(left) == 40 - len(peer.received)
    await office.deliver(peer.url)
    assert len(set(peer.seen)) == len(peer.seen) == 40


async def _has_some(peer: Peer) -> bool:
    return len(peer.received) > 0
