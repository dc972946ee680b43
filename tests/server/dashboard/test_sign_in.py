"""The door: an API key opens it for a while, and nothing else does."""

from datetime import timedelta

import httpx2
import pytest

from loopwright.server.dashboard import sessions
from loopwright.server.dashboard.login_throttle import FREE
from loopwright.server.dashboard.requests import COOKIE
from loopwright.server.dashboard.views import PAGES
from support.dashboard_site import Site

ANY_ID = dict.fromkeys(
    (
        *("message_id", "contact_id", "event_id", "transactional_id", "theme_id", "component_id"),
        *("workflow_id", "webhook_id", "delivery_id", "run_id", "campaign_id", "segment_id"),
    ),
    "c1",
)


def cookie_of(answer: httpx2.Response) -> str:
    return answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_wants_the_sign_in(stranger: httpx2.AsyncClient, path: str) -> None:
    """Without a session there is nothing to see, and the way back is remembered."""
    wanted = path.format(**ANY_ID)
    answer = await stranger.get(wanted)
    assert answer.status_code == 303
    onward = "" if wanted == "/" else f"?onward={wanted.replace('/', '%2F')}"
    assert answer.headers["location"] == f"/sign-in{onward}"
    assert "no-store" in answer.headers["cache-control"]


async def test_the_key_opens_a_session(site: Site, stranger: httpx2.AsyncClient) -> None:
    """Signing in leads on to the page that was asked for, and the cookie is out of reach for scripts."""
    answer = await stranger.post("/sign-in", data={"key": f" {site.key}\n", "onward": "/events?q=signup"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/events?q=signup"
    cookie = cookie_of(answer)
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert f"max-age={30 * 24 * 3600}" in cookie
    assert "secure" not in cookie
    assert site.key not in cookie
    assert (await stranger.get("/events")).status_code == 200


async def test_who_is_signed_in_need_not_sign_in_again(operator: httpx2.AsyncClient) -> None:
    """The sign-in page leads on."""
    answer = await operator.get("/sign-in?onward=/inbox", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")


@pytest.mark.parametrize(
    "onward",
    [
        pytest.param("https://evil.example/", id="another server"),
        pytest.param("//evil.example/", id="another server, same scheme"),
        pytest.param("/\\evil.example/", id="backslash"),
        pytest.param("/\t/evil.example/", id="tab that browsers drop"),
        pytest.param("javascript:alert(1)", id="script"),
        pytest.param("/sign-out", id="a page that only answers forms"),
        pytest.param("", id="nothing"),
    ],
)
async def test_the_way_on_never_leads_away(site: Site, stranger: httpx2.AsyncClient, onward: str) -> None:
    """A crafted link to the sign-in cannot send anybody to another site."""
    answer = await stranger.post("/sign-in", data={"key": site.key, "onward": onward})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"key=wrong", id="a wrong key"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"key=" + b"x" * 100_000, id="far too much"),
        pytest.param(b"&".join(b"key=1" for _ in range(50)), id="many fields"),
        pytest.param(b"\xff\xfe=%ff%00&key=%00%ff", id="no text"),
    ],
)
async def test_anything_else_stays_outside(stranger: httpx2.AsyncClient, body: bytes) -> None:
    """A wrong key is told so, without an echo of it."""
    answer = await stranger.post("/sign-in", content=body)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "No team of this server has that API key." in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="form on another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="form on a sister site"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another origin, older browser"),
        pytest.param({"Origin": "null"}, 403, id="hidden origin"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 303, id="our own form"),
        pytest.param({}, 303, id="a program"),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_forms_of_other_sites_are_refused(
    site: Site, stranger: httpx2.AsyncClient, path: str, headers: dict[str, str], status: int
) -> None:
    """Another site can neither sign anybody in nor out."""
    answer = await stranger.post(path, data={"key": site.key}, headers=headers)
    assert answer.status_code == status


async def test_our_own_origin_may_send_the_form(site: Site, stranger: httpx2.AsyncClient) -> None:
    """Browsers without Sec-Fetch-Site tell their origin."""
    answer = await stranger.post("/sign-in", data={"key": site.key}, headers={"Origin": site.base_url})
    assert answer.status_code == 303


