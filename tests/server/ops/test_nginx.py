"""The nginx site of docs/operations.md, run by a real nginx in front of a real server."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from loopwright.server.app import run
from loopwright.server.dashboard.login_throttle import FREE
from loopwright.server.http.newsletter_form import PER_ADDRESS
from loopwright.server.networks import read_networks
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool
from support.factories import add_patterns, first_team
from support.nginx import Nginx
from support.ports import free_port
from support.process import API_KEY

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
(SITE,) = re.findall(r"^```nginx\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
MADE_UP = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Proto": "http",
    "Forwarded": "for=203.0.113.7;host=evil.test;proto=http",
}

Visitor = Callable[[str], httpx2.AsyncClient]


@pytest.fixture
async def visitor(database_url: str, tmp_path: Path) -> AsyncIterator[Visitor]:
    """Makes a client that reaches the server through nginx from the given address of this machine."""
    async with AsyncExitStack() as stack:
        port = free_port()
        settings = Settings(
            port=0,
            database_url=database_url,
            api_key=API_KEY,
            data_dir=tmp_path,
            public_url=f"https://127.0.0.1:{port}",
            trusted_proxies=read_networks("127.0.0.1"),
        )
        running = await stack.enter_async_context(run(settings))
        upstream = running.address.removeprefix("http://")
        nginx = stack.enter_context(Nginx(tmp_path, SITE, port=port, upstream=upstream))
        clients: dict[str, httpx2.AsyncClient] = {}

        def from_address(address: str) -> httpx2.AsyncClient:
            if address not in clients:
                transport = httpx2.AsyncHTTPTransport(local_address=address, verify=nginx.trust)
                clients[address] = httpx2.AsyncClient(transport=transport, base_url=nginx.address)
                stack.push_async_callback(clients[address].aclose)
            return clients[address]

        yield from_address


async def test_visitors_have_limits_of_their_own(visitor: Visitor, pool: Pool) -> None:
    """One uses a form up, made-up headers or not; the next one signs up all the same."""
    path = f"/api/newsletter-form/{await pool.fetchval('SELECT id FROM form')}"
    eager, other = visitor("127.0.0.2"), visitor("127.0.0.3")
    answers = [
        await eager.post(path, data={"email": f"p{n}@acme.test"}, headers={"X-Forwarded-For": f"9.9.9.{n}"})
        for n in range(PER_ADDRESS.limit + 1)
    ]
    assert [one.status_code for one in answers] == [200] * PER_ADDRESS.limit + [429]
    assert (await other.post(path, data={"email": "ada@acme.test"})).status_code == 200


async def test_the_operator_comes_in(visitor: Visitor) -> None:
    """Whatever strangers guess, with a cookie for HTTPS alone, from the dashboard's own address only."""
    stranger, operator = visitor("127.0.0.2"), visitor("127.0.0.3")
    for _ in range(FREE):
        assert (await stranger.post("/sign-in", data={"key": "guess"})).status_code == 401
    assert (await stranger.post("/sign-in", data={"key": "guess"}, headers=MADE_UP)).status_code in (401, 429)
    evil = {"Origin": "https://evil.test", **MADE_UP}
    assert (await operator.post("/sign-in", data={"key": API_KEY}, headers=evil)).status_code == 403
    own = {"Origin": str(operator.base_url).rstrip("/"), **MADE_UP}
    signed_in = await operator.post("/sign-in", data={"key": API_KEY}, headers=own)
    assert signed_in.status_code == 303
    assert "secure" in signed_in.headers["set-cookie"].lower()
    assert (await operator.get("/contacts")).status_code == 200


async def test_the_api_is_there(visitor: Visitor, pool: Pool) -> None:
    """Pages lead on through the proxy, bodies of several megabytes pass, and what is ours alone stays in."""
    client = visitor("127.0.0.2")
    client.headers["Authorization"] = f"Bearer {API_KEY}"
    await add_patterns(pool, await first_team(pool), 11)
    first = await client.get("/api/v1/event-patterns?perPage=10", headers=MADE_UP)
    following = await client.get(first.json()["pagination"]["nextPage"])
    assert len(following.json()["data"]) == 1
    lines = b"".join(b'{"eventName":"x","email":"p%d@acme.test"}\n' % (n % 50) for n in range(30_000))
    results = await client.post("/loopwright/v1/bulk/events", content=lines, timeout=60)
    assert len(results.text.splitlines()) == 30_000
    assert '"success":false' not in results.text
    for path in ("/metrics", "/readyz", "/healthz", "/%6detrics"):
        assert (await client.get(path)).status_code == 404
