"""`loopwright webhooks`, against the server of the test kit."""

import json

import pytest
from typer.testing import CliRunner, Result

from loopwright import Loops
from loopwright.cli.program import program
from loopwright.testing import Webhooks
from loopwright.webhooks import ContactCreated, TestEvent


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(program, ["webhooks", *arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.mark.usefixtures("loops_env")
def test_an_endpoint_by_commands(loops: Loops, webhooks: Webhooks) -> None:
    """Tested, disabled, enabled, sent what it missed, rotated and removed; another one is added."""
    [endpoint] = json.loads(run("list", "--json").stdout)
    shown = run("list").stdout
    assert endpoint["id"] in shown
    assert "16 events" in shown
    assert "on its way" in run("test", endpoint["id"]).stdout
    webhooks.wait_for(TestEvent)
    assert "delivered" in run("deliveries", endpoint["id"]).stdout
    ordered = json.loads(run("update", endpoint["id"], "--ordered", "--json").stdout)
    assert (ordered["ordered"], ordered["disablesAt"]) == (True, None)
    disabled = run("update", endpoint["id"], "--disable", "--event", "contact.created")
    assert "disabled: it was disabled by a request" in disabled.stdout
    assert "contact.created" in disabled.stdout
    loops.contacts.create("ada@example.com")
    refused = run("replay", endpoint["id"], "--from", "2026-01-01", code=1)
    assert "enable it first" in refused.stderr
    run("update", endpoint["id"], "--enable")
    assert run("replay", endpoint["id"], "--from", "2026-01-01").stdout == "1 webhooks are sent again\n"
    webhooks.wait_for(ContactCreated)
    assert "Secret (shown only now): whsec_" in run("rotate", endpoint["id"]).stdout
    assert "is gone" in run("remove", endpoint["id"]).stdout
    run("test", endpoint["id"], code=4)
    added = json.loads(run("add", webhooks.url, "--description", "CRM", "--json").stdout)
    assert (added["description"], added["secret"][:6]) == ("CRM", "whsec_")
