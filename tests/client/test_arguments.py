"""Arguments of the wrong type or range, in both colours: one sentence that names the argument and what to
give, as an error of ours, and nothing is sent.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import numpy
import pytest
import requests
from django.utils.safestring import SafeString
from pydantic import SecretStr

from loopwright import (
    AsyncLoops,
    Attachment,
    Between,
    ConfigurationError,
    HttpRequest,
    HttpResponse,
    Limits,
    Loops,
    LoopsError,
    Outbox,
    Page,
    Scheduling,
    Timeout,
    TimerActionPayload,
)
from loopwright.client.call import argument_of
from loopwright.client.lazy import lazy
from loopwright.errors import ArgumentError, ArgumentTypeError, ArgumentValueError
from loopwright.wire.operations import OPERATIONS
from support.faulty import FaultyServer, Handle

Serve = Callable[..., FaultyServer]
Client = Loops | AsyncLoops

COLOURS = [Loops, AsyncLoops]
IDS = {
    argument_of(name)
    for operation in OPERATIONS
    for name in re.findall(r"\{(\w+)\}", operation.path)
    if name != "eventName"
}
PAGE = Page[str](data=["a"])


class Own:
    """A transport of the user's own, sync."""

    def send(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {}, b'{"success":true}')


class AsyncOwn:
    """The same for asyncio."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {}, b'{"success":true}')


async def carry_out(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
    """Call a method of either colour to its end."""
    outcome = call(*arguments, **keywords)
    if inspect.isawaitable(outcome):
        await outcome


def is_one_sentence(text: str) -> bool:
    return "\n" not in text and "Traceback" not in text and len(text) < 250


SETTINGS: list[tuple[str, Any, str]] = [
    ("timeout", "5", "timeout is a number of seconds, None or a Timeout, not str"),
    ("timeout", True, "timeout is a number of seconds, None or a Timeout, not bool"),
    ("timeout", (2, 30), "timeout is a number of seconds, None or a Timeout, not tuple"),
    ("timeout", timedelta(seconds=2), "timeout is a number of seconds, None or a Timeout, not timedelta"),
    ("timeout", -1, "timeout is more than 0 seconds, not -1; None waits for ever"),
    ("timeout", 0, "timeout is more than 0 seconds, not 0; None waits for ever"),
    ("timeout", float("nan"), "timeout is more than 0 seconds, not nan; None waits for ever"),
    ("timeout", float("inf"), "timeout is more than 0 seconds, not inf; None waits for ever"),
    ("max_retries", True, "max_retries is a whole number, not bool"),
    ("max_retries", "2", "max_retries is a whole number, not str; give int(max_retries)"),
    ("max_retries", None, "max_retries is a whole number, not None"),
    ("max_retries", 1.5, "max_retries is a whole number, not float"),
    ("max_retries", -1, "max_retries is 0 or more, not -1"),
    ("headers", "X-Team: growth", "headers is a mapping such as"),
    ("headers", {"X-Team": 5}, "header 'X-Team' is text, not int"),
    ("headers", {"X-Team": None}, "header 'X-Team' is text, not None"),
    ("headers", {"X-Team": SecretStr("s")}, "header 'X-Team' is text, not SecretStr; give its get_secret"),
    ("headers", {5: "growth"}, "a header's name is text, not int"),
    ("headers", {"X Team": "growth"}, "header 'X Team' cannot be sent"),
    ("headers", {"X-Team": "a\r\nb: c"}, "header 'X-Team' cannot be sent"),
    ("headers", {"X-Team": "\u6210\u9577"}, "header 'X-Team' cannot be sent"),
    ("headers", {"X-Team": " growth "}, "header 'X-Team' cannot be sent"),
]  # fmt: skip


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("name", "value", "says"), SETTINGS)
async def test_settings_of_a_client_a_copy_and_a_call(
    serve: Serve, colour: type[Client], name: str, value: Any, says: str
) -> None:
    """They take the same, and refuse the same in the same words."""
    server = serve()
    loops = colour("key", base_url=server.url)
    for call in (
        lambda: colour("key", **{name: value}),
        lambda: loops.with_options(**{name: value}),
        lambda: loops.events.send("x", user_id="u", **{name: value}),
        lambda: loops.campaigns.list(**{name: value}),
    ):
        with pytest.raises(ConfigurationError) as caught:
            await carry_out(call)
        assert str(caught.value).startswith(says)
        assert is_one_sentence(str(caught.value))
    assert not server.requests


@pytest.mark.parametrize("phase", ["connect", "read", "write", "pool", "total"])
def test_every_phase_of_a_timeout_is_looked_at(phase: str) -> None:
    """When it is made, not in the middle of a call."""
    wrong: list[Any] = ["5", True, -1, float("nan")]
    for value in wrong:
        with pytest.raises(ConfigurationError, match=f"timeout's {phase} is "):
            Timeout(**{phase: value})
    right: list[Any] = [None, 0.5, 5, numpy.float64(2), numpy.int64(2)]
    for value in right:
        assert getattr(Timeout(**{phase: value}), phase) == value


MAKING: list[tuple[str, Any, str]] = [
    ("api_key", SecretStr("key"), "api_key is text, not SecretStr; give its get_secret_value()"),
    ("api_key", b"key", "api_key is text, not bytes; give its decode()"),
    ("api_key", 5, "api_key is text, not int"),
    ("api_key", '"0123abcd"', "the API key has quotes around it or a blank in it"),
    ("api_key", "0123abcd'", "the API key has quotes around it or a blank in it"),
    ("api_key", "Bearer 0123abcd", "the API key has quotes around it or a blank in it"),
    ("base_url", "localhost:5667", "base_url 'localhost:5667' is not a web address; give one such as http"),
    ("base_url", "http://localhost:port", "base_url 'http://localhost:port' is not a web address"),
    ("base_url", "http://[::1", "base_url 'http://[::1' is not a web address"),
    ("base_url", "http://h/api?team=1", "base_url 'http://h/api?team=1' has more than scheme, host and path"),
    ("base_url", "http://h/api?", "base_url 'http://h/api?' has more than scheme, host and path"),
    ("base_url", b"http://h", "base_url is text such as 'https://app.loops.so/api', not bytes"),
    ("base_url", httpx2.URL("http://h"), "base_url is text such as 'https://app.loops.so/api', not URL"),
    ("verify", "missing.pem", "verify names 'missing.pem', which is no file of certificates in PEM form"),
    ("verify", 5, "verify is True, False, the path of a PEM file or folder, or an ssl."),
    ("verify", None, "verify is True, False, the path of a PEM file or folder, or an ssl."),
    ("proxy", {"https": "http://p"}, "the argument proxy is one address, such as http://"),
    ("limits", 5, "limits is a Limits, not int"),
    ("pacing", "no", "pacing is True or False, not str"),
    ("transport", "curl", 'transport is "httpx2", "pyreqwest", an httpx2 client or an object with a send'),
    ("transport", 5, 'transport is "httpx2", "pyreqwest", an httpx2 client or an object with a send'),
    ("transport", Own, "transport is "),
    ("transport", requests.Session(), "transport is "),
]  # fmt: skip


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("name", "value", "says"), MAKING)
def test_what_a_client_cannot_be_made_of(colour: type[Client], name: str, value: Any, says: str) -> None:
    """Said when it is made, and never what a secret says."""
    with pytest.raises(ConfigurationError) as caught:
        colour(**{"api_key": "key", name: value})
    assert str(caught.value).startswith(says)
    assert is_one_sentence(str(caught.value))


def test_a_wrong_address_in_the_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not given a `base_url` would look for it in vain."""
    monkeypatch.setenv("LOOPS_BASE_URL", '"http://h/api"')
    with pytest.raises(ConfigurationError, match=r"^LOOPS_BASE_URL '.*' is not a web address"):
        Loops("key")
    monkeypatch.setenv("LOOPS_BASE_URL", " ")
    assert "app.loops.so" in repr(Loops("key"))


