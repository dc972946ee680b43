"""The server's own description, OpenAPI 3.1: made from its routes and types, so it says what is there.

GET /openapi.json   and   GET /api/openapi.json      readable without a key
GET /openapi.yaml   and   GET /api/openapi.yaml      the same text: all JSON is YAML 1.2
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.wire import contacts, failures, operations
from loopwright.wire.account import ApiKeyInfo
from loopwright.wire.email_messages import EmailMessage, GuardianReport
from loopwright.wire.event_patterns import EventPattern, EventPatternSummary
from loopwright.wire.events import EventAccepted
from loopwright.wire.limits import KEY_CHARACTERS
from loopwright.wire.lists import MailingList
from loopwright.wire.operations import Operation
from loopwright.wire.paging import Page
from loopwright.wire.transactional import (
    PublishedTransactional,
    TransactionalAccepted,
    TransactionalDraft,
    TransactionalEmail,
)

from . import bodies, inbox
from .failures import PLAIN, SHAPES, Shapes
from .routes import HANDLERS, OWN_PATHS, OWN_ROOT

Schema: TypeAlias = dict[str, Any]

PATHS_AT = {
    "/openapi.json": "application/json",
    "/api/openapi.json": "application/json",
    "/openapi.yaml": "application/yaml",
    "/api/openapi.yaml": "application/yaml",
}
CONTRACT_VERSION = "1.22.6"
EVERYWHERE = (401, 405, 429, 503)
"""What any operation may answer: no key, another method, too fast, and not now."""

REASONS = {
    400: "The request is wrong; the message names the key and says what to send.",
    401: "The API key is missing or opens nothing.",
    404: "There is no such thing in this team.",
    405: "The path has other methods; `Allow` names them.",
    409: "It is there already.",
    413: "The request is too large.",
    415: "The body is compressed.",
    422: "The content cannot become an email; the message names every mistake.",
    429: "Too fast; `Retry-After` says how many seconds to wait.",
    503: "The server cannot do it now; the same request may pass later.",
}
_LIST_QUERY = ("perPage", "cursor")
_WHO_QUERY = ("email", "userId")
_ID = "^[A-Za-z0-9_-]+$"
_PATTERN_PATHS = {"eventPatternId": _ID, "transactionalId": _ID, "emailMessageId": _ID}


class Described(Struct, frozen=True, kw_only=True):
    """An operation as callers see it. `failures` are the statuses beside those any operation may answer."""

    tag: str
    answer: Any
    body: type[Struct] | None = None
    query: Sequence[str] = ()
    status: int = 200
    failures: Sequence[int] = ()


DESCRIBED: Mapping[Operation, Described] = {
    operations.TEST_API_KEY: Described(tag="API key", answer=ApiKeyInfo),
    operations.CREATE_CONTACT: Described(
        tag="Contacts",
        body=bodies.ContactRequest,
        answer=contacts.ContactSaved,
        failures=(400, 409, 413, 415),
    ),
    operations.UPDATE_CONTACT: Described(
        tag="Contacts",
        body=bodies.ContactUpdateRequest,
        answer=contacts.ContactSaved,
        failures=(400, 413, 415),
    ),
    operations.FIND_CONTACT: Described(
        tag="Contacts", query=_WHO_QUERY, answer=list[contacts.Contact], failures=(400,)
    ),
    operations.DELETE_CONTACT: Described(
        tag="Contacts",
        body=bodies.ContactDeleteRequest,
        answer=contacts.ContactDeleted,
        failures=(400, 404, 413, 415),
    ),
    operations.GET_CONTACT_SUPPRESSION: Described(
        tag="Contacts", query=_WHO_QUERY, answer=contacts.SuppressionStatus, failures=(400, 404)
    ),
    operations.REMOVE_CONTACT_SUPPRESSION: Described(
        tag="Contacts", query=_WHO_QUERY, answer=contacts.SuppressionRemoved, failures=(400, 404)
    ),
    operations.LIST_CONTACT_PROPERTIES: Described(
        tag="Contact properties", query=("list",), answer=list[contacts.ContactProperty], failures=(400,)
    ),
    operations.CREATE_CONTACT_PROPERTY: Described(
        tag="Contact properties",
        body=bodies.ContactPropertyCreateRequest,
        answer=contacts.PropertyCreated,
        failures=(400, 413, 415),
    ),
    operations.LIST_MAILING_LISTS: Described(tag="Mailing lists", answer=list[MailingList]),
    operations.SEND_EVENT: Described(
        tag="Events", body=bodies.EventRequest, answer=EventAccepted, failures=(400, 409, 413, 415)
    ),
    operations.LIST_EVENT_PATTERNS: Described(
        tag="Event patterns", query=_LIST_QUERY, answer=Page[EventPatternSummary], failures=(400,)
    ),
    operations.GET_EVENT_PATTERN: Described(tag="Event patterns", answer=EventPattern, failures=(400, 404)),
    operations.GET_EVENT_PATTERN_BY_NAME: Described(
        tag="Event patterns", answer=EventPattern, failures=(400, 404)
    ),
    operations.LIST_PUBLISHED_TRANSACTIONAL_EMAILS: Described(
        tag="Transactional emails", query=_LIST_QUERY, answer=Page[PublishedTransactional], failures=(400,)
    ),
    operations.SEND_TRANSACTIONAL_EMAIL: Described(
        tag="Transactional emails",
        body=bodies.TransactionalRequest,
        answer=TransactionalAccepted,
        failures=(400, 404, 409, 413, 415),
    ),
    operations.LIST_TRANSACTIONAL_EMAILS: Described(
        tag="Transactional emails", query=_LIST_QUERY, answer=Page[TransactionalEmail], failures=(400,)
    ),
    operations.CREATE_TRANSACTIONAL_EMAIL: Described(
        tag="Transactional emails",
        body=bodies.TransactionalCreateRequest,
        answer=TransactionalDraft,
        status=201,
        failures=(400, 413, 415),
    ),
    operations.GET_TRANSACTIONAL_EMAIL: Described(
        tag="Transactional emails", answer=TransactionalEmail, failures=(400, 404)
    ),
    operations.UPDATE_TRANSACTIONAL_EMAIL: Described(
        tag="Transactional emails",
        body=bodies.TransactionalUpdateRequest,
        answer=TransactionalEmail,
        failures=(400, 404, 413, 415),
    ),
    operations.ENSURE_TRANSACTIONAL_DRAFT: Described(
        tag="Transactional emails", answer=TransactionalDraft, failures=(400, 404)
    ),
    operations.PUBLISH_TRANSACTIONAL_EMAIL: Described(
        tag="Transactional emails", answer=TransactionalEmail, failures=(400, 404, 409, 422)
    ),
    operations.GET_EMAIL_MESSAGE: Described(tag="Email messages", answer=EmailMessage, failures=(400, 404)),
    operations.UPDATE_EMAIL_MESSAGE: Described(
        tag="Email messages",
        body=bodies.EmailMessageUpdateRequest,
        answer=EmailMessage,
        failures=(400, 404, 409, 413, 415, 422),
    ),
    operations.GET_EMAIL_MESSAGE_GUARDIAN: Described(
        tag="Email messages", answer=GuardianReport, failures=(400, 404)
    ),
    operations.LIST_DEDICATED_SENDING_IPS: Described(tag="Configuration", answer=list[str]),
}
_DEPRECATED = (operations.LIST_PUBLISHED_TRANSACTIONAL_EMAILS,)
_ADDING = (operations.CREATE_CONTACT, operations.UPDATE_CONTACT)
_WORKFLOWS: Schema = {
    "name": contacts.WORKFLOWS_HEADER, "in": "header", "required": False,
    "description": "Whether a contact that is added starts workflows.",
    "schema": {"type": "string", "enum": ["on", "off"], "default": "on"},
}  # fmt: skip
_FLAT_BODIES = ("ContactRequest", "ContactUpdateRequest", "EventRequest")


def routes() -> Sequence[BaseRoute]:
    """The document's addresses."""

    async def show(request: Request) -> Response:
        media_type = PATHS_AT[request.scope["path"]]
        return Response(_encoded(), media_type=media_type, headers={"cache-control": "max-age=300"})

    return [Route(path, show, methods=["GET"]) for path in PATHS_AT]


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(document())


