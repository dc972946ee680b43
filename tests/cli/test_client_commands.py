"""The client half of the command line, against the real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from support.live import LiveServer
from support.recording_server import RecordingServer

Command: TypeAlias = Callable[..., Result]


@pytest.fixture
def loopwright(live_server: LiveServer) -> Command:
    """Run one command with the live server's address and key in the environment."""
    return command(live_server.base_url, live_server.api_key)


def command(base_url: str, api_key: str) -> Command:
    environment = {"LOOPS_BASE_URL": base_url, "LOOPS_API_KEY": api_key, "COLUMNS": "200"}
    return lambda *arguments: CliRunner().invoke(program, arguments, env=environment)


def said(result: Result) -> str:
    """What a command printed, once it ended well."""
    assert result.exit_code == 0, result.output
    return result.output


def test_the_key_and_its_team(loopwright: Command) -> None:
    assert said(loopwright("api-key")).startswith("The key works. Team: ")
    assert json.loads(said(loopwright("api-key", "--json")))["success"] is True


def test_a_wrong_key_ends_with_3_and_says_where_it_belongs(live_server: LiveServer) -> None:
    result = command(live_server.base_url, "wrong")("api-key")
    assert result.exit_code == 3
    assert "LOOPS_API_KEY" in result.stderr


def test_a_property_that_would_be_lost_is_named(loopwright: Command) -> None:
    """The API would ignore it in silence; the message says how it is spelled."""
    for command in (("events", "send", "signup"), ("contacts", "create"), ("contacts", "update")):
        result = loopwright(*command, "--email", "ada@example.com", "--prop", "user_group=pros")
        assert result.exit_code == 1
        assert "userGroup" in result.stderr


def test_what_the_sdk_refuses_ends_with_2(loopwright: Command) -> None:
    """Nothing was sent, and nothing is wrong with the server."""
    result = loopwright("events", "send", "a:b", "--email", "ada@example.com")
    assert result.exit_code == 2
    assert "an event name cannot contain a colon" in result.stderr


def test_a_missing_key_ends_with_3(live_server: LiveServer) -> None:
    result = command(live_server.base_url, "")("contacts", "find", "--email", "ada@example.com")
    assert result.exit_code == 3


def test_a_contacts_life(loopwright: Command) -> None:
    said(loopwright("properties", "create", "planName"))
    said(loopwright("properties", "create", "seats", "--type", "number"))
    created = said(
        loopwright(
            "contacts", "create", "--email", "ada@example.com", "--first-name", "Ada",
            "--prop", "planName=pro", "--prop", "seats=3",
        )
    )  # fmt: skip
    assert created.startswith("Created contact c")
    said(loopwright("contacts", "update", "-e", "ada@example.com", "-u", "u1", "--prop", "planName=null"))
    (found,) = json.loads(said(loopwright("contacts", "find", "--user-id", "u1", "--json")))
    assert (found["firstName"], found["seats"], found.get("planName")) == ("Ada", 3, None)
    assert "Ada" in said(loopwright("contacts", "find", "--email", "ada@example.com"))
    assert "Not suppressed" in said(loopwright("contacts", "suppression", "--user-id", "u1"))
    assert "deleted" in said(loopwright("contacts", "delete", "--user-id", "u1"))
    assert loopwright("contacts", "find", "--user-id", "u1").exit_code == 4
    assert loopwright("contacts", "delete", "--user-id", "u1").exit_code == 4


CREATE = ("contacts", "create", "-e", "new@example.com", "--prop")
UPDATE = ("contacts", "update", "-e", "new@example.com", "--prop")
SEND = ("events", "send", "signup", "-e", "new@example.com", "--contact-props")


@pytest.mark.parametrize(
    ("command", "given", "says"),
    [
        pytest.param(UPDATE, "undeclared=1", "properties create undeclared --type number", id="update"),
        pytest.param(CREATE, "undeclared=x", "properties create undeclared --type string", id="create"),
        pytest.param(SEND, "undeclared=true", "properties create undeclared --type boolean", id="event"),
        pytest.param(UPDATE, "undeclared=null", "properties create undeclared", id="cleared"),
        pytest.param(SEND, "Firstname=Ada", "its name is firstName", id="with other letters"),
        pytest.param(UPDATE, "plan_name=pro", "its name is planName", id="the team's own, in snake case"),
        pytest.param(CREATE, "notes=x", "the API sets it itself or not at all", id="not the caller's"),
        pytest.param(UPDATE, "2024=x", "no name for one", id="no name"),
    ],
)
def test_a_property_that_would_be_ignored(
    loopwright: Command, command: tuple[str, ...], given: str, says: str
) -> None:
    """It is told with what to do about it, and nothing is sent: then the same command is right."""
    said(loopwright("properties", "create", "planName"))
    result = loopwright(*command, given, command[-1], "planName=pro")
    assert result.exit_code == 1
    assert f"{given.partition('=')[0]!r} would be ignored" in result.stderr
    assert says in result.stderr
    assert loopwright("contacts", "find", "-e", "new@example.com").exit_code == 4


def test_properties_are_listed(loopwright: Command) -> None:
    said(loopwright("properties", "create", "favoriteColor"))
    assert "Favorite color" in said(loopwright("properties", "list", "--custom"))
    keys = {item["key"] for item in json.loads(said(loopwright("properties", "list", "--json")))}
    assert {"email", "favoriteColor"} <= keys


