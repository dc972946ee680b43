"""From an empty folder to an email on the screen, by commands alone."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from support.live import LiveServer


@pytest.fixture
def environment(live_server: LiveServer, database_url: str) -> dict[str, str]:
    return {
        "LOOPS_BASE_URL": live_server.base_url,
        "LOOPS_API_KEY": live_server.api_key,
        "LOOPWRIGHT_DATABASE_URL": database_url,
        "COLUMNS": "200",
    }


def test_a_first_email(environment: dict[str, str], tmp_path: Path) -> None:
    """The starter folder is applied, an event sent, and its email shown."""

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner(env=environment).invoke(program, arguments)
        assert result.exit_code == code, result.output
        return result

    assert "no such message" in run("inbox", "show", code=4).stderr
    run("init", str(tmp_path / "emails"))
    run("apply", str(tmp_path / "emails"))
    run("events", "send", "signup", "--email", "ada@example.com", "--props", "planName=pro")
    shown = run("inbox", "show", "--to", "ada@example.com", "--wait", "30").stdout
    assert "To:      ada@example.com" in shown
    assert "plan is ready" in shown
    (listed,) = json.loads(run("inbox", "list", "--json").stdout)
    assert json.loads(run("inbox", "show", listed["id"], "--json").stdout) == listed
    assert listed["id"] in run("inbox", "list").stdout
    missing = json.loads(run("inbox", "show", "cnone", "--json", code=4).stdout)
    assert "cnone" in missing["message"]
    assert run("inbox", "list", "--to", "bob@example.com").stdout == "none\n"


def test_loops_itself_keeps_no_inbox() -> None:
    """Nothing is asked of a server that has none."""
    environment = {"LOOPS_API_KEY": "k", "LOOPS_BASE_URL": "https://app.loops.so/api"}
    result = CliRunner(env=environment).invoke(program, ["inbox", "list"])
    assert result.exit_code == 2
    assert "LOOPS_BASE_URL" in result.stderr
