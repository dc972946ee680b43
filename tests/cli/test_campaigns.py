"""`loopwright campaigns`, against a server."""

import asyncio

from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.server.store.database import Pool
from support.factories import add_campaign, first_team
from support.live import LiveServer


async def test_whoever_is_asked_sees_which_campaign_it_is(live_server: LiveServer, pool: Pool) -> None:
    """Its name is in the question; one that is not there is not asked about."""
    environment = {"LOOPS_BASE_URL": live_server.base_url, "LOOPS_API_KEY": live_server.api_key}
    await add_campaign(pool, await first_team(pool), "cnews", name="May news")
    for action, question in [("send", "whole audience now"), ("send-to-joined", "who have joined")]:
        for campaign_id, code, said in [("cnews", 1, "Send “May news” to "), ("cnone", 4, "not found")]:
            words = ["campaigns", action, campaign_id]
            runner = CliRunner(env=environment)
            result = await asyncio.to_thread(runner.invoke, program, words, input="n\n")
            assert result.exit_code == code, result.output
            assert said in result.output
            assert (question in result.output) == (campaign_id == "cnews")
    assert await pool.fetchval("SELECT status FROM campaign") == "Draft"
