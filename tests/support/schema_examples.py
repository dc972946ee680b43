"""Examples of a JSON schema, so many that each member of a union, each null and each absence occurs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

MOMENTS = ("createdAt", "updatedAt", "lastUpdated")
"""Moments that some schemas describe as mere strings."""

DATE_TIME = "2025-06-29T07:47:39.370Z"


def examples(schema: Any, root: Any, most: int = 200) -> list[Any]:
    """Up to `most` examples; `root` is the document that `$ref` points into."""
    return list(islice(_examples(schema, root), most))


def _examples(schema: Any, root: Any) -> Iterator[Any]:
    schema = _resolve(schema, root)
    if "enum" in schema:
        yield from schema["enum"]
        return
    if "const" in schema:
        yield schema["const"]
        return
    for key in ("oneOf", "anyOf"):
        if key in schema and "properties" not in schema:
            for member in schema[key]:
                yield from _examples(member, root)
            return
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        yield from _of_kind(kind, schema, root)


def _of_kind(kind: str, schema: Any, root: Any) -> Iterator[Any]:
    match kind:
        case "null":
            yield None
        case "string":
            is_moment = schema.get("format") == "date-time" or schema.get("x-name") in MOMENTS
            yield DATE_TIME if is_moment else "text"
        case "number":
            yield 3
        case "integer":
            yield 3
        case "boolean":
            yield True
            yield False
        case "array":
            yield []
            for item in _examples(schema.get("items", {}), root):
                yield [item]
        case _:
            yield from _objects(schema, root)


def _objects(schema: Any, root: Any) -> Iterator[Any]:
    """With all keys, with the required ones only, and with each key's further examples in turn."""
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    choices = {
        name: examples({**_resolve(property_, root), "x-name": name}, root, 40)
        for name, property_ in properties.items()
    }
    whole = {name: values[0] for name, values in choices.items()}
    if isinstance(schema.get("additionalProperties"), dict) and not properties:
        for value in _examples(schema["additionalProperties"], root):
            yield {"key": value}
        return
    yield whole
    yield {name: whole[name] for name in required if name in whole}
    for name, values in choices.items():
        for value in values[1:]:
            yield {**whole, name: value}


def _resolve(schema: Any, root: Any) -> Any:
    """Follow references and join what `allOf` lists."""
    while "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    if "allOf" not in schema:
        return schema
    return _join([_resolve(part, root) for part in schema["allOf"]], root)


def _join(parts: list[Any], root: Any) -> Any:
    """One object of several; a union among them is joined member by member."""
    for index, part in enumerate(parts):
        for key in ("oneOf", "anyOf"):
            if key in part and "properties" not in part:
                others = parts[:index] + parts[index + 1 :]
                return {"oneOf": [_join([_resolve(member, root), *others], root) for member in part[key]]}
    joined: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    for part in parts:
        joined["properties"] |= part.get("properties", {})
        joined["required"] = [*joined["required"], *part.get("required", [])]
    return joined
