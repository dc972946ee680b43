"""Keywords that a method does not have, in both colours, the outbox included: refused before any request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loopwright import AsyncLoops, Loops, LoopsError, Outbox
from loopwright.client.keywords import strict_class, suggest
from loopwright.client.lazy import lazy
from loopwright.errors import ArgumentTypeError
from support.faulty import FaultyServer, Handle

Serve = Callable[..., FaultyServer]
Client = Loops | AsyncLoops

OPTIONS = ["timeout", "max_retries", "headers"]


def public(owner: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, member in vars(owner).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            yield name, member


def resources(client: type[Client]) -> list[str]:
    return [name for name, member in vars(client).items() if isinstance(member, lazy)]


EVERYTHING = [(colour, resource) for colour in (Loops, AsyncLoops) for resource in resources(colour)]


async def refusal(call: Callable[..., Any], **keywords: Any) -> str:
    """What a call is refused with, whatever its colour."""

    async def carry_out() -> None:
        outcome = call(**keywords)
        if inspect.isawaitable(outcome):
            await outcome

    with pytest.raises(TypeError) as caught:
        await carry_out()
    assert isinstance(caught.value, LoopsError)
    assert isinstance(caught.value, ArgumentTypeError)
    return str(caught.value)


def arguments_of(method: Callable[..., Any]) -> list[str]:
    """The names of a method's arguments, beside the options of a call."""
    parameters = inspect.signature(method).parameters.values()
    return [one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_the_walk_meets_everything() -> None:
    """Both colours have the same, and more than 70 methods of them."""
    met = {
        colour: [
            (resource, name)
            for resource in resources(colour)
            for name, _ in public(type(getattr(colour("key"), resource)))
        ]
        for colour in (Loops, AsyncLoops)
    }
    assert met[Loops] == met[AsyncLoops]
    assert len(met[Loops]) >= 70


@pytest.mark.parametrize(("colour", "resource"), EVERYTHING)
async def test_every_method_refuses_what_it_does_not_take(
    serve: Serve, colour: type[Client], resource: str
) -> None:
    """Strangers, its own arguments as the API and other clients spell them, and options with a slip."""
    server = serve()
    owner = getattr(colour("key", base_url=server.url), resource)
    for name, _ in public(type(owner)):
        method = getattr(owner, name)
        known = arguments_of(method) + OPTIONS
        assert await refusal(method, zzzz=1) == (
            f"{name}() got an unexpected keyword argument 'zzzz'; it takes {', '.join(known)}"
        )
        spelled = {camel(argument): argument for argument in known if camel(argument) != argument}
        for slip, meant in ({"max_retires": "max_retries", "header": "headers"} | spelled).items():
            assert await refusal(method, **{slip: 1}) == (
                f"{name}() got an unexpected keyword argument {slip!r}; did you mean {meant}?"
            )
    assert not server.requests
    assert not server.asked


@pytest.mark.parametrize("colour", [Loops, AsyncLoops])
@pytest.mark.parametrize(
    ("method", "slip", "meant"),
    [
        ("events.send", "event_properties", "properties"),
        ("events.send", "eventProperties", "properties"),
        ("events.send", "props", "properties"),
        ("events.send", "contact_properties", "contact"),
        ("events.send", "contactProperties", "contact"),
        ("events.send", "mailingLists", "mailing_lists"),
        ("events.send", "lists", "mailing_lists"),
        ("events.send", "idempotencyKey", "idempotency_key"),
        ("events.send", "idempotency", "idempotency_key"),
        ("events.send", "userId", "user_id"),
        ("events.send", "uid", "user_id"),
        ("events.send", "emial", "email"),
        ("events.send", "eventName", "name"),
        ("events.send", "event", "name"),
        ("events.send", "retries", "max_retries"),
        ("events.send", "firstName", 'contact={"firstName": ...}'),
        ("events.send", "first_name", 'contact={"firstName": ...}'),
        ("events.send", "userGroup", 'contact={"userGroup": ...}'),
        ("events.send_many", "concurrency", "at_once"),
        ("contacts.update", "subscribe", "subscribed"),
        ("contacts.update", "unsubscribe", "subscribed=False"),
        ("contacts.update", "firstName", "first_name"),
        ("contacts.update", "contact_properties", "properties"),
        ("contacts.update", "notes", 'properties={"notes": ...}'),
        ("contacts.create", "optInStatus", 'properties={"optInStatus": ...}'),
        ("contacts.find", "id", "user_id"),
        ("transactional.send", "dataVariables", "data_variables"),
        ("transactional.send", "variables", "data_variables"),
        ("transactional.send", "to", "email"),
        ("transactional.send", "template_id", "transactional_id"),
        ("email_messages.get", "emailMessageId", "message_id"),
        ("email_messages.update", "html", "lmx"),
        ("email_messages.update", "contentRevisionId", "expected_revision_id"),
        ("campaign_groups.get", "campaignGroupId", "group_id"),
        ("campaigns.list", "limit", "per_page"),
        ("campaigns.list", "page", "cursor"),
        ("workflows.get", "id", "workflow_id"),
        ("workflow_nodes.create", "nodeTypeName", "type_name"),
    ],
)
async def test_what_was_meant(colour: type[Client], method: str, slip: str, meant: str) -> None:
    """The names of the API's JSON and of other clients are known."""
    resource, name = method.split(".")
    said = await refusal(getattr(getattr(colour("key"), resource), name), **{slip: 1})
    assert said == f"{name}() got an unexpected keyword argument {slip!r}; did you mean {meant}?"


@pytest.mark.parametrize("colour", [Loops, AsyncLoops])
@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("max_retires", "max_retries"),
        ("apiKey", "api_key"),
        ("token", "api_key"),
        ("baseUrl", "base_url"),
        ("url", "base_url"),
        ("http_client", "transport"),
        ("proxies", "proxy"),
        ("request_timeout", "timeout"),
    ],
)
async def test_a_client_is_not_made_with_a_slip(colour: type[Client], slip: str, meant: str) -> None:
    """Nor is its copy."""
    said = await refusal(colour, **{"api_key": "key", slip: 1})
    assert said == f"{colour.__name__}() got an unexpected keyword argument {slip!r}; did you mean {meant}?"
    if meant in arguments_of(colour.with_options):
        said = await refusal(colour("key").with_options, **{slip: 1})
        assert said.startswith(
            f"with_options() got an unexpected keyword argument {slip!r}; did you mean {meant}"
        )


