"""A mailbox that is read over TLS: what took effect is deleted, and never what was not understood."""

import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.feedback.doors import Given, problem_of, seal_given
from loopwright.server.feedback.mailbox import AT_ONCE, Mailboxes
from loopwright.server.networks import Network, read_networks
from loopwright.server.sealing import SealingKey
from loopwright.server.store.feedback_doors import DoorRow, insert_door, load_doors, take_mailbox
from loopwright.server.webhook.addresses import Resolver, public_and
from support.certificate import Certificate, make_certificate
from support.feedback import ADA, Post
from support.imap_peer import PASSWORD, Mailbox, mailbox

SEALING = SealingKey(bytes(32))
HERE = tuple(read_networks("127.0.0.0/8"))
OUT_OF_OFFICE = b"From: ada@elsewhere.org\r\nSubject: Automatic reply: News\r\n\r\nAway.\r\n"
NONSENSE = b"From: MAILER-DAEMON@x.test\r\nSubject: Oh\r\n\r\nSomething.\r\n"


def bounce(post: Post, email_id: str) -> bytes:
    return (
        f"To: bounces+{post.token(email_id)}@bounce.acme.test\r\nFrom: MAILER-DAEMON@x.test\r\n"
        "Content-Type: multipart/report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Final-Recipient: rfc822; {ADA}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    ).encode()


class Reader:
    """A mailbox, whoever reads it, and what people see of that."""

    def __init__(self, post: Post, box: Mailbox, folder: Path) -> None:
        self.post = post
        self.box = box
        self.tls = ssl.create_default_context(cafile=folder / "certificate.pem")

    async def add(self, *, username: str = "bounces", password: str = PASSWORD, port: int = 0) -> DoorRow:
        given = Given(host="127.0.0.1", port=port or self.box.port, username=username, password=password)
        now = self.post.clock.now()
        door_id = new_id(now)
        row = DoorRow(
            id=door_id,
            team_id=self.post.team.id,
            provider="imap",
            path_hash=None,
            sealed_credentials=seal_given(SEALING, door_id, given),
            tells_delivered=False,
            created_at=now,
        )
        async with self.post.pool.acquire() as tx:
            await insert_door(tx, row)
        return row

    async def look(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        networks: Sequence[Network] = HERE,
        sealing: SealingKey | None = SEALING,
    ) -> DoorRow:
        """Read what is new, and answer with how the door stands."""
        resolver = Resolver(public_and(networks))
        post = self.post
        boxes = Mailboxes(post.pool, post.intake, post.clock, sealing, resolver, tls or self.tls)
        await boxes.look()
        resolver.close()
        async with post.pool.acquire() as tx:
            return (await load_doors(tx, post.team.id))[0]


@pytest.fixture
async def reader(post: Post, tmp_path: Path) -> AsyncIterator[Reader]:
    async with mailbox(make_certificate(tmp_path)) as box:
        yield Reader(post, box, tmp_path)


async def test_what_took_effect_is_deleted_and_nothing_else(reader: Reader) -> None:
    """What was not understood is flagged; an automatic reply stays as it was; each is read once."""
    post, box = reader.post, reader.box
    email_id = await post.sent(contact_id=await post.contact())
    for raw in (bounce(post, email_id), NONSENSE, OUT_OF_OFFICE, bounce(post, email_id)):
        box.add(raw)
    await reader.add()
    door = await reader.look()
    assert await post.facts(email_id) == ["email_bounced"]
    assert await post.suppressed() == [(ADA, "hard_bounce")]
    assert box.flags == {2: {b"\\Flagged"}, 3: set()}
    assert len(await post.unknown()) == 1
    assert (door.last_problem, door.place, door.place_of) == ("", 4, 7)
    await reader.look()
    assert len(await post.unknown()) == 1
    box.validity = 8
    await reader.look()
    assert len(await post.unknown()) == 2
    assert all(b"BODY.PEEK" in one for one in box.commands if one.startswith(b"UID FETCH"))


async def test_a_server_that_cannot_delete_some_deletes_none(post: Post, tmp_path: Path) -> None:
    """Without UIDPLUS an end of deleted messages would be the end of others' as well."""
    async with mailbox(make_certificate(tmp_path), uidplus=False) as box:
        box.add(bounce(post, await post.sent()))
        reader = Reader(post, box, tmp_path)
        await reader.add()
        await reader.look()
        assert box.flags == {1: {b"\\Deleted"}}
        assert not any(b"EXPUNGE" in one for one in box.commands)


async def test_many_messages_are_read_in_turn(reader: Reader) -> None:
    """Some at a time, to the last."""
    for _ in range(2 * AT_ONCE + 1):
        reader.box.add(OUT_OF_OFFICE)
    await reader.add()
    assert (await reader.look()).place == 2 * AT_ONCE + 1


async def test_what_is_in_the_way_is_told(reader: Reader) -> None:
    """A wrong password, a certificate that nobody vouches for, an address that is private, no sealing key."""
    reader.box.add(NONSENSE)
    await reader.add(password="other")
    assert (await reader.look()).last_problem == "[AUTHENTICATIONFAILED] wrong password done"
    assert "CERTIFICATE_VERIFY_FAILED" in (await reader.look(tls=ssl.create_default_context())).last_problem
    assert "not" in (await reader.look(networks=())).last_problem
    assert "sealing key" in (await reader.look(sealing=None)).last_problem
    assert await reader.post.unknown() == []


async def test_one_process_reads_a_mailbox(reader: Reader) -> None:
    """Until it is done, or has been silent for long."""
    reader.box.add(NONSENSE)
    door = await reader.add()
    async with reader.post.pool.acquire() as tx:
        assert await take_mailbox(tx, door)
    await reader.look()
    assert reader.box.commands == []


@pytest.mark.parametrize("username", ["bounces", "ACME\\\\bounces", 'two "words"', "zurück@acme.example"])
async def test_names_and_passwords_in_any_characters(reader: Reader, username: str) -> None:
    """Both reach the server as they are, where it offers PLAIN."""
    reader.box.plain = True
    password = f'ä "\\{PASSWORD}'
    await reader.add(username=username, password=password)
    assert (await reader.look()).last_problem == ""
    assert f"AUTHENTICATE PLAIN \0{username}\0{password}".encode() in reader.box.commands


async def test_a_server_that_offers_no_more_than_login(reader: Reader) -> None:
    """Names of ASCII are quoted, and who has others is told."""
    await reader.add(username='ACME\\two "words"')
    assert (await reader.look()).last_problem == ""
    assert f'LOGIN "ACME\\\\two \\"words\\"" "{PASSWORD}"'.encode() in reader.box.commands


async def test_a_password_that_login_cannot_take(reader: Reader) -> None:
    await reader.add(password=f"ä{PASSWORD}")
    assert "ASCII" in (await reader.look()).last_problem
    assert b"LOGIN" not in b" ".join(reader.box.commands)


async def test_a_mailbox_in_a_state_of_its_own_keeps_none_from_being_read(
    reader: Reader, tmp_path: Path
) -> None:
    """Whatever its server says: the trouble is told, others are read, and so is it the next time."""
    reader.box.search = b"* SEARCH one two\r\n"
    await reader.add()
    async with mailbox(Certificate(tmp_path / "certificate.pem", tmp_path / "key.pem")) as other:
        other.add(NONSENSE)
        await reader.add(port=other.port)
        door = await reader.look()
    assert "the server's log says more" in door.last_problem
    assert len(await reader.post.unknown()) == 1
    reader.box.search = b""
    reader.box.add(NONSENSE)
    assert (await reader.look()).last_problem == ""
    assert len(await reader.post.unknown()) == 2


@pytest.mark.parametrize("name", ["host", "username", "password", "folder"])
def test_line_ends_are_no_part_of_a_mailbox(name: str) -> None:
    """They would be a command of somebody else's."""
    given = replace(Given(host="mail.test", username="bounces", password="x"), **{name: "a\r\nb LOGOUT"})
    assert f"{name} has a line end" in (problem_of("imap", given) or "")
