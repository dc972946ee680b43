"""`loopwright webhooks`, against a server that keeps secrets."""

import asyncio
import json

from typer.testing import CliRunner, Result

from loopwright import webhooks
from loopwright.cli.program import program
from loopwright.server.app import run as run_server
from loopwright.server.networks import read_networks
from loopwright.server.sealing import new_sealing_key
from loopwright.server.settings import Settings
from support.process import API_KEY
from support.webhook_peer import receiving
from support.workflows import until


async def test_an_endpoint_by_commands(database_url: str) -> None:
    """Added, tested, disabled, enabled, sent what it missed, rotated and removed."""
    settings = Settings(
        port=0,
        database_url=database_url,
        api_key=API_KEY,
        sealing_key=new_sealing_key(),
        webhook_networks=read_networks("127.0.0.0/8"),
    )
    async with run_server(settings) as running, receiving() as receiver:
        environment = {"LOOPS_BASE_URL": running.address, "LOOPS_API_KEY": API_KEY, "COLUMNS": "200"}

        async def run(*arguments: str, code: int = 0) -> Result:
            runner = CliRunner(env=environment)
            result = await asyncio.to_thread(runner.invoke, program, ["webhooks", *arguments])
            assert result.exit_code == code, result.output
            return result

        added = json.loads((await run("add", receiver.url, "--description", "CRM", "--json")).stdout)
        endpoint_id = added["id"]
        shown = (await run("list")).stdout
        assert endpoint_id in shown
        assert "16 events" in shown
        assert "on its way" in (await run("test", endpoint_id)).stdout

        async def arrived() -> bool:
            return "delivered" in (await run("deliveries", endpoint_id)).stdout

        await until(arrived)
        [request] = receiver.requests
        assert isinstance(webhooks.verify(request.body, request.headers, added["secret"]), webhooks.TestEvent)
        ordered = json.loads((await run("update", endpoint_id, "--ordered", "--json")).stdout)
        assert (ordered["ordered"], ordered["disablesAt"]) == (True, None)
        disabled = await run("update", endpoint_id, "--disable", "--event", "contact.created")
        assert "disabled: it was disabled by a request" in disabled.stdout
        assert "contact.created" in disabled.stdout
        refused = await run("replay", endpoint_id, "--from", "2026-01-01", code=1)
        assert "enable it first" in refused.stderr
        await run("update", endpoint_id, "--enable")
        replayed = await run("replay", endpoint_id, "--from", "2026-01-01", "--delivered")
        assert replayed.stdout == "1 webhooks are sent again\n"
        assert "Secret (shown only now): whsec_" in (await run("rotate", endpoint_id)).stdout
        assert "is gone" in (await run("remove", endpoint_id)).stdout
        await run("test", endpoint_id, code=4)
