"""The dashboard on a real socket, and a browser without a screen: cookies, redirects, no JavaScript.

One database serves all these tests, with a team for each: what one test leaves behind belongs to a neighbour
of the next, and must not be seen.
"""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from loopwright.ids import new_id
from loopwright.server.dashboard.views import routes
from loopwright.server.store.database import open_pool
from loopwright.server.store.schema import migrate
from loopwright.server.store.teams import TeamRow, insert_team
from support.clock import HandClock
from support.dashboard_rows import Rows
from support.dashboard_site import PUBLIC_URL, SEALING, Site
from support.plain_http import NO_TLS


@pytest.fixture(scope="session")
def dashboard_database_url(postgres_url: str) -> str:
    """A database for all tests of pages."""
    url = postgres_url.replace("/postgres?", "/dashboard?")

    async def prepare() -> None:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute("CREATE DATABASE dashboard")
        await connection.close()
        await migrate(url)

    asyncio.run(prepare())
    return url


@pytest.fixture
async def site(dashboard_database_url: str) -> AsyncIterator[Site]:
    """A dashboard with a new team and its API key."""
    clock = HandClock()
    team_id = new_id(clock.now())
    team = TeamRow(
        id=team_id, name="My team", secret=team_id.encode(), sending_domain="", company="", address=""
    )
    pool = await open_pool(dashboard_database_url)
    async with pool.acquire() as tx:
        await insert_team(tx, team, now=clock.now())
    rows = Rows(pool, team_id)
    key = f"key-of-{team_id}"
    await rows.key(key)
    app = Starlette(
        routes=routes(pool, clock, public_url=PUBLIC_URL, origin=None, has_relay=True, sealing=SEALING)
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Site(f"http://127.0.0.1:{port}", key, clock, rows)
    server.should_exit = True
    await serving
    await pool.close()


@pytest.fixture
async def stranger(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who did not sign in."""
    async with httpx2.AsyncClient(base_url=site.base_url, verify=NO_TLS) as client:
        yield client


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who signed in."""
    async with httpx2.AsyncClient(base_url=site.base_url, follow_redirects=True, verify=NO_TLS) as client:
        answer = await client.post("/sign-in", data={"key": site.key})
        assert answer.status_code == 200
        yield client
