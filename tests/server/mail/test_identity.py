"""What a team's sending domain does to its email: signatures, the envelope's sender, and email that waits."""

import asyncio
import json
import re
from collections import Counter
from datetime import timedelta
from email import message_from_bytes

import dkim
import httpx2
import pytest
from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.server.app import run
from loopwright.server.domains import add_domain, begin_rotation, end_rotation
from loopwright.server.mail import identity, releasing
from loopwright.server.sealing import SealingKey, new_sealing_key
from loopwright.server.settings import Settings
from loopwright.server.store.domains import load_keys
from loopwright.server.store.held import load_latest_reason
from loopwright.server.store.jobs import count_jobs
from loopwright.server.store.pages.overview import load_counts
from loopwright.server.store.people import forget_contact
from support.mail_office import NOW, Office
from support.smtp_peer import Peer
from support.workflows import until

DOMAIN = "mail.elsewhere.org"


async def add(office: Office, *, ed25519: bool = False, bounce_domain: str | None = None) -> None:
    assert office.sealing is not None
    async with office.pool.acquire() as tx, tx.transaction():
        await add_domain(
            tx, office.team.id, office.sealing, DOMAIN, ed25519=ed25519, bounce_domain=bounce_domain, now=NOW
        )


async def verified(office: Office, raw: bytes) -> list[str]:
    """The selectors of the message's signatures, all of which dkimpy finds good."""
    async with office.pool.acquire() as tx:
        published = {
            f"{key.selector}._domainkey.{key.domain}.": key.record
            for key in await load_keys(tx, office.team.id)
        }
    selectors = re.findall(rb"^ s=([a-z0-9]+);", raw.partition(b"\r\n\r\n")[0], re.MULTILINE)
    for number in range(len(selectors)):
        found = dkim.DKIM(raw)
        assert found.verify(idx=number, dnsfunc=lambda name, timeout=5: published.get(name.decode()))
        assert found.domain == DOMAIN.encode()
    return [selector.decode() for selector in selectors]


def raw(peer: Peer, number: int = -1) -> bytes:
    content = peer.received[number].original_content
    assert content is not None
    return content


async def test_email_is_signed_as_it_arrives(office: Office, peer: Peer) -> None:
    """Marketing and transactional, with accents, long lines and dots, outside and in the inbox."""
    await add(office, ed25519=True)
    lmx = "<Paragraph>Grüße, {contact.firstName}\n.\n..\n" + "x" * 2000 + "</Paragraph>"
    message = await office.message(lmx, subject="Ein längerer Betreff: " + "ü" * 60)
    await office.email(message, await office.contact())
    await office.deliver(peer.url)
    assert len(await verified(office, raw(peer))) == 2
    plain = await office.message("<Paragraph>Hello</Paragraph>")
    await office.email(plain)
    await office.deliver(peer.url)
    assert len(await verified(office, raw(peer))) == 2
    kept = await office.email(plain)
    await office.deliver()
    [received] = await office.received(kept)
    assert len(await verified(office, received.raw)) == 2


