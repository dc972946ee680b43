"""Operations and methods match one to one, and both match the published contract."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
import pytest

from loopwright import AsyncLoops, HttpRequest, HttpResponse, Loops
from loopwright.server.http.openapi import CONTRACT_VERSION
from loopwright.wire.operations import OPERATIONS, Operation
from support.contract import mended
from support.samples import ADDITIONS, SAMPLES
from support.schema_examples import examples

BY_ID = {operation.id: operation for operation in OPERATIONS}

RESOURCES = (
    "api_key",
    "audience_segments",
    "campaign_groups",
    "campaigns",
    "components",
    "contact_properties",
    "contacts",
    "dedicated_sending_ips",
    "email_messages",
    "event_patterns",
    "events",
    "mailing_lists",
    "themes",
    "transactional",
    "transactional_emails",
    "transactional_groups",
    "uploads",
    "workflow_groups",
    "workflow_nodes",
    "workflows",
)


class Recorder:
    """Notes the request and leaves the answer out."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return HttpResponse(418, {}, b"")


def public_methods(resource: object) -> set[str]:
    return {name for name, _ in inspect.getmembers(resource, callable) if not name.startswith("_")}


def resources(client: object) -> set[str]:
    members = {name: getattr(type(client), name) for name in dir(type(client)) if not name.startswith("_")}
    return {name for name, one in members.items() if not callable(one) and not isinstance(one, property)}


def record(method: str) -> HttpRequest:
    """The request that a method makes of its sample arguments."""
    recorder = Recorder()
    _, args, kwargs = SAMPLES[method]
    client = Loops("key", base_url="http://loops.invalid/api", transport=recorder)
    resource, name = method.split(".")
    with pytest.raises(Exception, match="answered 418"):
        getattr(getattr(client, resource), name)(*args, **kwargs)
    (request,) = recorder.requests
    return request


def path_of(request: HttpRequest) -> str:
    return urlsplit(request.url).path.removeprefix("/api")


@pytest.fixture(scope="module")
def contract() -> Any:
    return mended()


@pytest.mark.parametrize("method", SAMPLES)
def test_a_method_carries_out_its_operation(method: str) -> None:
    """Method and path of the request are those of the operations table."""
    operation = BY_ID[SAMPLES[method][0]]
    request = record(method)
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation.path))
    assert request.method == operation.method
    assert re.fullmatch(pattern, path_of(request))


def test_every_operation_has_exactly_one_method() -> None:
    """Nothing is missing, nothing is there twice."""
    ids = [operation_id for operation_id, _, _ in SAMPLES.values()]
    assert sorted(ids) == sorted(operation.id for operation in OPERATIONS)


def test_every_method_is_an_operation() -> None:
    """All public methods of all resources are in the samples, but for the additions that are told."""
    client = Loops("key", transport=Recorder())
    assert resources(client) == set(RESOURCES)
    methods = {f"{name}.{method}" for name in RESOURCES for method in public_methods(getattr(client, name))}
    iterators = {method for method in methods if method.endswith(".iterate")}
    assert methods - iterators - ADDITIONS == set(SAMPLES)
    assert methods >= ADDITIONS


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_colours_take_the_same_arguments(resource: str) -> None:
    """Sync and async differ in `async` alone."""
    sync = getattr(Loops("key", transport=Recorder()), resource)
    other = getattr(AsyncLoops("key"), resource)
    assert public_methods(sync) == public_methods(other)
    for method in public_methods(sync):
        ours, theirs = (inspect.signature(getattr(side, method)) for side in (sync, other))
        assert list(ours.parameters) == list(theirs.parameters)
        for name, parameter in ours.parameters.items():
            assert parameter.kind == theirs.parameters[name].kind
            assert parameter.default is theirs.parameters[name].default or (
                parameter.default == theirs.parameters[name].default
            )


def test_the_table_is_the_contracts(contract: Any) -> None:
    """All 72 of version 1.22.6."""
    published = {
        (operation["operationId"], method.upper(), path)
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
        if "operationId" in operation
    }
    ours = {(row.id, row.method, row.path) for row in OPERATIONS}
    assert contract["info"]["version"] == CONTRACT_VERSION == "1.22.6"
    assert len(published) == 72
    assert ours == published


