"""`loopwright team`, on a real database."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from loopwright import AsyncLoops
from loopwright.cli.program import program
from loopwright.server.keys import hash_key
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, team_of_key
from support.live import LiveServer


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
    zoned = json.loads((await team_command("set", "--time-zone", "America/New_York", "--json")).stdout)
    assert (before["timeZone"], zoned["timeZone"]) == ("UTC", "America/New_York")
    warm = json.loads(
        (await team_command("set", "--warm-up", "500", "--warm-up-growth", "30", "--json")).stdout
    )
    plan = {name: warm["warmUp"][name] for name in ("perDay", "perHour", "growth", "until", "cap")}
    assert plan == {"perDay": 500, "perHour": 62, "growth": 30, "until": 100_000, "cap": 500}
    assert "perHour 62" in (await team_command("show")).stdout
    await team_command("set", "--warm-up", "5", "--no-warm-up", code=2)
    cold = json.loads((await team_command("set", "--no-warm-up", "--json")).stdout)
    assert (before["warmUp"], cold["warmUp"]) == (None, None)
    await team_command("set", "--sending-domain", "Post.fa\u00df.test")
    shown = json.loads((await team_command("show", "--json")).stdout)
    assert shown["sendingDomain"] == "post.xn--fa-hia.test"
    again = json.loads((await team_command("set", "--no-double-opt-in", "--double-opt-in", "--json")).stdout)
    assert again["optInEmail"] == after["optInEmail"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["set", "--block", "spam"], "no pattern", id="no pattern"),
        pytest.param(["set", "--unblock", "*@a.test"], "not on the blocklist", id="not blocked"),
        pytest.param(["set", "--name", " "], "cannot be empty", id="no name"),
        pytest.param(
            ["set", "--sending-domain", "https://acme.example/x"], "write acme.example", id="URL as domain"
        ),
        pytest.param(["set", "--sending-domain", "acme"], "no domain that email can come", id="no domain"),
        pytest.param(["set", "--time-zone", "Berlin"], "no time zone Berlin", id="no time zone"),
        pytest.param(["set", "--time-zone", "localtime"], "no time zone localtime", id="each machine's zone"),
        pytest.param(["set", "--time-zone", "posixrules"], "no time zone posixrules", id="a file, no zone"),
        pytest.param(["set", "--warm-up", "0"], "at least one email an hour", id="no email a day"),
        pytest.param(["set", "--warm-up-hour", "5"], "begin one with", id="no plan to change"),
        pytest.param(["create", " "], "cannot be empty", id="new team without a name"),
        pytest.param(["create", "My team "], "called My team already", id="new team of a name that is taken"),
        pytest.param(["show", "--team", "other"], "no team other", id="unknown team"),
        pytest.param(["keys", "revoke", "cnone"], "no key cnone", id="unknown key"),
        pytest.param(["notices", "ops"], "the address is incomplete", id="no address for notices"),
        pytest.param(["notices", "a@b.example", "--off"], "not both", id="notices to somebody and nobody"),
    ],
)
async def test_mistakes(team_command: Any, arguments: list[str], text: str) -> None:
    """A sentence, and nothing changes."""
    assert text in (await team_command(*arguments, code=2)).output


async def test_a_further_team(team_command: Any, live_server: LiveServer) -> None:
    """Its key, shown once, opens a server that runs; it sees nothing of the first team."""
    (first,) = json.loads((await team_command("list", "--json")).stdout)
    printed = (await team_command("create", "Acme Europe")).stdout
    key = printed.split("API key (shown only now): ")[1].strip()
    made = json.loads((await team_command("create", "Acme Asia", "--json")).stdout)
    for one, name in ((key, "Acme Europe"), (made["apiKey"], "Acme Asia")):
        async with AsyncLoops(one, base_url=live_server.base_url) as loops:
            assert (await loops.api_key.test()).team_name == name
    shown = json.loads((await team_command("show", "--team", "Acme Asia", "--json")).stdout)
    assert shown["id"] == made["id"]
    assert len(shown["forms"]) == 1
    listed = json.loads((await team_command("list", "--json")).stdout)
    assert [one["name"] for one in listed] == [first["name"], "Acme Europe", "Acme Asia"]
    for text in ("Acme Europe", made["id"]):
        assert text in (await team_command("list")).stdout
    assert key not in (await team_command("keys", "list", "--team", "Acme Europe")).stdout


async def test_two_teams_are_never_called_the_same(team_command: Any) -> None:
    """`--team NAME` means one team, also after renaming."""
    await team_command("create", "Acme")
    refused = await team_command("set", "--team", "My team", "--name", "Acme", code=2)
    assert "called Acme already" in refused.output
    await team_command("set", "--team", "Acme", "--name", "Acme", "--company", "Acme Ltd")


async def test_the_first_team_of_an_empty_database(database_url: str) -> None:
    """It is the one that was asked for, and no other."""

    def run(*arguments: str) -> str:
        runner = CliRunner(env={"LOOPWRIGHT_DATABASE_URL": database_url})
        result = runner.invoke(program, ["team", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    await asyncio.to_thread(run, "create", "Acme")
    assert [one["name"] for one in json.loads(await asyncio.to_thread(run, "list", "--json"))] == ["Acme"]


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


async def test_notices(team_command: Any) -> None:
    """Where they go: set, shown and switched off."""
    ops = "ops@acme.example"
    for arguments, said in (([], "nobody"), ([ops], ops), ([], ops), (["--off"], "nobody")):
        assert f"Notices go to {said}." in (await team_command("notices", *arguments)).stdout
