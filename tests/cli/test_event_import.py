"""Importing a file of events: every row once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from support.importing import finish, kill_when_sent, start_import, wait_until_sent, write_csv
from support.live import LiveServer
from support.recording_server import Event, RecordingServer
from support.relay import Relay, relay

FOUR = """\
event,email,firstName,event.n:number,list.l1
signup,ada@example.com,Ada,1,true
signup,,Nobody,2,
signup,grace@example.com,Grace,many,
signup,alan@example.com,,4,false
"""


def run(server: RecordingServer | Relay | None, *arguments: str | Path, key: str = "k") -> Result:
    environment = {"LOOPS_BASE_URL": server.url if server else "http://127.0.0.1:1", "LOOPS_API_KEY": key}
    return CliRunner().invoke(program, ["events", "import", *map(str, arguments)], env=environment)


def report(result: Result) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(result.stdout)
    return decoded


@pytest.fixture
def two(tmp_path: Path) -> Path:
    path = tmp_path / "two.csv"
    path.write_text("event,email\nsignup,ada@example.com\nsignup,alan@example.com\n")
    return path


@pytest.fixture
def four(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(FOUR)
    return path


def test_rows_are_sent_and_bad_ones_kept_with_the_reason(four: Path) -> None:
    with RecordingServer() as server:
        result = run(server, four)
    assert result.exit_code == 1, "there are rejected rows"
    assert "2 sent" in result.output
    assert "2 rejected" in result.output
    assert sorted(server.events, key=lambda event: str(event["email"])) == [
        {
            "eventName": "signup", "email": "ada@example.com", "firstName": "Ada",
            "eventProperties": {"n": 1}, "mailingLists": {"l1": True},
        },
        {
            "eventName": "signup", "email": "alan@example.com",
            "eventProperties": {"n": 4}, "mailingLists": {"l1": False},
        },
    ]  # fmt: skip
    with four.with_name("events.rejected.csv").open(newline="") as file:
        rejected = list(csv.DictReader(file))
    assert [(row["import.row"], row["firstName"]) for row in rejected] == [("2", "Nobody"), ("3", "Grace")]
    assert "event.n:number: is not a number" in rejected[1]["import.reason"]


def test_corrected_rows_go_out_on_their_own(four: Path) -> None:
    with RecordingServer() as server:
        run(server, four)
        rejected = four.with_name("events.rejected.csv")
        rejected.write_text(rejected.read_text().replace("many", "3"))
        run(server, rejected)
    assert sorted(event["eventProperties"]["n"] for event in server.events) == [1, 3, 4]


def test_rows_the_api_refuses_are_rejected_too(four: Path) -> None:
    def no_ada(event: Event) -> int | None:
        return 400 if event["email"] == "ada@example.com" else None

    with RecordingServer(refuse=no_ada) as server:
        result = report(run(server, four, "--json"))
    assert (result["sent"], result["rejected"]) == (1, 3)
    assert "400: Invalid email address." in four.with_name("events.rejected.csv").read_text()


def test_rows_that_safe_mode_keeps_back_are_rejected(four: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting's name; the others go out."""
    monkeypatch.setenv("LOOPS_ALLOWED_RECIPIENTS", "ada@example.com")
    with RecordingServer() as server:
        result = run(server, four)
    assert result.exit_code == 1
    assert "LOOPS_ALLOWED_RECIPIENTS" in result.output
    assert [event["email"] for event in server.events] == ["ada@example.com"]


def test_a_dry_run_sends_nothing_and_leaves_nothing(four: Path) -> None:
    result = run(None, four, "--dry-run")
    assert result.exit_code == 1
    assert "line 4, row 3: event.n:number: is not a number" in result.output
    assert "4 rows: 2 can be sent, 2 cannot. Nothing was sent." in result.output
    assert [path.name for path in four.parent.iterdir()] == ["events.csv"]


def test_an_import_that_is_done_is_not_done_again(four: Path, two: Path) -> None:
    """And what was sent before is not said to be sent."""
    with RecordingServer() as server:
        assert run(server, two).exit_code == 0
        again = run(server, two)
        assert (again.stdout, again.exit_code) == ("nothing to do: all 2 rows were sent before\n", 0)
        facts = report(run(server, two, "--json"))
        assert (facts["before"], facts["sent"], facts["already"], facts["finished"]) == (2, 0, 0, True)
        run(server, four)
        again = run(server, four)
        assert again.exit_code == 1, "there are rejected rows"
        assert "4 of 4 rows were done before." in again.output
        assert "nothing to do: 2 of 4 rows were sent before, 2 rejected, see" in again.output
        assert server.statuses == {200: 4}


