"""The Go client that a generator makes of the published document against the server, as in the README."""

import json

import pytest

from support.foreign_clients import PROGRAMS, go_program, python_folder, run
from support.live import LiveServer

DOCUMENT = "pyloops==1.22.6"  # it has the vendor's document in it
GENERATOR = "openapi-generator-cli==7.26.0"


@pytest.mark.slow
@pytest.mark.parametrize("root", ["/api", "/api/", "/", "//api//"])
async def test_the_flow_of_the_readme(live_server: LiveServer, root: str) -> None:
    """Its decoder takes no unknown key, and has an error's message and typed model where all fits."""
    document = await python_folder((DOCUMENT,)) / "pyloops" / "openapi.yaml"
    program = await go_program(PROGRAMS / "go_client.go", document, await python_folder((GENERATOR,)))
    code, output = await run(str(program), API_KEY=live_server.api_key, BASE_URL=live_server.base_url + root)
    assert code == 0, output
    sent, again, nobody, missing = json.loads(output)
    assert sent | {"call": ""} == {
        "call": "", "status": 200, "success": True, "error": "", "model": "", "message": "", "path": "",
    }  # fmt: skip
    assert again["status"] == 409
    assert again["model"] == "loops.IdempotencyKeyFailureResponse"
    assert again["message"] == "Request with idempotency key first has already been processed."
    assert nobody["status"] == 400
    assert nobody["model"] == "loops.EventFailureResponse"
    assert "email" in nobody["message"]
    assert missing["status"] == 404
    assert missing["model"] == "loops.TransactionalFailure3Response"
    assert missing["message"]
    assert missing["path"] == "transactionalId"
