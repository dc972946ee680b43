"""Contacts from files and into files, with a real server."""

import asyncio
import csv
import json
import signal
import subprocess
import sysconfig
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from support.live import LiveServer

Run = Callable[..., Awaitable[Result]]

LOOPWRIGHT = Path(sysconfig.get_path("scripts")) / "loopwright"


@pytest.fixture
async def http(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": f"Bearer {live_server.api_key}"}
    async with httpx2.AsyncClient(base_url=f"{live_server.base_url}/api/v1", headers=headers) as http:
        yield http


@pytest.fixture
def run(live_server: LiveServer) -> Run:
    """The command as a user of the live server gives it."""
    environment = {"LOOPS_BASE_URL": f"{live_server.base_url}/api", "LOOPS_API_KEY": live_server.api_key}

    async def run(*arguments: object) -> Result:
        words = ["contacts", *map(str, arguments)]
        return await asyncio.to_thread(CliRunner().invoke, program, words, env=environment)

    return run


@pytest.fixture
async def news(live_server: LiveServer) -> str:
    """A mailing list of the team."""
    await live_server.pool.execute(
        "INSERT INTO mailing_list (id, team_id, name, is_public, created_at)"
        " SELECT 'news', id, 'News', true, now() FROM team"
    )
    return "news"


async def declare(http: httpx2.AsyncClient, **kinds: str) -> None:
    for name, kind in kinds.items():
        response = await http.post("/contacts/properties", json={"name": name, "type": kind})
        assert response.status_code == 200


async def find(http: httpx2.AsyncClient, email: str) -> dict[str, Any]:
    (contact,) = (await http.get("/contacts/find", params={"email": email})).json()
    return dict(contact)


def said(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


async def test_the_dashboards_rules(http: httpx2.AsyncClient, run: Run, tmp_path: Path, news: str) -> None:
    """Matching by user id and email, empty and null cells, subscriptions, the source, and rejected rows."""
    await declare(http, favoriteColor="string", seats="number", since="date")
    for body in (
        {"email": "ada@example.net", "userId": "u1", "firstName": "Ada", "favoriteColor": "red", "seats": 1},
        {"email": "bob@example.net", "subscribed": False, "source": "Old"},
        {"email": "cleo@example.net"},
    ):
        await http.post("/contacts/create", json=body)
    path = tmp_path / "people.csv"
    path.write_text(
        "Email,User ID,First name,Favorite color,seats,Since,Subscribed\n"
        ",u1,,null,2,,\n"
        "bob@example.net,u2,Bob,,,,true\n"
        "cleo@example.net,,Cleo,,,,false\n"
        "other@example.net,u1,Eve,,,,\n"
        "dora@example.net,u4,Dora,blue,,2024-01-17,\n"
        "emil@example.net,,Emil,,many,,\n"
        "fay@example.net,,Fay,,,1705486871000,\n"
        ",u9,Gus,,,,\n"
    )
    result = await run("import", path, "--list", news, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["applied"], report["rejected"], report["finished"]) == (4, 4, True)

    ada = await find(http, "ada@example.net")
    assert (ada["firstName"], ada["favoriteColor"], ada["seats"]) == ("Ada", None, 2)
    assert ada["mailingLists"] == {"news": True}
    bob = await find(http, "bob@example.net")
    assert (bob["userId"], bob["firstName"], bob["subscribed"], bob["source"]) == ("u2", "Bob", False, "Old")
    assert (await find(http, "cleo@example.net"))["subscribed"] is False
    dora = await find(http, "dora@example.net")
    assert (dora["source"], dora["userId"], dora["favoriteColor"]) == ("CSV Upload", "u4", "blue")
    assert dora["since"] == "2024-01-17T00:00:00.000Z"

    with path.with_name("people.rejected.csv").open(newline="") as file:
        reasons = {row["import.row"]: row["import.reason"] for row in csv.DictReader(file)}
    assert reasons.keys() == {"4", "6", "7", "8"}
    assert "another email" in reasons["4"]
    assert "seats: is not a number" in reasons["6"]
    assert "Since: is a number" in reasons["7"]
    assert "no contact has this user id" in reasons["8"]
    assert not path.with_name("people.csv.contacts.import.json").exists()


async def test_unknown_columns_come_up_before_anything_is_sent(
    http: httpx2.AsyncClient, run: Run, tmp_path: Path
) -> None:
    """With what to do about them, and the option that does it."""
    path = tmp_path / "people.csv"
    path.write_text("email,Favourite food,seats:number\nada@example.net,plums,3\n")
    refused = await run("import", path)
    assert refused.exit_code == 2
    assert "'Favourite food', 'seats:number'" in said(refused)
    assert "--create-properties" in said(refused)
    assert (await http.get("/contacts/find", params={"email": "ada@example.net"})).json() == []

    dry = await run("import", path, "--create-properties", "--dry-run")
    assert "favouriteFood (string), seats (number)" in dry.output
    assert (await http.get("/contacts/properties", params={"list": "custom"})).json() == []

    assert (await run("import", path, "--create-properties")).exit_code == 0
    ada = await find(http, "ada@example.net")
    assert (ada["favouriteFood"], ada["seats"]) == ("plums", 3)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
async def test_an_export_is_the_same_contacts_again(
    live_server: LiveServer, http: httpx2.AsyncClient, run: Run, tmp_path: Path, news: str, form: str
) -> None:
    """In an empty team: every type, quotes, line breaks, other alphabets. Only ids and times are new."""
    await declare(http, plan="string", seats="number", vip="boolean", since="date")
    people: list[dict[str, Any]] = [
        {"email": "plain@example.net"},
        {
            "email": "full@example.net", "userId": "007", "firstName": 'Ann "Quote", Esq.',
            "lastName": "two\nlines\r\nthree\rfour", "userGroup": "käse 🧀", "source": "=SUM(A1)",
            "subscribed": False, "plan": "line\u2028separator", "seats": 2.5, "vip": True,
            "since": "2024-01-17T10:21:11.123+02:00", "mailingLists": {news: True},
        },
        {"email": "zero@example.net", "plan": "0012", "seats": 0, "vip": False, "firstName": " 日本 "},
        {"email": "big@example.net", "plan": "true", "seats": -9007199254740991, "lastName": "Null"},
    ]  # fmt: skip
    for person in people:
        assert (await http.post("/contacts/create", json=person)).status_code == 200
    before = {one["email"]: await find(http, one["email"]) for one in people}

    path = tmp_path / f"everybody.{form}"
    exported = await run("export", path, "--json")
    assert json.loads(exported.stdout) == {"contacts": 4, "file": str(path)}
    await live_server.pool.execute("DELETE FROM contact; DELETE FROM contact_property")
    imported = await run("import", path, "--create-properties", "--json")
    assert json.loads(imported.stdout)["applied"] == 4, imported.output
    after = {one["email"]: await find(http, one["email"]) for one in people}

    for contact in (*before.values(), *after.values()):
        del contact["id"]
    assert after == before


async def test_a_pending_contact_is_not_imported_as_confirmed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.jsonl"
    path.write_text('{"email": "a@example.net", "optInStatus": "pending"}\n')
    assert json.loads((await run("import", path, "--json")).stdout)["rejected"] == 1


@pytest.mark.slow
async def test_an_import_killed_goes_on(live_server: LiveServer, tmp_path: Path) -> None:
    """Every row is applied, and each contact ends as its last row says."""
    rows = 1500
    path = tmp_path / "people.csv"
    path.write_text("email,firstName\n" + "".join(f"p{n % 500}@example.net,Name {n}\n" for n in range(rows)))
    environment = {
        "PATH": "/usr/bin:/bin",
        "LOOPS_BASE_URL": live_server.base_url,
        "LOOPS_API_KEY": live_server.api_key,
    }
    command = [str(LOOPWRIGHT), "contacts", "import", str(path), "--json"]
    first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while await live_server.pool.fetchval("SELECT count(*) FROM contact") < 400:
        assert first.poll() is None
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    report = json.loads(second.stdout)
    assert (report["applied"], report["rejected"], report["finished"]) == (rows, 0, True)
    names = await live_server.pool.fetch("SELECT email, first_name FROM contact")
    assert {row[0]: row[1] for row in names} == {f"p{n}@example.net": f"Name {n + 1000}" for n in range(500)}


@pytest.mark.parametrize(
    ("heading", "says"),
    [
        pytest.param("firstName", "a column Email or User ID is needed", id="nobody"),
        pytest.param("email,Email", "mean the same", id="twice"),
    ],
)
async def test_a_file_that_cannot_be_imported(run: Run, tmp_path: Path, heading: str, says: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"{heading}\na,b\n" if "," in heading else f"{heading}\na\n")
    result = await run("import", path)
    assert result.exit_code == 2
    assert says in said(result)


async def test_an_unknown_list_comes_up_before_anything_is_sent(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email\na@example.net\n")
    result = await run("import", path, "--list", "nowhere")
    assert result.exit_code == 2
    assert "no such mailing list: nowhere" in said(result)


class _Breaking(BaseHTTPRequestHandler):
    """Has two contacts, and breaks the first answer off after one of them, in the middle of a line."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("/contacts/properties"):
            self._answer(200, b"[]", "application/json")
        elif parse_qs(url.query).get("after") == ["c1"]:
            self._answer(200, b'{"id":"c2","email":"b@example.net"}\n', "application/x-ndjson")
        else:
            self._answer(
                200, b'{"id":"c1","email":"a@example.net"}\n{"id":"c2","e', "application/x-ndjson", 9
            )

    def _answer(self, status: int, body: bytes, kind: str, missing: int = 0) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) + missing))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _LikeLoops(_Breaking):
    """Knows the published operations only."""

    def do_GET(self) -> None:
        known = urlsplit(self.path).path == "/api/v1/contacts/properties"
        self._answer(200 if known else 404, b"[]", "application/json")


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[dict[str, str]]:
    """A server with this handler; the environment that leads there."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield {"LOOPS_BASE_URL": f"http://127.0.0.1:{server.server_port}/api", "LOOPS_API_KEY": "k"}
        server.shutdown()
        thread.join()


def test_an_export_needs_a_loopwright_server(tmp_path: Path) -> None:
    """Another server is named as what it is, and no file is left."""
    with serving(_LikeLoops) as environment:
        result = CliRunner().invoke(
            program, ["contacts", "export", str(tmp_path / "all.csv")], env=environment
        )
    assert result.exit_code == 1
    assert "Exporting needs a Loopwright server" in said(result)
    assert list(tmp_path.iterdir()) == []


def test_an_export_goes_on_after_a_broken_connection(tmp_path: Path) -> None:
    """Behind the last contact that came whole."""
    path = tmp_path / "all.jsonl"
    with serving(_Breaking) as environment:
        result = CliRunner().invoke(program, ["contacts", "export", str(path)], env=environment)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["c1", "c2"]
