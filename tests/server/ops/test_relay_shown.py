"""How a relay is stands where people look, whichever process found out."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from loopwright.server.clock import SystemClock
from loopwright.server.mail.compose import Composed
from loopwright.server.mail.noting import noting
from loopwright.server.mail.transport import Accepted, Held
from loopwright.server.observe.health import Health
from loopwright.server.observe.observer import Observer
from loopwright.server.store.database import Pool
from loopwright.server.store.relays import load_relays
from support.mail_office import relay_to
from support.raw_smtp import raw_smtp
from support.workflows import until

MESSAGE = Composed(data=b"Subject: x\r\n\r\n", sender="a@acme.test", recipient="ada@peer.test", copies=())


async def yes() -> bool:
    return True


@pytest.fixture
async def http(pool: Pool) -> AsyncIterator[httpx2.AsyncClient]:
    """A process that sends nothing itself."""
    app = Starlette(routes=[*Health(pool).routes(), *Observer().routes(pool, SystemClock())])
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://health.test"
    ) as client:
        yield client


async def test_a_relay_that_is_down_is_shown_until_it_is_back(http: httpx2.AsyncClient, pool: Pool) -> None:
    """/readyz stays 200 and says since when and why; the metric counts; no address is told."""

    async def condition() -> list[str]:
        async with pool.acquire() as tx:
            return [row.condition for row in await load_relays(tx)]

    async def noted(*wanted: str) -> None:
        async def look() -> bool:
            return await condition() == list(wanted)

        await until(look)

    async with raw_smtp() as raw:
        raw.answers["MAIL"] = "530 5.7.0 <ada@peer.test>: authentication required"
        relay = relay_to(raw.url)
        async with noting(pool, relay, "https://mail.elsewhere.org"):
            await noted("up")
            assert (await http.get("/readyz")).json() == {"ready": True}
            held = await relay.send(MESSAGE, yes)
            assert isinstance(held, Held)
            await noted("down")
            answer = await http.get("/readyz")
            assert answer.status_code == 200
            told = answer.json()["relay"]
            assert (answer.json()["ready"], told["state"]) == (True, "down")
            assert "530" in told["reason"]
            assert "authentication required" in told["reason"]
            assert "@" not in answer.text
            metrics = (await http.get("/metrics")).text
            assert 'loopwright_relay_state{state="down"} 1.0' in metrics
            assert 'loopwright_relay_state{state="up"} 0.0' in metrics
            del raw.answers["MAIL"]
            await asyncio.sleep(held.seconds)
            assert isinstance(await relay.send(MESSAGE, yes), Accepted)
            await noted("slow")
        await noted()
        await relay.close()
    assert "relay" not in (await http.get("/readyz")).json()


async def test_processes_write_links_with_the_same_address(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever starts with another one says so, and names both; who starts with the same says nothing."""
    here, there = "https://mail.elsewhere.org", "http://127.0.0.1:5667"

    async def is_noted() -> bool:
        async with pool.acquire() as tx:
            return bool(await load_relays(tx))

    async with raw_smtp() as raw:
        relay = relay_to(raw.url)
        async with noting(pool, relay, here):
            await until(is_noted)
            async with noting(pool, relay, here):
                assert caplog.messages == []
            async with noting(pool, relay, there):
                [said] = caplog.messages
        await relay.close()
    assert here in said
    assert there in said
    assert "--public-url" in said
