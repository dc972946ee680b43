"""One request to an endpoint, and what may come of it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from loopwright.server.webhook.addresses import Resolver, public_and
from loopwright.server.webhook.transport import Transport
from support.certificate import make_certificate
from support.webhook_peer import receiving

NOW = datetime(2026, 5, 17, tzinfo=UTC)


@pytest.fixture
async def resolver() -> AsyncIterator[Resolver]:
    resolver = Resolver(public_and([ip_network("127.0.0.0/8"), ip_network("::1/128")]))
    yield resolver
    resolver.close()


async def test_tls_is_checked_against_the_hosts_own_name(resolver: Resolver, tmp_path: Path) -> None:
    """The connection goes to an address, and the certificate has to be the name's."""
    made = make_certificate(tmp_path)
    tls = ssl.create_default_context(cafile=str(made.certificate))
    async with receiving(made) as receiver:
        trusting, strict = Transport(resolver, tls), Transport(resolver)
        answered = await trusting.post(receiver.url, {}, b"{}", now=NOW)
        assert (answered.status_code, answered.error) == (204, "")
        for transport, url in (
            (strict, receiver.url),
            (trusting, receiver.url.replace("127.0.0.1", "localhost")),
        ):
            refused = await transport.post(url, {}, b"{}", now=NOW)
            assert refused.status_code is None
            assert "certificate" in refused.error.lower()
        assert len(receiver.requests) == 1
        await trusting.close()
        await strict.close()


async def test_a_name_that_means_something_else_the_next_time(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at is what is connected to; one bad address among others is enough to refuse a name."""
    answers = [["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "169.254.169.254"]]
    asked: list[object] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        addresses = answers[len(asked) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    async with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "rebinding.example")
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        told: list[str] = []
        for _ in answers:
            transport = Transport(resolver)
            attempt = await transport.post(url, {}, b"{}", now=NOW)
            told.append(attempt.error)
            await transport.close()
        monkeypatch.undo()
    assert asked == ["rebinding.example"] * 3
    assert len(receiver.requests) == 1
    assert told[0] == ""
    assert ["not public" in error for error in told[1:]] == [True, True]


async def test_a_host_that_nobody_has(resolver: Resolver) -> None:
    """The history names it, so that a mistake is seen."""
    transport = Transport(resolver)
    attempt = await transport.post("http://nowhere.invalid/", {}, b"{}", now=NOW)
    assert "nowhere.invalid was not found" in attempt.error
    await transport.close()


@pytest.mark.parametrize(
    ("said", "status", "reply"),
    [
        pytest.param(b"", None, "", id="silence"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", None, "", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha", 200, "ha", id="a reply that stops"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\x00\xff", 200, "a\ufffd\ufffd", id="no text"
        ),
    ],
)
async def test_odd_answers(resolver: Resolver, said: bytes, status: int | None, reply: str) -> None:
    """A status counts; whatever else comes, or does not, within the time there is, raises nothing."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(said)
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = Transport(resolver, seconds=0.3)
    attempt = await transport.post(f"http://127.0.0.1:{port}/", {}, b"{}", now=NOW)
    assert (attempt.status_code, attempt.reply) == (status, reply)
    assert ("no answer came" in attempt.error) is (status is None)
    await transport.close()
    server.close()
