"""Forms on web pages: who may be added by them, and the question that comes back to the address."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from loopwright.server.store.forms import load_forms
from loopwright.server.store.teams import load_teams
from loopwright.server.team_settings import SettingChanges, change_team
from support.examples import WELCOME
from support.factories import add_list
from support.live import LiveServer
from support.refusals import refused

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def form_url(live_server: LiveServer) -> str:
    """The address of the form that every team begins with; it has one public list and one private."""
    async with live_server.pool.acquire() as tx:
        (team,) = await load_teams(tx)
        (form,) = await load_forms(tx, team.id)
    for list_id, is_public in (("cpublic", True), ("cprivate", False)):
        await add_list(live_server.pool, team.id, list_id, name=list_id, is_public=is_public)
    return f"{live_server.base_url}/api/newsletter-form/{form.id}"


async def settle(live_server: LiveServer, changes: SettingChanges) -> None:
    async with live_server.pool.acquire() as tx, tx.transaction():
        (team,) = await load_teams(tx)
        await change_team(tx, team.id, changes, now=datetime.now(UTC))


async def find(http: httpx2.AsyncClient, email: str) -> dict[str, Any]:
    contact: dict[str, Any] = (await http.get("/contacts/find", params={"email": email})).json()[0]
    return contact


async def received(
    http: httpx2.AsyncClient, live_server: LiveServer, email: str, count: int = 1
) -> list[Any]:
    """The messages to that address, once there are `count`."""
    async with asyncio.timeout(10):
        while True:
            answer = await http.get(f"{live_server.base_url}/loopwright/v1/inbox", params={"to": email})
            if len(answer.json()) >= count:
                messages: list[Any] = answer.json()
                return messages
            await asyncio.sleep(0.02)


async def test_a_form_adds_a_contact(http: httpx2.AsyncClient, form_url: str) -> None:
    """With the fields it has, and to public lists; any web page may send it."""
    fields = {
        "email": " Ada@Example.com", "firstName": "Ada", "userGroup": "early", "mailingLists": "cpublic",
        "userId": "stolen", "subscribed": "false",
    }  # fmt: skip
    response = await http.post(form_url, data=fields)
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert response.headers["access-control-allow-origin"] == "*"
    contact = await find(http, "ada@example.com")
    assert contact["firstName"] == "Ada"
    assert (contact["source"], contact["userGroup"], contact["userId"]) == ("Form", "early", None)
    assert (contact["subscribed"], contact["optInStatus"]) == (True, None)
    assert contact["mailingLists"] == {"cpublic": True}


async def test_what_a_form_may_also_hold(
    http: httpx2.AsyncClient, live_server: LiveServer, form_url: str
) -> None:
    """Notes, which only forms can bring, and properties of the team's own, in their types."""
    await http.post("/contacts/properties", json={"name": "seats", "type": "number"})
    fields = {
        "email": "ada@example.com",
        "notes": "met in Oslo",
        "seats": "3",
        "source": "fair",
        "unknown": "x",
    }
    assert (await http.post(form_url, data=fields)).status_code == 200
    contact = await find(http, "ada@example.com")
    assert (contact["seats"], contact["source"]) == (3, "fair")
    assert await live_server.pool.fetchval("SELECT notes FROM contact") == "met in Oslo"


async def test_inputs_nobody_filled_in(http: httpx2.AsyncClient, form_url: str) -> None:
    """Browsers send them empty; they neither cost a sign-up nor empty what is known."""
    await http.post("/contacts/properties", json={"name": "seats", "type": "number"})
    empty = dict.fromkeys(("firstName", "lastName", "source", "userGroup", "notes", "seats"), "")
    response = await http.post(form_url, data={**empty, "lastName": "  ", "email": "new@example.com"})
    assert response.status_code == 200
    contact = await find(http, "new@example.com")
    assert (contact["firstName"], contact["lastName"], contact["seats"]) == (None, None, None)
    assert (contact["source"], contact["userGroup"]) == ("Form", "")
    await http.post("/contacts/create", json={"email": "ada@example.com", "userGroup": "early"})
    assert (await http.post(form_url, data={**empty, "email": "ada@example.com"})).status_code == 200
    assert (await find(http, "ada@example.com"))["userGroup"] == "early"


