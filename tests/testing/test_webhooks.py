"""What an endpoint is told, as a test sees it."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from loopwright import Loops
from loopwright.testing import Clock, Team, Webhooks
from loopwright.webhooks import ContactCreated, ContactDeleted, WorkflowEmailSent


@pytest.mark.usefixtures("month")
def test_an_endpoint_keeps_what_it_is_told(loops: Loops, webhooks: Webhooks, clock: Clock) -> None:
    """Verified by the real time, and dated by the moved clock."""
    clock.advance(days=10)
    loops.events.send("signup", email="ada@acme.example")
    created = webhooks.wait_for(ContactCreated)
    assert created.contact_identity.email == "ada@acme.example"
    at = datetime.fromtimestamp(created.event_time, UTC)
    assert timedelta(days=9) < at - datetime.now(UTC) < timedelta(days=11)
    assert webhooks.wait_for(WorkflowEmailSent).email.subject == "Letter 1"
    with pytest.raises(AssertionError, match=r"(?s)no ContactDeleted came.*ContactCreated"):
        webhooks.wait_for(ContactDeleted, within=0)


def test_what_makes_no_sense_is_told(webhooks: Webhooks) -> None:
    """At once, rather than by a test that waits for what cannot come."""
    with pytest.raises(TypeError, match=r"not 'contact\.created'"):
        webhooks.wait_for("contact.created")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 or more, not 0"):
        webhooks.fail(times=0)
    with pytest.raises(ValueError, match="of a failure"):
        webhooks.fail(status=204)


def test_nobody_beyond_this_machine_is_told(loops_team: Team) -> None:
    """What a suite makes up may be somebody's real host."""
    headers = {"Authorization": f"Bearer {loops_team.api_key}"}
    root = loops_team.base_url.removesuffix("/api")
    given = {"url": "http://8.8.8.8/webhooks"}
    refused = requests.post(f"{root}/loopwright/v1/webhooks", json=given, headers=headers, timeout=5)
    assert refused.status_code == 400
    assert "beyond this machine" in refused.json()["message"]


def test_an_endpoint_that_is_down_is_told_again(loops: Loops, webhooks: Webhooks, clock: Clock) -> None:
    """Once the time has come, which is moved like any other; each is handed out once, in whichever order."""
    webhooks.fail()
    loops.contacts.create("ada@acme.example")
    assert webhooks.events == []
    loops.contacts.create("ben@acme.example")
    assert webhooks.wait_for(ContactCreated, within=0).contact_identity.email == "ben@acme.example"
    clock.advance(hours=1)
    assert webhooks.wait_for(ContactCreated, within=0).contact_identity.email == "ada@acme.example"
    loops.contacts.delete(email="ben@acme.example")
    webhooks.fail()
    loops.contacts.create("cleo@acme.example")
    clock.advance(hours=1)
    webhooks.wait_for(ContactCreated, within=0)
    webhooks.wait_for(ContactDeleted, within=0)
