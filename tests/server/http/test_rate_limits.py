"""How fast a team may go, over HTTP: what is told, and what is refused."""

import time
from pathlib import Path

import httpx2
import pytest
from starlette.responses import Response

from loopwright.server.clock import SystemClock
from loopwright.server.http.dispatch import ApiRequest, Authenticator, Resource, WebhookTerms, answer
from loopwright.server.http.rate_limits import RateLimits
from loopwright.server.http.request_ids import RequestIds
from loopwright.server.http.space import Space
from loopwright.server.ingest.batch import Ingest
from loopwright.server.keys import hash_key
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, insert_key
from loopwright.server.webhook.addresses import public_and
from support.process import API_KEY, ServerProcess
from support.refusals import code_of, refused

from .conftest import Serving

SLOW = 0.01
"""One request in 100 seconds, so that no machine is too slow for a test."""


def told(response: httpx2.Response) -> tuple[str | None, str | None]:
    return response.headers.get("x-ratelimit-limit"), response.headers.get("x-ratelimit-remaining")


async def test_the_window_is_told(serving: Serving) -> None:
    """With each answer, and with the refusal, which says how long to wait."""
    async with serving(rate_limit="loops") as http:
        assert told(await http.get("/api-key")) == ("10", "9")
    async with serving(rate_limit=SLOW) as http:
        first = await http.get("/api-key")
        assert (first.status_code, told(first)) == (200, ("1", "0"))
        over = await http.get("/api-key")
        refused(over, 429, "Too many requests; wait")
        assert code_of(over) == "rate_limited"
        assert told(over) == ("1", "0")
        assert 90 < int(over.headers["retry-after"]) <= 100


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("PATCH", "/api-key", 405, id="another method"),
        pytest.param("GET", "/foo", 404, id="an unknown path"),
        pytest.param("GET", "/event-patterns/cnone", 404, id="an unknown id"),
        pytest.param("POST", "/events/send", 400, id="no body"),
    ],
)
async def test_failures_are_counted_and_told(serving: Serving, method: str, path: str, status: int) -> None:
    """Every answer to a team tells its window; the next one is over."""
    async with serving(rate_limit=SLOW) as http:
        first = await http.request(method, path)
        refused(first, status, "")
        assert told(first) == ("1", "0")
        refused(await http.request(method, path), 429, "Too many requests")


async def test_who_has_no_team_is_told_nothing(serving: Serving) -> None:
    """A key that opens nothing has no window, whatever it asks for."""
    async with serving(rate_limit=SLOW) as http:
        for method, path, status in (
            ("GET", "/api-key", 401),
            ("PATCH", "/api-key", 405),
            ("GET", "/x", 404),
        ):
            stray = await http.request(method, path, headers={"Authorization": "Bearer wrong"})
            refused(stray, status, "")
            assert told(stray) == (None, None)
        assert (await http.get("/api-key")).status_code == 200


async def test_no_limits(http: httpx2.AsyncClient) -> None:
    """Then nothing is told, either."""
    assert told(await http.get("/api-key")) == (None, None)
    assert told(await http.get("/foo")) == (None, None)


async def test_content_has_a_slower_window(pool: Pool, team: TeamRow) -> None:
    """The tighter one is told, and the base's room does not help when it is used up."""

    async def show(_: ApiRequest) -> Response:
        return answer({"success": True})

    now = SystemClock().now()
    async with pool.acquire() as tx:
        await insert_key(tx, team.id, key_id="k", name="", key_hash=hash_key(API_KEY), now=now)
    limits = RateLimits("loops")
    for passed in range(59):
        limits.admit(team.id, time.monotonic() - 30 + passed * 0.4, of_content=True)
    door = Authenticator(
        pool,
        Ingest(pool, SystemClock()),
        SystemClock(),
        limits,
        removal_quota=0,
        space=Space(),
        public_url=None,
        has_relay=False,
        webhooks=WebhookTerms(sealing=None, reach=public_and(())),
    )
    async with httpx2.AsyncClient(
        base_url="http://loopwright.invalid",
        headers={"Authorization": f"Bearer {API_KEY}"},
        transport=httpx2.ASGITransport(RequestIds(Resource(door, {"GET": show}, {}, of_content=True))),
    ) as http:
        last = await http.get("/")
        assert (last.status_code, told(last)) == (200, ("60", "0"))
        over = await http.get("/")
        refused(over, 429, "Too many requests")
        assert told(over) == ("60", "0")
        assert 20 < int(over.headers["retry-after"]) <= 30


async def test_settings_reach_the_server(database_url: str, tmp_path: Path) -> None:
    """`--rate-limit` and `--removal-quota` of the command line are what the API keeps to."""
    server = ServerProcess(
        tmp_path, "--database-url", database_url, "--rate-limit", "7", "--removal-quota", "3"
    )
    try:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx2.AsyncClient(base_url=f"{server.address}/api/v1", headers=headers) as http:
            created = await http.post("/contacts/create", json={"email": "ada@example.com"})
            assert told(created) == ("7", "6")
            shown = await http.get("/contacts/suppression?email=ada@example.com")
            assert shown.json()["removalQuota"] == {"limit": 3, "remaining": 3}
    finally:
        assert server.stop() == 0
