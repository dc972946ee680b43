"""The real JavaScript client of Loops against the server, pointed at it by its root address alone."""

import asyncio
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from loopwright.server.store.teams import load_teams
from loopwright.server.team_settings import SettingChanges, change_team
from support.contract import misread
from support.live import LiveServer

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build/javascript"
PACKAGE = "loops@7.3.0"
SCRIPT = ROOT / "tests/support/loops_client.mjs"

CONTENT = (
    "createTransactionalEmail", "updateEmailMessage", "getEmailMessage", "getEmailMessageGuardian",
    "publishTransactionalEmail", "ensureTransactionalDraft", "updateTransactionalEmail",
    "getTransactionalEmail", "listTransactionalEmails", "createAudienceSegment", "getAudienceSegment",
    "listAudienceSegments", "createCampaign", "updateCampaign", "getCampaign", "listCampaigns",
)  # fmt: skip


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
    if not manifest.exists():
        assert npm
        FOLDER.mkdir(parents=True, exist_ok=True)
        quiet = ("--no-audit", "--no-fund", "--no-save")
        code, output = await run(npm, "install", "--prefix", str(FOLDER), *quiet, PACKAGE)
        if code:
            give_up(f"{PACKAGE} cannot be installed: {output}")
    assert json.loads(manifest.read_text())["version"] == PACKAGE.partition("@")[2]
    return FOLDER


async def test_every_operation_of_the_client(live_server: LiveServer, client_folder: Path) -> None:
    """It takes every answer as it takes Loops', failures and their messages included."""
    async with live_server.pool.acquire() as tx, tx.transaction():
        (team,) = await load_teams(tx)
        # The one transactional email that a team can have without any file.
        team = await change_team(tx, team.id, SettingChanges(double_opt_in=True), now=datetime.now(UTC))
    assert team.opt_in_id
    code, output = await run(
        "node",
        str(SCRIPT),
        CLIENT_FOLDER=str(client_folder),
        API_KEY=live_server.api_key,
        BASE_URL=live_server.base_url,
        TRANSACTIONAL_ID=team.opt_in_id,
    )
    assert code == 0, output
    results: dict[str, Any] = json.loads(output.splitlines()[-1])
    contact = results["find"][0]
    assert (contact["email"], contact["userId"], contact["plan"]) == ("ada+js@example.com", "u1", None)
    assert results["create"]["id"] == results["update"]["id"] == contact["id"]
    assert results["suppression"]["isSuppressed"] is False
    done = {"success": True}
    expected = {
        "key": {"success": True, "teamName": "My team"},
        "property": done,
        "property again": failed(400, "Property already exists."),
        "create again": failed(409, "Email or userId is already on list."),
        "properties": [{"key": "plan", "label": "Plan", "type": "string"}],
        "lists": [],
        "event": done,
        "event again": failed(409, "Request with idempotency key k1 has already been processed."),
        "event without a key": done,
        "transactional": done,
        "transactional without variables": failed(400, "Missing required data variable(s): optInUrl"),
        "unknown transactional": failed(404, "Transactional email not found."),
        "remove suppression": failed(400, "This contact is not suppressed."),
        "delete": {"success": True, "message": "Contact deleted."},
        "wrong key": failed(401, "Invalid API key"),
    }
    assert {name: results[name] for name in expected} == expected
    read_content(results)


def read_content(results: dict[str, Any]) -> None:
    """The content families' answers have all keys that the contract requires, and no others."""
    for operation in CONTENT:
        status = 201 if operation in ("createTransactionalEmail", "createCampaign") else 200
        assert misread(operation, status, results[operation]) == [], operation
    assert results["stale update"] == failed(409, "Content revision ID is stale.")
    assert "nothing to publish" in results["publish again"]["message"]
    assert results["updateEmailMessage"]["warnings"][0]["rule"] == "unusedFallback"
    assert results["getTransactionalEmail"]["name"] == "Other"
    assert results["segment again"] == failed(400, "a segment is called All already; choose another name")
    assert results["getCampaign"] == results["updateCampaign"]
    assert (results["getCampaign"]["audienceFilter"], results["getCampaign"]["status"]) == (None, "Draft")


def failed(status: int, message: str) -> dict[str, str]:
    """What the client raises."""
    return {"error": "APIError", "message": f"{status} - {message}"}
