"""Bounds of a connection: what a client may send, and how long it may take, whatever it wants.

Clients here are sockets: they do what no client library would. Deadlines are short, and what counts is that
they end a connection, not when.
"""

import asyncio
import json
import resource
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from loopwright.server.runtime.connections import KEPT_FILES, LEAST_CONNECTIONS, Deadlines, affordable
from loopwright.server.runtime.listening import listen
from loopwright.server.runtime.protocol import HEAD_BYTES, RELIED_ON, RELIED_ON_IN_INSTANCES, SLICE
from loopwright.server.runtime.web_server import web_server
from loopwright.wire.failures import CODE_HEADER
from support.live import LiveServer
from support.process import API_KEY, LOOPWRIGHT

PATIENCE_SECONDS = 30
SOON = 0.2
PATIENT = Deadlines(look=0.05)
"""The usual deadlines, which none of these tests waits for."""


@dataclass
class House:
    """A running server: where it is, why it ended connections, and what its application met."""

    port: int
    clients: list["Client"] = field(default_factory=list["Client"])
    ended: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    holding: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, reason: str, count: int = 1) -> None:
        """Wait until so many connections were ended for that reason."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while Counter(self.ended)[reason] < count:
                await asyncio.sleep(0.01)


class Client:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """The next answer: status, headers and body."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line, *lines = (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
            headers = dict(one.lower().split(b": ", 1) for one in lines)
            body = await self.reader.readexactly(int(headers.get(b"content-length", b"0")))
        return int(line.split()[1]), headers, body

    async def refused(self) -> tuple[int, str]:
        """The answer of a refusal, status and code, after which nothing comes."""
        status, headers, body = await self.answer()
        told = json.loads(body)
        assert (told.keys(), told["success"]) == ({"success", "message"}, False)
        assert headers[b"connection"] == b"close"
        assert await self.rest() == b""
        return status, headers[CODE_HEADER.encode()].decode()

    async def rest(self) -> bytes:
        """What comes until the end; a connection that is reset ends, too."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


Serving = Callable[..., AbstractAsyncContextManager[House]]
Dial = Callable[[House], Awaitable[Client]]


def application(house: House) -> Starlette:
    """A few ways to answer."""

    async def echo(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            house.left.append(request.url.path)
            raise
        return JSONResponse({"length": len(body), "trailer": request.headers.get("x-trailer")})

    async def early(_: Request) -> Response:
        return Response("no", 403)

    async def hold(_: Request) -> Response:
        house.holding.set()
        await house.go_on.wait()
        return Response("held")

    async def pour(_: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"x" * 100_000

        return StreamingResponse(pieces())

    return Starlette(
        routes=[
            Route("/echo", echo, methods=["GET", "POST"]),
            Route("/early", early, methods=["POST"]),
            Route("/hold", hold),
            Route("/pour", pour),
        ]
    )


@pytest.fixture
def serving() -> Serving:
    """Runs a server with these bounds while a context lasts."""

    @asynccontextmanager
    async def serve(deadlines: Deadlines = PATIENT, connections: int = 1000) -> AsyncIterator[House]:
        (listener,) = listen("127.0.0.1", 0)
        house = House(listener.sockets[0].getsockname()[1])
        async with web_server(
            application(house),
            listener,
            connections=connections,
            ended=house.ended.append,
            deadlines=deadlines,
        ):
            yield house
            house.go_on.set()
            for client in house.clients:
                client.writer.transport.abort()

    return serve


@pytest.fixture
def dial() -> Dial:
    """Makes connections to a house, which last no longer than it does."""

    async def connect(house: House) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", house.port))
        house.clients.append(client)
        return client

    return connect


def get(path: str = "/echo", headers: bytes = b"") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (path.encode(), headers)


def post(path: str, headers: bytes, body: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%b\r\n%b" % (path.encode(), headers, body)


# --- heads


@pytest.mark.parametrize(
    ("head", "refusal"),
    [
        pytest.param(get("/" + "a" * 100_000), (414, "url_too_long"), id="URL"),
        pytest.param(get("/?" + "a" * 100_000), (414, "url_too_long"), id="query"),
        pytest.param(get("/", b"A: %b\r\n" % (b"x" * 100_000)), (431, "headers_too_large"), id="one header"),
        pytest.param(get("/", b"A: x\r\n" * 20_000), (431, "headers_too_large"), id="many headers"),
        pytest.param(
            get("/", b"A" * 100_000 + b": x\r\n"), (431, "headers_too_large"), id="name of a header"
        ),
        pytest.param(get("/", b"A:" + b" " * 100_000 + b"x\r\n"), (431, "headers_too_large"), id="blanks"),
        pytest.param(
            get("/", b"Cookie: a=b\r\n" * 6_000), (431, "headers_too_large"), id="slightly too many"
        ),
    ],
)
@pytest.mark.parametrize("piece", [10_000, 10_000_000], ids=["in pieces", "at once"])
async def test_a_head_has_64_kb(
    serving: Serving, dial: Dial, head: bytes, refusal: tuple[int, str], piece: int
) -> None:
    """More is refused in the API's words, also when it comes whole; others are served."""
    async with serving() as house:
        client = await dial(house)
        for start in range(0, len(head), piece):
            client.send(head[start : start + piece])
            await asyncio.sleep(0)
        assert await client.refused() == refusal
        other = await dial(house)
        other.send(get())
        assert (await other.answer())[0] == 200


