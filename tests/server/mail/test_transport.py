"""The way to a relay, against servers that are full, away, slow to answer or not who they should be."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from loopwright.server.clock import SystemClock
from loopwright.server.mail import transport
from loopwright.server.mail.compose import Composed
from loopwright.server.mail.relay import Limits
from loopwright.server.mail.session import Timeouts
from loopwright.server.mail.smtp_url import Server, read_url
from loopwright.server.mail.transport import (
    Accepted,
    Bounced,
    Deferred,
    Held,
    Outcome,
    Refused,
    Relay,
    Sending,
)
from support.mail_office import relay_to
from support.raw_smtp import RawServer, own_certificate, raw_smtp, tls_of
from support.workflows import until


def message(number: int = 0, domain: str = "peer.test", **given: object) -> Composed:
    return Composed(
        data=b"Subject: Hi\r\n\r\n.Hello\r\n",
        sender="team@mail.acme.test",
        recipient=f"n{number}@{domain}",
        copies=(),
        **given,  # type: ignore[arg-type]  # names of fields
    )


async def yes() -> bool:
    return True


async def send(relay: Relay, number: int = 0, domain: str = "peer.test") -> Outcome:
    return await relay.send(message(number, domain), yes)


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""

    async def look() -> bool:
        return holds()

    await until(look)


async def deliver(relay: Relay, number: int, tries: Counter[int]) -> None:
    """Do as a sender does: go again when it is time, and count what the message paid."""
    while not isinstance(outcome := await send(relay, number), Accepted):
        assert isinstance(outcome, Deferred | Held)
        tries[number] += isinstance(outcome, Deferred) and outcome.seconds is None
        await asyncio.sleep(min(outcome.seconds or 0, 0.05))


@asynccontextmanager
async def closing(relay: Relay) -> AsyncIterator[Relay]:
    try:
        yield relay
    finally:
        await relay.close()


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    async with raw_smtp() as raw:
        yield raw


async def test_a_limit_of_connections_is_found_and_kept_to(raw: RawServer) -> None:
    """Everything is taken once, no message pays, and in the end no more connections are tried than let in."""
    raw.most_connections = 3
    tries: Counter[int] = Counter()
    async with closing(relay_to(raw.url, connections=12)) as relay:
        await asyncio.gather(*(deliver(relay, number, tries) for number in range(60)))
        assert relay.status().condition == "slow"
    assert len(raw.taken) == len(set(raw.taken)) == 60
    assert tries.total() == 0
    assert len(raw.commands) < 40


async def test_a_limit_of_pace_is_waited_for(raw: RawServer) -> None:
    """Refused at MAIL after five: a pause, then on. No message pays, and few attempts are made meanwhile."""
    left = 5

    def limit(_: str) -> str | None:
        nonlocal left
        left -= 1
        return None if left >= 0 else "450 4.7.1 Error: too much mail from 127.0.0.1"

    raw.answers["MAIL"] = limit
    tries: Counter[int] = Counter()
    async with closing(relay_to(raw.url)) as relay:
        sending = asyncio.gather(*(deliver(relay, number, tries) for number in range(12)))
        await eventually(lambda: relay.status().condition == "slow")
        await asyncio.sleep(0.3)
        assert len(raw.said("MAIL")) <= 5 + 8 + 1, "more than those under way when it said so"
        left = 1000
        await sending
    assert len(raw.taken) == len(set(raw.taken)) == 12
    assert tries.total() == 0


@pytest.mark.parametrize(
    ("verb", "answer", "credentials"),
    [
        ("greeting", "554 client host rejected", False),
        ("greeting", "hang up", False),
        ("EHLO", "550 5.7.1 name refused", False),
        ("AUTH", "535 5.7.8 authentication failed", True),
        ("MAIL", "530 5.7.0 authentication required", False),
        ("RCPT", "554 5.7.1 <x@y.test>: Relay access denied", False),
        ("RCPT", "550 relay not permitted", False),
    ],
)
async def test_a_relay_that_takes_nothing_is_asked_by_one(
    raw: RawServer, caplog: pytest.LogCaptureFixture, verb: str, answer: str, credentials: bool
) -> None:
    """All wait and none pays; one attempt, with one sign-in, until the pause is over. Then it goes on."""
    raw.answers[verb] = answer
    raw.auth = "PLAIN LOGIN CRAM-MD5"
    url = raw.url.replace("://", "://apikey:s3cret@") if credentials else raw.url
    async with closing(relay_to(url)) as relay:
        first = await send(relay)
        assert isinstance(first, Held)
        outcomes = await asyncio.gather(*(send(relay, number) for number in range(20)))
        assert all(isinstance(outcome, Held) for outcome in outcomes)
        assert len(raw.commands) == 1
        assert len(raw.said("AUTH")) <= 1
        status = relay.status()
        assert status.condition == "down"
        if answer != "hang up":
            assert answer in status.reason
        del raw.answers[verb]
        await asyncio.sleep(first.seconds)
        tries: Counter[int] = Counter()
        await asyncio.gather(*(deliver(relay, number, tries) for number in range(20)))
        assert relay.status().condition != "down"
    assert tries.total() == 0
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 2
    assert "takes no email" in warnings[0]
    assert "takes email again" in warnings[1]
    assert not any("s3cret" in line or "@" in line for line in warnings)


async def test_a_server_that_is_away_comes_back(raw: RawServer) -> None:
    """Nothing listens; then something does."""
    port = raw.port
    async with raw_smtp() as other:
        away = other.port
    assert away != port
    async with closing(relay_to(f"smtp://127.0.0.1:{away}")) as relay:
        held = await send(relay)
        assert isinstance(held, Held)
        assert "no connection" in held.reason
        async with raw_smtp(port=away) as back:
            await asyncio.sleep(held.seconds)
            assert isinstance(await send(relay), Accepted)
            assert len(back.taken) == 1


async def test_the_same_refusal_for_several_domains_stops_the_relay(
    raw: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody bounces for it, and an alarm says what the server said."""
    raw.answers["RCPT"] = lambda line: f"550 5.1.8 {line[8:]}: Sender address rejected: Domain not found"
    async with closing(relay_to(raw.url)) as relay:
        outcomes = [await send(relay, number, f"d{number}.test") for number in range(6)]
        assert [type(outcome) for outcome in outcomes] == [Deferred, Deferred, Held, Held, Held, Held]
        assert len(raw.said("RCPT")) == 3
    assert "Sender address rejected: Domain not found" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        "554 5.7.1 <n0@peer.test>: Recipient address rejected: Access denied",
        "554 5.7.1 <n0@peer.test>: Relay access denied",
        "451 4.7.1 Try again later",
    ],
)
async def test_one_that_is_refused_again_and_again_holds_up_nobody(raw: RawServer, answer: str) -> None:
    """A relay that takes the others' email is not about to stop for it; that one pays for each try."""
    raw.answers["RCPT"] = lambda line: answer if "<n0@" in line else None
    async with closing(relay_to(raw.url)) as relay:
        assert isinstance(await send(relay, 1), Accepted)
        for number in range(2, 10):
            refused = await send(relay, 0)
            assert isinstance(refused, Deferred)
            assert refused.seconds is None
            assert isinstance(await send(relay, number), Accepted)
            assert relay.status().condition == "up"


