"""Paths that lead nowhere, methods that a path does not have, and what every answer carries."""

import json
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loopwright.server.http.endpoints import ENDPOINTS
from loopwright.server.http.fallback import HANDLERS
from loopwright.server.http.paths import tidied
from loopwright.server.http.request_ids import RequestIds
from loopwright.server.http.routes import OWN_PATHS, OWN_ROOT
from loopwright.server.store.forms import load_forms
from loopwright.server.store.teams import load_teams
from support.live import LiveServer
from support.plain_http import NO_TLS
from support.raw_http import exchange
from support.refusals import code_of, refused


@pytest.fixture
async def site(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a key, at the server's root."""
    async with httpx2.AsyncClient(base_url=live_server.base_url, verify=NO_TLS) as site:
        yield site


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/foo", id="nowhere"),
        pytest.param("GET", "/api/v2/x", id="another version"),
        pytest.param("POST", "/api/contacts/create", id="no version"),
        pytest.param("GET", "/api//v2/api-key", id="a slash too many"),
        pytest.param("GET", "/api/v1/foo", id="below the root"),
        pytest.param("GET", "/api/v1/foo/", id="below the root, with a slash"),
        pytest.param("GET", "/static/foo.css", id="no such file"),
    ],
)
async def test_nowhere(site: httpx2.AsyncClient, method: str, path: str) -> None:
    """404 in the API's form, with the root that its paths begin with."""
    answer = await site.request(method, path)
    refused(answer, 404, "begin with /api/v1, such as /api/v1/events/send")
    assert code_of(answer) == "path_unknown"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        pytest.param("GET", "/api/newsletter-form/x", {"POST"}, id="a form is sent"),
        pytest.param("PUT", "/api/newsletter-form/x", {"POST"}, id="and with POST"),
        pytest.param("DELETE", "/openapi.json", {"GET", "HEAD"}, id="the description"),
        pytest.param("POST", "/contacts/create", {"GET", "HEAD"}, id="a page of the dashboard"),
        pytest.param("POST", "/static/foo.css", {"GET", "HEAD"}, id="a file"),
    ],
)
async def test_other_methods(site: httpx2.AsyncClient, method: str, path: str, allow: set[str]) -> None:
    """405 in the API's form outside its roots too, and its root, which is what is mostly missing."""
    answer = await site.request(method, path)
    body = refused(answer, 405, f"{method} is not allowed at {path}; use ")
    assert "begin with /api/v1," in body["message"]
    assert set(answer.headers["allow"].split(", ")) == allow


async def test_people_get_a_page(site: httpx2.AsyncClient) -> None:
    """With a link back; a slash too many on the dashboard is taken away as before."""
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = await site.get("/foo", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '<a href="/">' in answer.text
    assert (await site.get("/contacts/", headers=headers)).headers["location"].endswith("/contacts")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/api-key"),
        ("PATCH", "/api/v1/api-key"),
        ("GET", "/api/v1/foo"),
        ("GET", "/foo"),
        ("GET", "/openapi.json"),
        ("DELETE", "/openapi.json"),
        ("OPTIONS", "/api/newsletter-form/x"),
        ("POST", "/api/newsletter-form/x"),
        ("GET", "/sign-in"),
        ("GET", "/contacts/"),
        ("GET", "/static/dashboard.css"),
        ("GET", "/unsubscribe/x"),
        ("GET", "/healthz"),
    ],
)
async def test_every_answer_has_a_name(site: httpx2.AsyncClient, method: str, path: str) -> None:
    """One, and another one for each request."""
    names = [(await site.request(method, path)).headers.get_list("x-request-id") for _ in range(2)]
    assert [len(one) for one in names] == [1, 1]
    assert names[0] != names[1]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", names[0][0])


async def test_answers_that_come_in_pieces_have_a_name(http: httpx2.AsyncClient) -> None:
    """Like all others."""
    for path in ("/loopwright/v1/contacts", "/loopwright/v1/bulk/events"):
        method = "POST" if "bulk" in path else "GET"
        answer = await http.request(method, str(http.base_url.copy_with(path=path)))
        assert answer.status_code == 200
        assert len(answer.headers.get_list("x-request-id")) == 1


async def test_a_version_too_many(site: httpx2.AsyncClient) -> None:
    """Clients whose paths have it, with a base URL that has it as well: told so."""
    for path in ("/api/v1/v1/events/send", "/v1//v1/events/send"):
        refused(await site.post(path), 404, "It has /v1 twice: leave it out of the client's base URL.")


