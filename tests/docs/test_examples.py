"""The examples in the documentation do what they say.

A fenced block whose first line ends in `runs` is executed: the Python blocks of a page one after the other as
one program, the commands of a console block (lines that begin with `$ `) in a shell. Both run in a folder of
their own, with the address and key of a real server in the environment.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.server.app import run as run_server
from loopwright.server.sealing import new_sealing_key
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool
from support.audience import declare
from support.factories import add_contact, add_list, first_team, hold, stop_marketing
from support.live import LiveServer
from support.process import API_KEY
from support.workflows import add_workflow, email_timer_email, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(python|console) runs\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [match[2] for match in BLOCK.finditer(page.read_text()) if match[1] == language]


def pages_with(language: str) -> list[object]:
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, language)]


def environment(server: LiveServer) -> dict[str, str]:
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "LOOPS_BASE_URL": server.base_url, "LOOPS_API_KEY": server.api_key}


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_examples(page: Path, live_server: LiveServer, tmp_path: Path) -> None:
    text = "\n".join(blocks(page, "python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", text],
        cwd=tmp_path,
        env=environment(live_server),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", pages_with("console"))
def test_console_examples(page: Path, live_server: LiveServer, tmp_path: Path) -> None:
    for block in blocks(page, "console"):
        for command in (line[2:] for line in block.splitlines() if line.startswith("$ ")):
            done = subprocess.run(
                command,
                shell=True,
                cwd=tmp_path,
                env=environment(live_server),
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def commands(page: Path, group: str) -> list[str]:
    """The commands of a group in the page's console blocks, in their order."""
    return re.findall(rf"^\$ (loopwright {group} .*)$", page.read_text(), re.MULTILINE)


async def run(command: str, server: LiveServer, **environment: str) -> None:
    """Run a command of ours, in this process: they are many."""
    reach = {"LOOPS_BASE_URL": server.base_url, "LOOPS_API_KEY": server.api_key}
    runner = CliRunner(env=reach | environment)
    done = await asyncio.to_thread(runner.invoke, program, shlex.split(command)[1:])
    assert done.exit_code == 0, f"{command}\n{done.output}"


async def test_commands_of_the_campaigns_page(
    live_server: LiveServer, database_url: str, tmp_path: Path
) -> None:
    """From the draft to those who joined later, with a campaign of the page's own making."""
    page = ROOT / "docs" / "campaigns.md"
    test_python_examples(page, live_server, tmp_path)
    campaign_id: str = await live_server.pool.fetchval("SELECT id FROM campaign")
    team_id = await first_team(live_server.pool)
    await add_contact(live_server.pool, team_id, "cada", email="ada@example.com")

    async def is_sent() -> bool:
        return bool(await live_server.pool.fetchval("SELECT status = 'Sent' FROM campaign"))

    for command in commands(page, "(?:campaigns|team)"):
        if " pause " in command:  # while something is left of it
            email_id = await live_server.pool.fetchval("SELECT id FROM email WHERE preview IS NULL")
            await hold(live_server.pool, team_id, email_id)
            await live_server.pool.execute("UPDATE email_queue SET lane = 2")
            await live_server.pool.execute("UPDATE campaign SET status = 'Sending'")
        if " send-to-joined " in command:
            await live_server.pool.execute("DELETE FROM email_queue")
            await live_server.pool.execute("UPDATE email SET status = 'sent'")
            await add_contact(live_server.pool, team_id, "cbob", email="bob@example.com")
        if " visits " in command or " send-to-joined " in command or " retry " in command:
            await until(is_sent)
        command = command.replace("cm1k2v4x90000abcd1234efgh", campaign_id)
        await run(command, live_server, LOOPWRIGHT_DATABASE_URL=database_url)
    await until(is_sent)
    sent = await live_server.pool.fetch(
        "SELECT to_email FROM email WHERE status = 'sent' AND preview IS NULL"
    )
    assert {row["to_email"] for row in sent} == {"ada@example.com", "bob@example.com"}


async def test_commands_of_the_audience_page(
    live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its filter, saved as the file that its commands read, makes a segment that is counted."""
    page = ROOT / "docs" / "audience.md"
    team_id = await first_team(live_server.pool)
    await declare(live_server.pool, team_id, plan="string")
    await add_contact(live_server.pool, team_id, "cada", properties={"plan": "Pro"})
    await add_list(live_server.pool, team_id, "cweekly")
    found = re.search(r"^```json\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    workflow = await add_workflow(
        live_server.pool, team_id, await email_timer_email(live_server.pool, team_id, 5)
    )
    (tmp_path / "pros.json").write_text(found[1].replace("cm1…", workflow.id))
    monkeypatch.chdir(tmp_path)
    for command in commands(page, "segments"):
        segment_id = await live_server.pool.fetchval("SELECT id FROM segment") or ""
        told = command.replace("cm1k2v4x90000abcd1234efgh", segment_id).replace(
            "cm1k2v4x90001abcd1234efgh", "cweekly"
        )
        await run(told, live_server)


def verification_key() -> str:
    """A key as SendGrid shows one."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


async def test_commands_of_the_bounces_page(database_url: str, pool: Pool) -> None:
    """Doors of every provider, a mailbox, and what came through them."""
    page = ROOT / "docs" / "bounces.md"
    [mailbox] = re.findall(r"`(loopwright feedback add imap [^`]*)`", page.read_text())
    settings = Settings(
        port=0, database_url=database_url, api_key=API_KEY, sealing_key=new_sealing_key(), jobs=False
    )
    async with run_server(settings) as running:
        await stop_marketing(pool, await first_team(pool), "ada@example.com", now=datetime.now(UTC))
        for command in [*commands(page, "feedback"), mailbox]:
            command = command.partition(" # ")[0].replace("$SENDGRID_VERIFICATION_KEY", verification_key())
            command = command.replace("whsec_…", "whsec_c2VjcmV0")
            server = LiveServer(running.address, API_KEY, pool)
            await run(command, server, LOOPWRIGHT_FEEDBACK_PASSWORD="secret")  # else it is asked for
    doors = await pool.fetch("SELECT provider FROM feedback_door ORDER BY provider")
    assert [row["provider"] for row in doors] == [
        "imap", "mailgun", "postmark", "resend", "sendgrid", "ses",
    ]  # fmt: skip
    assert await pool.fetchval("SELECT count(*) FROM soft_bouncing") == 0


async def test_commands_of_the_api_page(live_server: LiveServer, database_url: str) -> None:
    """What its sections say that a team switches on and off."""
    page = (ROOT / "docs" / "api.md").read_text()
    for command in dict.fromkeys(re.findall(r"`(loopwright team [^`]*)`", page)):
        await run(command, live_server, LOOPWRIGHT_DATABASE_URL=database_url)
    team = await live_server.pool.fetchrow("SELECT copies, double_opt_in, blocklist FROM team")
    assert team is not None
    assert (team["copies"], team["double_opt_in"]) == (True, True)
    assert "*@example.com" in team["blocklist"]


async def test_what_the_outbox_page_sends_arrives(live_server: LiveServer, tmp_path: Path) -> None:
    """Its events go out when the program ends at the latest, and the relays send one each."""
    page = ROOT / "docs" / "outbox.md"
    subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(page, "python"))],
        check=True,
        cwd=tmp_path,
        env=environment(live_server),
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    rows = await live_server.pool.fetch("SELECT name, count(*) FROM event GROUP BY name ORDER BY name")
    assert [tuple(row) for row in rows] == [("imported", 250), ("purchase", 1), ("signup", 3)]
