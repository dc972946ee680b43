"""Against Postfix, postgrey and Exim: what arrived, how often, and who would be suppressed."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from loopwright.server.mail.compose import Composed
from loopwright.server.mail.session import Timeouts
from loopwright.server.mail.transport import Accepted, Bounced, Deferred, Held, Outcome, Relay
from support.mail_office import relay_to
from support.mail_servers import MailServer, exim, postfix, postgrey
from support.raw_smtp import own_certificate

BRIEF = 0.2
"""Seconds after which a message that is to wait for its own sake is sent again here."""


def message(recipient: str, sender: str = "team@mail.acme.test") -> Composed:
    body = b"Subject: Hi\r\nMessage-ID: <m@mail.acme.test>\r\n\r\nHello\r\n"
    return Composed(data=body, sender=sender, recipient=recipient, copies=())


async def yes() -> bool:
    return True


class Post:
    """Sends messages as a sender does, and counts for each recipient what its tries came to."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.tries: Counter[str] = Counter()
        self.bounced: list[str] = []
        self.last: dict[str, Outcome] = {}

    async def send(self, recipient: str, *, within: float = 60.0) -> None:
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            outcome = self.last[recipient] = await self.relay.send(message(recipient), yes)
            match outcome:
                case Bounced():
                    self.bounced.append(recipient)
                    return
                case Deferred(_, seconds):
                    self.tries[recipient] += seconds is None
                    wait = BRIEF if seconds is None else seconds
                case Held(_, seconds):
                    wait = seconds
                case _:
                    return
            await asyncio.sleep(max(0.0, min(wait, ends - time.monotonic())))

    async def send_all(self, recipients: Sequence[str], *, within: float = 60.0) -> None:
        await asyncio.gather(*(self.send(one, within=within) for one in recipients))
        await self.relay.close()


async def refused(server: MailServer, mark: str, number: int) -> None:
    """Wait until the server's log has so many refusals with that mark."""
    async with asyncio.timeout(20):
        while len(server.lines(mark)) < number:
            await asyncio.sleep(0.02)


def people(number: int, domain: str = "elsewhere.test") -> list[str]:
    return [f"p{count}@{domain}" for count in range(number)]


async def test_postfix_limits_the_rate(tmp_path: Path) -> None:
    """Ten messages in two seconds: thirty arrive once each, nobody pays with a try or a place."""
    settings = {
        "smtpd_client_message_rate_limit": "10",
        "smtpd_client_event_limit_exceptions": "",
        "anvil_rate_time_unit": "2s",
    }
    async with postfix(tmp_path / "postfix", settings) as server:
        post = Post(relay_to(server.url))
        await post.send_all(people(30))
        arrived = await server.arrived(30)
        assert len(arrived) == len(set(arrived)) == 30
        assert "rate limit exceeded" in server.log.read_text()
    assert all(isinstance(outcome, Accepted) for outcome in post.last.values())
    assert post.tries.total() == 0
    assert post.bounced == []


async def test_postfix_limits_connections(tmp_path: Path) -> None:
    """Three at a time: sixty messages arrive once each."""
    settings = {"smtpd_client_connection_count_limit": "3", "smtpd_client_event_limit_exceptions": ""}
    async with postfix(tmp_path / "postfix", settings) as server:
        post = Post(relay_to(server.url, connections=12))
        await post.send_all(people(60))
        arrived = await server.arrived(60)
        assert len(arrived) == len(set(arrived)) == 60
    assert post.tries.total() == 0
    assert post.bounced == []


async def test_postgrey_does_not_know_us_yet(tmp_path: Path) -> None:
    """Everybody's first try is refused, whatever domain they are at: each waits, and arrives once."""
    recipients = [f"ada@d{number}.test" for number in range(8)] + people(4)
    async with postgrey(tmp_path / "postgrey", delay_seconds=1) as greylisting:
        settings = {"smtpd_recipient_restrictions": f"{greylisting}, permit"}
        async with postfix(tmp_path / "postfix", settings) as server:
            post = Post(relay_to(server.url))
            await post.send_all(recipients)
            assert sorted(await server.arrived(12)) == sorted(recipients)
            assert len(server.lines("Greylisted")) >= 12
    assert all(post.tries[recipient] for recipient in recipients)
    assert post.bounced == []
    assert post.relay.status().condition == "up"


