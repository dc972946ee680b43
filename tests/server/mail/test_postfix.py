"""Against Postfix and postgrey: what arrived, how often, and who would be suppressed."""

from pathlib import Path

import pytest

from loopwright.server.mail.transport import Accepted, Bounced, Deferred, Held
from support.mail_office import relay_to
from support.mail_servers import postfix, postgrey
from support.posting import Post, message, people, yes
from support.raw_smtp import own_certificate


async def test_postfix_limits_the_rate(open_path: Path) -> None:
    """Ten messages in two seconds: thirty arrive once each, nobody pays with a try or a place."""
    settings = {
        "smtpd_client_message_rate_limit": "10",
        "smtpd_client_event_limit_exceptions": "",
        "anvil_rate_time_unit": "2s",
    }
    async with postfix(open_path / "postfix", settings) as server:
        post = Post(relay_to(server.url))
        await post.send_all(people(30))
        arrived = await server.arrived(30)
        assert len(arrived) == len(set(arrived)) == 30
        assert "rate limit exceeded" in server.log.read_text()
    assert all(isinstance(outcome, Accepted) for outcome in post.last.values())
    assert post.tries.total() == 0
    assert post.bounced == []


async def test_postfix_limits_connections(open_path: Path) -> None:
    """Three at a time: sixty messages arrive once each."""
    settings = {"smtpd_client_connection_count_limit": "3", "smtpd_client_event_limit_exceptions": ""}
    async with postfix(open_path / "postfix", settings) as server:
        post = Post(relay_to(server.url, connections=12))
        await post.send_all(people(60))
        arrived = await server.arrived(60)
        assert len(arrived) == len(set(arrived)) == 60
    assert post.tries.total() == 0
    assert post.bounced == []


async def test_postgrey_does_not_know_us_yet(open_path: Path) -> None:
    """Everybody's first try is refused, whatever domain they are at: each waits, and arrives once."""
    recipients = [f"ada@d{number}.test" for number in range(8)] + people(4)
    async with postgrey(open_path / "postgrey", delay_seconds=1) as greylisting:
        settings = {"smtpd_recipient_restrictions": f"{greylisting}, permit"}
        async with postfix(open_path / "postfix", settings) as server:
            post = Post(relay_to(server.url))
            await post.send_all(recipients)
            assert sorted(await server.arrived(12)) == sorted(recipients)
            assert len(server.lines("Greylisted")) >= 12
    assert all(post.tries[recipient] for recipient in recipients)
    assert post.bounced == []
    assert post.relay.status().condition == "up"


async def test_postfix_knows_whom_it_does_not_know(open_path: Path) -> None:
    """An unknown recipient is suppressed, the others of its domain get theirs."""
    settings = {
        "virtual_mailbox_domains": "here.test",
        "virtual_mailbox_maps": "inline:{ada@here.test=ada, grace@here.test=grace}",
    }
    async with postfix(open_path / "postfix", settings) as server:
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
async def test_postfix_refuses_us(open_path: Path, settings: dict[str, str], words: str) -> None:
    """Whatever check we fail, every domain's mail waits, few attempts are made, and nobody is suppressed."""
    async with postfix(open_path / "postfix", settings) as server:
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
    open_path: Path, query: str, verified: bool, arrives: bool
) -> None:
    """As Debian sets it up; in TLS each time that something arrives."""
    certificate, key = own_certificate(open_path)
    settings = {
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
        "smtpd_tls_security_level": "may",
        "smtpd_tls_loglevel": "1",
    }
    async with postfix(open_path / "postfix", settings) as server:
        post = Post(relay_to(server.url + query + (f"&ca={certificate}" if verified else "")))
        await post.send_all(["ada@elsewhere.test"], within=0.5)
        assert len(await server.arrived(int(arrives))) == arrives
        assert bool(server.lines("TLS connection established")) is arrives


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
    open_path: Path, moment: str, answer: str, is_bounce: bool
) -> None:
    """At once or after the final dot: the others get theirs, and only who is not there is suppressed."""
    odd = f"check_recipient_access inline:{{ {{ odd@here.test = {answer} }} }}, permit"
    async with postfix(open_path / "postfix", {f"smtpd_{moment}_restrictions": odd}) as server:
        post = Post(relay_to(server.url))
        outcome = await post.relay.send(message("odd@here.test"), yes)
        await post.send_all(["ada@here.test", "grace@here.test"])
        assert sorted(await server.arrived(2)) == ["ada@here.test", "grace@here.test"]
    assert isinstance(outcome, Bounced if is_bounce else Deferred)
    assert answer[9:] in outcome.reason
    assert post.relay.status().condition == "up"


async def test_postfix_wants_tls_that_is_off(open_path: Path) -> None:
    """530: everybody waits, few attempts are made, and nobody is suppressed."""
    certificate, key = own_certificate(open_path)
    settings = {
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
        "smtpd_tls_security_level": "encrypt",
    }
    async with postfix(open_path / "postfix", settings) as server:
        post = Post(relay_to(f"{server.url}?tls=off"))
        await post.send_all(people(20), within=2)
        assert await server.arrived(0) == []
    assert post.tries.total() == 0
    assert post.bounced == []
    assert post.relay.status().condition == "down"
    assert "STARTTLS" in post.relay.status().reason
