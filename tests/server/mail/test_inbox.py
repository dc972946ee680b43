"""The inbox is a real SMTP server, and what it acknowledges is stored."""

import asyncio

import aiosmtplib
import pytest

from loopwright.ids import new_id
from loopwright.server.mail.inbox import SIZE_LIMIT, Inbox
from loopwright.server.store.inbox import list_received, load_newest, load_received
from loopwright.server.store.teams import TeamRow, insert_team
from support.mail_office import NOW, Office


async def post(office: Office, raw: bytes, *to: str) -> None:
    """Send a message as a delivery of this process does."""
    server = office.inbox.server
    async with aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        start_tls=False,
        local_hostname="me",
    ) as client:
        await client.sendmail("me@x.org", list(to) or ["you@y.org"], raw)


async def ours(office: Office) -> bytes:
    """The first header of a message that one of our emails may have."""
    email = await office.email(await office.message())
    return f"Message-ID: <{email.mime_id}>\r\n".encode()


@pytest.mark.parametrize(
    "password",
    [
        pytest.param(None, id="without signing in"),
        pytest.param("loopwright", id="with a guess"),
    ],
)
async def test_a_stranger_s_message_is_refused_in_a_sentence(office: Office, password: str | None) -> None:
    """Also one that bears the Message-ID of an email of ours: nothing is stored."""
    raw = await ours(office) + b"\r\nx\r\n"
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=office.inbox.server.port, local_hostname="me")
    await client.connect(start_tls=False)
    if password is not None:
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await client.login("loopwright", password)
    with pytest.raises(aiosmtplib.SMTPResponseException) as refusal:
        await client.sendmail("me@x.org", ["you@y.org"], raw)
    client.close()
    assert refusal.value.code == 550
    assert "takes only what its own Loopwright server sends" in refusal.value.message
    async with office.pool.acquire() as tx:
        assert await list_received(tx, office.team.id) == []


async def test_each_process_has_a_secret_of_its_own(office: Office) -> None:
    """Who knows one inbox's cannot leave mail in another."""
    other = Inbox(office.pool, office.clock)
    await other.start()
    assert other.server.password != office.inbox.server.password
    await other.stop()


async def test_a_message_that_nobody_sent_is_refused(office: Office) -> None:
    """It would be nobody's, and must not end up with some team."""
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await post(office, b"Message-ID: <made-up@x.org>\r\n\r\nx\r\n")
    assert refusal.value.code == 550
    async with office.pool.acquire() as tx:
        assert await list_received(tx, office.team.id) == []


async def test_a_message_is_kept_byte_for_byte(office: Office) -> None:
    """With its dots, and with the subject decoded for the list."""
    raw = (
        await ours(office)
        + b"Subject: =?utf-8?b?w4RwZmVs?=\r\nX: y\r\n\r\n.\r\n..\r\n.a\r\n\xc3\xa9\xff\x00\r\n"
    )
    await post(office, raw)
    async with office.pool.acquire() as tx:
        [entry] = await list_received(tx, office.team.id)
        row = await load_received(tx, office.team.id, entry.id)
        [read] = await load_newest(tx, office.team.id, to_email=None, limit=9, room=9)
    assert (entry.subject, entry.from_email, entry.to_email) == ("Äpfel", "me@x.org", "you@y.org")
    assert entry.received_at == NOW
    assert row is not None
    assert row.raw == raw
    assert (read.text, read.html) == (".\r\n..\r\n.a\r\né\ufffd\r\n", None)


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
        pytest.param(b"", id="nothing else"),
        pytest.param(b"\r\nno header at all", id="no header"),
        pytest.param(b"Subject: a\r\nSubject: b\r\n\r\n", id="two subjects"),
        pytest.param(b"Subject: \xff\r\n\r\n", id="8-bit subject"),
        pytest.param(b"Subject: =?utf-8?b?AAAA?=\r\n\r\n", id="NULs in the subject"),
        pytest.param(b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n", id="no boundary"),
        pytest.param(b"Subject: \r\n folded\r\n\r\n", id="folded"),
        pytest.param(b"Content-Type: text/html; charset=utf-7\r\n\r\n+2AA-", id="half a surrogate pair"),
    ],
)
async def test_odd_messages_are_taken_too(office: Office, raw: bytes) -> None:
    await post(office, await ours(office) + raw)
    async with office.pool.acquire() as tx:
        assert len(await list_received(tx, office.team.id)) == 1


async def test_a_message_over_the_limit_is_refused(office: Office) -> None:
    line = b"x" * 70 + b"\r\n"
    with pytest.raises(aiosmtplib.SMTPResponseException) as refusal:
        await post(office, await ours(office) + b"\r\n" + line * (SIZE_LIMIT // len(line) + 1))
    assert refusal.value.code == 552


async def test_the_list_is_searched_and_paged(office: Office) -> None:
    head = await ours(office)
    for number in range(5):
        await post(office, head + f"Subject: Number {number} 100%\r\n\r\n".encode(), f"to{number}@x.org")
    async with office.pool.acquire() as tx:
        newest = await list_received(tx, office.team.id, limit=2)
        assert [entry.subject for entry in newest] == ["Number 4 100%", "Number 3 100%"]
        older = await list_received(tx, office.team.id, before=newest[-1].id)
        assert len(older) == 3
        assert [e.to_email for e in await list_received(tx, office.team.id, search="TO1@")] == ["to1@x.org"]
        assert await list_received(tx, office.team.id, search="number_1") == []
        assert len(await list_received(tx, office.team.id, search="100%")) == 5


async def test_long_messages_fill_the_answer_sooner(office: Office) -> None:
    """The one that passes the room is the last; there is always one."""
    head = await ours(office)
    for number in range(4):
        await post(office, head + b"\r\n" + b"x" * 98, f"to{number}@x.org")
    async with office.pool.acquire() as tx:
        for room, expected in {1: ["3"], 101: [*"32"], 250: [*"321"], 1000: [*"3210"]}.items():
            found = await load_newest(tx, office.team.id, to_email=None, limit=9, room=room)
            assert [one.to_email[2] for one in found] == expected, room
        assert len(await load_newest(tx, office.team.id, to_email="to1@x.org", limit=9, room=1)) == 1


async def test_stopping_waits_for_no_idle_connection(office: Office) -> None:
    """A mail program that stays connected does not keep the server from stopping."""
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=office.inbox.server.port, local_hostname="me")
    await client.connect()
    await asyncio.wait_for(office.inbox.stop(), 5)
    client.close()