async def test_the_outbox_refuses_what_it_does_not_take(serve: Serve, tmp_path: Path) -> None:
    """Its making and every method, before anything is stored."""
    loops = Loops("key", base_url=serve().url)
    said = await refusal(Outbox, path=tmp_path / "never.db", client=loops)
    assert said == "Outbox() got an unexpected keyword argument 'client'; did you mean loops?"
    assert not (tmp_path / "never.db").exists()
    with Outbox(tmp_path / "events.db", loops=loops) as outbox:
        for name, _ in public(Outbox):
            assert f"{name}() got an unexpected keyword argument 'zzzz'" in await refusal(
                getattr(outbox, name), zzzz=1
            )
        for name in ("send", "asend"):
            said = await refusal(getattr(outbox, name), name="x", user_id="u", event_properties={})
            assert said.endswith("'event_properties'; did you mean properties?")
        assert outbox.status().depth == 0


@pytest.mark.parametrize("colour", [Loops, AsyncLoops])
async def test_items_are_looked_at_as_well(serve: Serve, colour: type[Client]) -> None:
    """A slip in one item is that item's error, of the same words; the others go out."""
    server = serve(Handle(body=b'{"success":true,"id":"c1"}'))
    client = colour("key", base_url=server.url)
    events: list[Any] = [
        {"name": "x", "user_id": "u", "eventProperties": {"plan": "pro"}},
        {"name": "x", "user_id": "u"},
        {"user_id": "u"},
        "ada@example.com",
    ]
    contacts: list[Any] = [{"user_id": "u", "subscribe": False}, {"user_id": "u"}]
    said = await errors(client.events.send_many(events)) + await errors(client.contacts.update_many(contacts))
    closing = client.close()
    if closing is not None:
        await closing
    assert said == [
        "send() got an unexpected keyword argument 'eventProperties'; did you mean properties?",
        None,
        "send() lacks its argument name",
        "an item is a mapping of the arguments of send, not str",
        "update() got an unexpected keyword argument 'subscribe'; did you mean subscribed?",
        None,
    ]
    assert [request.json for request in server.requests] == [
        {"eventName": "x", "userId": "u"},
        {"userId": "u"},
    ]


async def errors(outcomes: Any) -> list[str | None]:
    """What became of each item of either colour."""
    all_ = list(outcomes) if isinstance(outcomes, Iterator) else [outcome async for outcome in outcomes]
    assert all(outcome.error is None or isinstance(outcome.error, LoopsError) for outcome in all_)
    return [outcome.error and str(outcome.error) for outcome in all_]


@pytest.mark.parametrize("colour", [Loops, AsyncLoops])
@pytest.mark.parametrize("items", [{"name": "x", "user_id": "u"}, "x", b"x", 5, None])
def test_one_thing_is_not_many(colour: type[Client], items: Any) -> None:
    """A single mapping would be read as its keys."""
    with pytest.raises(ArgumentTypeError, match=r"events\.send_many takes is an iterable of mappings"):
        colour("key").events.send_many(items)
    with pytest.raises(ArgumentTypeError, match=r"contacts\.update_many takes is an iterable of mappings"):
        colour("key").contacts.update_many(items)


def test_a_new_resource_needs_to_do_nothing() -> None:
    """Whatever a client has as a resource is strict, and its methods are what they were."""

    class Fresh:
        def plain(self, name: str, *, size: int = 0) -> str:
            """Says something."""
            return f"{name} {size}"

        async def awaited(self, name: str, **options: Any) -> str:
            return name

    class Owner:
        @lazy
        def fresh(self) -> Fresh:
            return Fresh()

    fresh = Owner().fresh
    assert Owner().fresh.plain("a", size=2) == "a 2"
    assert fresh.plain.__doc__ == "Says something."
    assert inspect.iscoroutinefunction(fresh.awaited)
    assert not inspect.iscoroutinefunction(fresh.plain)
    with pytest.raises(ArgumentTypeError, match="did you mean size"):
        fresh.plain("a", sise=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'name'"):
        fresh.plain()  # type: ignore[call-arg]
    assert strict_class(Fresh).plain is Fresh.plain


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        pytest.param("Plan", ["plan"], "plan", id="case"),
        pytest.param("plan", ["subscribed"], None, id="nothing alike"),
        pytest.param("email_address", ["emails", "message_id"], "emails", id="another's word"),
        pytest.param("key", ["api_key", "idempotency_key"], "api_key", id="the first that is there"),
        pytest.param("key", ["idempotency_key"], "idempotency_key", id="else the next"),
    ],
)
def test_suggestions(name: str, known: list[str], meant: str | None) -> None:
    """By letters, by what others call it, by what is alike."""
    assert suggest(name, known) == meant