def document() -> Schema:
    """The whole document. Paths begin with `/v1`, below the server's root."""
    answers, answer_parts = _schemas([DESCRIBED[row].answer for row in HANDLERS])
    own, own_parts = _schemas([list[inbox.InboxMessage], failures.Failure, *_shaped()])
    wanted, body_parts = _schemas([body for row in HANDLERS if (body := DESCRIBED[row].body)])
    for name, part in {**answer_parts, **own_parts}.items():
        _always_sent(part)
        if name.startswith("Page_"):
            part["required"] = sorted(part["properties"])
    _flatten_contact(answer_parts["Contact"])
    _never_null(answer_parts["Contact"], "source", "userGroup")
    _never_null(answer_parts["ApiKeyInfo"], "teamName")
    _name_what_is_needed(body_parts)
    bodies_by_type = dict(zip((b for row in HANDLERS if (b := DESCRIBED[row].body)), wanted, strict=True))
    paths: dict[str, Schema] = {}
    for row, answer in zip(HANDLERS, answers, strict=True):
        body = DESCRIBED[row].body
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(
            row, answer, bodies_by_type[body] if body else None
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Loopwright",
            "version": version("loopwright"),
            "summary": f"The Loops API {CONTRACT_VERSION}, served by yourself.",
        },
        "servers": [{"url": "/api"}],
        "security": [{"apiKey": []}],
        "paths": {**paths, **_own_paths(own[0])},
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
            "schemas": {**body_parts, **own_parts, **answer_parts},
        },
    }


