"""`loopwright feedback`, against a server with a door for everything."""

import asyncio
import json

import aiosmtplib
import httpx2
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from loopwright.server.app import run as run_server
from loopwright.server.sealing import new_sealing_key
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool
from loopwright.server.store.domains import DomainRow, save_domain
from support.factories import first_team
from support.mail_office import NOW
from support.ports import free_port
from support.process import API_KEY


async def test_doors_and_what_came_through_them(database_url: str, pool: Pool) -> None:
    """Added with an address that is shown once, told something, listed, removed."""
    settings = Settings(
        port=0,
        database_url=database_url,
        api_key=API_KEY,
        sealing_key=new_sealing_key(),
        bounce_port=free_port(),
    )
    async with run_server(settings) as running:
        environment = {"LOOPS_BASE_URL": running.address, "LOOPS_API_KEY": API_KEY, "COLUMNS": "200"}

        async def run(*arguments: str, code: int = 0) -> Result:
            runner = CliRunner(env=environment)
            result = await asyncio.to_thread(runner.invoke, program, ["feedback", *arguments])
            assert result.exit_code == code, result.output
            return result

        assert "username is missing" in (await run("add", "postmark", "--password", "x", code=1)).stderr
        assert "is no topic" in (await run("add", "ses", "--topic", "bounces", code=1)).stderr
        added = await run("add", "postmark", "--username", "hook", "--password", "x", "--tells-delivered")
        url = added.stdout.rpartition(" ")[2].strip()
        assert url.startswith(f"{running.address}/feedback/postmark/")
        async with httpx2.AsyncClient(auth=("hook", "x")) as client:
            told = {"RecordType": "SpamComplaint", "Email": "nobody@elsewhere.org"}
            assert (await client.post(url, json=told)).status_code == 200
            assert (await client.post(url, json=told, auth=("hook", "y"))).status_code == 403
        [door] = json.loads((await run("doors", "--json")).stdout)
        assert (door["tellsDelivered"], "url" in door) == (True, False)
        assert "password is wrong" in (await run("doors")).stdout
        assert await pool.fetchval("SELECT bool_and(provider_delivers) FROM team")
        async with pool.acquire() as tx:
            team_id = await first_team(pool)
            domain = DomainRow(team_id=team_id, name="acme.test", bounce_domain="bounce.acme.test")
            await save_domain(tx, domain, now=NOW)
        await aiosmtplib.send(
            b"Subject: hello\r\n\r\nnothing\r\n",
            sender="x@elsewhere.org",
            recipients=["fbl@bounce.acme.test"],
            hostname="127.0.0.1",
            port=settings.bounce_port,
            start_tls=False,
        )
        shown = (await run("unknown")).stdout
        assert "names an email of ours" in shown
        assert "neither a bounce nor a complaint" in shown
        assert (await run("clear")).stdout == "2 are gone\n"
        assert "is gone" in (await run("remove", door["id"])).stdout
        assert not await pool.fetchval("SELECT bool_or(provider_delivers) FROM team")
        await run("remove", door["id"], code=4)
        assert json.loads((await run("stopped", "--json")).stdout) == {"total": 0, "data": []}
        await run("release", "ada@elsewhere.org", code=4)