def test_another_server_team_or_event_is_another_import(tmp_path: Path) -> None:
    """Each gets all rows, and is done by itself."""
    path = tmp_path / "events.csv"
    path.write_text("email,event\nada@example.com,\nalan@example.com,own\n")
    with RecordingServer() as one, RecordingServer() as two:
        assert "2 sent" in run(one, path, "--event", "a").output
        assert "2 sent" in run(two, path, "--event", "a").output
        again = [run(server, path, "--event", "a").output for server in (one, two)]
        assert again == ["nothing to do: all 2 rows were sent before\n"] * 2
    with RecordingServer() as other_team:
        run(other_team, path, "--event", "a", key="first")
        other_team.record.keys.clear()  # keys are a team's own, and the next key is another team's
        assert "2 sent" in run(other_team, path, "--event", "a", key="second").output
    with RecordingServer() as server:
        run(server, path, "--event", "a")
        other = report(run(server, path, "--event", "b", "--json"))
        # A row that names its event itself is the same event as before.
        assert (other["sent"], other["already"]) == (1, 1)
        assert sorted(event["eventName"] for event in server.events) == ["a", "b", "own"]


def test_a_new_key_of_the_same_team_doubles_nothing(two: Path) -> None:
    """The state is another's, but the rows have the same idempotency keys."""
    with RecordingServer() as server:
        run(server, two, key="old")
        again = run(server, two, key="new")
        assert (again.stdout, again.exit_code) == ("nothing to do: all 2 rows were sent before\n", 0)
        assert len(server.events) == 2


def test_an_address_may_be_written_in_two_ways(two: Path) -> None:
    """The published forms lead to one server, so to one import."""
    with RecordingServer() as server:
        run(server, two)
        server.record.keys.clear()
        environment = {"LOOPS_BASE_URL": server.url.removesuffix("/v1") + "/", "LOOPS_API_KEY": "k"}
        again = CliRunner().invoke(program, ["events", "import", str(two)], env=environment)
        assert "nothing to do" in again.output
        assert len(server.events) == 2


def test_a_missing_event_name_comes_up_at_once(tmp_path: Path) -> None:
    """Nothing is sent, no row is rejected, and the same file goes out with the option."""
    path = tmp_path / "events.csv"
    path.write_text("email,plan\nada@example.com,pro\nalan@example.com,free\n")
    with RecordingServer() as server:
        refused = run(server, path)
        assert (refused.exit_code, server.events) == (2, [])
        assert "events.csv, line 1: no column has the event's name" in refused.stderr
        assert "--event" in refused.stderr
        assert [one.name for one in tmp_path.iterdir()] == ["events.csv"]


def test_a_file_whose_rows_were_all_rejected_is_tried_again(tmp_path: Path) -> None:
    """Whatever it was for: nothing was sent, so nothing can be sent twice."""
    path = tmp_path / "events.csv"
    path.write_text("event,email\nsignup,ada@example.com\nsignup,alan@example.com\n")
    with RecordingServer(refuse=lambda event: 400) as server:
        assert report(run(server, path, "--json"))["rejected"] == 2
        server.refuse = lambda event: None
        assert report(run(server, path, "--json"))["sent"] == 2


def test_rejected_rows_of_two_servers_stay_apart(four: Path) -> None:
    """An import of the same file elsewhere does not write over rows that are nowhere else."""
    with RecordingServer(refuse=lambda event: 400 if "Ada" in event.values() else None) as one:
        run(one, four)
    with RecordingServer() as two:
        second = run(two, four)
    assert "events.rejected-2.csv" in second.output
    numbers = []
    for name in ("events.rejected.csv", "events.rejected-2.csv"):
        with four.with_name(name).open(newline="") as file:
            numbers.append([row["import.row"] for row in csv.DictReader(file)])
    assert numbers == [["1", "2", "3"], ["2", "3"]]