def test_a_session_of_another_library_is_named() -> None:
    """It has a `send`, and it is another one."""
    with pytest.raises(ConfigurationError, match=r"not requests\.sessions\.Session; leave it out"):
        Loops("key", transport=requests.Session())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("colour", "transport", "says"),
    [
        (Loops, httpx2.AsyncClient(), r"transport is AsyncClient, and Loops needs httpx2\.Client"),
        (AsyncLoops, httpx2.Client(), r"transport is Client, and AsyncLoops needs httpx2\.AsyncClient"),
        (Loops, AsyncOwn(), "transport AsyncOwn is of the other colour: Loops needs one with `def send`"),
        (
            AsyncLoops,
            Own(),
            "transport Own is of the other colour: AsyncLoops needs .* `async def send`",
        ),
    ],
)
def test_a_transport_of_the_other_colour(colour: type[Client], transport: Any, says: str) -> None:
    """It would fail in the middle of a call, or send and never be awaited."""
    with pytest.raises(ConfigurationError, match=says):
        colour("key", transport=transport)


async def test_transports_of_the_right_colour_are_taken() -> None:
    """Whatever else they are."""
    assert Loops("key", transport=Own()).events.send("x", user_id="u").success
    accepted = await AsyncLoops("key", transport=AsyncOwn()).events.send("x", user_id="u")
    assert accepted.success


