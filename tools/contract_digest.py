"""Keep the API's contract as a digest, and say in words what another document has changed.

    python tools/contract_digest.py make DOCUMENT           write tests/contract/digest.json anew
    python tools/contract_digest.py compare DOCUMENT        what DOCUMENT changes, seen from the digest
    python tools/contract_digest.py compare OLDER NEWER     what NEWER changes, seen from OLDER

A document is OpenAPI as JSON or YAML, or a digest. A digest is such a document too, of facts alone:
operations, paths, parameters, fields and what is required, enums, limits, statuses. It has no sentence of its
source.
`compare` ends with 1 when anything has changed, as diff does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # schemathesis brings it along

DIGEST = Path(__file__).resolve().parent.parent / "tests/contract/digest.json"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")

PROSE = {"description", "summary", "title", "example", "examples", "externalDocs"}
"""What a schema says to people. Whatever else it says is a fact, keywords that are new to us included."""
NAMED = {"properties", "patternProperties", "$defs", "dependentSchemas"}
"""Where keys are names that somebody chose, which may be `description` too."""
VALUES = {"enum", "const", "default", "required"}

Facts = dict[str, str]
"""Where -> what: `answer 200 data[].url` -> `text (uri), always there`."""


def load(path: Path) -> Any:
    """The document in a file."""
    text = path.read_text(encoding="utf-8")
    return yaml.safe_load(text) if path.suffix in (".yaml", ".yml") else json.loads(text)


# ---- the digest


def digest(document: Any) -> dict[str, Any]:
    """The facts of an OpenAPI document, as a document again."""
    parts = document.get("components", {})
    common = {key: document[key] for key in ("security",) if key in document}
    paths, webhooks = (
        {
            path: {
                method: _operation({**common, **item[method]}, item.get("parameters", ()), parts)
                for method in METHODS
                if method in item
            }
            for path, item in document.get(kind, {}).items()
        }
        for kind in ("paths", "webhooks")
    )
    return {
        "openapi": document["openapi"],
        "info": {"title": "Digest of the Loops API", "version": str(document["info"]["version"])},
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            kind: {name: _schema(one) for name, one in parts.get(kind, {}).items()}
            for kind in ("securitySchemes", "schemas")
        },
    }


def _operation(operation: Any, shared: Iterable[Any], parts: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {"operationId": operation["operationId"]}
    if operation.get("deprecated"):
        kept["deprecated"] = True
    if "security" in operation:
        kept["security"] = operation["security"]
    parameters = [_parameter(one, parts) for one in (*shared, *operation.get("parameters", ()))]
    if parameters:
        kept["parameters"] = parameters
    if "requestBody" in operation:
        body = operation["requestBody"]
        kept["requestBody"] = {"required": body.get("required", False), "content": _content(body)}
    kept["responses"] = {}
    for status, response in operation["responses"].items():
        content = _content(_followed(response, parts))
        kept["responses"][str(status)] = {"description": "", **({"content": content} if content else {})}
    return kept


def _parameter(parameter: Any, parts: Any) -> dict[str, Any]:
    parameter = _followed(parameter, parts)
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": parameter.get("required", False),
        "schema": _schema(parameter.get("schema", {})),
    }


def _followed(part: Any, parts: Any) -> Any:
    """A parameter or an answer, also where the document only points to it."""
    while "$ref" in part:
        kind, name = part["$ref"].split("/")[-2:]
        part = parts[kind][name]
    return part


def _content(body: Any) -> dict[str, Any]:
    return {kind: {"schema": _schema(one.get("schema", {}))} for kind, one in body.get("content", {}).items()}


def _schema(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value
        if key in VALUES
        else {name: _schema(one) for name, one in value.items()}
        if key in NAMED
        else _schema(value)
        for key, value in schema.items()
        if key not in PROSE and not key.startswith("x-")
    }


# ---- what is said of an operation


def operations(document: Any) -> dict[str, Facts]:
    """Operation id -> everything that is said of it. Webhooks are operations, too."""
    root = digest(document)
    found: dict[str, Facts] = {}
    for kind in ("paths", "webhooks"):
        for path, item in root[kind].items():
            for method, operation in item.items():
                at = {"address": f"{method.upper()} {path}"} if kind == "paths" else {"webhook": path}
                found[operation["operationId"]] = at | dict(_facts(operation, root))
    return found


def _facts(operation: Any, root: Any) -> Iterator[tuple[str, str]]:
    if operation.get("deprecated"):
        yield "operation", "deprecated"
    schemes = [scheme for choice in operation.get("security", ()) for scheme in choice]
    yield "key", " or ".join(schemes) or "none"
    for one in operation.get("parameters", ()):
        need = "required" if one["required"] else "optional"
        yield f"{one['in']} {one['name']}", f"{_word(one['schema'], root)}, {need}"
    if "requestBody" in operation:
        body = operation["requestBody"]
        yield "request", "required" if body["required"] else "optional"
        for kind, content in body["content"].items():
            words = "required", "optional"
            yield from _fields(content["schema"], _at("request", kind), "", root, words, ())
    for status, response in operation["responses"].items():
        yield f"answer {status}", "told" if response.get("content") else "told, without a body"
        for kind, content in response.get("content", {}).items():
            words = "always there", "may be missing"
            yield from _fields(content["schema"], _at(f"answer {status}", kind), "", root, words, ())


def _at(where: str, kind: str) -> str:
    return where if kind == "application/json" else f"{where} as {kind}"


def _fields(
    schema: Any, where: str, path: str, root: Any, words: tuple[str, str], above: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Each field below a schema, at its path: `data[].url`, `nodes{}(TimerAction).unit`."""
    if "$ref" in schema:
        if schema["$ref"] in above:
            return
        above = (*above, schema["$ref"])
        schema = _resolved(schema, root)
    here = f"{where} {path}".rstrip()
    for key, rule in (("anyOf", "at least one of"), ("oneOf", "exactly one of")):
        members = schema.get(key, ())
        if members and all(one.keys() == {"required"} for one in members):
            yield f"{here} needs", f"{rule} " + ", ".join(" and ".join(one["required"]) for one in members)
            continue
        for number, member in enumerate(members, 1):
            name = _tag(member, root) or str(number)
            if _kinds(member, root) & {"object", "list"}:
                yield f"{here}({name})", "a form"
                yield from _fields(member, where, f"{path}({name})", root, words, above)
    for member in schema.get("allOf", ()):
        yield from _fields(member, where, path, root, words, above)
    for name, field in schema.get("properties", {}).items():
        inner = f"{path}.{name}".lstrip(".")
        need = words[0] if name in schema.get("required", ()) else words[1]
        old = ", deprecated" if field.get("deprecated") else ""
        yield f"{where} {inner}", f"{_word(field, root)}, {need}{old}"
        yield from _fields(field, where, inner, root, words, above)
    if "items" in schema:
        yield f"{where} {path}[]", _word(schema["items"], root)
        yield from _fields(schema["items"], where, f"{path}[]", root, words, above)
    others = schema.get("additionalProperties")
    if others is False:
        yield f"{here} others", "refused"
    elif isinstance(others, dict):
        yield f"{where} {path}{{}}", _word(others, root)
        yield from _fields(others, where, f"{path}{{}}", root, words, above)
    for key in ("minProperties", "maxProperties"):
        if key in schema:
            yield f"{here} {key}", str(schema[key])