async def test_postfix_knows_whom_it_does_not_know(tmp_path: Path) -> None:
    """An unknown recipient is suppressed, the others of its domain get theirs."""
    settings = {
        "virtual_mailbox_domains": "here.test",
        "virtual_mailbox_maps": "inline:{ada@here.test=ada, grace@here.test=grace}",
    }
    async with postfix(tmp_path / "postfix", settings) as server:
        post = Post(relay_to(server.url))
        await post.send_all(["ada@here.test", "nobody@here.test", "grace@here.test"])
        assert sorted(await server.arrived(2)) == ["ada@here.test", "grace@here.test"]
    assert post.bounced == ["nobody@here.test"]
    assert "User unknown" in str(post.last["nobody@here.test"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"smtpd_sender_restrictions": "inline:{team@mail.acme.test=reject}, reject"}, "rejected"),
        (
            {"smtpd_sender_restrictions": "check_sender_access inline:{acme.test=REJECT}, reject"},
            "Sender address rejected",
        ),
        ({"smtpd_client_restrictions": "reject", "smtpd_delay_reject": "no"}, "Client host rejected"),
        ({"smtpd_relay_restrictions": "reject", "smtpd_recipient_restrictions": "reject"}, "rejected"),
        ({"mynetworks": "192.0.2.0/24"}, "Relay access denied"),
    ],
    ids=["sender", "sender's domain", "client", "recipient for everybody", "relaying"],
)
async def test_postfix_refuses_us(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    """Whatever check we fail, every domain's mail waits, few attempts are made, and nobody is suppressed."""
    async with postfix(tmp_path / "postfix", settings) as server:
        post = Post(relay_to(server.url))
        recipients = [f"ada@d{number}.test" for number in range(8)]
        await post.send_all(recipients, within=3)
        assert await server.arrived(0) == []
        assert len(server.lines("NOQUEUE: reject")) < 30
    assert post.bounced == []
    assert all(isinstance(outcome, Deferred | Held) for outcome in post.last.values())
    assert any(words in str(outcome) for outcome in post.last.values())
    assert post.relay.status().condition == "down"


@pytest.mark.parametrize(
    ("query", "verified", "arrives"),
    [("", False, True), ("?starttls", False, False), ("?starttls", True, True)],
    ids=["offered", "required of an unknown authority", "required of an authority that is named"],
)
async def test_postfix_with_a_certificate_of_its_own(
    tmp_path: Path, query: str, verified: bool, arrives: bool
) -> None:
    """As Debian sets it up; in TLS each time that something arrives."""
    certificate, key = own_certificate(tmp_path)
    settings = {
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
        "smtpd_tls_security_level": "may",
        "smtpd_tls_loglevel": "1",
    }
    async with postfix(tmp_path / "postfix", settings) as server:
        post = Post(relay_to(server.url + query + (f"&ca={certificate}" if verified else "")))
        await post.send_all(["ada@elsewhere.test"], within=0.5)
        assert len(await server.arrived(int(arrives))) == arrives
        assert bool(server.lines("TLS connection established")) is arrives


async def test_exim_does_not_relay(tmp_path: Path) -> None:
    """Its words are "relay not permitted", with 550 and no more: everybody waits, nobody is suppressed."""
    rules = "deny message = relay not permitted"
    async with exim(tmp_path / "exim", rcpt=rules) as server:
        post = Post(relay_to(server.url))
        await post.send_all(people(20), within=3)
        assert server.lines("<=") == []
    assert post.bounced == []
    assert post.relay.status().condition == "down"
    assert "relay not permitted" in post.relay.status().reason


async def test_exim_takes_its_time_after_the_dot(tmp_path: Path) -> None:
    """Later than any other answer may be: each arrives once, over one connection after the other."""
    data = "warn delay = 2s\naccept"
    async with exim(tmp_path / "exim", data=data) as server:
        timeouts = Timeouts(connect=5, reply=1, final=30)
        post = Post(relay_to(server.url, timeouts=timeouts))
        await post.send_all(people(3))
        assert len(server.lines("<=")) == 3
    assert post.tries.total() == 0


async def test_exim_knows_nobody_of_that_name(tmp_path: Path) -> None:
    """A bare 550 in Exim's words."""
    rules = "deny local_parts = nobody\n     message = Unrouteable address\naccept"
    async with exim(tmp_path / "exim", rcpt=rules) as server:
        post = Post(relay_to(server.url))
        await post.send_all(["ada@elsewhere.test", "nobody@elsewhere.test"])
        assert len(server.lines("<=")) == 1
    assert post.bounced == ["nobody@elsewhere.test"]


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.8 <team@mail.acme.test>: Sender address rejected: Domain not found",
        "553 5.1.0 sender address refused",
        "550 5.4.5 Daily user sending quota exceeded",
        "554 client host rejected",
        "550 blocked using zen.spamhaus.test",
        "550 5.7.23 SPF validation failed",
        "501 5.5.2 HELO requires a domain name",
        "553 we do not relay",
        "421 4.7.0 try again later",
        "450 4.7.1 too many messages",
        "454 4.7.1 Relay access denied",
    ],
)
async def test_what_is_said_of_us_costs_time_alone(tmp_path: Path, words: str) -> None:
    """While it says so nothing leaves; once it does not each arrives once, and nobody is suppressed."""
    closed = tmp_path / "exim" / "closed"
    rules = f"deny condition = ${{if exists{{{closed}}}}}\n     message = {words}\naccept"
    verb = "deny" if words.startswith("5") else "defer"
    async with exim(tmp_path / "exim", rcpt=rules.replace("deny", verb, 1)) as server:
        closed.touch()
        post = Post(relay_to(server.url))
        recipients = [f"{name}@d{number}.test" for number in range(6) for name in ("ada", "grace")]
        sending = asyncio.create_task(post.send_all(recipients))
        await refused(server, words[4:], 3)
        assert server.lines("<=") == []
        closed.unlink()
        await sending
        assert len(server.lines("<=")) == len(recipients)
    assert post.bounced == []
    assert all(isinstance(outcome, Accepted) for outcome in post.last.values())