def test_a_path_is_trusted_as_its_text_is(authority: Path, tls_server: FaultyServer) -> None:
    """`verify` takes both; one that was passed over would trust the wrong authorities."""
    for verify in (authority, str(authority)):
        with Loops("key", base_url=tls_server.url, verify=verify, limits=Limits()) as loops:
            assert loops.events.send("x", user_id="u").success


CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("events.send", {"name": None, "user_id": "u"}, "name is text, not None"),
    ("events.send", {"name": 5, "user_id": "u"}, "name is text, not int; give str(name)"),
    ("events.send", {"name": " ", "user_id": "u"}, "name is empty"),
    ("events.send", {"name": "x", "email": 5}, "email is text, not int"),
    ("events.send", {"name": "x", "email": ["a@example.com"]}, "email is text, not list"),
    ("events.send", {"name": "x", "email": SecretStr("a")}, "email is text, not SecretStr"),
    ("events.send", {"name": "x", "email": float("nan"), "user_id": "u"}, "email is text, not float"),
    ("events.send", {"name": "x", "user_id": 17}, "user_id is text, not int; give str(user_id)"),
    ("events.send", {"name": "x", "email": "a@example.com", "user_id": 0}, "user_id is text, not int"),
    ("events.send", {"name": "x", "user_id": b"u"}, "user_id is text, not bytes; give its decode()"),
    ("events.send", {"name": "x", "user_id": "u", "idempotency_key": 5}, "idempotency_key is text, not int"),
    ("events.send", {"name": "x", "user_id": "u", "idempotency_key": "a\nb"}, "idempotency_key 'a"),
    ("events.send", {"name": "x", "user_id": "u", "idempotency_key": "\u00e9"}, "idempotency_key '"),
    ("events.send", {"name": "x", "user_id": "u", "mailing_lists": ["l1"]}, "mailing_lists is a mapping"),
    ("events.send", {"name": "x", "user_id": "u", "mailing_lists": []}, "mailing_lists is a mapping"),
    ("events.send", {"name": "x", "user_id": "u", "mailing_lists": "l1"}, "mailing_lists is a mapping"),
    (
        "events.send",
        {"name": "x", "user_id": "u", "mailing_lists": {"l1": "yes"}},
        "mailing_lists['l1'] is True or False",
    ),
    ("events.send", {"name": "x", "user_id": "u", "properties": [("a", 1)]}, "properties is a mapping"),
    ("events.send", {"name": "x", "user_id": "u", "contact": "Ada"}, "contact is a mapping such as"),
    ("events.send", {"name": "x", "user_id": "u", "contact": {"email": "a"}}, "contact has 'email'"),
    ("contacts.create", {"email": None}, "give email, user_id or both"),
    ("contacts.update", {"user_id": "u", "subscribed": None}, "subscribed is True or False, or left out"),
    ("contacts.update", {"user_id": "u", "subscribed": "no"}, "subscribed is True or False, or left out"),
    ("contacts.update", {"user_id": "u", "first_name": ["Ada"]}, "property 'first_name': "),
    (
        "contacts.update",
        {"user_id": "u", "first_name": "Ada", "properties": {"firstName": "Eve"}},
        "properties has 'firstName', which first_name=... gives, too: leave one out",
    ),
    (
        "contacts.create",
        {"email": "a", "subscribed": True, "properties": {"subscribed": False}},
        "properties has 'subscribed', which subscribed=... gives, too",
    ),
    ("contacts.update", {"user_id": "u", "properties": {"mailingLists": {}}}, "property 'mailingLists': "),
    ("contacts.find", {"user_id": 17}, "user_id is text, not int; give str(user_id)"),
    ("contacts.find", {"email": "a@example.com", "user_id": "u"}, "give email or user_id, not both"),
    ("contacts.delete", {}, "give email, user_id or both"),
    ("contact_properties.create", {"name": None, "type": "string"}, "name is text, not None"),
    ("transactional.send", {"transactional_id": None, "email": "a"}, "transactional_id is text, not None"),
    ("transactional.send", {"transactional_id": "t", "email": None}, "email is text, not None"),
    ("transactional.send", {"transactional_id": "t", "email": ""}, "email is empty"),
    (
        "transactional.send",
        {"transactional_id": "t", "email": "a", "data_variables": ["a"]},
        "data_variables is a mapping such as",
    ),
    (
        "transactional.send",
        {"transactional_id": "t", "email": "a", "add_to_audience": "yes"},
        "add_to_audience is True or False, or left out, not str",
    ),
    (
        "transactional.send",
        {"transactional_id": "t", "email": "a", "attachments": ["a.pdf"]},
        "attachments[0] is an Attachment, as Attachment.from_path makes one, not str",
    ),
    (
        "transactional.send",
        {
            "transactional_id": "t",
            "email": "a",
            "attachments": [Attachment(filename="a", content_type="text/plain", data=b"aGk=")],  # type: ignore[arg-type]
        },
        "attachments[0].data is base64 text, as Attachment.from_bytes makes it, not bytes",
    ),
    (
        "transactional.send",
        {"transactional_id": "t", "email": "a", "attachments": Attachment.from_bytes("a.txt", b"a")},
        "attachments is a list of Attachment, not Attachment",
    ),
    ("campaigns.list", {"per_page": "20"}, "per_page is a whole number, not str; give int(per_page)"),
    ("campaigns.list", {"per_page": True}, "per_page is a whole number, not bool"),
    ("campaigns.list", {"per_page": 51}, "per_page is 10 to 50, not 51"),
    ("campaigns.list", {"cursor": PAGE}, "cursor is text, not Page; give its pagination.next_cursor"),
    ("campaigns.list", {"cursor": PAGE.pagination}, "cursor is text, not Pagination; give its next_cursor"),
    ("campaigns.list", {"cursor": 2}, "cursor is text, not int"),
    ("campaigns.create", {"name": None}, "name is text, not None"),
    ("campaigns.create", {"name": "c", "scheduling": {"method": "now"}}, "scheduling is a Scheduling, not"),
    (
        "campaigns.create",
        {"name": "c", "scheduling": Scheduling(method="schedule", timestamp=date(2030, 1, 1))},  # type: ignore[arg-type]
        "scheduling.timestamp: a moment is a datetime, not date",
    ),
    ("campaigns.create", {"name": "c", "audience_filter": object()}, "audience_filter: "),
    ("campaigns.create", {"name": "c", "audience_filter": {"a": [b"x"]}}, "audience_filter.a[0]: "),
    ("campaigns.create", {"name": "c", "mailing_list_id": b"l"}, "mailing_list_id is text, not bytes"),
    ("campaigns.update", {"campaign_id": "c", "name": {"a"}}, "name is text, not set"),
    ("components.update", {"component_id": "c", "lmx": b"<P/>"}, "lmx is text, not bytes; give its decode()"),
    ("contact_properties.create", {"name": "n", "type": b"string"}, "type is text, not bytes"),
    ("contact_properties.list", {"which": None}, "which is text, not None"),
    (
        "email_messages.update",
        {"message_id": "m", "subject": ("a", "b"), "expected_revision_id": None},
        "subject is text, not tuple",
    ),
    (
        "workflows.delete",
        {"workflow_id": "w", "expected_revision_id": b"r"},
        "expected_revision_id is text, not bytes",
    ),
    (
        "workflows.delete",
        {"workflow_id": "w", "expected_revision_id": "r", "confirm_delete": "no"},
        "confirm_delete is True or False",
    ),
    (
        "workflow_nodes.add_branch",
        {"workflow_id": "w", "node_id": "n", "expected_revision_id": PAGE},
        "expected_revision_id is text, not Page",
    ),
    ("campaign_groups.update", {"group_id": "g"}, "nothing to change"),
    ("email_messages.preview", {"message_id": "m", "emails": "a@b.c"}, "emails is a list of texts, not str"),
    ("email_messages.preview", {"message_id": "m", "emails": None}, "emails is a list of texts, not None"),
    ("email_messages.preview", {"message_id": "m", "emails": []}, "emails is empty"),
    ("email_messages.preview", {"message_id": "m", "emails": [5]}, "emails[0] is text, not int"),
    (
        "workflow_nodes.create",
        {"workflow_id": "w", "type_name": "TimerAction", "place": None, "expected_revision_id": None},
        "place is Between, Before or After, not None",
    ),
    (
        "workflow_nodes.update",
        {"workflow_id": "w", "node_id": "n", "payload": {"amount": 2}, "expected_revision_id": None},
        "payload is a payload such as TimerActionPayload, not dict",
    ),
    ("uploads.upload", {"path": 5}, "path is the path of a file, not int"),
    ("uploads.upload", {"path": "\ud800"}, "path holds a NUL or half a character"),
    ("uploads.create", {"content_type": "image/png", "content_length": "5"}, "content_length is a whole"),
    ("uploads.create", {"content_type": "text/plain", "content_length": 5}, "content_type is one of "),
    ("events.send_many", {"events": [], "at_once": "8"}, "at_once is a whole number, not str"),
    ("events.send_many", {"events": [], "at_once": 0}, "at_once is 1 or more, not 0"),
]  # fmt: skip


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("method", "arguments", "says"), CALLS)
async def test_arguments_of_calls(
    serve: Serve, colour: type[Client], method: str, arguments: dict[str, Any], says: str
) -> None:
    """Each is an `ArgumentError`, and Python's own `ValueError` or `TypeError` too."""
    server = serve()
    resource, name = method.split(".")
    loops = colour("key", base_url=server.url)
    with pytest.raises(ArgumentError) as caught:
        await carry_out(getattr(getattr(loops, resource), name), **arguments)
    assert str(caught.value).startswith(says)
    assert is_one_sentence(str(caught.value))
    assert isinstance(caught.value, (ValueError, TypeError))
    assert not server.requests