async def test_a_head_without_end_costs_nothing(serving: Serving, dial: Dial) -> None:
    """Of a hundred megabytes the first kilobytes are parsed, and the refusal arrives all the same."""
    async with serving() as house:
        client = await dial(house)
        client.send(b"GET / HTTP/1.1\r\nA: ")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(400):
            client.send(b"x" * 250_000)
            await client.writer.drain()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
        client.writer.write_eof()
        assert await client.refused() == (431, "headers_too_large")


async def test_heads_below_the_bound_pass(serving: Serving, dial: Dial) -> None:
    """Again and again on one connection, whole and in pieces, with bodies before them."""
    large = get("/echo?" + "q" * 20_000, b"A: %b\r\n" % (b"x" * (HEAD_BYTES - 21_000)))
    async with serving() as house:
        client = await dial(house)
        for piece in (1 << 20, SLICE, 1_000):
            message = post("/echo", b"Content-Length: 50000\r\n", b"x" * 50_000) + large
            for start in range(0, len(message), piece):
                client.send(message[start : start + piece])
                await client.writer.drain()
            assert json.loads((await client.answer())[2])["length"] == 50_000
            assert (await client.answer())[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"hello\r\n\r\n", id="no HTTP"),
        pytest.param(get("/echo", b"no colon\r\n"), id="header without a colon"),
        pytest.param(post("/echo", b"Content-Length: x\r\n"), id="odd length"),
        pytest.param(post("/echo", b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), id="two lengths"),
        pytest.param(post("/echo", b"Transfer-Encoding: chunked\r\n", b"x\r\n"), id="odd chunk"),
        pytest.param(b"\r\n" * 50_000, id="empty lines"),
    ],
)
async def test_what_is_no_request(serving: Serving, dial: Dial, data: bytes) -> None:
    """It is answered 400, in the API's words."""
    async with serving() as house:
        client = await dial(house)
        client.send(data)
        assert await client.refused() == (400, "request_malformed")


# --- bodies


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"0\r\nX-Trailer: " + b"x" * 200_000, id="a trailer"),
        pytest.param(b"0\r\n" + b"X-Trailer: x\r\n" * 20_000, id="many trailers"),
        pytest.param(b"1;" + b"x" * 200_000, id="a chunk's extension"),
        pytest.param(b"0" * 200_000, id="a chunk's size"),
    ],
)
async def test_framing_without_end(serving: Serving, dial: Dial, junk: bytes) -> None:
    """What comes of a body and is no body is bounded, too."""
    async with serving() as house:
        client = await dial(house)
        client.send(post("/echo", b"Transfer-Encoding: chunked\r\n", junk))
        assert await client.refused() == (400, "request_malformed")


async def test_trailers_are_no_headers(serving: Serving, dial: Dial) -> None:
    """What comes behind a body says nothing about its request."""
    async with serving() as house:
        client = await dial(house)
        chunks = b"3\r\nabc\r\n0\r\nX-Trailer: made up\r\n\r\n"
        client.send(post("/echo", b"Transfer-Encoding: chunked\r\n", chunks))
        assert json.loads((await client.answer())[2]) == {"length": 3, "trailer": None}
        client.send(get())
        assert (await client.answer())[0] == 200


