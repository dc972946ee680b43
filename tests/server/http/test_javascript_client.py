"""The real JavaScript client of Loops against the server, pointed at it by its root address alone."""

import asyncio
import json
import os
import shutil
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loopwright.server.team_settings import SettingChanges, change_team
from support.factories import add_list, first_team, suppress
from support.live import LiveServer

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build/javascript"
PACKAGE = "loops@7.3.0"
COMPILER = "typescript@5.9.3"
SCRIPT = ROOT / "tests/support/loops_client.mjs"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


def give_up(reason: str) -> None:
    """Skip; where everything has to be there, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


async def run(*command: str, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.fixture
async def client_folder() -> Path:
    """Where the client is installed, once."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        give_up("node and npm are not on this machine")
    manifest = FOLDER / "node_modules/loops/package.json"
    if not (manifest.exists() and (FOLDER / "node_modules/typescript").exists()):
        assert npm
        FOLDER.mkdir(parents=True, exist_ok=True)
        quiet = ("--no-audit", "--no-fund", "--no-save")
        code, output = await run(npm, "install", "--prefix", str(FOLDER), *quiet, PACKAGE, COMPILER)
        if code:
            give_up(f"{PACKAGE} and {COMPILER} cannot be installed: {output}")
    assert json.loads(manifest.read_text())["version"] == PACKAGE.partition("@")[2]
    return FOLDER


async def test_every_method_of_the_client(live_server: LiveServer, client_folder: Path) -> None:
    """It takes every answer as it takes Loops', and each is what the client's types declare, no key more."""
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    await add_list(pool, team_id, "clist")
    await suppress(pool, team_id, "gone@example.com")
    async with pool.acquire() as tx, tx.transaction():
        # The one transactional email that a team can have without any file.
        changes = SettingChanges(double_opt_in=True, copies=True)
        team = await change_team(tx, team_id, changes, now=datetime.now(UTC))
    assert team.opt_in_id
    code, output = await run(
        "node",
        str(SCRIPT),
        CLIENT_FOLDER=str(client_folder),
        API_KEY=live_server.api_key,
        BASE_URL=live_server.base_url,
        TRANSACTIONAL_ID=team.opt_in_id,
        LIST_ID="clist",
        SUPPRESSED="gone@example.com",
        IMAGE=b64encode(PNG).decode(),
    )
    assert code == 0, output
    results: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert results["never called"] == []
    incomplete, too_much = results["misfits"]
    assert "Property 'teamName' is missing" in incomplete
    assert "'\"more\"' does not exist" in too_much
    contact = results["find"][0]
    assert (contact["email"], contact["userId"], contact["plan"]) == ("ada+js@example.com", "u1", None)
    assert (contact["mailingLists"], results["find nobody"]) == ({"clist": True}, [])
    assert results["create"]["id"] == results["update"]["id"] == contact["id"]
    assert results["suppression"]["isSuppressed"] is False
    assert "nothing to publish" in results["publish again"]["message"]
    assert "unusedFallback" in {one["rule"] for one in results["updated message"]["warnings"]}
    assert results["guardian"]["errors"][0]["rule"] == "missingButtonHrefs"
    assert results["publish too early"]["message"].startswith("422 - ")
    assert results["wrong LMX"]["message"].startswith("422 - ")
    assert results["get transactional"]["name"] == "Other"
    assert results["get campaign"] == results["update campaign"]
    campaign = results["get campaign"]
    assert (campaign["audienceFilter"], campaign["status"]) == (None, "Draft")
    assert {name: results.get(name) for name in EXPECTED} == EXPECTED


def failed(status: int, message: str) -> dict[str, str]:
    """What the client raises."""
    return {"error": "APIError", "message": f"{status} - {message}"}


DONE = {"success": True}
EXPECTED = {
    "key": {"success": True, "teamName": "My team"},
    "property": DONE,
    "property again": failed(400, "Property already exists."),
    "create again": failed(409, "Email or userId is already on list."),
    "properties": [{"key": "plan", "label": "Plan", "type": "string"}],
    "event": DONE,
    "event again": failed(409, "Request with idempotency key k1 has already been processed."),
    "event without a key": DONE,
    "transactional": DONE,
    "transactional without variables": failed(400, "Missing required data variable(s): optInUrl"),
    "unknown transactional": failed(404, "Transactional email not found."),
    "remove suppression": failed(400, "This contact is not suppressed."),
    "delete": {"success": True, "message": "Contact deleted."},
    "stale update": failed(409, "Content revision ID is stale."),
    "segment again": failed(400, "a segment is called All already; choose another name"),
    "deleted workflow": failed(404, "Workflow not found."),
    "delete workflow": None,
    "wrong key": failed(401, "Invalid API key"),
}
