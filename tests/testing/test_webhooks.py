"""What an endpoint is told, as a test sees it."""

from datetime import UTC, datetime, timedelta

import pytest

from loopwright import Loops
from loopwright.testing import Clock, Webhooks
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


def test_an_endpoint_that_is_down_is_told_again(loops: Loops, webhooks: Webhooks, clock: Clock) -> None:
    """Once the time has come, which is moved like any other."""
    webhooks.fail(times=2)
    loops.contacts.create("ada@acme.example")
    assert webhooks.events == []
    clock.advance(hours=1)
    webhooks.wait_for(ContactCreated, within=0)