async def test_a_relay_that_no_longer_knows_us_stops(raw: RawServer) -> None:
    """It took our email, and then is closed to us: a few at one domain are enough to see that."""
    async with closing(relay_to(raw.url)) as relay:
        assert isinstance(await send(relay), Accepted)
        raw.answers["RCPT"] = lambda line: f"554 5.7.1 {line[8:]}: Relay access denied"
        outcomes = [await send(relay, number) for number in range(1, 5)]
    assert [type(outcome) for outcome in outcomes] == [Deferred, Deferred, Held, Held]


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("MAIL", "553 5.7.1 <x@unwanted.test>: Sender address rejected: not owned by user"),
        ("MAIL", "550 5.1.8 <x@unwanted.test>: Sender address rejected: Domain not found"),
        ("DOT", "550 5.7.26 this message does not pass DMARC"),
    ],
)
async def test_a_sender_that_is_refused_holds_up_no_other(
    raw: RawServer, caplog: pytest.LogCaptureFixture, verb: str, answer: str
) -> None:
    """All email of one team waits, and one asks whether it is over; that of the others goes meanwhile."""
    other = [replace(message(number, f"d{number}.test"), sender="x@unwanted.test") for number in range(8)]
    raw.answers[verb] = lambda line: answer if "@unwanted.test" in line or "@d" in line else None
    async with closing(relay_to(raw.url)) as relay:
        first = [await relay.send(one, yes) for one in other[:3]]
        assert isinstance(first[-1], Held)
        assert relay.status().condition == "down", "nobody else has sent anything yet"
        asked = len(raw.said(verb if verb == "MAIL" else "DATA"))
        for number in range(10):
            assert isinstance(await relay.send(other[3], yes), Held)
            assert isinstance(await send(relay, number), Accepted)
        assert len(raw.said(verb if verb == "MAIL" else "DATA")) == asked + 10
        assert relay.status().condition == "slow"
        del raw.answers[verb]
        await asyncio.sleep(first[-1].seconds)
        assert isinstance(await relay.send(other[4], yes), Accepted)
        assert relay.status().condition == "up"
    assert "takes no email from unwanted.test" in caplog.text
    assert "takes email from unwanted.test again" in caplog.text