async def test_a_known_contact_changes_little(http: httpx2.AsyncClient, form_url: str) -> None:
    """Anybody can fill a form in with anybody's address: only the user group changes, and lists are added."""
    await http.post("/contacts/create", json={"email": "ada@example.com", "firstName": "Ada"})
    await http.put("/contacts/update", json={"email": "ada@example.com", "subscribed": False})
    fields = {"email": "ada@example.com", "firstName": "Eve", "userGroup": "new", "mailingLists": "cpublic"}
    assert (await http.post(form_url, data=fields)).status_code == 200
    contact = await find(http, "ada@example.com")
    assert (contact["firstName"], contact["userGroup"], contact["source"]) == ("Ada", "new", "API")
    assert contact["subscribed"] is False
    assert contact["mailingLists"] == {"cpublic": True}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(b"firstName=Ada", "email is required", id="no address"),
        pytest.param(b"email=ada", "Invalid email address.", id="no real address"),
        pytest.param(b"email=a@example.com&mailingLists=cprivate", "cprivate", id="a private list"),
        pytest.param(b"email=a@example.com&mailingLists=cpublic,%20cnone", "cnone", id="an unknown list"),
        pytest.param(b"email=%ff@example.com", "UTF-8", id="not UTF-8"),
        pytest.param(b"&".join([b"a=b"] * 300), "cannot be read", id="too many fields"),
    ],
)
async def test_forms_that_cannot_be(
    http: httpx2.AsyncClient, form_url: str, content: bytes, text: str
) -> None:
    """Each refusal is JSON that a page's script can show."""
    response = await http.post(form_url, content=content, headers=FORM)
    refused(response, 400, text)
    assert response.headers["access-control-allow-origin"] == "*"


async def test_other_ways_to_miss(http: httpx2.AsyncClient, form_url: str) -> None:
    """No such form, another kind of body, too large a one."""
    refused(await http.post(f"{form_url}x", data={"email": "a@example.com"}), 400, "no form")
    refused(await http.post(f"{form_url}%00", data={"email": "a@example.com"}), 400, "no form")
    refused(await http.post(form_url, json={"email": "a@example.com"}), 400, "urlencoded")
    refused(await http.post(form_url, content=b"a=" + b"b" * 60_000, headers=FORM), 413, "too large")


async def test_browsers_may_ask_beforehand(http: httpx2.AsyncClient, form_url: str) -> None:
    """Only here: the API itself tells browsers nothing of the kind."""
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    allowed = await http.options(form_url, headers=origin)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "*")
    refusal = await http.options("/contacts/create", headers=origin)
    refused(refusal, 405, "use POST")
    assert "access-control-allow-origin" not in refusal.headers


async def test_a_few_a_minute(http: httpx2.AsyncClient, form_url: str) -> None:
    """One address of the network is held back without holding back others."""
    for number in range(5):
        assert (await http.post(form_url, data={"email": f"a{number}@example.com"})).status_code == 200
    refused(await http.post(form_url, data={"email": "a@example.com"}), 429, "in a minute")
    made_up = {"X-Forwarded-For": "192.0.2.7"}
    refused(await http.post(form_url, data={"email": "a@example.com"}, headers=made_up), 429, "in a minute")
    elsewhere = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx2.AsyncClient(transport=elsewhere) as other:
        assert (await other.post(form_url, data={"email": "a@example.com"})).status_code == 200


async def test_confirming(http: httpx2.AsyncClient, live_server: LiveServer, form_url: str) -> None:
    """Pending until its own click: then subscribed, on the lists it chose, and an added contact."""
    await settle(live_server, SettingChanges(double_opt_in=True))
    fields = {"email": "ada@example.com", "mailingLists": "cpublic"}
    assert (await http.post(form_url, data=fields)).status_code == 200
    contact = await find(http, "ada@example.com")
    assert (contact["optInStatus"], contact["mailingLists"]) == ("pending", {})
    (message,) = await received(http, live_server, "ada@example.com")
    assert message["subject"] == "Please confirm your subscription"
    link = re.search(r"http://\S+/opt-in/[\w.-]+", message["text"])
    assert link

    page = await http.get(link[0])
    assert page.status_code == 200
    assert "Do you want email" in page.text
    assert (await find(http, "ada@example.com"))["optInStatus"] == "pending"

    assert "you are subscribed" in (await http.post(link[0], data={"choice": "confirm"})).text
    contact = await find(http, "ada@example.com")
    assert (contact["optInStatus"], contact["subscribed"]) == ("accepted", True)
    assert contact["mailingLists"] == {"cpublic": True}
    assert "you are subscribed" in (await http.post(link[0], data={"choice": "decline"})).text
    assert (await find(http, "ada@example.com"))["optInStatus"] == "accepted"


async def test_events_while_pending(http: httpx2.AsyncClient, live_server: LiveServer, form_url: str) -> None:
    """They are taken and start no workflow, and a list joined meanwhile waits like those of the form."""
    await settle(live_server, SettingChanges(double_opt_in=True))
    async with live_server.pool.acquire() as tx, tx.transaction():
        (team,) = await load_teams(tx)
        await apply_definitions(tx, team.id, parse(read_folder(WELCOME)), now=datetime.now(UTC))
    await http.post(form_url, data={"email": "ada@example.com"})
    event = {"email": "ada@example.com", "eventName": "signup", "mailingLists": {"cpublic": True}}
    assert (await http.post("/events/send", json=event)).json() == {"success": True}
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == 1
    assert await live_server.pool.fetchval("SELECT count(*) FROM run") == 0
    assert (await find(http, "ada@example.com"))["mailingLists"] == {}

    (message,) = await received(http, live_server, "ada@example.com")
    link = re.search(r"http://\S+/opt-in/[\w.-]+", message["text"])
    assert link
    await http.post(link[0], data={"choice": "confirm"})
    assert (await find(http, "ada@example.com"))["mailingLists"] == {"cpublic": True}
    assert await live_server.pool.fetchval("SELECT count(*) FROM run") == 0
    await http.post("/events/send", json=event)
    assert await live_server.pool.fetchval("SELECT count(*) FROM run") == 1


