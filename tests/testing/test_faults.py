"""Every kind of fault, as our SDK meets it, and as a client without any wits does."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from loopwright import (
    AsyncLoops,
    BadRequestError,
    Loops,
    LoopsConnectionError,
    LoopsTimeoutError,
    Outbox,
    RateLimitError,
    ServerError,
    UnreadableAnswerError,
)
from loopwright.testing import Clock, Faults, Inbox, Team, TestServerError

SEND = "POST /v1/events/send"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 429, "retry_after": 30}, id="too many"),
        pytest.param({"status": 503}, id="away"),
        pytest.param({"reset": True}, id="reset"),
        pytest.param({"phase": "after"}, id="reply lost"),
        pytest.param({"phase": "after", "status": 502}, id="handled, and a gateway that says it was not"),
    ],
)
@pytest.mark.usefixtures("month")
def test_the_sdk_gets_over_it(loops: Loops, faults: Faults, inbox: Inbox, fault: Mapping[str, Any]) -> None:
    """Two in a row, without waiting, and the event counts once."""
    met = faults.on(SEND, times=2, **fault)
    assert loops.events.send("signup", email="ada@acme.example").success
    assert met.met == 2
    inbox.wait_for(to="ada@acme.example")
    inbox.assert_empty()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param({"status": 429, "retry_after": 1}, RateLimitError, id="too many"),
        pytest.param({"status": 400, "body": {"success": False, "message": "no"}}, BadRequestError, id="bad"),
        pytest.param({"status": 500}, ServerError, id="broken"),
        pytest.param({"reset": True}, LoopsConnectionError, id="reset"),
        pytest.param({"garbage": True}, UnreadableAnswerError, id="garbage"),
        pytest.param({"delay": 0.5}, LoopsTimeoutError, id="late"),
    ],
)
async def test_the_sdk_says_what_it_was(
    aloops: AsyncLoops, faults: Faults, fault: Mapping[str, Any], error: type[Exception]
) -> None:
    """Once there are no more tries."""
    faults.on(SEND, **fault)
    with pytest.raises(error):
        await aloops.with_options(max_retries=0, timeout=0.2).events.send("signup", email="a@acme.example")


def test_the_outbox_gets_over_it(loops_env: Team, faults: Faults, tmp_path: Path) -> None:
    """Without waiting, either."""
    met = faults.on(SEND, times=3, status=503)
    with Outbox(tmp_path / "outbox.db") as outbox:
        outbox.send("signup", email="ada@acme.example")
        assert outbox.drain(timedelta(seconds=5))
    assert met.met == 3


def test_any_client_sees_them(loops_team: Team, faults: Faults) -> None:
    """By either root of the API, and by patterns of paths."""
    faults.on("GET /v1/event-patterns/{eventName}", status=418, body={"success": False, "message": "tea"})
    faults.on("POST /v1/events/send", status=429, retry_after=1.5)
    faults.on("POST /v1/events/send", garbage=True)
    faults.on("POST /v1/events/send", reset=True)
    headers = {"Authorization": f"Bearer {loops_team.api_key}"}
    tea = requests.get(f"{loops_team.base_url}/v1/event-patterns/signup", headers=headers, timeout=5)
    assert (tea.status_code, tea.json()["message"]) == (418, "tea")
    event = {"eventName": "signup", "email": "ada@acme.example"}
    root = loops_team.base_url.removesuffix("/api")
    many = requests.post(f"{root}/v1/events/send", json=event, headers=headers, timeout=5)
    assert (many.status_code, many.headers["retry-after"]) == (429, "1.5")
    garbage = requests.post(f"{root}/v1/events/send", json=event, headers=headers, timeout=5)
    with pytest.raises(requests.JSONDecodeError):
        garbage.json()
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{root}/v1/events/send", json=event, headers=headers, timeout=5)
    assert requests.post(f"{root}/v1/events/send", json=event, headers=headers, timeout=5).ok


@pytest.mark.usefixtures("month")
def test_mail_servers_say_no(loops: Loops, faults: Faults, inbox: Inbox, clock: Clock) -> None:
    """For a while, and the email goes again; for good, and the contact is unsubscribed."""
    faults.smtp("slow.example", "450 4.2.1 try again later")
    faults.smtp("gone.example", "550 5.1.1 no such user")
    for email in ("ada@slow.example", "ben@gone.example"):
        loops.events.send("signup", email=email)
    inbox.assert_empty()
    clock.advance(minutes=1)
    assert inbox.wait_for().to == "ada@slow.example"
    clock.advance(days=31)
    assert {email.to for email in inbox.emails} == {"ada@slow.example"}
    contact = loops.contacts.find(email="ben@gone.example")
    assert contact is not None
    assert not contact.subscribed


@pytest.mark.unmet_faults
@pytest.mark.parametrize(
    ("route", "given", "told"),
    [
        ("events/send", {"status": 500}, "method and a path"),
        (SEND, {}, "Say what is to happen"),
        (SEND, {"status": 200}, "400 to 599"),
        (SEND, {"status": 500, "reset": True}, "one of status, reset and garbage"),
        (SEND, {"garbage": True, "retry_after": 1}, "go with a status"),
        (SEND, {"status": 500, "times": 0}, "1 or more"),
        (SEND, {"delay": -1}, "0 or more"),
        (SEND, {"status": 429, "retry_after": -1}, "0 or more"),
    ],
)
def test_a_fault_that_is_none_is_refused(
    faults: Faults, route: str, given: Mapping[str, Any], told: str
) -> None:
    """With what to give instead."""
    with pytest.raises(TestServerError, match=told):
        faults.on(route, **given)
    for domain in ("", "ada@slow.example"):
        with pytest.raises(TestServerError, match="behind the @"):
            faults.smtp(domain, "450 later")
    with pytest.raises(TestServerError, match="begins with 4 or 5"):
        faults.smtp("acme.example", "250 OK")