def test_lists_and_transactional_emails_may_be_none(loopwright: Command) -> None:
    assert said(loopwright("lists", "list")) == "none\n"
    assert json.loads(said(loopwright("lists", "list", "--json"))) == []
    assert said(loopwright("transactional", "list")) == "none\n"


def test_an_unknown_transactional_email_ends_with_4(loopwright: Command, tmp_path: Path) -> None:
    (tmp_path / "vars.json").write_text('{"items": [{"name": "Book"}]}')
    (tmp_path / "a.txt").write_text("hello")
    result = loopwright(
        "transactional", "send", "--id", "cunknown", "-e", "ada@example.com", "-v", "orderId=7",
        "--json-vars", str(tmp_path / "vars.json"), "--attachment", str(tmp_path / "a.txt"),
    )  # fmt: skip
    assert result.exit_code == 4
    assert "Transactional email not found." in result.stderr


def test_an_event_creates_its_contact(loopwright: Command, tmp_path: Path) -> None:
    (tmp_path / "props.json").write_text('{"plan": "pro", "seats": 3}')
    sent = said(
        loopwright(
            "events", "send", "signup", "--email", "ada@example.com", "--props", str(tmp_path / "props.json"),
            "--props", "trial=false", "--contact-props", '{"firstName": "Ada"}', "--idempotency-key", "k1",
        )
    )  # fmt: skip
    assert sent == "Sent signup.\n"
    assert "Ada" in said(loopwright("contacts", "find", "--email", "ada@example.com"))
    again = loopwright("events", "send", "signup", "--email", "ada@example.com", "--idempotency-key", "k1")
    assert again.exit_code == 1
    assert "key k1 has already been processed" in again.stderr


def test_what_travels_is_what_was_typed() -> None:
    """Against a server that keeps the body: types, quotes and lists."""
    with RecordingServer() as server:
        said(
            command(server.url, "k")(
                "events", "send", "order", "-u", "u1", "--props", "n=1042", "--props", "price=9.5",
                "--props", 'zip="01234"', "--props", "gift=true", "--props", "note=a=b", "--props", "empty=",
                "--list", "l1=true", "--list", "l2=false", "--list", "l3",
            )
        )  # fmt: skip
    (event,) = server.events
    assert event == {
        "eventName": "order",
        "userId": "u1",
        "eventProperties": {
            "n": 1042, "price": 9.5, "zip": "01234", "gift": True, "note": "a=b", "empty": "",
        },
        "mailingLists": {"l1": True, "l2": False, "l3": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("events", "send", "signup"), "give email, user_id or both", id="nobody"),
        pytest.param(("events", "send", "a:b", "-e", "a@x.org"), "colon", id="event name"),
        pytest.param(("events", "send", "a", "-e", "a@x.org", "--props", "plan"), "neither", id="props"),
        pytest.param(("events", "send", "a", "-e", "a@x.org", "--props", "{x"), "JSON", id="props, JSON"),
        pytest.param(("events", "send", "a", "-e", "a@x.org", "--list", "l1=no"), "ID=true", id="list"),
        pytest.param(("contacts", "find", "-e", "a@x.org", "-u", "u1"), "not both", id="both"),
    ],
)
def test_misuse_ends_with_2_and_says_what_to_give(arguments: tuple[str, ...], says: str) -> None:
    """Before any request: nobody listens at this address."""
    result = command("http://127.0.0.1:1", "k")(*arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())


def test_a_server_that_is_away_ends_with_5() -> None:
    result = command("http://127.0.0.1:1", "k")("api-key")
    assert result.exit_code == 5


def test_every_command_explains_itself() -> None:
    for words in (
        (), ("api-key",), ("contacts",), ("contacts", "create"), ("properties", "create"), ("lists", "list"),
        ("events",), ("events", "send"), ("events", "import"), ("transactional", "send"),
    ):  # fmt: skip
        assert "Usage: " in said(CliRunner().invoke(program, [*words, "--help"]))


def test_segments(loopwright: Command, tmp_path: Path) -> None:
    """Made of JSON text or a file, listed, shown with who is in them, and counted."""
    said(loopwright("properties", "create", "plan"))
    for name, plan in (("ada", "pro"), ("bob", "free")):
        said(loopwright("contacts", "create", "-e", f"{name}@example.org", "--prop", f"plan={plan}"))
    condition = {"type": "property", "key": "plan", "operator": "equals", "value": "pro"}
    text = json.dumps({"match": "all", "conditions": [condition]})
    made = json.loads(said(loopwright("segments", "create", "Pros", "--filter", text, "--json")))
    file = tmp_path / "filter.json"
    file.write_text(text)
    assert "Created segment Same" in said(loopwright("segments", "create", "Same", "--filter", str(file)))
    assert "Pros" in said(loopwright("segments", "list"))
    shown = said(loopwright("segments", "show", made["id"]))
    assert "1 contacts, of whom marketing email reaches 1 now." in shown
    assert "ada@example.org" in shown
    assert said(loopwright("segments", "count")).startswith("2 contacts")
    counted = said(loopwright("segments", "count", made["id"], "--filter", text, "--json"))
    assert json.loads(counted) == {"contacts": 1, "reachable": 1}
    wrong = loopwright("segments", "count", "--filter", text.replace("plan", "paln"))
    assert (wrong.exit_code, "no contact property paln" in wrong.stderr) == (1, True)
    assert loopwright("segments", "count", "--filter", "nowhere.json").exit_code == 2
    assert loopwright("segments", "show", "cnone").exit_code == 4
