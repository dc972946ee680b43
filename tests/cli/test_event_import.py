"""Importing a file of events: every row once, whatever happens on the way."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from support.importing import finish, kill_when_sent, start_import, write_csv
from support.recording_server import Event, RecordingServer

FOUR = """\
event,email,firstName,event.n:number,list.l1
signup,ada@example.com,Ada,1,true
signup,,Nobody,2,
signup,grace@example.com,Grace,many,
signup,alan@example.com,,4,false
"""


def run(server: RecordingServer | None, *arguments: str | Path) -> Result:
    environment = {"LOOPS_BASE_URL": server.url if server else "http://127.0.0.1:1", "LOOPS_API_KEY": "k"}
    return CliRunner().invoke(program, ["events", "import", *map(str, arguments)], env=environment)


def report(result: Result) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(result.stdout)
    return decoded


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


def test_a_dry_run_sends_nothing_and_leaves_nothing(four: Path) -> None:
    result = run(None, four, "--dry-run")
    assert result.exit_code == 1
    assert "row 3: event.n:number: is not a number" in result.output
    assert "4 rows: 2 can be sent, 2 cannot. Nothing was sent." in result.output
    assert [path.name for path in four.parent.iterdir()] == ["events.csv"]


def test_an_import_that_is_done_is_not_done_again(four: Path) -> None:
    with RecordingServer() as server:
        run(server, four)
        again = run(server, four)
        assert "4 of 4 rows were done before." in again.output
        assert server.statuses == {200: 2}


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
        assert finish(start_import(write_csv(tmp_path / "events.csv", 900), server.url))["sent"] == 900
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
