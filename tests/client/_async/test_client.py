"""Making, copying and closing clients."""

import os
from collections.abc import Callable

import httpx2
import pytest

from loopwright import (
    AsyncLoops,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    HttpRequest,
    HttpResponse,
    Timeout,
)
from support.faulty import FaultyServer, Handle, Reply

Serve = Callable[..., FaultyServer]

KEY_WORKS = Handle(body=b'{"success":true,"teamName":"Acme"}')


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param("", id="current form"),
        pytest.param("/", id="current form, final slash"),
        pytest.param("/v1", id="older form"),
        pytest.param("/v1/", id="older form, final slash"),
    ],
)
async def test_both_published_base_urls_lead_to_one_place(serve: Serve, ending: str) -> None:
    """`.../api` and `.../api/v1`, with and without a final slash."""
    server = serve(KEY_WORKS)
    async with AsyncLoops("key", base_url=server.url + ending) as loops:
        assert (await loops.api_key.test()).team_name == "Acme"
    assert server.requests[0].target == "/api/v1/api-key"


async def test_the_environment_configures(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LOOPS_API_KEY` and `LOOPS_BASE_URL` are enough; arguments win over them."""
    server = serve(KEY_WORKS)
    monkeypatch.setenv("LOOPS_API_KEY", "from-environment")
    monkeypatch.setenv("LOOPS_BASE_URL", server.url + "/v1/")
    async with AsyncLoops() as loops:
        await loops.api_key.test()
    async with AsyncLoops("argument") as loops:
        await loops.api_key.test()
    keys = [request.headers["authorization"] for request in server.requests]
    assert keys == ["Bearer from-environment", "Bearer argument"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param({}, "no API key", id="no key"),
        pytest.param({"api_key": "  "}, "no API key", id="blank key"),
        pytest.param({"api_key": "a\nb"}, "characters", id="key of two lines"),
        pytest.param({"api_key": "k", "base_url": "example.com"}, "not a web address", id="no scheme"),
        pytest.param({"api_key": "k", "base_url": "http://h/api?x=1"}, "more than", id="query"),
        pytest.param({"api_key": "k", "max_retries": -1}, "max_retries", id="negative retries"),
        pytest.param({"api_key": "k", "transport": "curl"}, "transport", id="unknown transport"),
        pytest.param({"api_key": "k", "transport": object()}, "transport", id="no transport at all"),
    ],
)
def test_a_client_that_cannot_work_is_not_made(arguments: dict[str, object], says: str) -> None:
    """A ConfigurationError, which is a ValueError, says what to give."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        AsyncLoops(**arguments)  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)


async def test_the_key_stays_out_of_sight() -> None:
    """Neither repr nor an error shows it."""
    async with AsyncLoops("very-secret", base_url="http://127.0.0.1:9/api", max_retries=0) as loops:
        assert "very-secret" not in repr(loops)
        assert "127.0.0.1:9" in repr(loops)
        with pytest.raises(ConnectionError) as caught:
            await loops.api_key.test()
        assert "very-secret" not in repr(caught.value) + str(caught.value)


async def test_a_closed_client_says_so(serve: Serve) -> None:
    """After `close`, once or twice, calls raise; so do those of its copies."""
    server = serve(KEY_WORKS)
    loops = AsyncLoops("key", base_url=server.url)
    copy = loops.with_options(max_retries=0)
    await loops.api_key.test()
    await loops.close()
    await loops.close()
    for client in (loops, copy):
        with pytest.raises(ClientClosedError, match="make a new one"):
            await client.api_key.test()


async def test_a_copy_differs_where_told(serve: Serve) -> None:
    """`with_options` shares connections, changes what is given, and leaves the first client alone."""
    server = serve(KEY_WORKS)
    async with AsyncLoops("key", base_url=server.url, headers={"X-One": "1"}) as loops:
        copy = loops.with_options(api_key="other", headers={"X-Two": "2"}, timeout=Timeout(read=5))
        await loops.api_key.test()
        await copy.api_key.test()
    first, second = server.requests
    assert first.headers["x-one"] == second.headers["x-one"] == "1"
    assert "x-two" not in first.headers
    assert second.headers["x-two"] == "2"
    assert (first.headers["authorization"], second.headers["authorization"]) == ("Bearer key", "Bearer other")
    assert server.connections == 1


async def test_one_call_may_differ(serve: Serve) -> None:
    """`headers`, `max_retries` and `timeout` hold for the call they are given to."""
    server = serve(Reply(503), KEY_WORKS)
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(Exception, match="answered 503"):
            await loops.api_key.test(max_retries=0, headers={"User-Agent": "mine", "X-Own": "1"}, timeout=5)
        await loops.api_key.test()
    first, second = server.requests
    assert (first.headers["user-agent"], first.headers["x-own"]) == ("mine", "1")
    assert second.headers["user-agent"].startswith("loopwright/")
    assert "x-own" not in second.headers


async def test_a_header_that_http_cannot_carry_is_refused(serve: Serve) -> None:
    """A line break in a header could smuggle another request."""
    server = serve(KEY_WORKS)
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(ValueError, match="cannot be sent"):
            await loops.api_key.test(headers={"X-Bad": "1\r\nX-Evil: 2"})
    assert server.requests == []


async def test_a_wrong_key_is_an_authentication_error(serve: Serve) -> None:
    """401, with the server's words."""
    server = serve(Reply(401, b'{"success":false,"message":"Invalid API key","error":"Invalid API key"}'))
    async with AsyncLoops("wrong", base_url=server.url) as loops:
        with pytest.raises(AuthenticationError, match="Invalid API key"):
            await loops.api_key.test()


async def test_a_client_of_the_users_own(serve: Serve) -> None:
    """An httpx2 client is used with its own settings, and stays open."""
    server = serve(KEY_WORKS)
    async with httpx2.AsyncClient(headers={"X-Theirs": "1"}) as theirs:
        async with AsyncLoops("key", base_url=server.url, transport=theirs) as loops:
            await loops.api_key.test()
        assert not theirs.is_closed
    assert server.requests[0].headers["x-theirs"] == "1"
    assert server.requests[0].headers["authorization"] == "Bearer key"


async def test_a_transport_of_the_users_own() -> None:
    """Any object with the one method will do."""

    class Canned:
        def __init__(self) -> None:
            self.requests: list[HttpRequest] = []

        async def send(self, request: HttpRequest) -> HttpResponse:
            self.requests.append(request)
            return HttpResponse(200, {}, b'{"success":true,"teamName":null}')

    canned = Canned()
    async with AsyncLoops("key", base_url="https://example.com/api", transport=canned) as loops:
        assert (await loops.api_key.test()).team_name is None
    (request,) = canned.requests
    assert (request.method, request.url) == ("GET", "https://example.com/api/v1/api-key")
    assert ("authorization", "Bearer key") in request.common


async def test_connections_are_kept(serve: Serve) -> None:
    """Calls one after another share one connection."""
    server = serve(KEY_WORKS)
    async with AsyncLoops("key", base_url=server.url) as loops:
        for _ in range(5):
            await loops.api_key.test()
    assert (server.connections, len(server.requests)) == (1, 5)


async def test_the_proxy_of_the_environment_is_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """`http_proxy` gets the whole address; `no_proxy` is left in peace."""
    proxy = serve(KEY_WORKS)
    monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/api"))
    async with AsyncLoops("key", base_url="http://loops.invalid/api") as loops:
        await loops.api_key.test()
    assert proxy.requests[0].target == "http://loops.invalid/api/v1/api-key"
    server = serve(KEY_WORKS)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.api_key.test()
    assert len(server.requests) == 1
    assert "no_proxy" in os.environ


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
async def test_the_proxy_given_is_used(serve: Serve, transport: str) -> None:
    """An argument wins over the environment; credentials in it become a header."""
    proxy = serve(KEY_WORKS)
    address = proxy.url.removesuffix("/api").replace("http://", "http://ada:s%20x@")
    async with AsyncLoops(
        "key",
        base_url="http://loops.invalid/api",
        proxy=address,
        transport=transport,  # type: ignore[arg-type]
    ) as loops:
        await loops.api_key.test()
    (request,) = proxy.requests
    assert request.target == "http://loops.invalid/api/v1/api-key"
    assert request.headers["proxy-authorization"].startswith("Basic ")
