"""`loopwright workflows`, against a server."""

import asyncio
import json

from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.server.store.database import Pool
from support.factories import first_team
from support.live import LiveServer
from support.workflows import add_workflow, email_timer_email


async def test_a_workflow_by_commands(live_server: LiveServer, pool: Pool) -> None:
    """Started, paused, shown, resumed and stopped; what is refused ends with its reasons."""
    environment = {
        "LOOPS_BASE_URL": live_server.base_url,
        "LOOPS_API_KEY": live_server.api_key,
        "COLUMNS": "200",
    }

    async def run(*words: str, code: int = 0) -> str:
        result = await asyncio.to_thread(CliRunner(env=environment).invoke, program, ["workflows", *words])
        assert result.exit_code == code, result.output
        return result.output

    team_id = await first_team(pool)
    nodes = await email_timer_email(pool, team_id, minutes=5)
    workflow = await add_workflow(pool, team_id, nodes, status="Draft")
    assert "start it" in await run("pause", workflow.id, code=1)
    assert await run("start", workflow.id) == "Welcome: Sending\n0 inside, 0 of them wait to enter\n"
    assert "New matches wait until" in await run("pause", workflow.id)
    assert json.loads(await run("show", workflow.id, "--json"))["status"] == "PausedAndQueueing"
    assert "PausedAndQueueing" in await run("list")
    assert "Sending" in await run("resume", workflow.id)
    assert "Paused" in await run("stop", workflow.id)
    assert len(json.loads(await run("list", "--json"))["data"]) == 1
    await run("show", "cnone", code=4)