async def test_a_rotation(office: Office, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new key waits, then signs in the place of the old one, without a new start."""
    monkeypatch.setattr(identity, "MEMORY_SECONDS", 0)
    await add(office)
    assert office.sealing is not None
    message = await office.message()
    signed: list[list[str]] = []

    async def send() -> None:
        await office.email(message)
        while not await office.is_done():
            pass
        signed.append(await verified(office, raw(peer)))

    async with office.sending(peer.url):
        await send()
        async with office.pool.acquire() as tx, tx.transaction():
            [new] = (await begin_rotation(tx, office.team.id, office.sealing, None, now=NOW)).waiting
        async with office.pool.acquire() as tx, tx.transaction():
            again = await begin_rotation(tx, office.team.id, office.sealing, None, now=NOW)
        assert [key.id for key in again.waiting] == [new.id]
        await send()
        async with office.pool.acquire() as tx, tx.transaction():
            await end_rotation(tx, office.team.id, DOMAIN, now=NOW)
        await send()
    assert signed[0] == signed[1] != signed[2] == [new.selector]


async def test_bounces_come_back_to_each_email(office: Office, peer: Peer) -> None:
    """Each email has an address of its own for them, which survives small letters; From stays."""
    await add(office, bounce_domain="bounces.elsewhere.org")
    message = await office.message()
    emails = [await office.email(message), await office.email(message)]
    await office.deliver(peer.url)
    senders = {envelope.mail_from for envelope in peer.received}
    assert len(senders) == 2
    for sender in senders:
        assert sender is not None
        assert sender == sender.lower()
        local, _, domain = sender.partition("@")
        assert domain == "bounces.elsewhere.org"
        assert re.fullmatch(r"bounces\+(c[a-z0-9]{24})-[a-z2-7]{16}", local)
        assert len(local) <= 64
    assert {email.id in "".join(map(str, senders)) for email in emails} == {True}
    assert peer.message()["From"].endswith(f"@{DOMAIN}>") or peer.message()["From"].endswith(f"@{DOMAIN}")


async def test_feedback_is_counted_by_message_kind_and_team(office: Office, peer: Peer) -> None:
    """The same for every recipient of a message, as Google wants it, and signed once more than it occurs."""
    await add(office)
    message, other = await office.message(), await office.message()
    for number in range(2):
        await office.email(message, await office.contact(f"p{number}@elsewhere.org"))
    await office.email(other)
    await office.deliver(peer.url)
    heads = [message_from_bytes(raw(peer, number)) for number in range(3)]
    found = Counter(head["Feedback-ID"] for head in heads)
    sender = {name.rpartition(":")[2] for name in found}
    assert found == {f"{message}:marketing:{min(sender)}": 2, f"{other}:transactional:{min(sender)}": 1}
    assert (len(sender), 5 <= len(min(sender)) <= 15, office.team.id.endswith(min(sender))) == (1, True, True)
    signed = re.sub(r"\s", "", heads[0]["DKIM-Signature"]).partition(";h=")[2].partition(";")[0].split(":")
    assert signed.count("Feedback-ID") == 2


@pytest.mark.parametrize("sealing", [None, SealingKey(bytes(31) + b"1")])
async def test_a_process_that_cannot_sign(office: Office, peer: Peer, sealing: SealingKey | None) -> None:
    """Nothing goes out unsigned: it waits, and says what to do."""
    await add(office)
    email = await office.email(await office.message())
    right, office.sealing = office.sealing, sealing
    await office.deliver(peer.url)
    held = await office.reload(email)
    assert (held.status, "--sealing-key" in held.reason) == ("held", True)
    assert peer.received == []
    office.sealing = right
    assert (await office.settled(email, peer.url)).status == "sent"


@pytest.mark.parametrize("domain", ["mail.example.com", ""])
@pytest.mark.parametrize("kind", ["marketing", "transactional"])
async def test_without_a_domain_nothing_leaves(office: Office, peer: Peer, domain: str, kind: str) -> None:
    """It waits, however long, with a sentence that names the command; once there is one, it goes."""
    await office.pool.execute("UPDATE team SET sending_domain = $1", domain)
    contact = await office.contact() if kind == "marketing" else None
    email = await office.email(await office.message(), contact)
    for _ in range(4):  # for longer than an email is tried
        await office.deliver(peer.url)
        office.clock.advance(timedelta(days=1))
    held = await office.reload(email)
    assert (held.status, held.attempts) == ("held", 0)
    assert "loopwright domain add" in held.reason
    assert peer.connections == 0
    await add(office)
    sent = await office.settled(email, peer.url)
    assert (sent.status, sent.reason, len(peer.received)) == ("sent", "", 1)


@pytest.mark.parametrize(
    ("address", "public_url", "said"),
    [
        pytest.param(" \n", "https://mail.elsewhere.org", ["team set --address"], id="address"),
        pytest.param("1 Road", "http://mail.elsewhere.org", ["--public-url"], id="http"),
        pytest.param("1 Road", "http://127.0.0.1:5667", ["--public-url"], id="no public URL"),
        pytest.param("", "http://127.0.0.1", ["team set --address", "--public-url"], id="both"),
    ],
)
async def test_marketing_needs_more(
    office: Office, peer: Peer, address: str, public_url: str, said: list[str]
) -> None:
    """Without a postal address or a link with https it waits; transactional email needs neither."""
    await office.pool.execute("UPDATE team SET address = $1", address)
    office.public_url = public_url
    message = await office.message()
    marketing, other = await office.email(message, await office.contact()), await office.email(message)
    await office.deliver(peer.url)
    assert (await office.reload(other)).status == "sent"
    held = await office.reload(marketing)
    assert held.status == "held"
    assert {command: command in held.reason for command in said} == dict.fromkeys(said, True)
    assert ("domain add" in held.reason, len(peer.received)) == (False, 1)
    await office.pool.execute("UPDATE team SET address = '1 Road'")
    office.public_url = "https://mail.elsewhere.org"
    assert (await office.settled(marketing, peer.url)).status == "sent"


async def test_what_is_held_goes_by_itself(
    office: Office, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one transaction takes, while the sender runs; another team's stay, and nothing goes twice."""
    monkeypatch.setattr(releasing, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(releasing, "AT_ONCE", 3)
    await office.pool.execute("UPDATE team SET sending_domain = ''")
    message = await office.message()
    emails = [await office.email(message, await office.contact(f"p{n}@elsewhere.org")) for n in range(10)]
    async with office.sending(peer.url):
        await until(office.is_done)
        assert {(await office.reload(email)).status for email in emails} == {"held"}
        await add(office)

        async def all_sent() -> bool:
            return not await office.pool.fetchval("SELECT EXISTS (SELECT FROM email WHERE status <> 'sent')")

        await until(all_sent, within=20)
    assert len(peer.received) == len(emails)
    assert await office.pool.fetchval("SELECT count(*) FROM email_queue") == 0
    domain = await office.pool.fetchval("SELECT sending_domain FROM team")
    assert sorted(peer.seen) == sorted(f"{email.id}@{domain}" for email in emails)


async def test_held_email_is_not_sent_to_whoever_left(office: Office, peer: Peer) -> None:
    """Consent is asked again once it may go; a deleted contact's leaves the queue at once."""
    await office.pool.execute("UPDATE team SET sending_domain = ''")
    message = await office.message()
    left, gone = await office.contact(), await office.contact("grace@elsewhere.org")
    emails = [await office.email(message, contact) for contact in (left, gone)]
    await office.deliver(peer.url)
    await office.pool.execute("UPDATE contact SET subscribed = false WHERE id = $1", left.id)
    async with office.pool.acquire() as tx:
        await forget_contact(tx, team_id=office.team.id, contact_id=gone.id, limit=10)
    assert await office.pool.fetchval("SELECT count(*) FROM email_queue") == 1
    await add(office)
    for email in emails:
        assert (await office.settled(email, peer.url)).status == "skipped"
    assert peer.received == []


async def test_held_email_is_shown(office: Office, peer: Peer, database_url: str) -> None:
    """By the command line with the command that mends it, and by the metrics, apart from what is due."""
    await office.pool.execute("UPDATE team SET sending_domain = '', address = ''")
    message = await office.message()
    await office.email(message)
    for number in range(3):
        await office.email(message, await office.contact(f"p{number}@elsewhere.org"))
    await office.deliver(peer.url)
    runner = CliRunner(env={"LOOPWRIGHT_DATABASE_URL": database_url})
    result = await asyncio.to_thread(runner.invoke, program, ["emails", "held", "--json"])
    marketing, transactional = json.loads(result.stdout)["held"]
    assert (marketing["kind"], marketing["emails"]) == ("marketing", 3)
    assert (transactional["kind"], transactional["emails"]) == ("transactional", 1)
    assert {"domain add" in one["reason"] for one in (marketing, transactional)} == {True}
    assert ["team set --address" in one["reason"] for one in (marketing, transactional)] == [True, False]
    async with office.pool.acquire() as tx:
        [jobs] = [one for one in await count_jobs(tx, now=NOW) if one.entrypoint == "deliver_email"]
        shown = await load_counts(tx, office.team.id, since=NOW)
        reason = await load_latest_reason(tx, office.team.id)
    assert (jobs.state, jobs.count, jobs.seconds) == ("held", 4, 0)
    assert (shown.held, reason) == (4, marketing["reason"])


async def test_the_inbox_takes_everything(office: Office, peer: Peer) -> None:
    """Without a relay, and of addresses that never leave, with one."""
    await office.pool.execute("UPDATE team SET sending_domain = 'mail.example.com', address = ''")
    office.public_url = "http://127.0.0.1:5667"
    message = await office.message()
    first = await office.email(message, await office.contact())
    await office.deliver()
    second = await office.email(message, await office.contact("grace@example.com"))
    await office.deliver(peer.url)
    assert [(await office.reload(email)).status for email in (first, second)] == ["sent", "sent"]
    assert peer.connections == 0
    [received] = await office.received(first)
    head = received.raw.partition(b"\r\n\r\n")[0]
    assert b"\r\nList-Unsubscribe: <http://127.0.0.1:5667/" in head
    assert b"List-Unsubscribe-Post" not in head


async def test_transactional_email_is_refused_where_people_look(
    office: Office, database_url: str, peer: Peer
) -> None:
    """At a server with a relay and no domain, with the same sentence; with a domain it is taken."""
    await office.pool.execute("UPDATE team SET sending_domain = 'mail.example.com'")
    key = "0123456789abcdef0123456789abcdef"
    settings = Settings(
        port=0, database_url=database_url, api_key=key, smtp_url=peer.url, sealing_key=new_sealing_key()
    )
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        run(settings) as running,
        httpx2.AsyncClient(base_url=running.address, headers=headers) as http,
    ):
        body = {"transactionalId": "cabcdefghijklmnopqrstuvwx", "email": "ada@elsewhere.org"}
        refused = await http.post("/api/v1/transactional", json=body)
        assert refused.status_code == 400
        assert "loopwright domain add DOMAIN" in refused.json()["message"]
        assert refused.headers["x-loopwright-code"] == "no_sending_domain"
        inside = await http.post("/api/v1/transactional", json={**body, "email": "ada@example.com"})
        assert inside.status_code == 404, "it never leaves, so nothing is amiss but the id"