async def test_a_relay_that_is_back_and_wants_no_sender_says_so(raw: RawServer) -> None:
    """What it said before of everybody is over."""
    raw.answers["greeting"] = "554 closed for today"
    async with closing(relay_to(raw.url)) as relay:
        held = await send(relay)
        assert isinstance(held, Held)
        raw.answers = {"MAIL": "550 5.1.8 Sender address rejected: Domain not found"}
        await asyncio.sleep(held.seconds)
        for number in range(3):
            await send(relay, number, f"d{number}.test")
        await eventually(lambda: "Sender address rejected" in relay.status().reason)
        assert "closed for today" not in relay.status().reason


async def test_people_who_are_gone_stop_nobody(raw: RawServer) -> None:
    """Several in a row at one domain, with a code of policy as some have for everything."""
    raw.answers["RCPT"] = lambda line: None if "n9@" in line else "550 5.7.1 No such user!"
    async with closing(relay_to(raw.url)) as relay:
        assert {type(await send(relay, number)) for number in range(6)} == {Deferred}
        assert isinstance(await send(relay, 9), Accepted)


async def test_what_is_said_to_everybody_is_held_against_no_mailbox(raw: RawServer) -> None:
    """The same for several domains in a row asks for less, and is no try of those that come then."""
    raw.answers["DOT"] = "451 4.7.1 Service unavailable, try again later"
    async with closing(relay_to(raw.url)) as relay:
        outcomes = [await send(relay, number, f"d{number}.test") for number in range(3)]
        assert relay.status().condition == "slow"
    assert all(isinstance(outcome, Deferred) for outcome in outcomes)
    assert [outcome.by_mailbox for outcome in outcomes if isinstance(outcome, Deferred)] == [
        True,
        True,
        False,
    ]


async def test_a_server_that_knows_nobody_costs_no_audience(raw: RawServer) -> None:
    """A broken table of users says "unknown" to everybody: it is stopped after a few."""
    raw.answers["RCPT"] = lambda line: f"550 5.1.1 {line[8:]}: User unknown"
    async with closing(relay_to(raw.url)) as relay:
        outcomes = [await send(relay, number, f"d{number}.test") for number in range(30)]
        assert Counter(map(type, outcomes)) == {Bounced: 9, Held: 21}
        del raw.answers["RCPT"]


@pytest.mark.parametrize(
    ("verb", "answer", "expected"),
    [
        ("RCPT", "550 5.1.1 unknown user", Bounced),
        ("DOT", "550 5.1.1 unknown user", Bounced),
        ("RCPT", "452 4.2.2 mailbox full", Deferred),
        ("RCPT", "550 5.1.8 sender domain", Deferred),
        ("DOT", "554 5.7.1 spam", Refused),
    ],
)
async def test_a_refusal_of_one_costs_no_connection(
    raw: RawServer, verb: str, answer: str, expected: type
) -> None:
    """The next message goes over the same one."""
    raw.answers[verb] = lambda line: answer if "n1@" in line else None
    async with closing(relay_to(raw.url)) as relay:
        outcomes = [await send(relay, number) for number in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Accepted, expected, Accepted]
    assert len(raw.commands) == 1
    assert len(raw.taken) == 2