def test_the_base_limit_is_enough_for_most() -> None:
    """Events with their patterns, contacts, lists and sending email are no content."""
    base = {
        "api-key",
        "contacts",
        "dedicated-sending-ips",
        "event-patterns",
        "events",
        "lists",
        "transactional",
    }
    assert {row.id for row in OPERATIONS if row.content and row.path.split("/")[2] in base} == set()


def request_schema(contract: Any, operation: Operation) -> Any:
    """The JSON schema of an operation's body, or `None`."""
    described = contract["paths"][operation.path][operation.method.lower()]
    content = described.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return schema and {**schema, "components": contract["components"]}


@pytest.mark.parametrize("method", SAMPLES)
def test_bodies_are_what_the_contract_wants(contract: Any, method: str) -> None:
    """Every sample body validates against the published schema."""
    operation = BY_ID[SAMPLES[method][0]]
    schema = request_schema(contract, operation)
    body = record(method).body
    if schema is None:
        assert body is None
        return
    jsonschema_rs.validator_for(schema).validate(json.loads(body or b"{}"))


def test_names_in_paths_are_quoted() -> None:
    """A name with a slash stays one segment."""
    path = path_of(record("event_patterns.get_by_name"))
    assert path.count("/") == 4
    assert unquote(path.rsplit("/", 1)[1]) == "signed up/äß"


@pytest.mark.parametrize("id_", ["", ".", ".."])
def test_an_id_that_would_name_another_path_never_leaves(id_: str) -> None:
    """`campaigns.get("")` is not the list of campaigns."""
    with pytest.raises(ValueError, match="is empty"):
        Loops("key", transport=Recorder()).campaigns.get(id_)


class Canned:
    """Answers with one status and body."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    def send(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(self.status, {}, self.body)


def answer(method: str, status: int, example: Any) -> Any:
    """What a method makes of an answer, which has no body when there is no example."""
    _, args, kwargs = SAMPLES[method]
    resource, name = method.split(".")
    client = Loops("key", transport=Canned(status, b"" if example is None else json.dumps(example).encode()))
    return getattr(getattr(client, resource), name)(*args, **kwargs)


def answer_examples(contract: Any, method: str) -> tuple[int, list[Any]]:
    operation = BY_ID[SAMPLES[method][0]]
    responses = contract["paths"][operation.path][operation.method.lower()]["responses"]
    status, success = next(one for one in responses.items() if one[0].startswith("2"))
    if "content" not in success:
        return int(status), [None]
    return int(status), examples(success["content"]["application/json"]["schema"], contract)


@pytest.mark.parametrize("method", SAMPLES)
def test_answers_of_the_contract_are_read(contract: Any, method: str) -> None:
    """Whatever the published schema allows as an answer becomes a typed result, unknown fields included."""
    status, found = answer_examples(contract, method)
    assert found
    for example in found:
        if isinstance(example, dict):
            example["fieldOfTomorrow"] = {"a": [1]}
        result = answer(method, status, example)
        assert result is None or result.raw.status == status


@pytest.mark.parametrize("method", ["workflows.get", "workflow_nodes.get", "campaigns.get"])
def test_what_a_later_version_adds_is_set_aside(contract: Any, method: str) -> None:
    """A new status, node or condition does not hide the rest."""
    status, (example, *_) = answer_examples(contract, method)
    if "status" in example:
        example["status"] = "Archived"
    if "nodes" in example:
        example["nodes"] = {"n": {"typeName": "Webhook", "nextNodeIds": ["m"], "url": "x"}}
    if "typeName" in example:
        example["typeName"] = "Webhook"
    if "audienceFilter" in example:
        example["audienceFilter"] = {"match": "all", "conditions": [{"type": "weather", "is": "sunny"}]}
    result = answer(method, status, example)
    assert "Archived" in repr(result) or "Webhook" in repr(result)
    assert "audienceFilter" not in example or "weather" in repr(result)
