"""Against Exim: what arrived, how often, and who would be suppressed."""

import asyncio
from pathlib import Path

import pytest

from loopwright.server.mail.session import Timeouts
from loopwright.server.mail.transport import Accepted, Held
from support.mail_office import relay_to
from support.mail_servers import exim
from support.posting import Post, message, people, refused, yes


async def test_exim_does_not_relay(open_path: Path) -> None:
    """Its words are "relay not permitted", with 550 and no more: everybody waits, nobody is suppressed."""
    rules = "deny message = relay not permitted"
    async with exim(open_path / "exim", rcpt=rules) as server:
        post = Post(relay_to(server.url))
        await post.send_all(people(20), within=3)
        assert server.lines("<=") == []
    assert post.bounced == []
    assert post.relay.status().condition == "down"
    assert "relay not permitted" in post.relay.status().reason


async def test_exim_takes_its_time_after_the_dot(open_path: Path) -> None:
    """Later than any other answer may be: each arrives once, over one connection after the other."""
    data = "warn delay = 2s\naccept"
    async with exim(open_path / "exim", data=data) as server:
        timeouts = Timeouts(connect=5, reply=1, final=30)
        post = Post(relay_to(server.url, timeouts=timeouts))
        await post.send_all(people(3))
        assert len(server.lines("<=")) == 3
    assert post.tries.total() == 0


async def test_exim_knows_nobody_of_that_name(open_path: Path) -> None:
    """A bare 550 in Exim's words."""
    rules = "deny local_parts = nobody\n     message = Unrouteable address\naccept"
    async with exim(open_path / "exim", rcpt=rules) as server:
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
async def test_what_is_said_of_us_costs_time_alone(open_path: Path, words: str) -> None:
    """While it says so nothing leaves; once it does not each arrives once, and nobody is suppressed."""
    closed = open_path / "exim" / "closed"
    rules = f"deny condition = ${{if exists{{{closed}}}}}\n     message = {words}\naccept"
    verb = "deny" if words.startswith("5") else "defer"
    async with exim(open_path / "exim", rcpt=rules.replace("deny", verb, 1)) as server:
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


async def test_exim_knows_another_password(open_path: Path) -> None:
    """535: one sign-in each time it is asked, and no email pays; once it is right each arrives once."""
    password = open_path / "password"
    password.write_text("another")
    async with exim(open_path / "exim", password=password) as server:
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
