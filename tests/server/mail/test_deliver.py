"""Delivery: each email once, to whom it may go, by the right way."""

from datetime import timedelta
from email import message_from_bytes

import pytest

from loopwright.ids import new_id
from loopwright.server.mail.retry import FIRST_WAIT, GiveUp
from loopwright.server.store.jobs import DeliverEmail
from loopwright.server.store.suppressions import is_suppressed, suppress
from loopwright.server.store.teams import TeamRow, insert_team
from support.factories import stop_marketing
from support.mail_office import NOW, Office
from support.smtp_peer import Peer
from support.stored_emails import EmailRow
from support.workflows import until


async def facts(office: Office, email: EmailRow) -> list[tuple[str, str | None, str]]:
    """What was written down to have happened to an email: kind, contact, reply."""
    rows = await office.pool.fetch(
        "SELECT kind, contact_id, detail ->> 'reply' AS reply FROM fact WHERE email_id = $1 ORDER BY id",
        email.id,
    )
    return [(row["kind"], row["contact_id"], row["reply"]) for row in rows]


async def test_an_email_goes_out_with_its_own_values(office: Office, peer: Peer) -> None:
    """Contact and event values arrive, in subject, text and HTML, over real SMTP."""
    message = await office.message(
        "<H1>Hi {contact.firstName}</H1><Paragraph>{event.plan} since {event.at}, {event.price}, "
        "{event.paid} &amp; {contact.shoeSize}</Paragraph>",
        subject="Welcome, {contact.firstName}!",
        reply_to_email="help@elsewhere.org",
    )
    contact = await office.contact(first_name="Zoë <3", properties={"shoeSize": 38.5})
    email = await office.email(
        message,
        contact,
        event_properties={"plan": "Pro", "at": "2026-01-02T00:00:00.000Z", "price": 12.0, "paid": True},
    )

    await office.deliver(peer.url)

    received = peer.message()
    assert received["Subject"] == "Welcome, Zoë <3!"
    assert received["To"] == "ada@elsewhere.org"
    assert received["From"] == "Loopwright <team@mail.elsewhere.org>"
    assert received["Reply-To"] == "help@elsewhere.org"
    assert received["Message-ID"] == f"<{email.id}@mail.elsewhere.org>"
    assert received["Date"].datetime == NOW
    assert "Hi Zoë <3\n\nPro since 2026-01-02, 12, true & 38.5\n" in peer.text()
    assert "Hi Zoë &lt;3</h1>" in peer.text(kind="html")
    sent = await office.reload(email)
    assert (sent.status, sent.attempts, sent.subject, sent.sent_at) == ("sent", 1, received["Subject"], NOW)
    assert await office.received(email) == []


@pytest.mark.parametrize("kind", ["marketing", "transactional"])
async def test_icons_come_from_the_server(office: Office, peer: Peer, kind: str) -> None:
    """Readers load them from its public address, whatever kind of email it is."""
    message = await office.message('<Icons><Icon name="rss" href="elsewhere.org/feed"/></Icons>')
    contact = await office.contact() if kind == "marketing" else None
    await office.email(message, contact)

    await office.deliver(peer.url)

    assert f' src="{office.public_url}/icons/rss-gray.png"' in peer.text(kind="html")
    assert "RSS: https://elsewhere.org/feed\n" in peer.text()


async def test_lists_of_an_event_are_repeated(office: Office, peer: Peer) -> None:
    """From the stored row, null fields and all; one that is no list is missed by its name."""
    words = "{contact.firstName}: {event.items[].name}."
    message = await office.message(f'<For variable="{{event.items}}"><Paragraph>{words}</Paragraph></For>')
    contact = await office.contact()
    items = [{"name": "<Tea>", "count": 2}, {"name": None}, {"name": "Milk"}]
    sent = await office.email(message, contact, event_properties={"items": items})
    skipped = await office.email(message, contact, event_properties={"items": "Tea"})
    await office.deliver(peer.url)
    assert peer.text().startswith("Ada: <Tea>.\n\nAda: .\n\nAda: Milk.\n")
    assert (await office.reload(sent)).status == "sent"
    missing = await office.reload(skipped)
    assert missing.status == "skipped"
    assert "{event.items}" in missing.reason


async def test_one_bad_reply_address_is_told_and_the_email_goes(office: Office, peer: Peer) -> None:
    """It came as a value; what a reader cannot answer to is no reason to send nothing."""
    message = await office.message(reply_to_email="{contact.replyTo}", cc_email="{contact.boss}")
    contact = await office.contact(properties={"replyTo": "m\u00fcller@x.org", "boss": "no address"})
    email = await office.email(message, contact)
    await office.deliver(peer.url)
    assert peer.message()["Reply-To"] is None
    sent = await office.reload(email)
    assert sent.status == "sent"
    assert (
        "without Reply-To 'm\u00fcller@x.org': the part before the @ has letters outside ASCII" in sent.reason
    )
    assert "without Cc 'no address'" in sent.reason


