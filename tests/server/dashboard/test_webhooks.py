"""The pages of webhooks."""

from datetime import timedelta

import httpx2
from msgspec.structs import replace

from loopwright.server.store.webhook_deliveries import Attempted, AttemptRow, record
from loopwright.server.store.webhooks import disable_endpoint
from support.dashboard_site import SEALING, Site
from support.factories import add_deliveries, add_endpoint

EVIL = "<script>alert(1)</script>"


async def test_an_endpoint_and_what_it_was_told(site: Site, operator: httpx2.AsyncClient) -> None:
    """Its state, its history, each attempt with its reply; what strangers answered is text."""
    now, pool = site.clock.now(), site.rows.pool
    assert "loopwright webhooks add" in (await operator.get("/webhooks")).text
    endpoint = await add_endpoint(
        pool, site.rows.team_id, "https://hooks.test/?a=<b>", sealing=SEALING, now=now
    )
    first, second = await add_deliveries(pool, endpoint, 2, now=now)
    failed = Attempted(
        delivery_id=first,
        status="queued",
        due_at=now + timedelta(seconds=5),
        attempt=AttemptRow(attempted_at=now, milliseconds=12, status_code=500, error="", reply=EVIL),
    )
    silent = replace(
        failed,
        status="failed",
        due_at=None,
        attempt=AttemptRow(
            attempted_at=now, milliseconds=15_000, status_code=None, error="silence", reply=""
        ),
    )
    async with pool.acquire() as tx:
        await record(tx, endpoint, failed)
        await record(tx, endpoint, silent)
    listed = (await operator.get("/webhooks")).text
    assert "https://hooks.test/?a=&lt;b&gt;" in listed
    assert ">failing<" in listed
    page = (await operator.get(f"/webhooks/{endpoint.id}")).text
    assert page.index(second) < page.index(first)
    assert "after 120 hours it is disabled" in page
    delivery = (await operator.get(f"/webhooks/{endpoint.id}/{first}")).text
    assert "testing.testEvent" in delivery
    assert "500, after 12 ms" in delivery
    assert "silence, after 15,000 ms" in delivery
    assert EVIL not in delivery
    assert (await operator.get(f"/webhooks/{endpoint.id}/cnone")).status_code == 404
    async with pool.acquire() as tx:
        await disable_endpoint(tx, site.rows.team_id, endpoint.id, "it said so", now=now)
    assert "it said so" in (await operator.get(f"/webhooks/{endpoint.id}")).text
    assert ">missed<" in (await operator.get(f"/webhooks/{endpoint.id}")).text