GOOD: dict[str, Any] = {
    "place": Between(from_node_id="a", to_node_id="b"),
    "payload": TimerActionPayload(amount=2),
    "emails": ["a@example.com"],
}


def required(method: Callable[..., Any]) -> list[str]:
    """The arguments a method wants."""
    parameters = inspect.signature(method).parameters.values()
    optional = inspect.Parameter.VAR_KEYWORD
    return [one.name for one in parameters if one.default is one.empty and one.kind is not optional]


def test_ids_in_paths(serve: Serve) -> None:
    """Each is named as the method calls it, whatever the API calls it."""
    server = serve()
    loops = Loops("key", base_url=server.url)
    wrong: list[tuple[Any, str]] = [
        (5, "is text, not int; give str"),
        (None, "is text, not None"),
        ("", "is empty"),
        ("..", "is empty but for dots: '..'"),
        (PAGE, "is text, not Page"),
    ]
    seen = 0
    for resource in [name for name, member in vars(Loops).items() if isinstance(member, lazy)]:
        owner = getattr(loops, resource)
        for name in [name for name in vars(type(owner)) if not name.startswith("_")]:
            if (resource, name) == ("transactional", "send"):
                continue  # its id is in the body
            method = getattr(owner, name)
            names = [one for one in required(method) if one in IDS]
            good = {one: GOOD.get(one, "x") for one in required(method)}
            if "name" in inspect.signature(method).parameters:
                good["name"] = "x"
            for one, (value, says) in product(names, wrong):
                seen += 1
                with pytest.raises(ArgumentError, match=f"^{one} {says}"):
                    method(**{**good, one: value})
    assert seen >= 25 * len(wrong)
    assert not server.requests


