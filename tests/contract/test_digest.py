"""The digest of the contract, and the tool that makes it and says what another document changes."""

import json
from copy import deepcopy
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # schemathesis brings it along

from support.contract import DIGEST, digest

TOOL = Path(__file__).resolve().parents[2] / "tools/contract_digest.py"

DOCUMENT = """
openapi: 3.1.0
info: {title: A shop, version: 1.0.0, description: Sells things.}
paths:
  /v1/things/{thingId}:
    description: Of one thing.
    parameters:
      - {name: thingId, in: path, required: true, description: Which., schema: {type: string}}
    get:
      operationId: getThing
      summary: Get a thing.
      responses:
        200:
          description: The thing.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
        404: {$ref: '#/components/responses/Missing'}
  /v1/things:
    post:
      operationId: createThing
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name]
              additionalProperties: false
              properties:
                name: {type: string, maxLength: 9, example: Lamp}
                colour: {type: string, enum: [red, blue]}
                description: {type: string, description: What it is.}
      responses:
        200: {description: Made.}
webhooks:
  thingSold:
    post: {operationId: thingSold, responses: {200: {description: Heard.}}}
components:
  responses:
    Missing: {description: Missing., content: {application/json: {schema: {type: object}}}}
  schemas:
    Thing:
      title: Thing
      type: object
      x-note: ours
      required: [id]
      properties:
        id: {type: string}
        parts: {type: array, items: {$ref: '#/components/schemas/Thing'}}
        state:
          oneOf:
            - {type: object, properties: {kind: {const: sold}, price: {type: number}}}
            - {type: object, properties: {kind: {const: kept}, until: {type: [string, 'null']}}}
"""


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = spec_from_file_location("contract_digest", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def document() -> Any:
    return yaml.safe_load(DOCUMENT)


def sentences(value: object) -> set[str]:
    """Everything in a document that is text for people."""
    if isinstance(value, dict):
        inner = set[str]().union(*(sentences(one) for one in value.values()))
        texts = [one for key, one in value.items() if key in ("description", "summary", "title")]
        return inner | {one for one in texts if isinstance(one, str)}
    return set[str]().union(*(sentences(one) for one in value)) if isinstance(value, list) else set()


def test_a_digest_holds_facts_alone(tool: ModuleType, document: Any) -> None:
    """No sentence is left, a field called description is, and what was referred to is in its place."""
    made = tool.digest(document)
    text = json.dumps(made)
    for sentence in ("Sells", "thing.", "Which", "Made", "What it is", "Lamp", "ours"):
        assert sentence not in text
    item = made["paths"]["/v1/things/{thingId}"]["get"]
    assert [one["name"] for one in item["parameters"]] == ["thingId"]
    assert item["responses"].keys() == {"200", "404"}
    assert item["responses"]["404"]["content"]
    body = made["paths"]["/v1/things"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"].keys() == {"name", "colour", "description"}
    assert body["properties"]["name"] == {"type": "string", "maxLength": 9}


def test_the_digest_kept_is_one(tool: ModuleType) -> None:
    """Making it anew of itself changes nothing; it has no prose, and all operations."""
    kept = digest()
    assert tool.digest(kept) == kept
    assert sentences({**kept, "info": {}}) == {""}
    assert len(tool.operations(kept)) == 72 + len(kept["webhooks"])


def test_nothing_has_changed(tool: ModuleType, document: Any) -> None:
    """Prose, order, and the form of the file are no change."""
    other = deepcopy(document)
    other["info"]["description"] = "Sells more."
    other["components"]["schemas"]["Thing"]["required"] = ["id"]
    other["paths"] = dict(reversed(other["paths"].items()))
    assert tool.changes(document, tool.digest(other)) == []


def at(document: Any, path: str) -> Any:
    for key in path.split(" > "):
        document = document[
            int(key) if key.isdigit() and not isinstance(document, dict) else _key(document, key)
        ]
    return document


def _key(document: Any, key: str) -> Any:
    return int(key) if key.isdigit() and int(key) in document else key


BODY = "paths > /v1/things > post > requestBody > content > application/json > schema"
GET = "paths > /v1/things/{thingId} > get"
THING = "components > schemas > Thing"


@pytest.mark.parametrize(
    ("where", "key", "value", "line", "operation"),
    [
        pytest.param(
            f"{THING} > properties", "url", {"type": "string", "format": "uri"},
            "answer 200 url: new, text (uri), may be missing", "getThing", id="a field is new",
        ),
        pytest.param(
            f"{THING} > properties", "id", None, "answer 200 id: gone, was text, always there", "getThing",
            id="a field is gone",
        ),
        pytest.param(
            THING, "required", ["id", "parts"],
            "answer 200 parts: list, always there; was list, may be missing", "getThing",
            id="a field of an answer became certain",
        ),
        pytest.param(
            BODY, "required", ["name", "colour"],
            "request colour: one of red, blue, required; was one of red, blue, optional", "createThing",
            id="a field of a request became required",
        ),
        pytest.param(
            f"{BODY} > properties > colour", "enum", ["red", "blue", None],
            "request colour: one of red, blue, null, optional; was one of red, blue, optional", "createThing",
            id="an enum",
        ),
        pytest.param(
            f"{BODY} > properties > name", "maxLength", 10,
            "request name: text (maxLength 10), required; was text (maxLength 9), required", "createThing",
            id="a limit",
        ),
        pytest.param(BODY, "additionalProperties", True, "request others: gone, was refused", "createThing",
            id="other fields are taken"),
        pytest.param(
            BODY, "anyOf", [{"required": ["colour"]}, {"required": ["description"]}],
            "request needs: new, at least one of colour, description", "createThing", id="a choice of fields",
        ),
        pytest.param(
            f"{GET} > responses", 409, {"description": "No."}, "answer 409: new, told, without a body",
            "getThing", id="a status is new",
        ),
        pytest.param(f"{GET} > responses", 404, None, "answer 404: gone, was told", "getThing",
            id="a status is gone"),
        pytest.param(
            GET, "parameters", [{"name": "deep", "in": "query", "schema": {"type": "boolean"}}],
            "query deep: new, boolean, optional", "getThing", id="a parameter is new",
        ),
        pytest.param(GET, "security", [{"shopKey": []}], "key: shopKey; was none", "getThing", id="a key"),
        pytest.param(GET, "deprecated", True, "operation: new, deprecated", "getThing", id="deprecated"),
        pytest.param(
            f"{THING} > properties > state > oneOf > 1 > properties", "why", {"type": "string"},
            "answer 200 state(kept).why: new, text, may be missing", "getThing", id="in one form of several",
        ),
        pytest.param(
            f"{THING} > properties > state > oneOf > 1 > properties > until", "type", "string",
            "answer 200 state(kept).until: text, may be missing; was text or null, may be missing",
            "getThing", id="no longer null",
        ),
    ],
)  # fmt: skip
def test_a_change_is_told(
    tool: ModuleType, document: Any, where: str, key: Any, value: Any, line: str, operation: str
) -> None:
    """Where it is, what is there now, what was there before, and in which operations."""
    other = deepcopy(document)
    if value is None:
        del at(other, where)[key]
    else:
        at(other, where)[key] = value
    assert tool.changes(document, other) == ["operations changed:", f"  {line}", f"    in {operation}"]


def test_operations_come_and_go(tool: ModuleType, document: Any) -> None:
    """By name and address; one that moved is a change."""
    other = deepcopy(document)
    other["paths"]["/v2/things"] = other["paths"].pop("/v1/things")
    other["paths"]["/v1/all"] = {"get": {"operationId": "listThings", "responses": {}}}
    del other["paths"]["/v1/things/{thingId}"], other["webhooks"]["thingSold"]
    assert tool.changes(document, other) == [
        "1 operation new:",
        "  listThings: GET /v1/all",
        "2 operations gone:",
        "  getThing: GET /v1/things/{thingId}",
        "  thingSold: webhook",
        "operations changed:",
        "  address: POST /v2/things; was POST /v1/things",
        "    in createThing",
    ]


def test_from_the_command_line(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two documents, JSON or YAML; one is compared with the digest; the end says whether they differ."""
    older, newer = tmp_path / "older.yaml", tmp_path / "newer.json"
    older.write_text(DOCUMENT)
    document = yaml.safe_load(DOCUMENT)
    document["info"]["version"] = "1.1.0"
    newer.write_text(json.dumps(document))
    assert tool.main(["compare", str(older), str(newer)]) == 0
    assert capsys.readouterr().out == "from 1.0.0 to 1.1.0:\nnothing has changed\n"
    assert tool.main(["compare", str(DIGEST)]) == 0
    assert tool.main(["compare", str(older)]) == 1
    assert f"{72 + len(digest()['webhooks'])} operations gone:" in capsys.readouterr().out
    monkeypatch.setattr(tool, "DIGEST", tmp_path / "digest.json")
    assert tool.main(["make", str(older)]) == 0
    assert json.loads((tmp_path / "digest.json").read_text()) == tool.digest(yaml.safe_load(DOCUMENT))
    assert tool.main([]) == 2
