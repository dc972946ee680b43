"""The published contract as the repository keeps it, and a decoder as strict as those made from it.

`digest()` is what was published. `mended()` has its known defects mended, so that what the API really takes
and answers validates.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import httpx2

DIGEST = Path(__file__).resolve().parents[1] / "contract/digest.json"
METHODS = ("get", "post", "put", "delete")
JSON = "application/json"
ROOTS = re.compile(r"(/api)?/v1(?=/)")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


@cache
def _read() -> Any:
    return json.loads(DIGEST.read_text(encoding="utf-8"))


def digest() -> Any:
    """A copy of the digest, which is an OpenAPI document."""
    return deepcopy(_read())


def mended() -> Any:
    """A copy of the digest without what no document could satisfy, or what the API does otherwise."""
    return deepcopy(_mended())


@cache
def _mended() -> Any:
    root = digest()
    schemas = root["components"]["schemas"]
    for name in ("EventPattern", "EventPatternSummary"):
        schemas[name]["properties"]["incomingWebhookPlatform"]["enum"].append(None)
    del schemas["ContactUpdateRequest"]["additionalProperties"]
    # Custom properties stand beside a contact's own.
    schemas["Contact"]["additionalProperties"] = {"type": ["string", "number", "boolean", "null"]}
    # Without a mapping the values of a discriminator would have to be the names of the schemas.
    for schema in schemas.values():
        told = schema.get("discriminator")
        if told and "mapping" not in told:
            told["mapping"] = {
                _value_of(root, one["$ref"], told["propertyName"]): one["$ref"] for one in schema["oneOf"]
            }
    return root


def _value_of(root: Any, reference: str, name: str) -> str:
    """The only value that a property has in a schema; schemas may consist of others."""
    schema = root["components"]["schemas"][reference.rpartition("/")[2]]
    for part in (schema, *schema.get("allOf", ())):
        if "$ref" in part:
            part = root["components"]["schemas"][part["$ref"].rpartition("/")[2]]
        if values := part.get("properties", {}).get(name, {}).get("enum"):
            return str(values[0])
    raise LookupError(f"{reference} has no one value of {name}")


def operations(root: Any) -> dict[str, Any]:
    """Operation id -> operation, with its method and path as `at`."""
    return {
        operation["operationId"]: {"parameters": [], **operation, "at": (method, path)}
        for path, item in root["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def operation_at(method: str, path: str) -> str | None:
    """The id of the operation that a request is for, `None` when the contract has none there."""
    path = ROOTS.sub("/v1", path, count=1)
    for name, operation in operations(_read()).items():
        own_method, pattern = operation["at"]
        filled = re.sub(
            r"\\\{(\w+)\\\}", lambda one: ".+" if one[1] == "eventName" else "[^/]+", re.escape(pattern)
        )
        if own_method == method.lower() and re.fullmatch(filled, path):
            return str(name)
    return None


def answer_schema(root: Any, name: str, status: int) -> Any:
    """The schema of an answer's body, or `None` when none is declared."""
    answer = operations(root)[name]["responses"].get(str(status), {})
    return answer.get("content", {}).get(JSON, {}).get("schema")


def read(response: httpx2.Response, status: int = 200) -> dict[str, Any]:
    """An answer of that status, which has the contract's keys, all that are required and no others."""
    body: dict[str, Any] = response.json()
    assert response.status_code == status, body
    request = response.request
    assert misread(operation_at(request.method, request.url.path), status, body) == []
    return body


def misread(name: str | None, status: int, body: object) -> list[str]:
    """What a strict client of an operation would trip over in a body; nothing is what it should be.

    Every error body holds `success: false` and `message`, and else only what is declared. Without an
    operation that is all.
    """
    root = _mended()
    schema = name and answer_schema(root, name, status)
    if status < 400:
        return (
            list(faults(schema, body, root)) if schema else [f"$: {body!r}, undeclared"] * (body is not None)
        )
    plain = {
        "type": "object",
        "required": ["success", "message"],
        "properties": {"success": {"const": False}, "message": {"type": "string", "minLength": 1}},
    }
    forms = [_resolved(one, root) for one in (schema or {}).get("oneOf", [schema or plain])]
    merged = [
        {
            "type": "object",
            "required": sorted({*plain["required"], *form.get("required", ())}),
            "properties": {**form["properties"], **plain["properties"]},  # type: ignore[dict-item]
        }
        for form in forms
    ]
    return list(faults({"oneOf": merged}, body, root))


def faults(schema: Any, value: object, root: Any, at: str = "$") -> Iterator[str]:
    """What a strict decoder refuses: a field nobody declared, one that is missing, one of another type."""
    schema = _merged(_resolved(schema, root), root)
    if "oneOf" in schema or "anyOf" in schema:
        tried = [list(faults(one, value, root, at)) for one in schema.get("oneOf") or schema["anyOf"]]
        fitting = sum(not found for found in tried)
        if not fitting:
            yield from min(tried, key=len)
        if fitting > 1 and "oneOf" in schema:
            yield f"{at}: fits {fitting} forms"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    kinds = schema.get("type", "object" if "properties" in schema else [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(kind, value) for kind in kinds):
        yield f"{at}: {value!r} is not {' or '.join(kinds)}"
    elif isinstance(value, dict):
        yield from _object_faults(schema, value, root, at)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from faults(schema["items"], item, root, f"{at}[{index}]")
    elif isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield f"{at}: is empty"
        if schema.get("format") == "date-time" and not MOMENT.fullmatch(value):
            yield f"{at}: {value!r} is no moment"


def _object_faults(schema: Any, value: dict[str, Any], root: Any, at: str) -> Iterator[str]:
    declared = schema.get("properties", {})
    # Like generated decoders: an object of no declared fields is a map.
    others = schema.get("additionalProperties", not declared)
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}.{name}: is missing"
    for name, field in value.items():
        if name in declared:
            yield from faults(declared[name], field, root, f"{at}.{name}")
        elif others is False:
            yield f"{at}.{name}: unknown field"
        elif isinstance(others, dict):
            yield from faults(others, field, root, f"{at}.{name}")


def _resolved(schema: Any, root: Any) -> Any:
    while "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _merged(schema: Any, root: Any) -> Any:
    """A schema of several parts as one; when one of them has several forms, as the forms of the whole."""
    if "allOf" not in schema:
        return schema
    wholes: list[Any] = [{"type": "object", "properties": {}, "required": []}]
    for part in schema["allOf"]:
        part = _merged(_resolved(part, root), root)
        forms = [_merged(_resolved(form, root), root) for form in part.get("oneOf", [part])]
        wholes = [
            {
                **whole,
                "properties": {**whole["properties"], **form["properties"]},
                "required": [*whole["required"], *form.get("required", ())],
            }
            for whole in wholes
            for form in forms
        ]
    return wholes[0] if len(wholes) == 1 else {"oneOf": wholes}


def _is(kind: str, value: object) -> bool:
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)
