"""Behind proxies: visitors are told apart by what trusted proxies say of them, and by nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from loopwright.server.app import run
from loopwright.server.dashboard.login_throttle import FREE
from loopwright.server.http.newsletter_form import PER_ADDRESS
from loopwright.server.networks import read_networks
from loopwright.server.settings import Settings
from loopwright.server.visitors import Forwarded, household_of
from support.clock import HandClock
from support.factories import add_patterns, first_team
from support.process import API_KEY

PUBLIC_URL = "https://mail.acme.test"
LOCAL = read_networks("127.0.0.1")
OURS = "127.0.0.1 10.0.0.0/8 fd00::/8"
BEARER = {"Authorization": f"Bearer {API_KEY}"}

Serving = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def serving(database_url: str, tmp_path: Path) -> Serving:
    """Runs a server with the given settings while a context lasts, which gives a plain client.

    Its clock stands still: nobody's wait ends meanwhile.
    """

    @asynccontextmanager
    async def serve(**chosen: Any) -> AsyncIterator[httpx2.AsyncClient]:
        settings = Settings(port=0, database_url=database_url, api_key=API_KEY, data_dir=tmp_path, **chosen)
        async with (
            run(settings, HandClock()) as running,
            httpx2.AsyncClient(base_url=running.address) as client,
        ):
            yield client

    return serve


async def seen(peer: str, headers: list[tuple[str, str]], trusted: str = OURS) -> dict[str, str]:
    """Who a request of `peer` counts for, and where it thinks it is."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        told = {"who": household_of(request), "url": str(request.base_url)}
        await JSONResponse(told)(scope, receive, send)

    application = Forwarded(tell, read_networks(trusted))
    transport = httpx2.ASGITransport(app=application, client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://inner:5667") as client:
        answer: dict[str, str] = (await client.get("/", headers=headers)).json()
    return answer


@pytest.mark.parametrize(
    ("peer", "hops", "who"),
    [
        pytest.param("192.0.2.9", [], "192.0.2.9", id="no proxy"),
        pytest.param("192.0.2.9", ["198.51.100.1"], "192.0.2.9", id="a stranger makes it up"),
        pytest.param("127.0.0.1", ["198.51.100.1"], "198.51.100.1", id="one proxy"),
        pytest.param("127.0.0.1", ["203.0.113.5, 198.51.100.1"], "198.51.100.1", id="made up before it"),
        pytest.param("127.0.0.1", ["203.0.113.5", "198.51.100.1"], "198.51.100.1", id="in two lines"),
        pytest.param("127.0.0.1", ["127.0.0.1, 198.51.100.1"], "198.51.100.1", id="made up as a proxy"),
        pytest.param("127.0.0.1", ["9.9.9.9, 198.51.100.1, 10.1.2.3"], "198.51.100.1", id="two proxies"),
        pytest.param("127.0.0.1", ["10.9.9.9, 10.1.2.3"], "10.9.9.9", id="within our own walls"),
        pytest.param("127.0.0.1", [], "127.0.0.1", id="a proxy that tells nothing"),
        pytest.param("127.0.0.1", [""], "127.0.0.1", id="an empty list"),
        pytest.param("127.0.0.1", ["9.9.9.9, unknown"], "127.0.0.1", id="a word that is no address"),
        pytest.param("127.0.0.1", ["9.9.9.9, unknown, 10.1.2.3"], "10.1.2.3", id="a word between"),
        pytest.param("127.0.0.1", ["198.51.100.1:4711"], "198.51.100.1", id="with a port"),
        pytest.param("127.0.0.1", ["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::/64", id="IPv6 with a port"),
        pytest.param("127.0.0.1", ["2001:db8:1:2::9"], "2001:db8:1:2::/64", id="IPv6 counts by its network"),
        pytest.param("2001:db8:1:2:aa::1", [], "2001:db8:1:2::/64", id="IPv6 without a proxy"),
        pytest.param("::ffff:127.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1", id="IPv4 within IPv6"),
        pytest.param("fd00::1", ["198.51.100.1"], "198.51.100.1", id="a proxy with IPv6"),
    ],
)
async def test_who_a_request_counts_for(peer: str, hops: list[str], who: str) -> None:
    """The first address from the right that is no proxy of ours."""
    headers = [("X-Forwarded-For", hop) for hop in hops]
    made_up = [("Forwarded", "for=9.9.9.9"), ("X-Real-IP", "9.9.9.9")]
    assert (await seen(peer, headers + made_up))["who"] == who


@pytest.mark.parametrize(
    ("peer", "headers", "url"),
    [
        pytest.param("127.0.0.1", {"Proto": "https", "Host": "a.test"}, "https://a.test/", id="of a proxy"),
        pytest.param("127.0.0.1", {"Proto": "HTTPS"}, "https://inner:5667/", id="the scheme alone"),
        pytest.param(
            "127.0.0.1", {"Host": "9.test, a.test:81"}, "http://a.test:81/", id="of several, the last"
        ),
        pytest.param("127.0.0.1", {"Proto": "gopher", "Host": "a b/c"}, "http://inner:5667/", id="nonsense"),
        pytest.param("192.0.2.9", {"Proto": "https", "Host": "a.test"}, "http://inner:5667/", id="made up"),
    ],
)
async def test_where_a_request_thinks_it_is(peer: str, headers: dict[str, str], url: str) -> None:
    """At the address that the visitor asked the proxy for."""
    forwarded = [(f"X-Forwarded-{name}", value) for name, value in headers.items()]
    assert (await seen(peer, forwarded))["url"] == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("nginx", "neither an address nor a network", id="name"),
        pytest.param("*", "neither an address nor a network", id="star"),
        pytest.param("10.0.0.1/8", "write 10.0.0.0/8", id="address within a network"),
        pytest.param("127.0.0.1, 0.0.0.0/0", "every address", id="all IPv4"),
        pytest.param("::/0", "every address", id="all IPv6"),
    ],
)
def test_proxies_that_cannot_be(text: str, words: str) -> None:
    """They are refused in a sentence."""
    with pytest.raises(ValueError, match=words):
        read_networks(text)


