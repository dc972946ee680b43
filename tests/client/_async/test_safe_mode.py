"""Safe mode on the wire: what could cause email to anybody else never leaves."""

from collections.abc import Callable
from typing import Any

import pytest

from loopwright import AsyncLoops, ContactUpdate, EventToSend, RecipientNotAllowedError, Scheduling
from support.faulty import FaultyServer, Handle, Reply
from support.spans import recorded_spans

Serve = Callable[..., FaultyServer]
Call = Callable[[AsyncLoops, str], Any]

ALLOWED = ["@acme.example", "ada@example.org"]

CALLS: dict[str, Call] = {
    "events.send": lambda loops, to: loops.events.send("e", email=to),
    "events.send, with a user id": lambda loops, to: loops.events.send("e", email=to, user_id="u"),
    "contacts.create": lambda loops, to: loops.contacts.create(to),
    "contacts.update": lambda loops, to: loops.contacts.update(email=to, first_name="Ada"),
    "transactional.send": lambda loops, to: loops.transactional.send("t1", email=to),
    "email_messages.preview": lambda loops, to: loops.email_messages.preview("m1", ["ada@example.org", to]),
    "email_messages.update, cc": lambda loops, to: loops.email_messages.update("m1", cc_email=to),
    "email_messages.update, bcc": lambda loops, to: loops.email_messages.update("m1", bcc_email=to),
}
every_call = pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in CALLS.items()])


@every_call
async def test_email_to_anybody_else_is_kept_back(serve: Serve, call: Call) -> None:
    """An error of ours, before any request; copies of the client keep to it."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url, allowed_recipients=ALLOWED) as loops:
        for client in (loops, loops.with_options(api_key="other", max_retries=0)):
            for address in ("eve@evil.test", "x@sub.acme.example"):
                with pytest.raises(RecipientNotAllowedError, match="allowed_recipients"):
                    await call(client, address)
    assert server.requests == []


@every_call
async def test_email_to_those_named_goes_out(serve: Serve, call: Call) -> None:
    server = serve(Reply(404))
    async with AsyncLoops("key", base_url=server.url, allowed_recipients=ALLOWED, max_retries=0) as loops:
        for address in ("anybody@acme.example", "Ada@Example.org"):
            with pytest.raises(Exception, match="answered 404"):
                await call(loops, address)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda loops: loops.events.send("e", user_id="u"), id="event by user id"),
        pytest.param(lambda loops: loops.contacts.update(user_id="u"), id="contact by user id"),
        pytest.param(
            lambda loops: loops.campaigns.create("c", scheduling=Scheduling(method="now")), id="campaign"
        ),
        pytest.param(
            lambda loops: loops.campaigns.update("c1", scheduling=Scheduling(method="now")), id="its update"
        ),
    ],
)
async def test_recipients_that_nobody_knows_are_kept_back(serve: Serve, call: Callable[..., Any]) -> None:
    """A user id, or an audience, may stand for any address."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url, allowed_recipients=ALLOWED) as loops:
        with pytest.raises(RecipientNotAllowedError, match="not known here"):
            await call(loops)
    assert server.requests == []


async def test_what_causes_no_email_is_free(serve: Serve) -> None:
    server = serve(Handle(body=b"[]"), Handle(body=b'{"success":true,"message":"Contact deleted."}'))
    async with AsyncLoops("key", base_url=server.url, allowed_recipients=[]) as loops:
        assert await loops.contacts.find(email="eve@evil.test") is None
        await loops.contacts.delete(email="eve@evil.test")
    assert len(server.requests) == 2


@pytest.mark.parametrize("bulk", [True, False], ids=["in one request", "one by one"])
async def test_many_items_are_looked_at_one_by_one(serve: Serve, bulk: bool) -> None:
    """Those named go out, the others have an error each."""
    server = serve(Handle(body=b'{"success":true,"id":"c1"}'))
    if bulk:
        lines = b'{"line":1,"success":true,"id":"c1"}\n{"line":2,"success":true,"id":"c2"}\n'
        server.elsewhere = Reply(200, lines, {"content-type": "application/x-ndjson"})
    emails = ["ada@example.org", "eve@evil.test", "bob@acme.example"]
    async with AsyncLoops("key", base_url=server.url, allowed_recipients=ALLOWED) as loops:
        events: list[EventToSend] = [{"name": "e", "email": email} for email in emails]
        errors = [type(outcome.error) async for outcome in loops.events.send_many(events)]
        contacts: list[ContactUpdate] = [{"email": email} for email in emails]
        errors += [type(outcome.error) async for outcome in loops.contacts.update_many(contacts)]
    assert errors == [type(None), RecipientNotAllowedError, type(None)] * 2
    assert not any(b"evil.test" in request.body for request in [*server.requests, *server.asked])


async def test_the_variable_is_enough(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a program that nobody wants to change; without a value it allows nobody."""
    server = serve()
    monkeypatch.setenv("LOOPS_ALLOWED_RECIPIENTS", "@acme.example,ada@example.org")
    async with AsyncLoops("key", base_url=server.url) as loops:
        await loops.events.send("e", email="bob@acme.example")
        with pytest.raises(RecipientNotAllowedError):
            await loops.events.send("e", email="eve@evil.test")
    monkeypatch.setenv("LOOPS_ALLOWED_RECIPIENTS", "")
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(RecipientNotAllowedError, match="names nobody"):
            await loops.events.send("e", email="bob@acme.example")
    assert len(server.requests) == 1


async def test_the_address_stays_out_of_log_and_spans(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve()
    with recorded_spans() as spans, caplog.at_level("DEBUG"):
        async with AsyncLoops("key", base_url=server.url, allowed_recipients=ALLOWED) as loops:
            with pytest.raises(RecipientNotAllowedError):
                await loops.events.send("e", email="eve@evil.test")
    assert not any("eve" in line for line in caplog.messages)
    assert not any("eve" in span.to_json() for span in spans)
