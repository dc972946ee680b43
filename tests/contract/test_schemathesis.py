"""Requests made up from the server's own description and from the published contract, good and bad ones.

No answer is a 500, and none is outside its schema. `SCHEMATHESIS_EXAMPLES` makes more than a few of each.
"""

import asyncio
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from loopwright.server.http.endpoints import ENDPOINTS
from loopwright.server.http.openapi import document
from support.contract import mended
from support.live import LiveServer

# The server runs in another thread of this process and may ask for chance at any moment.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "8"))
OPERATIONS = sorted(one.operation.id for one in ENDPOINTS)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Keeps its connection, and asks the machine for neither proxies nor passwords at each request."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@cache
def ours() -> OpenApiSchema:
    return schemathesis.openapi.from_dict(document())


@cache
def published() -> OpenApiSchema:
    return schemathesis.openapi.from_dict(_kindly(mended()))


def hold(
    live_server: LiveServer,
    session: requests.Session,
    schema: OpenApiSchema,
    operation_id: str,
    checks: list[Any],
) -> None:
    """Send requests for one operation, as its description has it and otherwise, and check every answer."""
    operation = schema.find_operation_by_id(operation_id)
    headers = {"Authorization": f"Bearer {live_server.api_key}"}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            cases = operation.as_strategy(mode)
        except Exception as nothing:
            if mode is GenerationMode.NEGATIVE and "Unsatisfiable" in type(nothing).__name__:
                continue
            raise

        @seed(20260517)
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=cases)
        def send(case: "Case[Any]") -> None:
            response = case.call(base_url=f"{live_server.base_url}/api", session=session, headers=headers)
            case.validate_response(response, checks=checks)

        send()


@pytest.mark.parametrize("operation_id", OPERATIONS)
async def test_our_own_description(
    live_server: LiveServer, session: requests.Session, operation_id: str
) -> None:
    """Every answer has a status, a type and a schema that the description names."""
    checks = [
        not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    ]  # fmt: skip
    await asyncio.to_thread(hold, live_server, session, ours(), operation_id, checks)


@pytest.mark.parametrize("operation_id", OPERATIONS)
async def test_the_published_contract(
    live_server: LiveServer, session: requests.Session, operation_id: str
) -> None:
    """What the contract has a schema for follows it, save what `docs/api.md` lists."""
    checks = [not_a_server_error, response_schema_conformance]
    await asyncio.to_thread(hold, live_server, session, published(), operation_id, checks)


def _kindly(contract: Any) -> Any:
    """A validator that takes fields it does not know finds one failure to have two of its forms."""
    bad_request = contract["paths"]["/v1/transactional"]["post"]["responses"]["400"]
    schema = bad_request["content"]["application/json"]["schema"]
    schema["anyOf"] = schema.pop("oneOf")
    return contract