def test_networks_of_mapped_addresses_are_those_of_ipv4() -> None:
    """So do peers count, who come that way where a server listens for both."""
    assert read_networks("::ffff:10.0.0.0/104, ::ffff:192.0.2.7") == read_networks("10.0.0.0/8 192.0.2.7")


async def form_path(client: httpx2.AsyncClient, pool: Any) -> str:
    return f"/api/newsletter-form/{await pool.fetchval('SELECT id FROM form')}"


async def test_each_visitor_has_a_limit_of_its_own(serving: Serving, pool: Any) -> None:
    """Of forms; what a visitor puts into the header before the proxy does changes nothing."""
    async with serving(trusted_proxies=LOCAL) as client:
        path = await form_path(client, pool)

        async def submit(number: int, hops: str) -> int:
            fields = {"email": f"p{number}@acme.test"}
            return (await client.post(path, data=fields, headers={"X-Forwarded-For": hops})).status_code

        first = [await submit(n, f"9.9.9.{n}, 198.51.100.1") for n in range(PER_ADDRESS.limit + 1)]
        assert first == [200] * PER_ADDRESS.limit + [429]
        assert await submit(90, "198.51.100.2") == 200


async def test_without_trust_headers_count_for_nothing(serving: Serving, pool: Any) -> None:
    """Whoever makes them up has one limit all the same, and no HTTPS."""
    async with serving() as client:
        path = await form_path(client, pool)
        answers = [
            await client.post(
                path, data={"email": f"p{n}@acme.test"}, headers={"X-Forwarded-For": f"198.51.100.{n}"}
            )
            for n in range(PER_ADDRESS.limit + 1)
        ]
        assert answers[-1].status_code == 429
        signed_in = await client.post(
            "/sign-in", data={"key": API_KEY}, headers={"X-Forwarded-Proto": "https"}
        )
        assert "secure" not in signed_in.headers["set-cookie"].lower()


