"""The inbox is a real SMTP server, and what it acknowledges is stored."""

import asyncio

import aiosmtplib
import pytest

from loopwright.ids import new_id
from loopwright.server.mail.inbox import SIZE_LIMIT
from loopwright.server.store.inbox import list_received, load_received
from loopwright.server.store.teams import TeamRow, insert_team
from support.mail_office import NOW, Office


async def post(office: Office, raw: bytes, *to: str) -> None:
    """Send a message as any mail program would."""
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=office.inbox.port, local_hostname="me") as client:
        await client.sendmail("me@x.org", list(to) or ["you@y.org"], raw)


async def test_a_stranger_s_message_goes_to_the_first_team(office: Office) -> None:
    """Byte for byte, with its dots, and with the subject decoded for the list."""
    raw = b"Subject: =?utf-8?b?w4RwZmVs?=\r\nX: y\r\n\r\n.\r\n..\r\n.a\r\n\xc3\xa9\xff\x00\r\n"
    await post(office, raw)
    async with office.pool.acquire() as tx:
        [entry] = await list_received(tx, office.team.id)
        row = await load_received(tx, office.team.id, entry.id)
    assert (entry.subject, entry.from_email, entry.to_email) == ("Äpfel", "me@x.org", "you@y.org")
    assert (entry.email_id, entry.received_at) == (None, NOW)
    assert row is not None
    assert row.raw == raw


async def test_a_message_of_ours_goes_to_its_team(office: Office) -> None:
    """Whose it is, its Message-ID says; other teams do not see it."""
    other = TeamRow(id=new_id(NOW), name="O", secret=b"x", sending_domain="o.org", company="", address="")
    async with office.pool.acquire() as tx:
        await insert_team(tx, other, now=NOW)
    office.team = other
    email = await office.email(await office.message())
    await post(office, f"Message-ID: <{email.mime_id}>\r\n\r\nx\r\n".encode(), "a@x.org", "b@x.org")
    copies = await office.received(email)
    assert [copy.to_email for copy in copies] == ["a@x.org", "b@x.org"]
    async with office.pool.acquire() as tx:
        assert len(await list_received(tx, other.id)) == 2
        [first] = await tx.fetch("SELECT id FROM team ORDER BY id LIMIT 1")
        teams = {first["id"]} - {other.id}
        for team in teams:
            assert await list_received(tx, team) == []
            assert await load_received(tx, team, copies[0].id) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all",
        b"Subject: a\r\nSubject: b\r\n\r\n",
        b"Message-ID: \xff\xfe\r\nSubject: \xff\r\n\r\n",
        b"Message-ID:\r\n\r\n",
        b"Subject: =?utf-8?b?AAAA?=\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n",
        b"Message-ID: [x@\r\nSubject: \r\n folded\r\n\r\n",
    ],
)
async def test_odd_messages_are_taken_too(office: Office, raw: bytes) -> None:
    await post(office, raw)
    async with office.pool.acquire() as tx:
        assert len(await list_received(tx, office.team.id)) == 1


async def test_a_message_over_the_limit_is_refused(office: Office) -> None:
    line = b"x" * 70 + b"\r\n"
    with pytest.raises(aiosmtplib.SMTPResponseException) as refusal:
        await post(office, b"Subject: big\r\n\r\n" + line * (SIZE_LIMIT // len(line) + 1))
    assert refusal.value.code == 552


async def test_the_list_is_searched_and_paged(office: Office) -> None:
    for number in range(5):
        await post(office, f"Subject: Number {number} 100%\r\n\r\n".encode(), f"to{number}@x.org")
    async with office.pool.acquire() as tx:
        newest = await list_received(tx, office.team.id, limit=2)
        assert [entry.subject for entry in newest] == ["Number 4 100%", "Number 3 100%"]
        older = await list_received(tx, office.team.id, before=newest[-1].id)
        assert len(older) == 3
        assert [e.to_email for e in await list_received(tx, office.team.id, search="TO1@")] == ["to1@x.org"]
        assert await list_received(tx, office.team.id, search="number_1") == []
        assert len(await list_received(tx, office.team.id, search="100%")) == 5


async def test_stopping_waits_for_no_idle_connection(office: Office) -> None:
    """A mail program that stays connected does not keep the server from stopping."""
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=office.inbox.port, local_hostname="me")
    await client.connect()
    await asyncio.wait_for(office.inbox.stop(), 5)
    client.close()
