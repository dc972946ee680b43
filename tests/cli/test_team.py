"""`loopwright team`, on a real database."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from loopwright.server.keys import hash_key
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, team_of_key


@pytest.fixture
def team_command(database_url: str, team: TeamRow) -> Any:
    """Runs `loopwright team ...` on the test's database."""

    async def run(*arguments: str, code: int = 0) -> Result:
        runner = CliRunner(env={"LOOPWRIGHT_DATABASE_URL": database_url})
        result = await asyncio.to_thread(runner.invoke, program, ["team", *arguments])
        assert result.exit_code == code, result.output
        return result

    return run


async def test_settings(team_command: Any) -> None:
    """What is given changes, the rest stays."""
    before = json.loads((await team_command("show", "--json")).stdout)
    assert before["forms"][0].startswith("/api/newsletter-form/c")
    await team_command("set", "--name", "Acme", "--block", "*@spam.test", "--double-opt-in")
    after = json.loads((await team_command("set", "--address", "1 Road", "--json")).stdout)
    assert (after["name"], after["address"], after["company"]) == ("Acme", "1 Road", before["company"])
    assert (after["doubleOptIn"], after["blocklist"]) == (True, ["*@spam.test"])
    assert "*@spam.test" in (await team_command("show")).stdout
    again = json.loads((await team_command("set", "--no-double-opt-in", "--double-opt-in", "--json")).stdout)
    assert again["optInEmail"] == after["optInEmail"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["set", "--block", "spam"], "no pattern", id="no pattern"),
        pytest.param(["set", "--unblock", "*@a.test"], "not on the blocklist", id="not blocked"),
        pytest.param(["set", "--name", " "], "cannot be empty", id="no name"),
        pytest.param(["show", "--team", "other"], "no team other", id="unknown team"),
        pytest.param(["keys", "revoke", "cnone"], "no key cnone", id="unknown key"),
    ],
)
async def test_mistakes(team_command: Any, arguments: list[str], text: str) -> None:
    """A sentence, and nothing changes."""
    assert text in (await team_command(*arguments, code=2)).output


async def test_keys(team_command: Any, pool: Pool, team: TeamRow) -> None:
    """A new key opens the team until it is revoked; only its name can be seen again."""
    key = (await team_command("keys", "create", "CI")).stdout.strip()
    async with pool.acquire() as tx:
        assert await team_of_key(tx, hash_key(key)) == team
    (listed,) = json.loads((await team_command("keys", "list", "--json")).stdout)
    assert listed["name"] == "CI"
    assert key not in (await team_command("keys", "list")).stdout
    await team_command("keys", "revoke", listed["id"])
    async with pool.acquire() as tx:
        assert await team_of_key(tx, hash_key(key)) is None