async def test_wrong_keys_count_for_their_sender(serving: Serving) -> None:
    """A stranger behind the same proxy has to wait, and nobody else."""
    async with serving(trusted_proxies=LOCAL) as client:

        async def guess(hops: str) -> int:
            form = {"key": "guess"}
            return (await client.post("/sign-in", data=form, headers={"X-Forwarded-For": hops})).status_code

        for _ in range(FREE):
            await guess("198.51.100.1")
        assert await guess("198.51.100.1") == 429
        assert await guess("9.9.9.9, 198.51.100.1") == 429
        assert await guess("198.51.100.2") == 401


@pytest.mark.parametrize(
    ("settings", "headers", "secure"),
    [
        pytest.param({"public_url": PUBLIC_URL}, {}, True, id="public over HTTPS"),
        pytest.param({"public_url": "http://mail.acme.test"}, {}, False, id="public over HTTP"),
        pytest.param({"trusted_proxies": LOCAL}, {"X-Forwarded-Proto": "https"}, True, id="a proxy with TLS"),
        pytest.param({"trusted_proxies": LOCAL}, {"X-Forwarded-Proto": "http"}, False, id="without"),
    ],
)
async def test_over_https_the_cookie_stays_on_https(
    serving: Serving, settings: dict[str, Any], headers: dict[str, str], secure: bool
) -> None:
    """Whether by the public URL or by the proxy's word; when it is taken away, too."""
    async with serving(**settings) as client:
        answer = await client.post("/sign-in", data={"key": API_KEY}, headers=headers)
        assert answer.status_code == 303
        assert ("secure" in answer.headers["set-cookie"].lower()) is secure
        gone = await client.post("/sign-out", headers=headers)
        assert ("secure" in gone.headers["set-cookie"].lower()) is secure


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_forms_come_from_the_public_address(serving: Serving, path: str) -> None:
    """What `Host` says counts for nothing; the refusal tells where the dashboard is."""
    async with serving(public_url=PUBLIC_URL) as client:
        evil = {"Origin": "https://evil.test", "Host": "evil.test", "X-Forwarded-Host": "evil.test"}
        refused = await client.post(path, data={"key": API_KEY}, headers=evil)
        assert refused.status_code == 403
        assert PUBLIC_URL in refused.text
        taken = await client.post(
            path, data={"key": API_KEY}, headers={"Origin": PUBLIC_URL, "Host": "inner"}
        )
        assert taken.status_code == 303


@pytest.mark.parametrize(
    ("settings", "begins"),
    [
        pytest.param({"public_url": PUBLIC_URL}, PUBLIC_URL, id="public"),
        pytest.param({"public_url": f"{PUBLIC_URL}/mail"}, f"{PUBLIC_URL}/mail", id="below a path"),
        pytest.param({"trusted_proxies": LOCAL}, "https://seen.test", id="by the proxy's word"),
        pytest.param({}, "http://host.test", id="neither"),
    ],
)
async def test_where_the_next_page_is(
    serving: Serving, pool: Any, settings: dict[str, Any], begins: str
) -> None:
    """At the public URL when there is one."""
    async with serving(**settings) as client:
        await add_patterns(pool, await first_team(pool), 11)
        headers = {"Host": "host.test", "X-Forwarded-Host": "seen.test", "X-Forwarded-Proto": "https"}
        answer = await client.get("/api/v1/event-patterns?perPage=10", headers=BEARER | headers)
        address = answer.json()["pagination"]["nextPage"]
        assert address.startswith(f"{begins}/api/v1/event-patterns?cursor=")