def test_the_first_reasons_are_told(tmp_path: Path) -> None:
    """With their lines, as people's editors count them; the rest is in the file."""
    path = tmp_path / "events.csv"
    rows = "".join(f'signup,p{n}@example.com,"two\nlines",many\n' for n in range(12))
    path.write_text(f"event,email,firstName,event.n:number\n{rows}")
    with RecordingServer() as server:
        result = run(server, path)
        facts = report(run(server, path, "--json"))
    assert "line 2, row 1: event.n:number: is not a number" in result.output
    assert "line 10, row 5: event.n:number: is not a number" in result.output
    assert "row 6" not in result.output
    assert "and 7 more, see" in result.output
    assert len(facts["reasons"]) == 5
    assert path.with_name("events.rejected.csv").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("event,mail\nsignup,a@example.com\n", "line 1: a column Email or User ID", id="nobody"),
        pytest.param("Email,First name,Email\na,b,c\n", "line 1: columns 1 and 3", id="twice"),
        pytest.param(
            "Email,E-mail\na,b\n", "line 1: columns 1 ('Email') and 2 ('E-mail')", id="twice in meaning"
        ),
        pytest.param("user-id,x,userId\na,b,c\n", "line 1: columns 1 ('user-id') and 3", id="two user ids"),
        pytest.param(
            "email,event.n,eventProperties.n\na,b,c\n", "columns 2 ('event.n') and 3", id="two values"
        ),
        pytest.param('email\na@example.com\n"b@example.com\n', "line 3: a quote opens a cell", id="quote"),
        pytest.param("email\na@example.com\0\n", "line 2: a NUL byte", id="NUL"),
        pytest.param("", "events.csv is empty", id="empty"),
    ],
)
def test_a_file_that_cannot_be_read_in_one_way_only(tmp_path: Path, content: str, says: str) -> None:
    """It is refused with the line, before anything is sent."""
    path = tmp_path / "events.csv"
    path.write_text(content)
    with RecordingServer() as server:
        result = run(server, path, "--event", "signup")
        assert (result.exit_code, server.statuses) == (2, {})
    assert says in result.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["events.csv"]


def test_files_as_excel_writes_them(tmp_path: Path) -> None:
    """And what they were taken for is said."""
    path = tmp_path / "events.csv"
    path.write_bytes(
        "Anmeldungen;;\n\nE-mail;First name;Event\n;;\nj@example.com;Jürg;signup\n".encode("cp1252")
    )
    with RecordingServer() as server:
        result = run(server, path)
        assert server.events == [{"eventName": "signup", "email": "j@example.com", "firstName": "Jürg"}]
        assert 'read as Windows-1252, separated by ";", headings in line 3' in result.output
        said = report(run(server, path, "--encoding", "latin-1", "--delimiter", ";", "--json"))
        assert said["readAs"] == 'iso8859-1, separated by ";", headings in line 3'


