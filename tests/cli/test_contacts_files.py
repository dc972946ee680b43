"""Contacts from files and into files, with a real server."""

import asyncio
import csv
import json
import signal
import subprocess
import sysconfig
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from typer.testing import CliRunner, Result

from loopwright import Loops
from loopwright.cli.program import program
from loopwright.client.config import DEFAULT_RETRIES
from loopwright.server.workflow.graph import ExitAction, Node, SignupTrigger
from loopwright.testing import Faults
from support.factories import add_list, first_team
from support.live import LiveServer
from support.relay import relay
from support.workflows import add_workflow

Run = Callable[..., Awaitable[Result]]

LOOPWRIGHT = Path(sysconfig.get_path("scripts")) / "loopwright"


@pytest.fixture
async def http(live_server: LiveServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with live_server.client("/api/v1") as http:
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
    return await add_list(live_server.pool, await first_team(live_server.pool), "news")


async def declare(http: httpx2.AsyncClient, **kinds: str) -> None:
    for name, kind in kinds.items():
        response = await http.post("/contacts/properties", json={"name": name, "type": kind})
        assert response.status_code == 200


async def find(http: httpx2.AsyncClient, email: str) -> dict[str, Any]:
    (contact,) = (await http.get("/contacts/find", params={"email": email})).json()
    return dict(contact)


def said(result: Result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.fixture(params=["in lines", "by calls"])
def run_either_way(live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Run]:
    """The command before a server that has the import's rules, and before one that leaves them to it."""
    hidden = None if request.param == "in lines" else "/loopwright/v1/bulk/import"
    with relay(live_server.base_url, hidden=hidden) as server:
        environment = {"LOOPS_BASE_URL": f"{server.url}/api", "LOOPS_API_KEY": live_server.api_key}

        async def run(*arguments: object) -> Result:
            words = ["contacts", *map(str, arguments)]
            return await asyncio.to_thread(CliRunner().invoke, program, words, env=environment)

        yield run
        calls = [path for _, path, _ in server.passed if path == "/api/v1/contacts/create"]
        assert bool(calls) == bool(hidden), "rows went the way that is tested"


async def test_the_dashboards_rules(
    http: httpx2.AsyncClient, run_either_way: Run, tmp_path: Path, news: str
) -> None:
    """Matching by user id and email, empty and null cells, subscriptions, the source, and rejected rows."""
    run = run_either_way
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


async def test_an_import_starts_workflows_only_when_asked_to(
    live_server: LiveServer, run: Run, tmp_path: Path
) -> None:
    """Moving an audience mails nobody; every report says which it is."""
    team_id = await live_server.pool.fetchval("SELECT id FROM team")
    nodes: dict[str, Node] = {"root": SignupTrigger(next_node_ids=("exit",)), "exit": ExitAction()}
    await add_workflow(live_server.pool, team_id, nodes)
    quiet, loud = tmp_path / "quiet.csv", tmp_path / "loud.csv"
    quiet.write_text("email,userId\na@example.net,\nb@example.net,u2\n")
    loud.write_text("email,userId\nc@example.net,\nd@example.net,u4\n")

    assert "New contacts would start no workflows." in (await run("import", quiet, "--dry-run")).output
    dry = json.loads((await run("import", loud, "--trigger-workflows", "--dry-run", "--json")).stdout)
    assert dry["triggersWorkflows"] is True
    assert await live_server.pool.fetchval("SELECT count(*) FROM contact") == 0

    for path, options, triggers in [(quiet, [], False), (loud, ["--trigger-workflows"], True)]:
        report = json.loads((await run("import", path, *options, "--json")).stdout)
        assert (report["applied"], report["triggersWorkflows"]) == (2, triggers)
    started = await live_server.pool.fetch(
        "SELECT email FROM run JOIN contact ON contact.id = contact_id ORDER BY email"
    )
    assert [row["email"] for row in started] == ["c@example.net", "d@example.net"]


async def test_nobody_is_subscribed_again(
    http: httpx2.AsyncClient, run_either_way: Run, tmp_path: Path
) -> None:
    """Whether found by user id or by address; and null in that column unsubscribes nobody."""
    run = run_either_way
    for name, subscribed in [("a", False), ("b", False), ("c", True)]:
        body = {"email": f"{name}@example.net", "userId": name, "subscribed": subscribed}
        await http.post("/contacts/create", json=body)
    path = tmp_path / "people.csv"
    path.write_text("email,User ID,Subscribed\n,a,true\nb@example.net,,TRUE\n,c,null\nd@example.net,,null\n")
    assert (await run("import", path)).exit_code == 0
    after = {name: (await find(http, f"{name}@example.net"))["subscribed"] for name in "abcd"}
    assert after == {"a": False, "b": False, "c": True, "d": True}


async def test_letter_case_of_addresses_does_not_matter(
    http: httpx2.AsyncClient, run_either_way: Run, tmp_path: Path
) -> None:
    """A row with a user id has the contact's own address, however it is written."""
    run = run_either_way
    await http.post("/contacts/create", json={"email": "ada@example.net", "userId": "u1"})
    await http.post("/contacts/create", json={"email": "bob@example.net"})
    path = tmp_path / "people.csv"
    path.write_text("Email,User ID,First name\nAda@Example.NET,u1,Ada\nBOB@example.net,u2,Bob\n")
    report = json.loads((await run("import", path, "--json")).stdout)
    assert (report["applied"], report["rejected"]) == (2, 0)
    assert (await find(http, "ada@example.net"))["firstName"] == "Ada"
    bob = await find(http, "bob@example.net")
    assert (bob["firstName"], bob["userId"], bob["source"]) == ("Bob", "u2", "API")


async def test_a_new_contact_without_a_source(
    http: httpx2.AsyncClient, run_either_way: Run, tmp_path: Path
) -> None:
    """Null leaves it with the import's own; somebody who is there keeps theirs."""
    run = run_either_way
    await http.post("/contacts/create", json={"email": "old@example.net", "source": "Shop"})
    path = tmp_path / "people.csv"
    path.write_text("email,source\nnew@example.net,null\nold@example.net,null\nmy@example.net,Mine\n")
    assert (await run("import", path)).exit_code == 0
    sources = [(await find(http, f"{name}@example.net"))["source"] for name in ("new", "old", "my")]
    assert sources == ["CSV Upload", "Shop", "Mine"]


async def test_a_column_without_a_heading(http: httpx2.AsyncClient, run: Run, tmp_path: Path) -> None:
    """As pandas writes an index: named once, and left out. Rows that are too long are still refused."""
    path = tmp_path / "people.csv"
    path.write_text(",email,firstName\n0,ada@example.net,Ada\n1,bob@example.net,Bob,x\n")
    result = await run("import", path)
    assert result.exit_code == 1
    assert result.output.count("it has no heading") == 1
    assert (await find(http, "ada@example.net"))["firstName"] == "Ada"
    with path.with_name("people.rejected.csv").open(newline="") as file:
        [bob] = csv.DictReader(file)
    assert (bob["import.row"], bob["email"]) == ("2", "bob@example.net")
    assert "more cells" in bob["import.reason"]


async def test_rows_travel_by_the_hundred(live_server: LiveServer, tmp_path: Path) -> None:
    """And the rows of one contact take effect in their order, whichever requests they are in."""
    path = tmp_path / "people.csv"
    rows = "".join(f"p{n % 700}@example.net,Name {n}\n" for n in range(1600))
    path.write_text(f"email,firstName\n{rows}")
    with relay(live_server.base_url) as server:
        environment = {"LOOPS_BASE_URL": f"{server.url}/api", "LOOPS_API_KEY": live_server.api_key}
        words = ["contacts", "import", str(path), "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, program, words, env=environment)
    assert json.loads(result.stdout)["applied"] == 1600
    lines = server.lines("/loopwright/v1/bulk/import")
    assert (sum(lines), len(lines)) == (1600, 4)
    names = await live_server.pool.fetch("SELECT email, first_name FROM contact")
    last = {f"p{n % 700}@example.net": f"Name {n}" for n in range(1600)}
    assert {row["email"]: row["first_name"] for row in names} == last


@pytest.mark.parametrize("options", [[], ["--raw"]], ids=["guarded", "raw"])
async def test_text_like_formulas_comes_back_as_it_was(
    live_server: LiveServer, http: httpx2.AsyncClient, run: Run, tmp_path: Path, options: list[str]
) -> None:
    """An import takes away what an export adds, numbers stay numbers, and the file is the owner's alone."""
    await declare(http, plan="string", seats="number")
    texts = ["=1+1", "+49 30 1", "-5", "@ada", "\t=x", "'=x", "''-", "'quoted'", "a=b"]
    for index, text in enumerate(texts):
        body = {"email": f"+{index}@example.net", "userId": f"-{index}", "plan": text, "seats": -index - 1}
        assert (await http.post("/contacts/create", json=body)).status_code == 200
    path = tmp_path / "everybody.csv"
    path.write_text("what was there before, for all to read")
    path.chmod(0o644)
    assert (await run("export", path, *options)).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    begin = {row[heading][:1] for row in rows for heading in ("email", "userId", "plan")}
    assert bool(begin & set("=+-@\t")) == bool(options)
    assert [row["seats:number"] for row in rows] == [str(-index - 1) for index in range(len(texts))]

    await live_server.pool.execute("DELETE FROM contact")
    result = await run("import", path, *options)
    assert result.exit_code == 0, result.output
    assert ("without the apostrophe" in result.output) == (not options)
    found = await live_server.pool.fetch("SELECT email, user_id, properties FROM contact ORDER BY email")
    assert [(row["email"], row["user_id"]) for row in found] == [
        (f"+{index}@example.net", f"-{index}") for index in range(len(texts))
    ]
    assert [json.loads(row["properties"]) for row in found] == [
        {"plan": text, "seats": -index - 1} for index, text in enumerate(texts)
    ]


@pytest.mark.parametrize("name", ["all.jsonl", "all.parquet"])
async def test_every_form_is_for_its_owner_alone(run: Run, tmp_path: Path, name: str) -> None:
    """And an option that does nothing there is refused."""
    assert (await run("export", tmp_path / name)).exit_code == 0
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    refused = await run("export", tmp_path / name, "--raw")
    assert refused.exit_code == 2
    assert "--raw is for CSV" in said(refused)


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
    ("content", "says"),
    [
        pytest.param("firstName\na\n", "line 1: a column Email or User ID is needed", id="nobody"),
        pytest.param("email,Email\na,b\n", "line 1: columns 1 ('email') and 2 ('Email')", id="twice"),
        pytest.param("Email,First name,Email\na,b,c\n", "line 1: columns 1 and 3 are both", id="one name"),
        pytest.param("User ID,user-id\na,b\n", "mean the same", id="two user ids"),
        pytest.param('email\n"a@example.net\nb@example.net\n', "line 2: a quote opens a cell", id="quote"),
        pytest.param("email\na\0\n", "line 2: a NUL byte", id="NUL"),
        pytest.param("", "is empty", id="empty"),
    ],
)
async def test_a_file_that_cannot_be_imported(
    live_server: LiveServer, run: Run, tmp_path: Path, content: str, says: str
) -> None:
    """It is refused with the line, before anything is sent."""
    path = tmp_path / "people.csv"
    path.write_text(content)
    result = await run("import", path)
    assert result.exit_code == 2
    assert says in said(result)
    assert await live_server.pool.fetchval("SELECT count(*) FROM contact") == 0


async def test_a_file_as_excel_writes_it(http: httpx2.AsyncClient, run: Run, tmp_path: Path) -> None:
    """With what it was taken for, and what of it has no place among contacts."""
    path = tmp_path / "people.csv"
    path.write_bytes("Kunden;;\nE-mail;First name;Event\n;;\nj@example.net;Jürg;signup\n".encode("cp1252"))
    result = await run("import", path)
    assert result.exit_code == 0, result.output
    assert 'read as Windows-1252, separated by ";", headings in line 2' in result.output
    assert "because it belongs to events: Event" in result.output
    assert (await find(http, "j@example.net"))["firstName"] == "Jürg"


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


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[dict[str, str]]:
    """A server with this handler; the environment that leads there."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield {"LOOPS_BASE_URL": f"http://127.0.0.1:{server.server_port}/api", "LOOPS_API_KEY": "k"}
        finally:
            server.shutdown()
            thread.join()


class _Importing(BaseHTTPRequestHandler):
    """A server that has nobody yet, and takes everybody. `probe` is the answer to whether workflows can be
    kept quiet, `creates` are the statuses of creating, one after the other, and 200 from then on. `seen` are
    the requests about rows, each with its wish.
    """

    protocol_version = "HTTP/1.1"
    probe: tuple[int, dict[str, str]] = (200, {"Loopwright-Workflows": "off"})
    creates: list[int]
    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self._answer(200, b"[]")

    def do_PUT(self) -> None:
        self._answer(200, b'{"success":true,"id":"c"}')

    def do_POST(self) -> None:
        if self.path.startswith("/loopwright/"):
            self._answer(self.probe[0], b"", self.probe[1])
        else:
            self._answer(self.creates.pop(0) if self.creates else 200, b'{"success":true,"id":"c"}')

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.startswith(("/api/v1/contacts/create", "/api/v1/contacts/find", "/api/v1/contacts/up")):
            words = f"{self.command} {self.path.removeprefix('/api/v1/contacts/')}"
            self.seen.append((words, self.headers.get("Loopwright-Workflows")))
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body)), "connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def importing(
    creates: Sequence[int] = (), probe: tuple[int, dict[str, str]] | None = None
) -> type[_Importing]:
    return type("", (_Importing,), {"creates": [*creates], "probe": probe or _Importing.probe, "seen": []})


def import_rows(environment: dict[str, str], path: Path, *options: str) -> Result:
    """Import a file row by row."""
    words = ["contacts", "import", str(path), "--parallel", "1", *options]
    return CliRunner().invoke(program, words, env=environment)


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param((404, {}), id="a server like Loops"),
        pytest.param((200, {"content-type": "text/html"}), id="one that answers everything"),
        pytest.param((200, {"content-type": "application/x-ndjson"}), id="a proxy that drops the wish"),
    ],
)
@pytest.mark.parametrize("option", ["--dry-run", "--create-properties"])
def test_workflows_that_cannot_be_kept_quiet(
    tmp_path: Path, probe: tuple[int, dict[str, str]], option: str
) -> None:
    """Nothing is sent before somebody says that they may start."""
    path = tmp_path / "people.csv"
    path.write_text("email\na@example.net\n")
    handler = importing(probe=probe)
    with serving(handler) as environment:
        refused = import_rows(environment, path, option)
        assert refused.exit_code == 2
        assert "--trigger-workflows" in said(refused)
        assert (handler.seen, [one.name for one in tmp_path.iterdir()]) == ([], ["people.csv"])
        assert import_rows(environment, path, "--trigger-workflows").exit_code == 0
    assert handler.seen == [("POST create", None)]


@pytest.mark.usefixtures("loops_env")
def test_a_server_that_cannot_say_now_whether_it_keeps_quiet(
    loops: Loops, faults: Faults, tmp_path: Path
) -> None:
    """Later it may; nobody has to allow anything for that."""
    path = tmp_path / "people.csv"
    path.write_text("email\na@example.net\n")
    faults.on("POST /loopwright/v1/bulk/contacts", times=DEFAULT_RETRIES + 1, status=503)
    assert CliRunner().invoke(program, ["contacts", "import", str(path)]).exit_code == 5
    assert loops.contacts.find(email="a@example.net") is None


@pytest.mark.parametrize(
    ("row", "creates", "requests"),
    [
        pytest.param("a@example.net,", [], ["POST create"], id="an address that is new"),
        pytest.param("a@example.net,", [409], ["POST create", "PUT update"], id="one that is there"),
        pytest.param("a@example.net,u1", [], ["GET find?userId=u1", "POST create"], id="a new user id"),
        pytest.param(
            "a@example.net,", [503, 409], ["POST create", "POST create", "PUT update"], id="an outage"
        ),
    ],
)
def test_the_requests_of_a_row(tmp_path: Path, row: str, creates: list[int], requests: list[str]) -> None:
    """Creating tells who is there; all of them carry the wish for quiet."""
    path = tmp_path / "people.csv"
    path.write_text(f"email,userId\n{row}\n")
    handler = importing(creates)
    with serving(handler) as environment:
        result = import_rows(environment, path, "--json")
    assert json.loads(result.stdout)["applied"] == 1
    assert handler.seen == [(request, "off") for request in requests]


@pytest.mark.parametrize(
    ("first", "second", "rows"),
    [
        pytest.param([], [], "bc", id="quiet"),
        pytest.param(["--trigger-workflows"], ["--trigger-workflows"], "bc", id="not quiet"),
        pytest.param([], ["--trigger-workflows"], "abc", id="quiet at first only"),
        pytest.param(["--trigger-workflows"], [], "abc", id="quiet in the end only"),
    ],
)
def test_an_interrupted_import_goes_on_as_it_began(
    tmp_path: Path, first: list[str], second: list[str], rows: str
) -> None:
    """Another wish about workflows is another import, from the first row on."""
    path = tmp_path / "people.csv"
    path.write_text("userId,email\n" + "".join(f"{name},{name}@example.net\n" for name in "abc"))
    handler = importing(creates=[200, 401])
    with serving(handler) as environment:
        assert import_rows(environment, path, *first).exit_code == 3
        handler.seen.clear()
        assert import_rows(environment, path, *second).exit_code == 0
    found = [request for request, _ in handler.seen if request.startswith("GET")]
    assert found == [f"GET find?userId={name}" for name in rows]
    assert {wish for _, wish in handler.seen} == {None if second else "off"}


def test_rejected_rows_of_two_servers_stay_apart(tmp_path: Path) -> None:
    """Also when the first import is done; and one that leaves none leaves no state."""
    path = tmp_path / "people.csv"
    path.write_text("email,subscribed\na@example.net,perhaps\n")
    for name in ("people.rejected.csv", "people.rejected-2.csv"):
        with serving(importing()) as environment:
            report = json.loads(import_rows(environment, path, "--json").stdout)
            assert report["rejectedFile"] == str(tmp_path / name)
            again = json.loads(import_rows(environment, path, "--json").stdout)
            assert (again["rejected"], again["rejectedFile"]) == (1, str(tmp_path / name))
    good = tmp_path / "good.csv"
    good.write_text("email\na@example.net\n")
    with serving(importing()) as environment:
        assert import_rows(environment, good).exit_code == 0
    assert not good.with_name("good.csv.import.json").exists()


@pytest.mark.usefixtures("loops_env")
def test_an_export_needs_a_loopwright_server(faults: Faults, tmp_path: Path) -> None:
    """Another server is named as what it is, and no file is left."""
    faults.on("GET /loopwright/v1/contacts", status=404)
    result = CliRunner().invoke(program, ["contacts", "export", str(tmp_path / "all.csv")])
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


async def test_everything_about_one_person(run: Run, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    """A JSON file for its owner alone; somebody unknown leaves none behind."""
    await http.post("/contacts/create", json={"email": "ada@example.com", "userId": "u1", "firstName": "Ada"})
    await http.post("/events/send", json={"email": "ada@example.com", "eventName": "signup"})
    file = tmp_path / "ada.json"
    for who in (("--email", "ada@example.com"), ("--user-id", "u1")):
        result = await run("export", file, "--all-data", *who)
        assert result.exit_code == 0, result.output
        assert "contact 1, events 1" in " ".join(result.output.split())
        held = json.loads(file.read_text())
        assert held["contact"][0]["firstName"] == "Ada"
        assert [event["name"] for event in held["events"]] == ["signup"]
        assert file.stat().st_mode & 0o777 == 0o600
        file.unlink()
    told = await run("export", file, "--all-data", "--email", "ada@example.com", "--json")
    assert json.loads(told.stdout)["events"] == 1
    file.unlink()
    unknown = await run("export", file, "--all-data", "--email", "nobody@example.com")
    assert unknown.exit_code == 4
    assert "Nothing is held about this person" in unknown.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        ["--all-data"],
        ["--email", "ada@example.com"],
        ["--all-data", "--email", "ada@example.com", "--user-id", "u1"],
    ],
)
async def test_one_person_is_named_once(run: Run, tmp_path: Path, options: list[str]) -> None:
    """An option that would be lost is refused."""
    result = await run("export", tmp_path / "ada.json", *options)
    assert result.exit_code == 2
    assert "--all-data goes with one of" in " ".join(result.output.split())