async def test_domains_of_every_language_are_written_as_dns_knows_them(office: Office, peer: Peer) -> None:
    await office.email(await office.message(), await office.contact(email="info@fa\u00df.test"))
    await office.deliver(peer.url)
    assert peer.message()["To"] == "info@xn--fa-hia.test"


async def test_without_an_smtp_url_everything_stays_here(office: Office) -> None:
    """The inbox holds the very bytes that would have left."""
    email = await office.email(await office.message(), await office.contact())
    await office.deliver()
    [row] = await office.received(email)
    assert (row.team_id, row.subject, row.to_email) == (office.team.id, "Hello", "ada@elsewhere.org")
    assert message_from_bytes(row.raw)["Message-ID"] == f"<{email.mime_id}>"
    assert row.raw.endswith(b"--\r\n")


@pytest.mark.parametrize("address", ["ada@example.com", "Ada@TEST.com"])
async def test_addresses_of_nobody_never_leave(office: Office, peer: Peer, address: str) -> None:
    """Whatever the SMTP URL says, tests and demos write to the inbox."""
    email = await office.email(await office.message(), await office.contact(address))
    await office.deliver(peer.url)
    assert peer.received == []
    assert len(await office.received(email)) == 1
    assert (await office.reload(email)).status == "sent"


async def test_a_copy_for_nobody_does_not_leave_either(office: Office, peer: Peer) -> None:
    """CC and BCC are in the envelope, but for addresses that stay here."""
    message = await office.message(cc_email="boss@elsewhere.org", bcc_email="log@example.com")
    await office.email(message)
    await office.deliver(peer.url)
    assert peer.received[0].rcpt_tos == ["grace@elsewhere.org", "boss@elsewhere.org"]
    assert peer.message()["Cc"] == "boss@elsewhere.org"
    assert "Bcc" not in peer.message()


async def test_many_jobs_for_one_email_send_it_once(office: Office, peer: Peer) -> None:
    """Jobs of the release before do no more than wake a sender, however many there are of both."""
    email = await office.email(await office.message(), await office.contact())
    async with office.sending(peer.url) as sender, office.sending(peer.url) as other:
        for one in (sender, other) * 4:
            await one.wake(DeliverEmail(team_id=email.team_id, email_id=email.id))
        await until(office.is_done)
    await office.deliver(peer.url)
    assert len(peer.received) == 1
    assert (await office.reload(email)).attempts == 1


async def test_a_cause_has_one_email(office: Office) -> None:
    """Queueing the same cause again changes nothing and enqueues nothing."""
    message = await office.message()
    first = await office.email(message, cause="run:a:b")
    again = await office.email(message, cause="run:a:b", to_email="other@elsewhere.org")
    assert again == first
    assert await office.pool.fetchval("SELECT count(*) FROM email_queue") == 1


@pytest.mark.parametrize(
    ("state", "list_state", "reason"),
    [
        pytest.param({"subscribed": False}, None, "the contact is unsubscribed", id="unsubscribed"),
        pytest.param({"opt_in_status": "pending"}, None, "opt-in is pending", id="opt-in pending"),
        pytest.param({"opt_in_status": "rejected"}, None, "opt-in is rejected", id="opt-in rejected"),
        pytest.param({}, "unsubscribed", "not on the mailing list", id="left the list"),
        pytest.param({}, "opted_out", "not on the mailing list", id="opted out of the list"),
    ],
)
async def test_marketing_needs_a_subscription(
    office: Office, peer: Peer, state: dict[str, object], list_state: str | None, reason: str
) -> None:
    """Marketing is skipped and says why; the same contact gets transactional email."""
    lists = {"list-1": list_state} if list_state else {}
    contact = await office.contact("ada@elsewhere.org", **state, mailing_lists=lists)
    message = await office.message()
    marketing = await office.email(message, contact, mailing_list_id="list-1" if list_state else None)
    transactional = await office.email(message, contact, kind="transactional")
    await office.deliver(peer.url)
    skipped = await office.reload(marketing)
    assert skipped.status == "skipped"
    assert reason in skipped.reason
    assert (await office.reload(transactional)).status == "sent"
    assert len(peer.received) == 1