def test_headings_alone_are_nothing_to_do(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("event,email\n")
    result = run(None, path)
    assert (result.exit_code, result.stdout) == (0, "nothing to do: the file has no rows\n")
    assert [one.name for one in tmp_path.iterdir()] == ["events.csv"]


def test_guarded_cells_are_read_as_what_they_guard(tmp_path: Path) -> None:
    """Unless somebody wants them as they are."""
    path = tmp_path / "events.csv"
    path.write_text("event,email,event.text,event.n:number\nsignup,'+a@example.com,'=1,-5\n")
    with RecordingServer() as server:
        assert "2 cells are read without the apostrophe" in run(server, path).output
        path.with_name("events.csv.import.json").unlink()
        server.record.keys.clear()
        run(server, path, "--raw")
    assert [event["email"] for event in server.events] == ["+a@example.com", "'+a@example.com"]
    assert [event["eventProperties"] for event in server.events] == [
        {"text": "=1", "n": -5}, {"text": "'=1", "n": -5},
    ]  # fmt: skip


def test_nobody_is_subscribed_by_a_file(tmp_path: Path) -> None:
    """The same column means the same as in a file of contacts."""
    path = tmp_path / "events.csv"
    path.write_text(
        "event,email,Subscribed,notes\nsignup,a@example.com,true,x\nsignup,b@example.com,false,y\n"
    )
    with RecordingServer() as server:
        result = run(server, path)
    assert "Not imported, because the API sets it itself or not at all: notes." in result.output
    said = {event["email"]: event.get("subscribed") for event in server.events}
    assert said == {"a@example.com": None, "b@example.com": False}
    assert not any("notes" in event for event in server.events)


def test_unknown_columns_come_up_before_anything_is_sent(live_server: LiveServer, tmp_path: Path) -> None:
    """The API would ignore them; an option declares what they are. Objects hold such columns too."""
    environment = {"LOOPS_BASE_URL": live_server.base_url, "LOOPS_API_KEY": live_server.api_key}

    def run(*words: str) -> Result:
        return CliRunner().invoke(program, ["events", "import", str(path), *words], env=environment)

    path = tmp_path / "events.csv"
    path.write_text(
        "event,email,Favourite food,contactProperties\n"
        'signup,ada@example.net,plums,"{""seats:number"": 3, ""First name"": ""Ada""}"\n'
    )
    refused = run()
    assert refused.exit_code == 2
    assert "'Favourite food', 'contact.seats:number'" in refused.stderr
    assert "--create-properties" in refused.stderr
    dry = run("--dry-run", "--create-properties")
    assert dry.exit_code == 0, dry.output
    find = ["contacts", "find", "--email", "ada@example.net", "--json"]
    assert CliRunner().invoke(program, find, env=environment).exit_code == 4
    done = report(run("--create-properties", "--json"))
    assert (done["sent"], done["newProperties"]) == (1, ["favouriteFood", "seats"])
    [ada] = json.loads(CliRunner().invoke(program, find, env=environment).stdout)
    assert (ada["favouriteFood"], ada["seats"], ada["firstName"]) == ("plums", 3, "Ada")


async def test_rows_travel_by_the_hundred(live_server: LiveServer, tmp_path: Path) -> None:
    """Bad ones among them are told by their numbers, and nothing goes out twice."""
    path = write_csv(tmp_path / "events.csv", 1200)
    lines = path.read_text().splitlines()
    lines[600] = "import test,nobody,,600,pro"
    path.write_text("\n".join(lines))
    with relay(live_server.base_url) as server:
        import_all = partial(run, server, path, "--json", key=live_server.api_key)
        first = report(await asyncio.to_thread(import_all))
        path.with_name("events.csv.import.json").unlink()
        again = report(await asyncio.to_thread(import_all))
    assert (first["sent"], first["already"], first["rejected"]) == (1199, 0, 1)
    assert (again["sent"], again["already"], again["rejected"]) == (0, 1199, 1)
    requests = server.lines("/loopwright/v1/bulk/events")
    assert (sum(requests), len(requests)) == (2400, 6)
    with path.with_name("events.rejected.csv").open(newline="") as file:
        assert [(row["import.row"], row["email"]) for row in csv.DictReader(file)] == [("600", "nobody")]
    rows = await live_server.pool.fetch(
        "SELECT email, (event.properties->>'n')::int AS n FROM event JOIN contact ON contact.id = contact_id"
        " ORDER BY event.id"
    )
    assert sorted(row["n"] for row in rows) == [n for n in range(1, 1201) if n != 600]
    last: dict[str, int] = {}
    for row in rows:
        assert last.get(row["email"], 0) < row["n"], "each contact's events are in their order"
        last[row["email"]] = row["n"]


@pytest.mark.slow
async def test_killed_five_times_every_row_arrives_once_in_bulk(
    live_server: LiveServer, tmp_path: Path
) -> None:
    """None lost, none twice, and each contact's in their order."""
    rows = 30_000
    path = write_csv(tmp_path / "events.csv", rows)
    for kill in range(1, 6):
        process = start_import(path, live_server.base_url, key=live_server.api_key)
        while await live_server.pool.fetchval("SELECT count(*) FROM event") < rows * kill / 6:
            assert process.poll() is None
            await asyncio.sleep(0.01)
        process.kill()
        process.communicate()
    end = await asyncio.to_thread(finish, start_import(path, live_server.base_url, key=live_server.api_key))
    assert end["finished"]
    found = await live_server.pool.fetch("SELECT properties->>'n' AS n FROM event ORDER BY id")
    assert sorted(int(row["n"]) for row in found) == list(range(1, rows + 1))


@pytest.mark.slow
def test_ctrl_c_says_where_it_stopped(tmp_path: Path) -> None:
    """And the same command goes on from there."""
    path = write_csv(tmp_path / "events.csv", 3000)
    with RecordingServer(delay=0.01) as server:
        program = start_import(path, server.url)
        wait_until_sent(program, server, 500)
        server.delay = 600  # however late the signal comes, the import is not over
        program.send_signal(signal.SIGINT)
        output, _ = program.communicate(timeout=60)
        assert program.returncode == 130
        facts = json.loads(output)
        assert facts["message"].startswith("Stopped after row ")
        assert "Run the same command again to go on" in facts["message"]
        assert 0 < facts["sent"] <= len(server.events) < 3000
        server.delay = 0
        rest = finish(start_import(path, server.url))
        assert rest["before"] == facts["sent"]
        assert sorted(event["eventProperties"]["n"] for event in server.events) == list(range(1, 3001))


@pytest.mark.slow
def test_two_imports_of_one_file_at_once(tmp_path: Path) -> None:
    """The second is told to wait: both would write into the same rejected rows."""
    path = write_csv(tmp_path / "events.csv", 3000)
    with RecordingServer(delay=0.01) as server:
        first = start_import(path, server.url)
        wait_until_sent(first, server, 100)
        server.delay = 600
        second = run(server, path)
        first.kill()
        first.communicate()
    assert second.exit_code == 2
    assert "another import of events.csv is under way" in second.stderr


def test_without_its_state_the_keys_still_keep_rows_from_doubling(four: Path) -> None:
    with RecordingServer() as server:
        run(server, four)
        four.with_name("events.csv.import.json").unlink()
        again = report(run(server, four, "--json"))
        assert (again["sent"], again["already"]) == (0, 2)
        assert len(server.events) == 2


def test_json_lines_without_event_names(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"userId": "u1", "eventProperties": {"n": 1}}\nnonsense\n')
    with RecordingServer() as server:
        result = report(run(server, path, "--event", "signup", "--json"))
    assert (result["sent"], result["rejected"]) == (1, 1)
    assert server.events[0]["eventName"] == "signup"
    (line,) = path.with_name("events.rejected.jsonl").read_text().splitlines()
    assert json.loads(line)["line"] == "nonsense"


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"event": "signup", "email": f"p{n}@example.com", "event.n": n} for n in range(700)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "events.parquet")
    with RecordingServer() as server:
        assert report(run(server, tmp_path / "events.parquet", "--json"))["sent"] == 700
    assert sorted(event["eventProperties"]["n"] for event in server.events) == list(range(700))