async def test_guessing_gets_slow(site: Site, stranger: httpx2.AsyncClient) -> None:
    """After a few wrong keys the next one has to wait."""
    for _ in range(FREE):
        assert (await stranger.post("/sign-in", data={"key": "guess"})).status_code == 401
    answer = await stranger.post("/sign-in", data={"key": "guess"})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert "Try again in 1 second." in answer.text
    site.clock.advance(timedelta(seconds=1))
    assert (await stranger.post("/sign-in", data={"key": "guess"})).status_code == 401


async def test_a_strangers_guesses_lock_nobody_out(site: Site, stranger: httpx2.AsyncClient) -> None:
    """Whoever shares the guesser's address comes in with the right key all the same."""
    for _ in range(FREE + 3):
        await stranger.post("/sign-in", data={"key": "guess"})
    assert (await stranger.post("/sign-in", data={"key": site.key})).status_code == 303


async def test_signing_out_ends_it(site: Site, operator: httpx2.AsyncClient) -> None:
    """The cookie is gone afterwards, and a copy of it opens nothing; sessions elsewhere go on."""
    copy = {"Cookie": f"{COOKIE}={operator.cookies[COOKIE]}"}
    async with httpx2.AsyncClient(base_url=site.base_url) as thief, httpx2.AsyncClient() as other:
        assert (await thief.get("/inbox", headers=copy)).status_code == 200
        await other.post(f"{site.base_url}/sign-in", data={"key": site.key})
        answer = await operator.post("/sign-out")
        assert answer.url.path == "/sign-in"
        assert (await operator.get("/inbox")).url.path == "/sign-in"
        assert (await thief.get("/inbox", headers=copy)).status_code == 303
        assert (await other.get(f"{site.base_url}/inbox")).status_code == 200


async def test_a_cookie_is_stored_as_a_hash(site: Site, operator: httpx2.AsyncClient) -> None:
    """Whoever reads the database signs in nowhere."""
    rows = await site.rows.pool.fetch("SELECT * FROM dashboard_session WHERE team_id = $1", site.rows.team_id)
    assert len(rows) == 1
    assert operator.cookies[COOKIE].encode() not in rows[0]["token_hash"]
    stolen = {"Cookie": f"{COOKIE}={rows[0]['token_hash'].hex()}"}
    async with httpx2.AsyncClient(base_url=site.base_url) as thief:
        assert (await thief.get("/inbox", headers=stolen)).status_code == 303


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 43, id="made up"),
        pytest.param("cteam.ckey.1893456000." + "0" * 64, id="as earlier versions had it"),
        pytest.param("\xff" * 50, id="no text"),
    ],
)
async def test_what_is_no_cookie_of_ours_opens_nothing(stranger: httpx2.AsyncClient, cookie: str) -> None:
    """It is not even told."""
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode("latin-1"))]
    assert (await stranger.get("/inbox", headers=headers)).status_code == 303


async def test_a_session_ends_after_its_time(site: Site, operator: httpx2.AsyncClient) -> None:
    """Thirty days, then the key is asked for again."""
    site.clock.advance(sessions.LIFETIME - timedelta(minutes=1))
    assert (await operator.get("/inbox")).url.path == "/inbox"
    site.clock.advance(timedelta(minutes=1))
    assert (await operator.get("/inbox")).url.path == "/sign-in"


async def test_revoking_the_key_ends_its_sessions(site: Site, operator: httpx2.AsyncClient) -> None:
    """Who may no longer call the API may no longer look either."""
    await site.rows.pool.execute("DELETE FROM api_key WHERE team_id = $1", site.rows.team_id)
    assert (await operator.get("/inbox")).url.path == "/sign-in"


async def test_an_open_page_is_sent_to_the_sign_in(stranger: httpx2.AsyncClient) -> None:
    """A page that only asks for its live part would put the sign-in inside itself, so it is told to leave."""
    answer = await stranger.get("/events", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"
    assert answer.text == ""