async def test_nothing_goes_to_a_suppressed_address(office: Office, peer: Peer) -> None:
    """Marketing or transactional: suppressed is suppressed, in this team."""
    async with office.pool.acquire() as tx:
        await suppress(tx, office.team.id, "ada@elsewhere.org", reason="complaint", now=NOW)
    contact, message = await office.contact(), await office.message()
    for email in (
        await office.email(message, contact),
        await office.email(message, contact, kind="transactional"),
        await office.email(message, to_email="Ada@Elsewhere.org"),
    ):
        await office.deliver(peer.url)
        assert "suppressed" in (await office.reload(email)).reason
    assert peer.received == []


async def test_no_marketing_goes_to_an_address_that_bounces_softly(office: Office, peer: Peer) -> None:
    """Again and again, for a week: its owner still gets what is about an account."""
    await stop_marketing(office.pool, office.team.id, "ada@elsewhere.org", now=NOW)
    contact, message = await office.contact(), await office.message()
    marketing = await office.email(message, contact)
    account = await office.email(message, contact, kind="transactional")
    await office.deliver(peer.url)
    skipped = await office.reload(marketing)
    assert (skipped.status, "feedback release" in skipped.reason) == ("skipped", True)
    assert (await office.reload(account)).status == "sent"
    assert len(peer.received) == 1


async def test_a_deleted_contact_gets_no_marketing(office: Office, peer: Peer) -> None:
    contact = await office.contact()
    email = await office.email(await office.message(), contact)
    async with office.pool.acquire() as tx:
        await tx.execute("DELETE FROM contact")
    await office.deliver(peer.url)
    assert (await office.reload(email)).reason == "the contact was deleted"


async def test_marketing_follows_a_contact_to_its_new_address(office: Office, peer: Peer) -> None:
    """An address that changes between queueing and delivery is written to no more."""
    contact = await office.contact()
    email = await office.email(await office.message(), contact)
    async with office.pool.acquire() as tx:
        await tx.execute("UPDATE contact SET email = 'ada@new.org'")
    await office.deliver(peer.url)
    assert peer.received[0].rcpt_tos == ["ada@new.org"]
    assert (await office.reload(email)).to_email == "ada@new.org"


async def test_a_missing_variable_sends_nothing_and_says_so(office: Office, peer: Peer) -> None:
    """All missing variables are named on the row; one with a fallback is not missing."""
    message = await office.message(
        "<Paragraph>{contact.firstName} {contact.team} {event.plan}</Paragraph>",
        subject="{event.title}",
        event_fallbacks={"plan": "Free"},
    )
    email = await office.email(message, await office.contact(first_name=""))
    await office.deliver(peer.url)
    skipped = await office.reload(email)
    assert skipped.status == "skipped"
    assert skipped.reason.endswith("for {contact.firstName}, {contact.team}, {event.title}")
    assert peer.received == []


async def test_content_with_mistakes_fails_with_all_of_them(office: Office, peer: Peer) -> None:
    email = await office.email(await office.message("<Paragraf>x</Paragraf>\n<Image/>"))
    await office.deliver(peer.url)
    failed = await office.reload(email)
    assert failed.status == "failed"
    assert "line 1, column 1" in failed.reason
    assert "line 2, column 1" in failed.reason


async def test_an_address_smtp_cannot_carry_fails(office: Office, peer: Peer) -> None:
    email = await office.email(await office.message(), to_email="ödön@elsewhere.org")
    await office.deliver(peer.url)
    assert (await office.reload(email)).status == "failed"