def test_a_contacts_rows_arrive_in_the_files_order(tmp_path: Path) -> None:
    with RecordingServer() as server:
        assert report(run(server, write_csv(tmp_path / "events.csv", 900), "--json"))["sent"] == 900
    last: dict[str, int] = {}
    for event in server.events:
        n: int = event["eventProperties"]["n"]
        assert last.get(event["email"], 0) < n
        last[event["email"]] = n


def test_an_outage_stops_the_import_and_the_same_command_goes_on(four: Path) -> None:
    """A wrong key, here: no row is rejected for it."""
    with RecordingServer(refuse=lambda event: 401) as server:
        stopped = run(server, four)
        assert stopped.exit_code == 3
        assert "Run the same command again" in stopped.stderr
    with RecordingServer() as server:
        assert report(run(server, four, "--json"))["sent"] == 2


def test_a_file_changed_midway_is_not_guessed_about(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "events.csv", 3000)
    with RecordingServer() as server:
        program = start_import(path, server.url)
        kill_when_sent(program, server, 2000)
        with path.open("a") as file:
            file.write("one more,a@example.com,,1,\n")
        result = run(server, path)
    assert result.exit_code == 2
    assert "put it back" in " ".join(result.stderr.split())


@pytest.mark.slow
def test_killed_three_times_every_row_arrives_once(tmp_path: Path) -> None:
    rows = 4000
    path = write_csv(tmp_path / "events.csv", rows)
    with RecordingServer() as server:
        for share in (0.2, 0.5, 0.8):
            kill_when_sent(start_import(path, server.url), server, int(rows * share))
        result = finish(start_import(path, server.url))
        assert result["finished"]
        assert sorted(event["eventProperties"]["n"] for event in server.events) == list(range(1, rows + 1))


@pytest.mark.parametrize(("name", "says"), [("events.xlsx", "--format"), ("missing.csv", "does not exist")])
def test_an_unusable_file_says_what_is_wrong(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "events.xlsx").write_bytes(b"PK")
    result = run(None, tmp_path / name)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())