@pytest.mark.parametrize(
    ("verb", "answer"),
    [("MAIL", "251 hm"), ("RCPT", "252 not looked up, taken"), ("DOT", "253 hm")],
)
async def test_the_first_digit_of_a_reply_decides(raw: RawServer, verb: str, answer: str) -> None:
    """What a server has taken is not sent again for the words it took it with."""
    raw.answers[verb] = answer
    async with closing(relay_to(raw.url)) as relay:
        assert isinstance(await send(relay), Accepted)
    assert len(raw.arrived) == 1


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("RCPT", "hello there"),
        ("RCPT", " "),
        ("RCPT", "999 user unknown"),
        ("RCPT", "199 mailbox full"),
        ("copy", "hello there"),
        ("DATA", "250 OK"),
        ("DOT", "354 go ahead"),
        ("DOT", "mailbox full"),
    ],
)
async def test_what_is_neither_yes_nor_no_is_about_nobody(raw: RawServer, verb: str, answer: str) -> None:
    """It is held against no mailbox, and nothing more is said where nobody knows what answers what."""
    mark = {"RCPT": "n0@", "DATA": ""}.get(verb, "boss@")
    raw.answers["RCPT" if verb == "copy" else verb] = lambda line: answer if mark in line else None
    async with closing(relay_to(raw.url)) as relay:
        outcome = await relay.send(replace(message(), copies=("boss@peer.test",)), yes)
        assert isinstance(outcome, Deferred)
        assert not outcome.by_mailbox
        assert "-1" not in outcome.reason
        raw.answers.clear()
        assert isinstance(await send(relay, 1), Accepted)
    assert len(raw.commands) == 2


@pytest.mark.parametrize("verb", ["greeting", "EHLO"])
async def test_whatever_speaks_no_smtp_is_no_relay(raw: RawServer, verb: str) -> None:
    """All email waits, until a mail server listens there."""
    raw.answers[verb] = "HTTP/1.1 400 Bad Request"
    async with closing(relay_to(raw.url)) as relay:
        assert isinstance(await send(relay), Held)
        assert relay.status().condition == "down"
        assert "its answer is no SMTP: HTTP/1.1 400 Bad Request" in relay.status().reason
        raw.answers.clear()
        await deliver(relay, 1, Counter())


async def test_silence_after_the_final_dot_is_waited_out(raw: RawServer) -> None:
    """The final dot has a limit of its own; the message that may have been taken waits like one refused."""
    assert Timeouts() == Timeouts(connect=30, reply=300, final=600)
    late = asyncio.Event()
    raw.answers["DOT"] = lambda _: None if late.is_set() else "wait"
    timeouts = Timeouts(connect=5, reply=0.2, final=1.0)
    async with closing(relay_to(raw.url, timeouts=timeouts)) as relay:
        sending = asyncio.ensure_future(send(relay))
        await asyncio.sleep(0.5)
        assert not sending.done()
        outcome = await sending
        assert isinstance(outcome, Deferred)
        assert outcome.seconds is None
        assert "DATA end" in outcome.reason
    assert len(raw.arrived) == 1


async def test_whoever_waits_no_longer_leaves_nothing_behind(raw: RawServer) -> None:
    """A process that ends cancels what it waits for: the turn is free again, the connection closed."""
    raw.answers["DOT"] = "wait"
    async with closing(relay_to(raw.url, timeout=60, connections=1)) as relay:
        sending, waiting = (asyncio.ensure_future(send(relay, number)) for number in range(2))
        await eventually(lambda: len(raw.arrived) == 1)
        for task in (waiting, sending):
            task.cancel()
        await asyncio.wait([sending, waiting])
        del raw.answers["DOT"]
        assert isinstance(await send(relay), Accepted)
    assert len(raw.commands) == 2


async def test_nobody_finishes_what_another_has_taken(raw: RawServer) -> None:
    """Asked after DATA and before the first byte."""

    async def no() -> bool:
        return False

    async with closing(relay_to(raw.url)) as relay:
        assert isinstance(await relay.send(message(), no), Held)
        assert isinstance(await send(relay), Accepted)
    assert len(raw.arrived) == 1


async def test_a_connection_is_left_with_quit_after_so_many_messages(raw: RawServer) -> None:
    """Also at the end."""
    async with closing(relay_to(raw.url, messages=2)) as relay:
        for number in range(5):
            assert isinstance(await send(relay, number), Accepted)
    await eventually(lambda: raw.open == 0)
    assert [sum("MAIL" in line for line in session) for session in raw.commands] == [2, 2, 1]
    assert all(session[-1].upper() == "QUIT" for session in raw.commands)


