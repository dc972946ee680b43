"""Where the server listens: whatever host is given, the address that it prints can be called."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from loopwright.server.app import run
from loopwright.server.runtime.listening import Listener, listen
from loopwright.server.settings import Settings


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes what a test opens."""
    with ExitStack() as stack:
        yield stack


def reaches(host: str, listener: Listener) -> bool:
    """Whether a connection to that address and the listener's port is taken."""
    port = listener.sockets[0].getsockname()[1]
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "address", "reached", "missed"),
    [
        pytest.param("127.0.0.1", "http://127.0.0.1", ["127.0.0.1"], ["::1", "127.0.0.2"], id="one IPv4"),
        pytest.param("::1", "http://[::1]", ["::1"], ["127.0.0.1"], id="one IPv6"),
        pytest.param("[::1]", "http://[::1]", ["::1"], ["127.0.0.1"], id="in brackets"),
        pytest.param("0.0.0.0", "http://127.0.0.1", ["127.0.0.1", "127.0.0.2"], ["::1"], id="every IPv4"),
        pytest.param("::", "http://127.0.0.1", ["::1", "127.0.0.1", "127.0.0.2"], [], id="everything"),
        pytest.param("localhost", "http://localhost", ["127.0.0.1", "localhost"], ["127.0.0.2"], id="name"),
    ],
)
def test_where_a_host_is_reached(
    stack: ExitStack, host: str, address: str, reached: list[str], missed: list[str]
) -> None:
    """At all of its addresses and no others; `::` is both families."""
    (listener,) = listen(host, 0)
    stack.enter_context(listener)
    assert listener.address.rpartition(":")[0] == address
    assert [one for one in reached if not reaches(one, listener)] == []
    assert [one for one in missed if reaches(one, listener)] == []


@pytest.mark.parametrize("host", ["::", "localhost", "127.0.0.1"])
def test_several_processes_share_a_port(stack: ExitStack, host: str) -> None:
    """Each has sockets of its own, all on the port of the first."""
    listeners = [stack.enter_context(one) for one in listen(host, 0, count=3)]
    assert len({one.address for one in listeners}) == 1
    assert len({one.fileno() for listener in listeners for one in listener.sockets}) >= 3
    with pytest.raises(OSError, match="in use"):
        listen(host, listeners[0].sockets[0].getsockname()[1])


@pytest.mark.parametrize("count", [1, 3], ids=["one process", "several"])
def test_an_answer_is_sent_piece_by_piece(stack: ExitStack, count: int) -> None:
    """What follows the head of an answer does not wait until the head is acknowledged, in whatever loop."""
    listener, *others = [stack.enter_context(one) for one in listen("127.0.0.1", 0, count)]
    for one in others:  # else the connection may be another's
        one.sockets[0].close()
    client = stack.enter_context(socket.create_connection(listener.sockets[0].getsockname()))
    client.settimeout(5)
    accepted = stack.enter_context(listener.sockets[0].accept()[0])
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        pytest.param("nowhere.invalid", "nowhere.invalid is no address", id="a name of nobody"),
        pytest.param("192.0.2.1", "assign", id="an address of another machine"),
        pytest.param("", "is no address", id="nothing"),
    ],
)
def test_a_host_that_is_not_here(host: str, words: str) -> None:
    """It is refused, and the reason told."""
    with pytest.raises(OSError, match=words):
        listen(host, 0)


@pytest.mark.parametrize("host", ["::", "localhost"])
async def test_the_printed_address_answers(host: str, database_url: str, tmp_path: Path) -> None:
    """By IPv4 and IPv6 alike, the whole server is there."""
    settings = Settings(host=host, port=0, database_url=database_url, data_dir=tmp_path)
    async with run(settings) as running, httpx2.AsyncClient() as client:
        port = running.address.rpartition(":")[2]
        for address in (running.address, f"http://127.0.0.1:{port}"):
            assert (await client.get(f"{address}/healthz")).status_code == 200
