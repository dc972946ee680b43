"""The pages of webhooks."""

import re
from datetime import timedelta

import httpx2
from msgspec.structs import replace

from loopwright.server.store.webhook_deliveries import Attempted, AttemptRow, record
from loopwright.server.store.webhooks import disable_endpoint, find_endpoint
from support.dashboard_site import FROM_HERE, SEALING, Site
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
    assert "without a success it is disabled" in page
    assert "what fails may be overtaken" in page
    assert "loopwright team notices ADDRESS" in page
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


async def test_an_endpoint_is_switched_tested_and_told_again(
    site: Site, operator: httpx2.AsyncClient
) -> None:
    """Each button leads back to its page, which says what was done, or why not."""
    now, pool = site.clock.now(), site.rows.pool
    endpoint = await add_endpoint(pool, site.rows.team_id, "https://hooks.test/", sealing=SEALING, now=now)
    path = f"/webhooks/{endpoint.id}"
    await add_deliveries(pool, endpoint, 2, now=now)
    page = await operator.post(f"{path}/disable", headers=FROM_HERE)
    assert "The endpoint is disabled" in page.text
    assert page.text.count(">missed<") == 2
    for verb in ("test", "replay"):
        page = await operator.post(f"{path}/{verb}", data={"days": "1"}, headers=FROM_HERE)
        assert page.status_code == 422
        assert "The endpoint is disabled; enable it first" in page.text
    page = await operator.post(f"{path}/enable", headers=FROM_HERE)
    assert "The endpoint is enabled" in page.text
    page = await operator.post(f"{path}/replay", data={"days": "1"}, headers=FROM_HERE)
    assert "Webhooks that are sent again: 2." in page.text
    page = await operator.post(f"{path}/replay", data={"days": "many"}, headers=FROM_HERE)
    assert "Choose from how many days" in page.text
    page = await operator.post(f"{path}/test", headers=FROM_HERE)
    assert "A test is on its way" in page.text
    assert page.text.count(">queued<") == 3
    assert (await operator.post(f"{path}/test", headers={"sec-fetch-site": "cross-site"})).status_code == 403


async def test_a_rotated_secret_is_shown_once(site: Site, operator: httpx2.AsyncClient) -> None:
    """A form that is sent again makes no other."""
    endpoint = await add_endpoint(
        site.rows.pool, site.rows.team_id, "https://hooks.test/", sealing=SEALING, now=site.clock.now()
    )
    path = f"/webhooks/{endpoint.id}"
    form = {"seen": re.findall(r'name="seen" value="([^"]*)"', (await operator.get(path)).text)[0]}
    site.clock.advance(timedelta(seconds=1))
    page = await operator.post(f"{path}/rotate", data=form, headers=FROM_HERE)
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", page.text)
    again = await operator.post(f"{path}/rotate", data=form, headers=FROM_HERE)
    assert again.status_code == 422
    assert "was changed meanwhile" in again.text
    assert secret not in (await operator.get(path)).text
    async with site.rows.pool.acquire() as tx:
        row = await find_endpoint(tx, site.rows.team_id, endpoint.id)
    assert row is not None
    assert row.former_secret == endpoint.sealed_secret