async def test_what_stands_for_text_is_text(serve: Serve) -> None:
    """Subclasses of text and UUIDs, wherever text goes."""
    server = serve(Handle(body=b'{"success":true,"id":"c1"}'))
    key = UUID(int=1)
    async with AsyncLoops(SafeString("key"), base_url=SafeString(server.url)) as loops:
        await loops.events.send(
            SafeString("x"), email=SafeString("a@example.com"), user_id=UUID(int=2), idempotency_key=key  # type: ignore[arg-type]
        )  # fmt: skip
        await loops.contacts.update(user_id=UUID(int=2), subscribed=numpy.bool_(False))  # type: ignore[arg-type]
        await loops.contacts.create(SafeString("a@example.com"), mailing_lists={"l1": numpy.bool_(True)})  # type: ignore[dict-item]
        await loops.transactional.send(SafeString("t1"), email=SafeString("a@example.com"))
    assert [request.json for request in server.requests] == [
        {"eventName": "x", "email": "a@example.com", "userId": str(UUID(int=2))},
        {"userId": str(UUID(int=2)), "subscribed": False},
        {"email": "a@example.com", "mailingLists": {"l1": True}},
        {"transactionalId": "t1", "email": "a@example.com"},
    ]
    assert server.requests[0].headers["idempotency-key"] == str(key)


