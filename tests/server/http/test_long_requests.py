"""Long requests: many at once are taken in turns, and what they are refused for costs nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2

from loopwright.server.http.space import IN_ALL, OF_A_TEAM
from loopwright.wire.limits import TRANSACTIONAL_BYTES
from support.live import LiveServer
from support.refusals import refused


def event(**more: object) -> bytes:
    return json.dumps({"eventName": "big", "email": "ada@example.com", **more}).encode()


async def test_many_long_requests_take_turns(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """More than there is space for at once: each is taken or told to come again, and none is lost."""
    body = event(eventProperties={"items": [{"text": "x" * 400} for _ in range(4_500)]})
    count = 2 * OF_A_TEAM // len(body)
    answers = await asyncio.gather(*(http.post("/events/send", content=body) for _ in range(count)))
    taken = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer not in taken:
            refused(answer, 503, "again in a moment")
            assert int(answer.headers["retry-after"]) > 0
    assert taken
    assert await live_server.pool.fetchval("SELECT count(*) FROM event") == len(taken)


async def test_refused_requests_leave_their_space(http: httpx2.AsyncClient) -> None:
    """Together they are longer than all the space there is."""
    many = event(eventProperties={f"property {number}": "x" * 20 for number in range(85_000)})
    unreadable = b"{" + b" " * (len(many) - 1)
    count = IN_ALL // len(many) + 2
    for body, text in ((many, "an event has at most 200"), (unreadable, "not JSON")):
        assert len(body) < TRANSACTIONAL_BYTES
        for answer in await asyncio.gather(*(http.post("/events/send", content=body) for _ in range(count))):
            refused(answer, 400, text)


async def test_a_body_of_unknown_length(http: httpx2.AsyncClient) -> None:
    """Sent in pieces, it is taken like any other."""

    async def pieces() -> AsyncIterator[bytes]:
        body = event(eventProperties={"items": [{"text": "x" * 400} for _ in range(200)]})
        for start in range(0, len(body), 5_000):
            yield body[start : start + 5_000]

    assert (await http.post("/events/send", content=pieces())).status_code == 200
