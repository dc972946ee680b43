"""The server's own description beside the published contract."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx2
import yaml  # type: ignore[import-untyped]  # schemathesis brings it along

from loopwright.server.http.contract_differences import BEHAVIOUR, DEVIATIONS
from loopwright.server.http.openapi import document
from support.contract import digest, operations
from support.live import LiveServer

ROOT = Path(__file__).resolve().parents[2]


def resolved(schema: Any, root: Any) -> Any:
    while "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "allOf" in schema:
        merged: dict[str, Any] = {"properties": {}, "required": []}
        for part in (*schema["allOf"], {k: v for k, v in schema.items() if k != "allOf"}):
            part = resolved(part, root)
            merged["properties"] |= part.get("properties", {})
            merged["required"] += part.get("required", [])
        return {"type": "object", **merged}
    return schema


def kinds(schema: Any, root: Any) -> set[str]:
    """The JSON types a schema lets pass."""
    schema = resolved(schema, root)
    for key in ("anyOf", "oneOf"):
        if key in schema and "type" not in schema:
            return set().union(*(kinds(one, root) for one in schema[key]))
    if "enum" in schema and "type" not in schema:
        return {"null" if one is None else "string" for one in schema["enum"]}
    found = schema.get("type", "object")
    return set(found if isinstance(found, list) else [found])


def _done(operation: Any) -> Any:
    """What an operation answers when all went well."""
    return next(answer for status, answer in operation["responses"].items() if status.startswith("2"))


def differences(ours: Any, theirs: Any) -> Iterator[str]:
    """Everything in which the operations differ, as `operation: where: what`."""
    our_root, their_root = ours, theirs
    for name, mine in operations(ours).items():
        other = operations(theirs).get(name)
        if other is None:
            continue
        if mine["at"] != other["at"]:
            yield f"{name}: path: {mine['at']} instead of {other['at']}"
        yield from _parameters(name, mine, other)
        our_statuses, their_statuses = set(mine["responses"]), set(other["responses"])
        yield from (f"{name}: answers: {status} too" for status in sorted(our_statuses - their_statuses))
        yield from (f"{name}: answers: no {status}" for status in sorted(their_statuses - our_statuses))
        if "requestBody" in mine or "requestBody" in other:
            pair = [
                _one_form(one["requestBody"]["content"]["application/json"]["schema"], root)
                for one, root in ((mine, our_root), (other, their_root))
            ]
            yield from _request(name, pair[0], pair[1], our_root, their_root)
        if ("content" in _done(mine)) != ("content" in _done(other)):
            yield f"{name}: answer: a body for one only"
        if "content" not in _done(mine):
            continue
        answers = [_done(one)["content"]["application/json"]["schema"] for one in (mine, other)]
        yield from _answer(name, "answer", answers[0], answers[1], our_root, their_root)


def _parameters(name: str, mine: Any, other: Any) -> Iterator[str]:
    sets = [{(p["name"], p["in"], p["required"]) for p in one["parameters"]} for one in (mine, other)]
    for one in sets[0] ^ sets[1]:
        yield f"{name}: parameters: {one}"


def _one_form(schema: Any, root: Any) -> Any:
    """A body that has several forms as one: all of their keys, and required what every form requires."""
    schema = resolved(schema, root)
    if "properties" in schema:
        return schema
    forms = [resolved(one, root) for one in schema["oneOf"]]
    properties: dict[str, Any] = {}
    for form in forms:
        properties |= form["properties"]
    return {
        "properties": properties,
        "required": sorted(set.intersection(*(set(form["required"]) for form in forms))),
    }


def _request(name: str, mine: Any, other: Any, our_root: Any, their_root: Any) -> Iterator[str]:
    """A request may be taken more kindly than the contract asks, in listed ways."""
    for key in set(mine.get("required", ())) - set(other.get("required", ())):
        yield f"{name}: request: {key} required"
    for key in set(other.get("required", ())) - set(mine.get("required", ())):
        yield f"{name}: request: {key} not required"
    for key in mine["properties"].keys() ^ other["properties"].keys():
        yield f"{name}: request: {key} known to one only"
    for key in mine["properties"].keys() & other["properties"].keys():
        our_kinds = kinds(mine["properties"][key], our_root)
        their_kinds = kinds(other["properties"][key], their_root)
        yield from (f"{name}: request {key}: {kind} too" for kind in our_kinds - their_kinds)
        yield from (f"{name}: request {key}: no {kind}" for kind in their_kinds - our_kinds)


def _answer(name: str, where: str, mine: Any, other: Any, our_root: Any, their_root: Any) -> Iterator[str]:
    """An answer may hold no less than the contract promises, and nothing of another type."""
    our_kinds, their_kinds = kinds(mine, our_root), kinds(other, their_root)
    mine, other = resolved(mine, our_root), resolved(other, their_root)
    for kind in our_kinds - their_kinds:
        if not (kind == "integer" and "number" in their_kinds):
            yield f"{name}: {where}: {kind}"
    if "items" in mine and "items" in other:
        yield from _answer(name, where, mine["items"], other["items"], our_root, their_root)
    if "properties" not in mine or "properties" not in other:
        return
    for key in set(other.get("required", ())) - set(mine.get("required", ())):
        yield f"{name}: {where}: {key} may be missing"
    for key in set(mine.get("required", ())) - set(other.get("required", ())):
        yield f"{name}: {where}: {key} required"
    for key in other["properties"].keys() - mine["properties"].keys():
        yield f"{name}: {where}: no {key}"
    for key in mine["properties"].keys() & other["properties"].keys():
        inside = (mine["properties"][key], other["properties"][key])
        yield from _answer(name, f"{where}.{key}", *inside, our_root, their_root)


def test_the_documents_differ_in_listed_ways_only() -> None:
    """Each difference is on the list, and each entry of the list is a difference there still is."""
    found = set(differences(document(), digest()))
    listed = {one for one in found for known in DEVIATIONS if fnmatchcase(one, known.difference)}
    assert sorted(found - listed) == []
    idle = [
        known.difference
        for known in DEVIATIONS
        if not any(fnmatchcase(one, known.difference) for one in found)
    ]
    assert idle == []


def test_the_list_is_in_the_documentation() -> None:
    """`docs/api.md` names every deviation with its reason."""
    text = (ROOT / "docs/api.md").read_text()
    for known in DEVIATIONS:
        assert f"| `{known.difference}` | {known.why} |" in text
    for sentence in BEHAVIOUR:
        assert f"- {sentence}" in text


async def test_readable_without_a_key(live_server: LiveServer) -> None:
    """At each address, as JSON and as YAML, which is the same."""
    async with httpx2.AsyncClient(base_url=live_server.base_url) as http:
        for root in ("", "/api"):
            for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
                answer = await http.get(f"{root}/openapi.{form}")
                assert (answer.status_code, answer.headers["content-type"]) == (200, f"application/{form}")
                assert read(answer.text) == document()