@pytest.mark.parametrize(
    ("answer", "is_bounce"),
    [
        ("550 5.1.1 User unknown", True),
        ("550 5.2.1 Mailbox disabled", True),
        ("552 5.2.2 Mailbox full", False),
        ("452 4.2.2 Mailbox full", False),
        ("550 5.2.1 is receiving mail at a rate that prevents delivery", False),
    ],
)
@pytest.mark.parametrize("moment", ["recipient", "end_of_data"])
async def test_postfix_speaks_of_one_mailbox(
    tmp_path: Path, moment: str, answer: str, is_bounce: bool
) -> None:
    """At once or after the final dot: the others get theirs, and only who is not there is suppressed."""
    odd = f"check_recipient_access inline:{{ {{ odd@here.test = {answer} }} }}, permit"
    async with postfix(tmp_path / "postfix", {f"smtpd_{moment}_restrictions": odd}) as server:
        post = Post(relay_to(server.url))
        outcome = await post.relay.send(message("odd@here.test"), yes)
        await post.send_all(["ada@here.test", "grace@here.test"])
        assert sorted(await server.arrived(2)) == ["ada@here.test", "grace@here.test"]
    assert isinstance(outcome, Bounced if is_bounce else Deferred)
    assert answer[9:] in outcome.reason
    assert post.relay.status().condition == "up"


async def test_postfix_wants_tls_that_is_off(tmp_path: Path) -> None:
    """530: everybody waits, few attempts are made, and nobody is suppressed."""
    certificate, key = own_certificate(tmp_path)
    settings = {
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
        "smtpd_tls_security_level": "encrypt",
    }
    async with postfix(tmp_path / "postfix", settings) as server:
        post = Post(relay_to(f"{server.url}?tls=off"))
        await post.send_all(people(20), within=2)
        assert await server.arrived(0) == []
    assert post.tries.total() == 0
    assert post.bounced == []
    assert post.relay.status().condition == "down"
    assert "STARTTLS" in post.relay.status().reason


async def test_exim_knows_another_password(tmp_path: Path) -> None:
    """535: one sign-in each time it is asked, and no email pays; once it is right each arrives once."""
    password = tmp_path / "password"
    password.write_text("another")
    async with exim(tmp_path / "exim", password=password) as server:
        post = Post(relay_to(server.url.replace("://", "://apikey:s3cret@")))
        held = await post.relay.send(message("ada@elsewhere.test"), yes)
        assert isinstance(held, Held)
        sending = asyncio.create_task(post.send_all(people(20)))
        await refused(server, "535 Incorrect authentication data", 2)
        assert post.relay.status().condition == "down"
        password.write_text("s3cret")
        await sending
        assert len(server.lines("535 Incorrect authentication data")) < 20
        assert len(server.lines("<=")) == 20
    assert post.tries.total() == 0
    assert post.bounced == []