async def test_large_bodies_pass(serving: Serving, dial: Dial) -> None:
    """The web server does not bound them; operations do."""
    async with serving() as house:
        client = await dial(house)
        client.send(post("/echo", b"Content-Length: 30000000\r\n", b"x" * 30_000_000))
        assert json.loads((await client.answer())[2])["length"] == 30_000_000


async def test_leave_to_send_a_body(serving: Serving, dial: Dial) -> None:
    """Who asks for it gets it; after an answer without it the connection ends, not half-way in a body."""
    async with serving() as house:
        client = await dial(house)
        client.send(post("/echo", b"Expect: 100-continue\r\nContent-Length: 3\r\n"))
        assert (await client.answer())[0] == 100
        client.send(b"abc")
        assert json.loads((await client.answer())[2])["length"] == 3
        client.send(post("/early", b"Expect: 100-continue\r\nContent-Length: 3\r\n"))
        assert (await client.answer())[0] == 403
        assert await client.rest() == b""


# --- time


@pytest.mark.parametrize(
    ("begun", "refusal"),
    [
        pytest.param(b"G", (408, "request_too_slow"), id="a letter"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n", (408, "request_too_slow"), id="half a head"),
        pytest.param(get() + b"GET /", (408, "request_too_slow"), id="half of the second head"),
        pytest.param(
            post("/echo", b"Content-Length: 9\r\n", b"half"), (408, "request_too_slow"), id="half a body"
        ),
        pytest.param(
            post("/echo", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n"),
            (408, "request_too_slow"),
            id="chunks without end",
        ),
    ],
)
async def test_unfinished_requests_are_closed(
    serving: Serving, dial: Dial, begun: bytes, refusal: tuple[int, str]
) -> None:
    """With 408; a handler that waits for the body learns of it."""
    async with serving(Deadlines(head=SOON, body=SOON, look=0.02)) as house:
        client = await dial(house)
        client.send(begun)
        if begun.startswith(get()):
            assert (await client.answer())[0] == 200
        assert await client.refused() == refusal
        assert house.ended in (["head_late"], ["body_late"])
        assert house.left == (["/echo"] if b"POST" in begun else [])


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"GET / HTTP/1.1\r\nA: ", id="head"),
        pytest.param(post("/echo", b"Content-Length: 9000\r\n"), id="body"),
    ],
)
async def test_trickling_wins_no_time(serving: Serving, dial: Dial, begun: bytes) -> None:
    """A byte now and then does not keep a request alive."""
    async with serving(Deadlines(head=SOON, body=SOON, look=0.02)) as house:
        client = await dial(house)
        client.send(begun)
        while not house.ended:
            client.send(b"x")
            await asyncio.sleep(0.01)
        assert (await client.refused())[0] == 408


async def test_a_body_that_comes_along_has_its_time(serving: Serving, dial: Dial) -> None:
    """So many bytes a second are enough, however long it takes."""
    async with serving(Deadlines(body=SOON, body_rate=1, look=0.02)) as house:
        client = await dial(house)
        client.send(post("/echo", b"Content-Length: 400\r\n"))
        for _ in range(40):
            client.send(b"x" * 10)
            await asyncio.sleep(SOON / 20)
        assert json.loads((await client.answer())[2])["length"] == 400


@pytest.mark.parametrize(
    "before", [b"", get(), b"\r\n"], ids=["new", "after a request", "with an empty line"]
)
async def test_idle_connections_are_closed(serving: Serving, dial: Dial, before: bytes) -> None:
    """Without a word."""
    async with serving(Deadlines(idle=SOON, look=0.02)) as house:
        client = await dial(house)
        client.send(before)
        if before == get():
            assert (await client.answer())[0] == 200
        assert await client.rest() == b""


async def test_an_answer_that_takes_its_time(serving: Serving, dial: Dial) -> None:
    """No deadline of a client's runs while the server is at work, not even for a request behind it."""
    hasty = Deadlines(idle=SOON, head=SOON, body=SOON, stall=SOON, leave=SOON, look=0.02)
    async with serving(hasty) as house:
        client, witness = await dial(house), await dial(house)
        client.send(get("/hold") + get() + b"GET /echo HTTP/1.1\r\n")
        await house.holding.wait()
        assert await witness.rest() == b""  # a whole idle time has passed
        client.send(b"Host: x\r\n\r\n")
        house.go_on.set()
        assert [(await client.answer())[0] for _ in range(3)] == [200, 200, 200]