async def test_footer_and_unsubscribe_link_are_in_marketing_only(office: Office, peer: Peer) -> None:
    """RFC 8058 headers, address and link in the one; no trace of them in the other."""
    message, contact = await office.message(), await office.contact()
    async with office.pool.acquire() as tx:
        await tx.execute("UPDATE team SET company = 'Engines & Co', address = E'12 Square\\nLondon'")
    marketing = await office.email(message, contact)
    await office.deliver(peer.url)
    await office.email(message, contact, kind="transactional")
    await office.deliver(peer.url)
    first, second = peer.message(0), peer.message(1)
    link = str(first["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"https://mail.example.org/unsubscribe/{office.team.id}.{marketing.id}.")
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        assert link in peer.text(0, kind=kind)
        assert "London" in peer.text(0, kind=kind)
        assert "nsubscribe" not in peer.text(1, kind=kind)
        assert "London" not in peer.text(1, kind=kind)
    assert second["List-Unsubscribe"] is None
    assert second["List-Unsubscribe-Post"] is None


@pytest.mark.parametrize(
    ("stage", "answer", "tries"),
    [
        ("mail", "421 too busy", 0),
        ("mail", "450 4.7.1 too much mail", 0),
        ("mail", "hang up", 0),
        ("rcpt", "450 greylisted", 1),
        ("rcpt", "452 4.2.2 mailbox full", 1),
        ("rcpt", "hang up", 0),
        ("data", "451 try later", 1),
        ("data", "421 4.3.2 closing", 0),
        ("data", "hang up", 1),
        ("data", "wait", 1),
        ("rcpt", "550 5.7.1 relaying denied", 0),
        ("rcpt", "550 relay not permitted", 0),
        ("rcpt", "530 sign in first", 0),
        ("rcpt", "550 5.1.8 Sender address rejected: Domain not found", 1),
        ("rcpt", "552 5.2.2 mailbox full", 1),
        ("mail", "550 sender unknown", 1),
        ("data", "550 5.4.5 daily sending quota exceeded", 1),
    ],
)
async def test_what_is_not_for_the_recipient_costs_neither_email_nor_contact(
    office: Office, peer: Peer, stage: str, answer: str, tries: int
) -> None:
    """The row stays queued and says what it met; the next attempt carries the same Message-ID.

    What the relay says of all email is no try of this one.
    """
    email = await office.email(await office.message(), await office.contact())
    peer.answers[stage].append(answer)
    await office.deliver(peer.url, timeout=0.5)
    assert await office.due_in(email) <= FIRST_WAIT
    waiting = await office.reload(email)
    assert (waiting.status, waiting.attempts) == ("queued", tries)
    assert answer in waiting.reason or "broken off at" in waiting.reason
    office.clock.advance(FIRST_WAIT)
    await office.deliver(peer.url)
    sent = await office.reload(email)
    assert (sent.status, sent.attempts, sent.reason) == ("sent", tries + 1, "")
    assert await facts(office, email) == [("email_sent", email.contact_id, "")]
    assert len(peer.received) == 1
    assert peer.message()["Message-ID"] == f"<{email.mime_id}>"
    assert office.left == []
    async with office.pool.acquire() as tx:
        assert not await is_suppressed(tx, office.team.id, "ada@elsewhere.org")


@pytest.mark.parametrize("kind", ["marketing", "transactional"])
async def test_a_mailbox_that_takes_nothing_is_given_up_after_a_time(
    office: Office, peer: Peer, kind: str
) -> None:
    """Each wait is longer than the one before; at the end the email has failed and says why."""
    email = await office.email(await office.message(), await office.contact(), kind=kind)
    give_up = GiveUp(marketing=timedelta(hours=3), transactional=timedelta(hours=1))
    ends = NOW + getattr(give_up, kind)
    waits: list[timedelta] = []
    async with office.sending(peer.url, give_up=give_up) as sender:
        while office.clock.now() <= ends:
            peer.answers["rcpt"] = ["452 4.2.2 mailbox full"]
            await sender.wake(DeliverEmail(team_id=office.team.id, email_id=email.id))
            await until(office.is_done)
            if office.clock.now() == ends:
                break
            waits.append(await office.due_in(email))
            office.clock.advance(waits[-1])
    assert waits[:-1] == sorted(waits[:-1])
    assert sum(waits, timedelta()) == getattr(give_up, kind)
    failed = await office.reload(email)
    assert (failed.status, failed.attempts) == ("failed", len(waits) + 1)
    assert "452 4.2.2 mailbox full" in failed.reason
    told = [kind for kind, *_ in await facts(office, email)]
    assert told == ["email_soft_bounced"] * (len(waits) - 1) + ["email_failed"]
    counted = "SELECT sum(soft_bounces)::int FROM email_counter WHERE owner_id = $1"
    assert await office.pool.fetchval(counted, email.message_id) == 1
    async with office.pool.acquire() as tx:
        assert not await is_suppressed(tx, office.team.id, "ada@elsewhere.org")


async def test_one_that_the_relay_wants_less_of_each_time_comes_less_often(
    office: Office, peer: Peer
) -> None:
    """Else it alone would keep everybody's pace low; it is no try, and less than a minute."""
    email = await office.email(await office.message(), await office.contact())
    for passed in (0, 60, 3600):
        office.clock.advance(timedelta(seconds=passed))
        peer.answers["data"].append("421 4.3.2 the filter died")
        await office.deliver(peer.url)
        waiting = await office.reload(email)
        assert (waiting.status, waiting.attempts) == ("queued", 0)
        seconds = (await office.due_in(email)).total_seconds()
        assert min(passed / 2, 30) <= seconds < 60


async def test_a_relay_that_is_down_costs_no_email(office: Office) -> None:
    """However long nothing answers, all email waits, and none of it counts a try."""
    email = await office.email(await office.message(), await office.contact())
    for _ in range(3):
        await office.deliver("smtp://127.0.0.1:1")
        assert await office.due_in(email) < timedelta(minutes=1)
        office.clock.advance(timedelta(days=4))
    waiting = await office.reload(email)
    assert (waiting.status, waiting.attempts) == ("queued", 0)
    assert "no connection" in waiting.reason


async def test_while_the_relay_is_down_few_are_taken_and_the_inbox_gets_its_own(office: Office) -> None:
    """Thousands that wait are not turned over and over; what stays here does not wait for what leaves."""
    message = await office.message()
    for number in range(60):
        await office.email(message, to_email=f"p{number}@elsewhere.org")
    async with office.sending("smtp://127.0.0.1:1"):
        here = await office.email(message, to_email="ada@example.com")
        office.clock.advance(timedelta(seconds=1))

        async def has_arrived() -> bool:
            return len(await office.received(here)) == 1

        await until(has_arrived, within=30)
    touched = await office.pool.fetchval(
        "SELECT count(*) FROM email WHERE status = 'queued' AND reason <> ''"
    )
    assert touched <= 60


@pytest.mark.parametrize("stage", ["rcpt", "data"])
async def test_a_hard_bounce_suppresses_and_unsubscribes(office: Office, peer: Peer, stage: str) -> None:
    """550 for the recipient, also after the final dot: the email failed, and nobody writes there again."""
    contact = await office.contact()
    email = await office.email(await office.message(), contact)
    peer.answers[stage].append("550 5.1.1 no such user")
    await office.deliver(peer.url)
    failed = await office.reload(email)
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert "550 5.1.1 no such user" in failed.reason
    assert office.left == [(office.team.id, contact.id)]
    async with office.pool.acquire() as tx:
        assert await is_suppressed(tx, office.team.id, contact.email)
    assert await facts(office, email) == [("email_bounced", contact.id, failed.reason)]


async def test_a_bounce_of_a_contact_deleted_meanwhile_is_written_down(office: Office, peer: Peer) -> None:
    contact = await office.contact()
    email = await office.email(await office.message(), contact)
    office.gone.add(contact.id)
    peer.answers["rcpt"].append("550 no such user")
    await office.deliver(peer.url)
    assert (await office.reload(email)).status == "failed"


@pytest.mark.parametrize("answer", ["554 5.7.1 looks like spam", "552 5.3.4 message too large"])
async def test_a_refused_message_fails_alone(office: Office, peer: Peer, answer: str) -> None:
    """This one will never pass; nobody else has part in that."""
    email = await office.email(await office.message(), await office.contact())
    peer.answers["data"].append(answer)
    await office.deliver(peer.url)
    failed = await office.reload(email)
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert answer in failed.reason
    assert await facts(office, email) == [("email_failed", email.contact_id, failed.reason)]
    assert office.left == []
    async with office.pool.acquire() as tx:
        assert not await is_suppressed(tx, office.team.id, "ada@elsewhere.org")


async def test_connections_are_used_again_and_replaced_when_gone(office: Office, peer: Peer) -> None:
    """Emails share connections; one that the server closed meanwhile costs no attempt."""
    message = await office.message()
    async with office.sending(peer.url):
        for _ in range(3):
            await office.email(message)
            await until(office.is_done)
        assert peer.connections == 1
        peer.answers["mail"].append("hang up")
        email = await office.email(message)
        await until(office.is_done)
    assert peer.connections == 2
    assert (await office.reload(email)).attempts == 1


async def test_a_new_revision_is_what_is_sent(office: Office, peer: Peer) -> None:
    """Prepared content is kept for its revision only."""
    message = await office.message()
    async with office.sending(peer.url):
        await office.email(message)
        await until(office.is_done)
        await office.message("<Paragraph>Changed</Paragraph>", message_id=message)
        await office.email(message)
        await until(office.is_done)
    assert peer.text(1).strip() == "Changed"


async def test_teams_are_walls(office: Office, peer: Peer) -> None:
    """A suppression holds in its own team only."""
    other = TeamRow(
        id=new_id(NOW), name="Other", secret=b"x" * 32, sending_domain="other.org", company="", address=""
    )
    async with office.pool.acquire() as tx:
        await insert_team(tx, other, now=NOW)
        await suppress(tx, other.id, "ada@elsewhere.org", reason="complaint", now=NOW)
    email = await office.email(await office.message(), await office.contact())
    await office.deliver(peer.url)
    assert (await office.reload(email)).status == "sent"
