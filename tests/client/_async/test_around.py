"""What happens around a call: log lines, spans, trust."""

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from loopwright import AsyncLoops, LoopsConnectionError, NotFoundError
from loopwright.client.sync_async import TransportName
from support.faulty import FaultyServer, Handle, Reply
from support.spans import recorded_spans

Serve = Callable[..., FaultyServer]


async def test_the_log_names_no_person_and_no_key(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Every attempt is a line with operation, outcome and time; addresses, ids and keys stay out."""
    server = serve(Reply(503), Handle({"X-Request-Id": "r-1"}, b"[]"), Handle())
    with caplog.at_level(logging.INFO, logger="loopwright"):
        async with AsyncLoops("very-secret", base_url=server.url) as loops:
            await loops.contacts.find(email="ada@example.com")
            await loops.events.send("signup", email="ada@example.com", user_id="u-77", idempotency_key="idem")
    lines = [record.getMessage() for record in caplog.records if record.name == "loopwright"]
    assert lines[0].startswith("GET /v1/contacts/find: 503 in ")
    assert lines[1].startswith("GET /v1/contacts/find: again in ")
    assert lines[2].startswith("GET /v1/contacts/find: 200 in ")
    assert lines[2].endswith(" ms (attempt 2, request r-1)")
    assert lines[3].startswith("POST /v1/events/send: 200 in ")
    for secret in ("ada", "very-secret", "u-77", "idem"):
        assert not any(secret in line for line in lines)


async def test_a_call_is_a_span(serve: Serve) -> None:
    """One client span a call, its retries counted, its error recorded, no address in it."""
    server = serve(Reply(503), Handle(body=b"[]"), Reply(404))
    with recorded_spans() as spans:
        async with AsyncLoops("key", base_url=server.url) as loops:
            await loops.contacts.find(email="ada@example.com")
            with pytest.raises(NotFoundError):
                await loops.campaigns.get("c1")
    found, missing = spans
    assert found.name == "GET /v1/contacts/find"
    assert found.kind.name == "CLIENT"
    assert found.attributes["http.response.status_code"] == 200
    assert found.attributes["http.request.resend_count"] == 1
    assert found.attributes["loops.operation"] == "findContact"
    assert missing.name == "GET /v1/campaigns/{campaignId}"
    assert missing.status.status_code.name == "ERROR"
    assert "example.com" not in found.to_json()


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
async def test_an_authority_of_ones_own(
    tls_server: FaultyServer, authority: Path, transport: TransportName
) -> None:
    """A PEM file is trusted; without it the server is not, and nothing is sent."""
    url, pem = tls_server.url, str(authority)
    async with AsyncLoops("key", base_url=url, transport=transport, verify=pem) as loops:
        await loops.events.send("e", user_id="u")
    async with AsyncLoops("key", base_url=url, transport=transport, max_retries=0) as loops:
        with pytest.raises(LoopsConnectionError, match="cannot be reached") as caught:
            await loops.contacts.create("a@b.c")
    assert not caught.value.outcome_unknown
    async with AsyncLoops("key", base_url=url, transport=transport, verify=False) as loops:
        await loops.events.send("e", user_id="u")
    assert len(tls_server.requests) == 2


async def test_a_context_of_ones_own(tls_server: FaultyServer, authority: Path) -> None:
    """An `ssl.SSLContext` is taken as it is."""
    context = ssl.create_default_context(cafile=str(authority))
    async with AsyncLoops("key", base_url=tls_server.url, verify=context) as loops:
        await loops.events.send("e", user_id="u")
