"""The server's own description, OpenAPI 3.1: made from its routes and types, so it says what is there.

GET /openapi.json   and   GET /api/openapi.json      readable without a key
GET /openapi.yaml   and   GET /api/openapi.yaml      the same text: all JSON is YAML 1.2
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.wire import contacts, failures, operations
from loopwright.wire.limits import KEY_CHARACTERS
from loopwright.wire.operations import Operation

from . import audience, campaign_sending, inbox, visits
from .bodies import AudienceRequest, CampaignRetryRequest, CampaignScheduleRequest, CampaignTestRequest
from .dispatch import Handler
from .endpoint import Endpoint
from .endpoints import ENDPOINTS
from .failures import PLAIN, Shapes
from .routes import OWN_PATHS, OWN_ROOT

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
    501: "There is no such update.",
    503: "The server cannot do it now; the same request may pass later.",
}
_ID = "^[A-Za-z0-9_-]+$"
_OPEN_PATHS = ("eventName",)


_DEPRECATED = (operations.LIST_PUBLISHED_TRANSACTIONAL_EMAILS,)
_ADDING = (operations.CREATE_CONTACT, operations.UPDATE_CONTACT)
_WORKFLOWS: Schema = {
    "name": contacts.WORKFLOWS_HEADER, "in": "header", "required": False,
    "description": "Whether a contact that is added starts workflows.",
    "schema": {"type": "string", "enum": ["on", "off"], "default": "on"},
}  # fmt: skip
_CAMPAIGN = "/campaigns/{campaignId}"
_ACTIONS = ("send", "schedule", "pause", "resume", "cancel", "send-to-joined", "retry", "test")
OWN_ANSWERS: dict[str, Any] = {
    _CAMPAIGN: campaign_sending.CampaignState,
    **{f"{_CAMPAIGN}/{action}": campaign_sending.CampaignState for action in _ACTIONS},
    "/email-messages/{emailMessageId}/visits": visits.MessageVisits,
    "/inbox": list[inbox.InboxMessage],
    "/audience/count": audience.AudienceCount,
    "/audience/preview": audience.AudiencePreview,
}
OWN_BODIES: dict[str, type[Struct]] = {
    f"{_CAMPAIGN}/schedule": CampaignScheduleRequest,
    f"{_CAMPAIGN}/retry": CampaignRetryRequest,
    f"{_CAMPAIGN}/test": CampaignTestRequest,
    "/audience/count": AudienceRequest,
    "/audience/preview": AudienceRequest,
}
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
    answers, answer_parts = _schemas([one.answer for one in ENDPOINTS])
    own, own_parts = _schemas([*OWN_ANSWERS.values(), failures.Failure, *_shaped()])
    kinds = [*(one.body for one in ENDPOINTS if one.body), *OWN_BODIES.values()]
    wanted, body_parts = _schemas(kinds)
    for name, part in {**answer_parts, **own_parts}.items():
        _always_sent(part)
        if name.startswith("Page_"):
            part["required"] = sorted(part["properties"])
    _flatten_contact(answer_parts["Contact"])
    _never_null(answer_parts["Contact"], "source", "userGroup")
    _never_null(answer_parts["ApiKeyInfo"], "teamName")
    _never_null(answer_parts["Workflow"], "workflowRevisionId", "rootNodeId")
    _name_what_is_needed(body_parts)
    bodies_by_type = dict(zip(kinds, wanted, strict=True))
    paths: dict[str, Schema] = {}
    for one, answer in zip(ENDPOINTS, answers, strict=True):
        row = one.operation
        body = bodies_by_type[one.body] if one.body else None
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(one, answer, body)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Loopwright",
            "version": version("loopwright"),
            "summary": f"The Loops API {CONTRACT_VERSION}, served by yourself.",
        },
        "servers": [{"url": "/api"}],
        "security": [{"apiKey": []}],
        "paths": {**paths, **_own_paths(dict(zip(OWN_ANSWERS, own, strict=False)), bodies_by_type)},
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
            "schemas": {**body_parts, **own_parts, **answer_parts},
        },
    }


def _operation(endpoint: Endpoint, answer: Schema, body: Schema | None) -> Schema:
    row = endpoint.operation
    operation: Schema = {
        "operationId": row.id,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "parameters": [*_in_path(row), *_in_query(endpoint.query), *_in_header(row)],
        "responses": {
            str(endpoint.status): {"description": "Done."}
            | ({"content": {"application/json": {"schema": answer}}} if endpoint.answer else {}),
            **_failures((*endpoint.failures, *EVERYWHERE), endpoint.shapes),
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
    return [shape.type for endpoint in ENDPOINTS for shape in endpoint.shapes.values()]


def _in_path(row: Operation) -> list[Schema]:
    return [
        {
            "name": name, "in": "path", "required": True,
            "schema": {"type": "string", "minLength": 1} | ({} if name in _OPEN_PATHS else {"pattern": _ID}),
        }
        for name in row.parameters
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


def _own_paths(own_answers: dict[str, Schema], bodies: dict[Any, Schema]) -> dict[str, Schema]:
    """Ours, not Loops': below a root of their own."""
    lines: Schema = {"application/x-ndjson": {"schema": {"type": "string"}}}
    answers: dict[str, Schema] = {
        **{path: {"application/json": {"schema": schema}} for path, schema in own_answers.items()},
        "/contacts/data": {"application/json": {"schema": {"type": "object"}}},
    }
    wanted: dict[str, Schema] = {
        path: {"application/json": {"schema": bodies[kind]}} for path, kind in OWN_BODIES.items()
    }
    return {
        OWN_ROOT + path: {
            method.lower(): _own_operation(path, handler, answers.get(path, lines), wanted.get(path, lines))
            for method, handler in handlers.items()
        }
        for path, handlers in OWN_PATHS.items()
    }


def _own_operation(path: str, handler: Handler, answer: Schema, body: Schema) -> Schema:
    operation: Schema = {
        "operationId": handler.__name__,
        "tags": ["Loopwright"],
        "summary": (handler.__doc__ or "").strip().splitlines()[0],
        "servers": [{"url": "/"}],
        "responses": {
            "200": {"description": "Done.", "content": answer},
            **_failures((400, *EVERYWHERE), PLAIN),
        },
    }
    if path in OWN_BODIES or path.startswith("/bulk/"):
        operation["requestBody"] = {"required": True, "content": body}
    if parameters := _in_path(Operation(handler.__name__, "GET", path)):
        operation["parameters"] = parameters
        operation["responses"].update(_failures((404, 409, 413, 415, 422), PLAIN))
    if path in OWN_BODIES:
        operation["responses"].update(_failures((404, 413, 415), PLAIN))
    if path == "/contacts/data":
        operation["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
            for name in ("email", "userId")
        ]
        operation["responses"].update(_failures((404,), PLAIN))
    if path in ("/bulk/contacts", "/bulk/import"):
        operation["parameters"] = [_WORKFLOWS]
    return operation


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