async def test_slashes_at_the_end(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """They are ignored behind fixed paths, ids, names and forms; a name keeps one that is encoded."""
    for name in ("signup", "signup/"):
        await http.post("/events/send", json={"eventName": name, "email": "ada@example.com"})
    pattern = (await http.get("/event-patterns/by-name/signup/")).json()
    assert pattern["eventName"] == "signup"
    assert (await http.get(f"/event-patterns/{pattern['id']}/")).json() == pattern
    assert (await http.get(f"/event-patterns/{pattern['id']}//")).json() == pattern
    encoded = (await http.get("/event-patterns/by-name/signup%2F")).json()
    assert encoded["eventName"] == "signup/"
    assert (await http.get("/event-patterns/by-name/signup%2F/")).json() == encoded
    assert (await http.get("/event-patterns/")).json()["pagination"]["totalResults"] == 2
    refused(await http.get("/event-patterns/by-name/"), 404, "nothing at")

    async with live_server.pool.acquire() as tx:
        (team,) = await load_teams(tx)
        (form,) = await load_forms(tx, team.id)
    address = f"{live_server.base_url}/api/newsletter-form/{form.id}/"
    sent = await http.post(address, data={"email": "bob@example.com"})
    assert (sent.status_code, sent.json()) == (200, {"success": True})
    assert (await http.options(address)).status_code == 204


OWN = [(method, OWN_ROOT + path) for path, handlers in OWN_PATHS.items() for method in handlers]
PUBLISHED = [(one.operation.method, root + one.operation.path) for one in ENDPOINTS for root in ("", "/api")]


def test_slashes_too_many_everywhere(live_server: LiveServer) -> None:
    """Each operation is there, by each of its roots, under an address joined with slashes too many."""
    for method, path in OWN + PUBLISHED:
        filled = path.replace("{", "").replace("}", "")
        for odd in (f"/{filled}", f"{filled}/", filled.replace("/", "//"), f"//{filled}//"):
            status, body = exchange(live_server, f"{method} {odd} HTTP/1.1", key="wrong")
            assert (odd, status, b"API key" in body) == (odd, 401, True)
    assert len(OWN + PUBLISHED) > 150


def test_nothing_is_lost_with_slashes_too_many(live_server: LiveServer) -> None:
    """Body and query arrive, and nobody is sent elsewhere."""
    body = json.dumps({"email": "ada@example.com", "userId": "u/1"})
    for path in ("//v1/contacts/update", "/api//v1/contacts/update/", "//api/v1//contacts//update"):
        length = f"Content-Length: {len(body)}\r\n"
        assert exchange(live_server, f"PUT {path} HTTP/1.1", length, body)[0] == 200
    for path in ("//v1/contacts/find?userId=u%2F1", "/v1//contacts/find/?userId=u/1"):
        found = json.loads(exchange(live_server, f"GET {path} HTTP/1.1")[1])
        assert [one["email"] for one in found] == ["ada@example.com"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("POST", "//api//newsletter-form//x//", 400, id="a form"),
        pytest.param("POST", "/feedback//provider/token/", 404, id="a provider's door"),
        pytest.param("PUT", "//uploads/x/", 404, id="an upload"),
        pytest.param("GET", "//healthz", 200, id="a probe"),
        pytest.param("GET", "//sign-in", 200, id="a page"),
        pytest.param("POST", "//", 405, id="slashes alone"),
    ],
)
def test_pages_with_slashes_too_many(live_server: LiveServer, method: str, path: str, status: int) -> None:
    """They answer as without, and no program is sent elsewhere, which loses bodies."""
    odd = exchange(live_server, f"{method} {path} HTTP/1.1")
    assert odd == exchange(live_server, f"{method} {tidied(path)} HTTP/1.1")
    assert odd[0] == status
    assert b"There is nothing at" not in odd[1]


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_a_mistake_of_ours_is_told_of(accept: str) -> None:
    """With the name of the request in the log: to a browser on a page, to a program in the API's form."""

    async def broken(request: Request) -> Response:
        raise TypeError("of the code")

    app = Starlette(routes=[Route("/", broken)], exception_handlers=HANDLERS)
    transport = httpx2.ASGITransport(RequestIds(app), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here.test") as http:
        answer = await http.get("/", headers={"Accept": accept})
    assert answer.status_code == 500
    assert "of the code" not in answer.text
    if accept == "text/html":
        assert answer.headers["x-request-id"] in answer.text
        assert '<a href="/">' in answer.text
    else:
        refused(answer, 500, "")