async def test_an_answer_that_nobody_takes(serving: Serving, dial: Dial) -> None:
    """It is not waited for, and the other clients are served meanwhile."""
    async with serving(Deadlines(stall=SOON, look=0.02)) as house:
        client = await dial(house)
        client.send(get("/pour"))
        await house.until("answer_not_taken")
        other = await dial(house)
        other.send(get())
        assert (await other.answer())[0] == 200


async def test_a_slow_reader_is_served(serving: Serving, dial: Dial) -> None:
    """As long as it takes something of its answer now and then."""
    async with serving(Deadlines(stall=SOON * 5, look=0.02)) as house:
        client = await dial(house)
        client.send(get("/pour"))
        for _ in range(40):
            await client.reader.read(1_000_000)
            await asyncio.sleep(SOON / 4)
        assert house.ended == []


async def test_an_answer_before_the_body_ends(serving: Serving, dial: Dial) -> None:
    """The rest of the body is thrown away for a while, so that the client reads its answer; not for ever."""
    async with serving(Deadlines(leave=SOON, look=0.02)) as house:
        client = await dial(house)
        client.send(post("/early", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n"))
        assert (await client.answer())[0] == 403
        while not house.ended:
            client.send(b"3\r\nabc\r\n")
            await asyncio.sleep(0.01)
        assert house.ended == ["left"]


async def test_a_client_that_sends_all_before_it_reads(serving: Serving, dial: Dial) -> None:
    """It has its answer, though that came long before and ends the connection."""
    async with serving() as house:
        client = await dial(house)
        client.send(post("/early", b"Connection: close\r\nContent-Length: 20000000\r\n", b"x" * 20_000_000))
        await client.writer.drain()
        assert (await client.answer())[0] == 403
        assert await client.rest() == b""


# --- several requests on one connection


async def test_requests_in_a_row(serving: Serving, dial: Dial) -> None:
    """Sent at once they are answered in their order, none left out, more than are parsed at once."""
    async with serving() as house:
        client = await dial(house)
        many = b"".join(
            post("/echo", b"Content-Length: %d\r\n" % (n % 50), b"x" * (n % 50)) for n in range(2000)
        )
        client.send(many + get("/nowhere") + b"nonsense\r\n\r\n")
        lengths = [json.loads((await client.answer())[2])["length"] for _ in range(2000)]
        assert lengths == [n % 50 for n in range(2000)]
        assert (await client.answer())[0] == 404
        assert await client.rest() == b""


# --- how many


async def test_who_waits_makes_room(serving: Serving, dial: Dial, caplog: pytest.LogCaptureFixture) -> None:
    """Newcomers get in however many do nothing; those at work stay; it is told once."""
    async with serving(connections=LEAST_CONNECTIONS) as house:
        worker = await dial(house)
        worker.send(get("/hold"))
        await house.holding.wait()
        idlers = [await dial(house) for _ in range(LEAST_CONNECTIONS * 3)]
        for number, idler in enumerate(idlers):
            idler.send((b"", b"GET /", post("/echo", b"Content-Length: 9\r\n"))[number % 3])
        for _ in range(LEAST_CONNECTIONS):
            newcomer = await dial(house)
            newcomer.send(get())
            assert (await newcomer.answer())[0] == 200
        house.go_on.set()
        assert (await worker.answer())[2] == b"held"
        assert set(house.ended) == {"made_room"}
    told = [one for one in caplog.messages if f"all {LEAST_CONNECTIONS} connections are taken" in one]
    assert len(told) == 1


async def test_when_all_are_at_work(serving: Serving, dial: Dial) -> None:
    """Newcomers are told to come again."""
    async with serving(connections=LEAST_CONNECTIONS) as house:
        workers = [await dial(house) for _ in range(LEAST_CONNECTIONS)]
        for worker in workers:
            worker.send(get("/echo"))
            await worker.answer()
            worker.send(get("/hold"))
        newcomer = await dial(house)
        newcomer.send(get())
        assert await newcomer.refused() == (503, "server_full")
        house.go_on.set()
        assert {(await worker.answer())[2] for worker in workers} == {b"held"}


def test_as_many_as_files_may_be_open() -> None:
    """Fewer than wanted where the limit is low, and never so few that nobody gets in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        for files, expected in ((256, 256 - KEPT_FILES), (4096, 1000), (130, LEAST_CONNECTIONS)):
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
            assert affordable(1000) == expected
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_whole_server_keeps_its_doors_open(database_url: str, workers: str) -> None:
    """With few files it takes all it may, and hundreds who do nothing keep nobody out."""
    command = ["prlimit", "--nofile=64:320", str(LOOPWRIGHT), "serve", "--port", "0", "--workers", workers]
    settings = ["--database-url", database_url, "--api-key", API_KEY, "--log-format", "json"]
    process = await asyncio.create_subprocess_exec(
        *command, *settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    idlers: list[asyncio.StreamWriter] = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS * 2):
            while b"listens on" not in (line := await process.stdout.readline()):
                assert line
        address = line.split()[-1].decode()
        port = int(address.rpartition(":")[2])
        for _ in range(600):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /")
            idlers.append(writer)
        async with httpx2.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client:
            for _ in range(5):
                assert (await client.get("/healthz", headers={"Connection": "close"})).status_code == 200
            counted = (await client.get("/metrics")).text
        assert 'loopwright_connections_ended_total{reason="made_room"}' in counted
    finally:
        for writer in idlers:
            writer.close()
        process.send_signal(signal.SIGTERM)
        _, log = await process.communicate()
    assert process.returncode == 0
    assert b"connections are taken" in log
    assert b"Traceback" not in log


@pytest.mark.parametrize("path", ["/sign-in", "/api/newsletter-form/c1", "/api/v1/events/send", "/opt-in/c1"])
async def test_a_client_that_goes_away(
    live_server: LiveServer, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the middle of its body: nobody is told, and nothing failed."""
    host, port = live_server.base_url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    bearer = b"Authorization: Bearer %b\r\n" % API_KEY.encode()
    writer.write(post(path, bearer + b"Content-Length: 100\r\n", b"half"))
    await writer.drain()
    async with httpx2.AsyncClient(base_url=live_server.base_url) as client:
        await client.get("/healthz")
        writer.close()
        await writer.wait_closed()
        await client.get("/healthz")
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


async def test_too_large_a_body_is_told(live_server: LiveServer) -> None:
    """By every operation, from 4 MB on; then the connection is good for the next request."""
    headers = {"Authorization": f"Bearer {live_server.api_key}"}
    async with httpx2.AsyncClient(base_url=live_server.base_url, headers=headers) as client:
        for method, path in (("POST", "/api/v1/events/send"), ("PUT", "/v1/contacts/update")):
            answer = await client.request(method, path, content=b"x" * 6_000_000)
            assert (answer.status_code, answer.json()["success"]) == (413, False)
        assert (await client.get("/api/v1/api-key")).status_code == 200


# --- what we lean on


def test_what_the_protocol_relies_on_is_there() -> None:
    """uvicorn promises none of it: where a new version fails here, the protocol has to be looked at."""
    for owner, names in RELIED_ON.items():
        assert [name for name in names if not callable(getattr(owner, name, None))] == []
    config = Config(Starlette(), ws="none", lifespan="off", log_config=None)
    config.load()
    loop = asyncio.new_event_loop()
    protocol = HttpToolsProtocol(config, ServerState(), {}, loop)
    protocol.on_message_begin()
    cycle = RequestResponseCycle(
        scope={},  # type: ignore[typeddict-item]
        transport=None,  # type: ignore[arg-type]
        flow=None,  # type: ignore[arg-type]
        logger=protocol.logger,
        access_logger=protocol.logger,
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=print,
    )
    loop.close()
    for one in (protocol, cycle):
        missing = [name for name in RELIED_ON_IN_INSTANCES[type(one)] if not hasattr(one, name)]
        assert missing == []


# --- answers


def pieces(port: int, times: int) -> list[bytes]:
    """What a client that waits, in a thread of its own, reads first of each answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as one:
        found: list[bytes] = []
        for _ in range(times):
            one.sendall(get())
            found.append(one.recv(65_536))
            while not found[-1].endswith(b"}") and one.recv(65_536)[-1:] != b"}":
                pass
        return found


async def test_an_answer_is_one_piece(serving: Serving) -> None:
    """Head and body are sent together: each call of the system costs, and wakes whoever waits for more."""
    async with serving() as house:
        for piece in await asyncio.to_thread(pieces, house.port, 100):
            assert piece.endswith(b'{"length":0,"trailer":null}')
