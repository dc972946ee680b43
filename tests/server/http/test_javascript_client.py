"""The real JavaScript client of Loops against the server, pointed at it by its root address alone."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from loopwright.server.team_settings import SettingChanges, change_team
from support.factories import add_list, first_team, suppress
from support.foreign_clients import PNG, PROGRAMS, javascript_folder, run
from support.live import LiveServer

PACKAGES = ("loops@7.3.0", "typescript@5.9.3")


@pytest.mark.slow
async def test_every_method_of_the_client(live_server: LiveServer) -> None:
    """It takes every answer as it takes Loops', and each is what the client's types declare, no key more."""
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    await add_list(pool, team_id, "clist")
    await suppress(pool, team_id, "gone@example.com")
    async with pool.acquire() as tx, tx.transaction():
        # The one transactional email that a team can have without any file.
        changes = SettingChanges(double_opt_in=True, copies=True)
        team = await change_team(tx, team_id, changes, now=datetime.now(UTC))
    assert team.opt_in_id
    folder = await javascript_folder(PACKAGES)
    code, output = await run(
        "node",
        str(PROGRAMS / "loops_client.mjs"),
        CLIENT_FOLDER=str(folder),
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