async def test_a_quiet_connection_is_left_with_quit(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is of use stays, and is left when it is quiet, too."""
    monkeypatch.setattr(transport, "IDLE_SECONDS", 0.4)
    async with closing(relay_to(raw.url)) as relay:
        await asyncio.gather(*(send(relay, number) for number in range(3)))
        assert raw.open == 3
        number = 3
        while raw.open > 1:
            await asyncio.sleep(0.05)
            number += 1
            assert isinstance(await send(relay, number), Accepted)
        await eventually(lambda: raw.open == 0)
        assert isinstance(await send(relay), Accepted)
    assert len(raw.commands) == 4
    assert all(session[-1].upper() == "QUIT" for session in raw.commands)


async def test_a_rate_holds_and_urgent_messages_go_first(raw: RawServer) -> None:
    """A password reset does not stand in the queue of a newsletter."""
    async with closing(relay_to(raw.url, rate=20.0)) as relay:
        waiting = [asyncio.ensure_future(send(relay, number)) for number in range(12)]
        await eventually(lambda: len(raw.taken) > 3)
        before = len(raw.taken)
        await relay.send(message(99, is_urgent=True), yes)
        assert len(raw.taken) <= before + 2
        await asyncio.gather(*waiting)
    assert len(raw.taken) == 13


@pytest.mark.parametrize(
    ("given", "name"),
    [({}, "mail.acme.test"), ({"ehlo_name": "out.acme.test"}, "out.acme.test")],
)
async def test_our_name_is_a_full_one(raw: RawServer, given: dict[str, Any], name: str) -> None:
    """That of the domain that sends, or the one that is set; an address in brackets is refused by many."""
    async with closing(relay_to(raw.url, **given)) as relay:
        await send(relay)
    assert raw.said("EHLO") == [f"EHLO {name}"]


async def test_a_password_never_travels_in_clear_text(raw: RawServer) -> None:
    """STARTTLS that is not offered, or stripped on the way, stops everything before the sign-in."""
    raw.auth = "PLAIN"
    server = Server(host="localhost", port=raw.port, username="a", password="b", tls="required")
    assert read_url("smtp://a:b@relay.test").tls == server.tls
    async with closing(Relay(server, Sending(limits=Limits(connections=2)), SystemClock())) as relay:
        held = await send(relay)
    assert isinstance(held, Held)
    assert "STARTTLS" in held.reason
    assert raw.said("AUTH") == []


@pytest.mark.parametrize(
    ("query", "with_authority", "expected", "in_tls"),
    [
        pytest.param("", False, Accepted, True, id="whom nobody asked to be anybody"),
        pytest.param("?tls=off", False, Accepted, False, id="not wanted"),
        pytest.param("?starttls", False, Held, None, id="an unknown authority"),
        pytest.param("?starttls", True, Accepted, True, id="an authority that is named"),
    ],
)
async def test_a_certificate_of_its_own(
    tmp_path: Path, query: str, with_authority: bool, expected: type, in_tls: bool | None
) -> None:
    """A server's own certificate will do where TLS was not required, and is verified where it was."""
    files = own_certificate(tmp_path)
    async with raw_smtp(tls_of(files)) as raw:
        ca = f"&ca={files[0]}" if with_authority else ""
        async with closing(relay_to(f"smtp://localhost:{raw.port}{query}{ca}")) as relay:
            outcome = await send(relay)
    assert isinstance(outcome, expected), outcome
    assert raw.in_tls == ([] if in_tls is None else [in_tls])


async def test_tls_from_the_first_byte_is_verified(tmp_path: Path) -> None:
    files = own_certificate(tmp_path)
    async with raw_smtp(tls_of(files), implicit=True) as raw:
        async with closing(relay_to(f"smtps://localhost:{raw.port}")) as relay:
            assert isinstance(await send(relay), Held)
        async with closing(relay_to(f"smtps://localhost:{raw.port}?ca={files[0]}")) as relay:
            assert isinstance(await send(relay), Accepted)
        async with closing(relay_to(f"smtps://127.0.0.1:{raw.port}?ca={files[0]}")) as relay:
            assert isinstance(await send(relay), Held)


@pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "hang up"])
async def test_tls_that_nobody_asked_for_may_fail(tmp_path: Path, answer: str) -> None:
    """The message goes in clear text then, as it would without the offer."""
    async with raw_smtp(tls_of(own_certificate(tmp_path))) as raw:
        raw.answers["STARTTLS"] = answer
        async with closing(relay_to(raw.url)) as relay:
            assert isinstance(await send(relay), Accepted)
    assert raw.in_tls == [False]