def _resolved(schema: Any, root: Any) -> Any:
    while "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _tag(schema: Any, root: Any) -> str | None:
    """What tells one form of several from the others: the one value that a field of it can have."""
    schema = _resolved(schema, root)
    for field in schema.get("properties", {}).values():
        field = _resolved(field, root)
        values = [field["const"]] if "const" in field else field.get("enum", ())
        if len(values) == 1:
            return str(values[0])
    return next((tag for part in schema.get("allOf", ()) if (tag := _tag(part, root))), None)


SPOKEN = {"string": "text", "array": "list", "integer": "whole number"}


def _kinds(schema: Any, root: Any) -> set[str]:
    schema = _resolved(schema, root)
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {str(SPOKEN.get(kind, kind)) for kind in kinds}
    members = (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ()))
    found = {kind for one in members for kind in _kinds(one, root)}
    return found or {"object" if "properties" in schema else "anything"}


def _word(schema: Any, root: Any) -> str:
    """A field in some words: `text (uri) or null`, `one of fail, discard`."""
    schema = _resolved(schema, root)
    if "const" in schema or "enum" in schema:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        spoken = ", ".join(one if isinstance(one, str) else json.dumps(one) for one in values)
        return f"one of {spoken}" + (" or null" if "null" in _kinds(schema, root) else "")
    limits = [schema["format"]] if "format" in schema else []
    limits += [
        f"{key} {value}"
        for key, value in schema.items()
        if key.startswith(("min", "max", "exclusive", "pattern", "multiple", "unique", "default"))
        and not key.endswith("Properties")
    ]
    kinds = _kinds(schema, root)
    members = () if "type" in schema else (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    if members and "object" not in kinds:
        return " or ".join(dict.fromkeys(_word(one, root) for one in members))
    return (
        " or ".join(sorted(kinds - {"null"}))
        + (f" ({', '.join(limits)})" if limits else "")
        + (" or null" if "null" in kinds else "")
    )


# ---- what has changed


def changes(older: Any, newer: Any) -> list[str]:
    """What `newer` changes, a line each; none when the two say the same."""
    before, after = operations(older), operations(newer)
    lines: list[str] = []
    for word, ones, others in (("new", after, before), ("gone", before, after)):
        found = [name for name in ones if name not in others]
        if found:
            lines.append(f"{len(found)} operation{'s' * (len(found) > 1)} {word}:")
            lines += [f"  {name}: {ones[name].get('address', 'webhook')}" for name in found]
    changed: dict[str, list[str]] = {}
    for name in before.keys() & after.keys():
        for line in _differences(before[name], after[name]):
            changed.setdefault(line, []).append(name)
    if changed:
        lines.append("operations changed:")
    for line, names in sorted(changed.items()):
        lines += [f"  {line}", f"    in {', '.join(sorted(names))}"]
    return lines


INSIDE = " .[{("
"""What may follow a place's name where something inside it is named."""


def _differences(before: Facts, after: Facts) -> Iterator[str]:
    for where in _outermost(after.keys() - before.keys()):
        yield f"{where}: new, {after[where]}"
    for where in _outermost(before.keys() - after.keys()):
        yield f"{where}: gone, was {before[where]}"
    for where in before.keys() & after.keys():
        if before[where] != after[where]:
            yield f"{where}: {after[where]}; was {before[where]}"


def _outermost(places: Iterable[str]) -> list[str]:
    """Without what lies inside another one of them, which goes without saying."""
    kept: list[str] = []
    for place in sorted(places):
        if not any(place.startswith(one) and place[len(one)] in INSIDE for one in kept):
            kept.append(place)
    return kept


def main(arguments: list[str]) -> int:
    """Do what the arguments say."""
    match arguments:
        case ["make", document]:
            text = json.dumps(digest(load(Path(document))), indent=1, ensure_ascii=False)
            DIGEST.write_text(text + "\n", encoding="utf-8")
            return 0
        case ["compare", *documents] if len(documents) in (1, 2):
            older, newer = (load(path) for path in map(Path, [str(DIGEST), *documents][-2:]))
            lines = changes(older, newer)
            versions = [one["info"]["version"] for one in (older, newer)]
            print(f"from {versions[0]} to {versions[1]}:", *(lines or ["nothing has changed"]), sep="\n")
            return 1 if lines else 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
