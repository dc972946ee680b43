"""Another Python client of Loops against the server, every method of it, with its strict decoders."""

import json
import sys
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from loopwright.server.team_settings import SettingChanges, change_team
from support.factories import add_campaign, add_list, first_team, suppress
from support.foreign_clients import PNG, PROGRAMS, python_folder, run
from support.live import LiveServer

PACKAGES = ("pyloops==1.22.6",)


@pytest.mark.slow
async def test_every_method(live_server: LiveServer) -> None:
    """Each answer has every key that the client's models declare, and none that they do not."""
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    await add_list(pool, team_id, "clist")
    await suppress(pool, team_id, "gone@example.com")
    await add_campaign(pool, team_id, "csent", status="Sent")
    async with pool.acquire() as tx, tx.transaction():
        await change_team(tx, team_id, SettingChanges(copies=True), now=datetime.now(UTC))
    folder = await python_folder(PACKAGES)
    code, output = await run(
        sys.executable,
        str(PROGRAMS / "pyloops_client.py"),
        PYTHONPATH=str(folder),
        API_KEY=live_server.api_key,
        BASE_URL=live_server.base_url,
        LIST_ID="clist",
        SUPPRESSED="gone@example.com",
        SENT_CAMPAIGN="csent",
        IMAGE=b64encode(PNG).decode(),
    )
    assert code == 0, output
    results = json.loads(output.splitlines()[-1])
    # The team's own property, which nobody can declare.
    assert results == {"undeclared": ["find_contact: Contact ['plan']"], "never called": []}