def _operation(row: Operation, answer: Schema, body: Schema | None) -> Schema:
    described = DESCRIBED[row]
    operation: Schema = {
        "operationId": row.id,
        "tags": [described.tag],
        "summary": (HANDLERS[row].__doc__ or "").strip().splitlines()[0],
        "parameters": [*_in_path(row.path), *_in_query(described.query), *_in_header(row)],
        "responses": {
            str(described.status): {
                "description": "Done.",
                "content": {"application/json": {"schema": answer}},
            },
            **_failures((*described.failures, *EVERYWHERE), SHAPES.get(row, PLAIN)),
        },
    }
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if row in _DEPRECATED:
        operation["deprecated"] = True
    return operation


def _failures(statuses: Iterable[int], shapes: Shapes) -> Schema:
    types = {status: shapes[status].type if status in shapes else failures.Failure for status in statuses}
    return {
        str(status): {
            "description": REASONS[status],
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}},
        }
        for status, kind in sorted(types.items())
    }


def _shaped() -> list[type[failures.Failure]]:
    return [shape.type for shapes in SHAPES.values() for shape in shapes.values()]


def _in_path(path: str) -> list[Schema]:
    names = [piece[1:-1] for piece in path.split("/") if piece.startswith("{")]
    return [
        {
            "name": name, "in": "path", "required": True,
            "schema": {"type": "string", "minLength": 1}
            | ({"pattern": _PATTERN_PATHS[name]} if name in _PATTERN_PATHS else {}),
        }
        for name in names
    ]  # fmt: skip


def _in_query(names: Sequence[str]) -> list[Schema]:
    return [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in names]


def _in_header(row: Operation) -> list[Schema]:
    if row in _ADDING:
        return [_WORKFLOWS]
    if row.repeat != "keyed":
        return []
    schema = {"type": "string", "maxLength": KEY_CHARACTERS}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}]


def _own_paths(inbox_answer: Schema) -> dict[str, Schema]:
    """Ours, not Loops': below a root of their own."""
    lines: Schema = {"application/x-ndjson": {"schema": {"type": "string"}}}
    answers: dict[str, Schema] = {
        "/inbox": {"application/json": {"schema": inbox_answer}},
        "/contacts/data": {"application/json": {"schema": {"type": "object"}}},
    }
    paths: dict[str, Schema] = {}
    for path, handlers in OWN_PATHS.items():
        for method, handler in handlers.items():
            operation: Schema = {
                "operationId": handler.__name__,
                "tags": ["Loopwright"],
                "summary": (handler.__doc__ or "").strip().splitlines()[0],
                "servers": [{"url": "/"}],
                "responses": {
                    "200": {"description": "Done.", "content": answers.get(path, lines)},
                    **_failures((400, *EVERYWHERE), PLAIN),
                },
            }  # fmt: skip
            if method == "POST":
                operation["requestBody"] = {"required": True, "content": lines}
            if path == "/contacts/data":
                operation["parameters"] = [
                    {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
                    for name in ("email", "userId")
                ]
                operation["responses"].update(_failures((404,), PLAIN))
            if path in ("/bulk/contacts", "/bulk/import"):
                operation["parameters"] = [_WORKFLOWS]
            paths.setdefault(OWN_ROOT + path, {})[method.lower()] = operation
    return paths


def _schemas(types: Sequence[Any]) -> tuple[Sequence[Schema], dict[str, Schema]]:
    schemas, parts = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return list(schemas), parts


def _always_sent(part: Schema) -> None:
    """An answer holds every key that is not left unset: defaults are the reader's business."""
    # Set by the SDK alone, when it finds out that it had succeeded before.
    part.get("properties", {}).pop("replayed", None)
    required = set(part.get("required", ()))
    for name, schema in part.get("properties", {}).items():
        if "default" in schema:
            del schema["default"]
            required.add(name)
    part["required"] = sorted(required)


def _flatten_contact(part: Schema) -> None:
    """Custom properties stand beside the contact's own."""
    del part["properties"]["properties"]
    part["required"] = sorted(part["properties"].keys() - {"notes"})
    part["additionalProperties"] = {"type": ["string", "number", "boolean", "null"]}


def _never_null(part: Schema, *names: str) -> None:
    """The SDK reads null from other servers there; this one has a text every time."""
    part["properties"].update({name: {"type": "string"} for name in names})


def _name_what_is_needed(parts: dict[str, Schema]) -> None:
    for name in _FLAT_BODIES:
        parts[name]["additionalProperties"] = {"type": ["string", "number", "boolean", "null"]}
    for name in ("ContactUpdateRequest", "EventRequest"):
        parts[name]["anyOf"] = [{"required": ["email"]}, {"required": ["userId"]}]
    parts["ContactDeleteRequest"]["oneOf"] = [{"required": ["email"]}, {"required": ["userId"]}]