OUTBOX: list[tuple[str, Any, str]] = [
    ("path", 5, "path is the path of a file, not int"),
    ("path", "", "path is empty"),
    ("path", "a\0b", "path holds a NUL or half a character"),
    ("path", ":memory:", "path ':memory:' is SQLite's for no plain file"),
    ("path", "file:events.db?mode=ro", "path 'file:events.db?mode=ro' is SQLite's"),
    ("loops", AsyncLoops("key"), "loops is a Loops, not AsyncLoops"),
    ("loops", "key", "loops is a Loops, not str"),
    ("parallel", "2", "parallel is a whole number, not str"),
    ("parallel", 0, "parallel is 1 or more, not 0"),
    ("drain", "5", "drain is a number of seconds, not str"),
    ("drain", timedelta(seconds=5), "drain is a number of seconds, not timedelta"),
    ("drain", -1, "drain is 0 seconds or more, not -1"),
]


@pytest.mark.parametrize(("name", "value", "says"), OUTBOX)
def test_what_an_outbox_cannot_be_made_of(tmp_path: Path, name: str, value: Any, says: str) -> None:
    """A client of the other colour would take every event and send none."""
    with pytest.raises(ArgumentError) as caught:
        Outbox(**{"path": tmp_path / "events.db", "loops": Loops("key"), name: value})
    assert str(caught.value).startswith(says)
    assert not (tmp_path / "events.db").exists()


def test_arguments_of_an_outbox(serve: Serve, tmp_path: Path) -> None:
    """What `events.send` refuses is refused here in the same words, and nothing is kept."""
    with Outbox(tmp_path / "events.db", loops=Loops("key", base_url=serve().url), drain=0) as outbox:
        for method, arguments, says in CALLS:
            if method == "events.send" and "idempotency_key" not in arguments:
                with pytest.raises(ArgumentError) as caught:
                    outbox.send(**arguments)
                assert str(caught.value).startswith(says)
        with pytest.raises(ArgumentValueError, match="'first_name', which the API calls 'firstName'"):
            outbox.send("x", user_id="u", contact={"first_name": "Ada"})
        with pytest.raises(ArgumentValueError, match=r"properties\.p: it holds half a surrogate"):
            outbox.send("x", user_id="u", properties={"p": "\ud83d"})
        wrong: Any = 5
        with pytest.raises(ArgumentTypeError, match="within is a timedelta"):
            outbox.drain(wrong)
        with pytest.raises(ArgumentTypeError, match="letters is an iterable of dead letters"):
            outbox.retry(wrong)
        with pytest.raises(ArgumentTypeError, match="letters is an iterable of dead letters"):
            outbox.discard([wrong])
        assert outbox.status().depth == 0


def test_the_errors_are_two_things() -> None:
    """Caught by those who know us, and by those who know Python."""
    assert issubclass(ArgumentError, LoopsError)
    assert issubclass(ArgumentValueError, ArgumentError)
    assert issubclass(ArgumentValueError, ValueError)
    assert issubclass(ArgumentTypeError, ArgumentError)
    assert issubclass(ArgumentTypeError, TypeError)
