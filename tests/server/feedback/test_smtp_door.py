"""Mail that comes back over SMTP and LMTP, from this test and from real servers."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from loopwright.server.feedback.smtp_door import smtp_door
from loopwright.server.store.database import Pool
from loopwright.server.store.domains import DomainRow, save_domain
from support.feedback import ADA, Post
from support.mail_servers import exim, postfix

BOUNCES = "bounce.acme.test"


@pytest.fixture
async def port(pool: Pool, post: Post) -> AsyncIterator[int]:
    """Where mail comes back to."""
    async with pool.acquire() as tx:
        domain = DomainRow(team_id=post.team.id, name="acme.test", bounce_domain=BOUNCES)
        await save_domain(tx, domain, now=post.clock.now())
    async with smtp_door(pool, post.intake, "127.0.0.1", 0) as port:
        yield port


def notification(address: str, *, action: str = "failed", words: str = "550 5.1.1 User unknown") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.test\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        f"Diagnostic-Code: smtp; {words}\r\n\r\n--b--\r\n"
    ).encode()


async def test_a_bounce_comes_back_to_its_token(post: Post, port: int) -> None:
    """From nobody, as bounces are; twice is once."""
    email_id = await post.sent(contact_id=await post.contact())
    for _ in range(2):
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            to = f"Bounces+{post.token(email_id).upper()}@{BOUNCES.upper()}"
            await client.sendmail("", [to], notification(ADA))
    assert await post.facts(email_id) == ["email_bounced"]
    assert await post.suppressed() == [(ADA, "hard_bounce")]


async def test_lmtp_answers_for_each_recipient(post: Post, port: int) -> None:
    """As a mail server of one's own hands it on."""
    emails = [await post.sent(), await post.sent()]
    addresses = [f"bounces+{post.token(one)}@{BOUNCES}" for one in emails]

    said = ["LHLO mx.test", "MAIL FROM:<>", *(f"RCPT TO:<{one}>" for one in addresses), "DATA"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("".join(f"{line}\r\n" for line in said).encode() + notification(ADA) + b".\r\nQUIT\r\n")
    answers = [line for line in (await reader.read()).decode().splitlines() if line[3:4] == " "]
    writer.close()
    assert [one[:3] for one in answers] == ["220", "250", "250", "250", "250", "354", "250", "250", "221"]
    assert [await post.facts(one) for one in emails] == [["email_bounced"], []]


@pytest.mark.parametrize("length", [1_000, 5_000, 100_000])
async def test_lines_of_any_length(post: Post, port: int, length: int) -> None:
    """What a server returns is not lost for the lines of a stranger's text in it."""
    email_id = await post.sent(contact_id=await post.contact())
    to = f"bounces+{post.token(email_id)}@{BOUNCES}"
    raw = notification(ADA).replace(b"\r\n\r\n", b"\r\n\r\n" + b"x" * length + b"\r\n", 1)
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        await client.sendmail("", [to], raw)
    assert await post.facts(email_id) == ["email_bounced"]


async def test_what_is_none_of_ours_is_refused_or_kept(post: Post, port: int) -> None:
    """Another domain is told so; a forged token is for people to look at."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await client.sendmail("", ["bounces+x@elsewhere.test"], notification(ADA))
        await client.sendmail("", [f"bounces+cforged0000000-aaaaaaaaaaaaaaaa@{BOUNCES}"], notification(ADA))
        await client.sendmail("x@y.test", [f"fbl@{BOUNCES}"], b"Subject: hello\r\n\r\nnothing\r\n")
    assert await post.suppressed() == []
    assert len(await post.unknown()) == 2


async def through(smtp_port: int, post: Post, email_id: str, to: str) -> None:
    """Hand an email to a real server, as our sender does."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "hello@acme.test", to, "News"
    message["Message-ID"] = f"<{email_id}@acme.test>"
    message.set_content("Hello")
    await aiosmtplib.send(
        message,
        sender=f"bounces+{post.token(email_id)}@{BOUNCES}",
        recipients=[to],
        hostname="127.0.0.1",
        port=smtp_port,
        start_tls=False,
    )


async def came_back(post: Post, email_id: str) -> list[str]:
    async with asyncio.timeout(20):
        while not (facts := await post.facts(email_id)):
            await asyncio.sleep(0.05)
    return facts


async def test_postfix_sends_its_own_notification(post: Post, port: int, open_path: Path) -> None:
    """A mailbox that does not exist: Postfix writes the notification, and brings it to our port."""
    email_id = await post.sent(contact_id=await post.contact())
    folder = open_path / "postfix"
    bouncing = {
        "default_transport": "error:5.1.1 user unknown",
        "smtpd_reject_unlisted_recipient": "no",
        "transport_maps": f"inline:{{ {BOUNCES}=smtp:[127.0.0.1]:{port} }}",
    }
    async with postfix(folder, bouncing, bounces=True) as server:
        await through(server.port, post, email_id, ADA)
        assert await came_back(post, email_id) == ["email_bounced"]
    assert await post.suppressed() == [(ADA, "hard_bounce")]


async def test_exim_sends_its_own_notification(post: Post, port: int, open_path: Path) -> None:
    """In a form of its own, with the words of its router."""
    email_id = await post.sent(contact_id=await post.contact())
    async with exim(open_path / "exim", bounces_to=(BOUNCES, port)) as server:
        await through(server.port, post, email_id, ADA)
        assert await came_back(post, email_id) == ["email_bounced"]
    assert await post.suppressed() == [(ADA, "hard_bounce")]