async def test_declining(http: httpx2.AsyncClient, live_server: LiveServer, form_url: str) -> None:
    """Rejected and unsubscribed. Strangers who fill the form in again learn nothing and cause nothing."""
    await settle(live_server, SettingChanges(double_opt_in=True))
    first = await http.post(form_url, data={"email": "ada@example.com"})
    (message,) = await received(http, live_server, "ada@example.com")
    link = re.search(r"http://\S+/opt-in/[\w.-]+", message["text"])
    assert link
    page = await http.post(link[0], data={"choice": "decline"})
    assert "will not write" in page.text
    assert "the link in our email still works" in page.text
    contact = await find(http, "ada@example.com")
    assert (contact["optInStatus"], contact["subscribed"]) == ("rejected", False)
    await live_server.pool.execute("UPDATE email SET created_at = created_at - interval '1 year'")
    again = await http.post(form_url, data={"email": "ada@example.com"})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert await live_server.pool.fetchval("SELECT count(*) FROM email") == 1
    assert (await find(http, "ada@example.com"))["optInStatus"] == "rejected"
    await http.post(link[0], data={"choice": "confirm"})
    assert (await find(http, "ada@example.com"))["optInStatus"] == "accepted"


async def test_an_address_is_asked_once(
    http: httpx2.AsyncClient, live_server: LiveServer, form_url: str
) -> None:
    """In 30 days, also when its contact was deleted meanwhile; then it is asked again."""
    await settle(live_server, SettingChanges(double_opt_in=True))
    for _ in range(2):
        assert (await http.post(form_url, data={"email": "ada@example.com"})).status_code == 200
    await http.post("/contacts/delete", json={"email": "ada@example.com"})
    assert (await http.post(form_url, data={"email": "ada@example.com"})).status_code == 200
    assert await live_server.pool.fetchval("SELECT count(*) FROM email") == 1
    await live_server.pool.execute(
        "UPDATE email SET created_at = created_at - interval '31 days', cause = cause || ' ago'"
    )
    assert (await http.post(form_url, data={"email": "ada@example.com"})).status_code == 200
    assert await live_server.pool.fetchval("SELECT count(*) FROM email") == 2


async def test_links_nobody_signed(http: httpx2.AsyncClient, live_server: LiveServer, form_url: str) -> None:
    """A guessed link shows nothing and changes nothing."""
    await settle(live_server, SettingChanges(double_opt_in=True))
    await http.post(form_url, data={"email": "ada@example.com"})
    contact = await find(http, "ada@example.com")
    team_id = await live_server.pool.fetchval("SELECT id FROM team")
    for token in (f"{team_id}.{contact['id']}.AAAA", "x", "a.b.c", f"{team_id}.{contact['id']}.", "%00.b.c"):
        for page in ("opt-in", "unsubscribe"):
            guessed = f"{live_server.base_url}/{page}/{token}"
            assert (await http.get(guessed)).status_code == 404
            assert (await http.post(guessed, data={"choice": "confirm"})).status_code == 404
    assert (await find(http, "ada@example.com"))["optInStatus"] == "pending"


async def test_a_blocked_address(http: httpx2.AsyncClient, live_server: LiveServer, form_url: str) -> None:
    """On every way in: created, updated, moved to, by event, by transactional email, by form."""
    await http.post("/contacts/create", json={"email": "known@corp.test", "userId": "u1"})
    await settle(live_server, SettingChanges(block=["*@corp.test", "*@*.edu", "Eve@example.com"]))
    for email in ("new@corp.test", "a@mit.edu", "eve@example.com"):
        refused(await http.post("/contacts/create", json={"email": email}), 400, "blocklist")
        refused(await http.put("/contacts/update", json={"email": email}), 400, "blocklist")
        refused(await http.put("/contacts/update", json={"email": email, "userId": "u1"}), 400, "blocklist")
        refused(await http.post("/events/send", json={"email": email, "eventName": "x"}), 400, "blocklist")
        elsewhere = {"X-Forwarded-For": "192.0.2.9"}
        refused(await http.post(form_url, data={"email": email}, headers=elsewhere), 400, "blocklist")
    known = {"email": "known@corp.test", "eventName": "x"}
    assert (await http.post("/events/send", json=known)).status_code == 200
    await settle(live_server, SettingChanges(unblock=["*@*.edu"]))
    assert (await http.post("/contacts/create", json={"email": "a@mit.edu"})).status_code == 200
