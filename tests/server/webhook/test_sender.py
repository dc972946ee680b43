"""Webhooks on their way: real endpoints, some of which are slow, down, moved or gone."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook
from starlette.responses import RedirectResponse, Response

from loopwright import webhooks
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.webhook_deliveries import CHANNEL, replay
from loopwright.server.store.webhooks import EndpointRow, find_endpoint, update_endpoint
from loopwright.server.webhook.addresses import Resolver, public_and
from loopwright.server.webhook.retry import FAILS, GONE
from loopwright.server.webhook.sender import IN_HAND, WebhookSender
from loopwright.server.webhook.signing import seal_secret
from loopwright.server.webhook.transport import REPLY_BYTES, Transport
from support.clock import HandClock
from support.factories import add_deliveries, add_endpoint
from support.webhook_peer import Receiver, receiving
from support.workflows import until

NOW = datetime.now(UTC)
SEALING = SealingKey(bytes(32))
SECRET = "whsec_c2VjcmV0"
LOOPBACK = [ip_network("127.0.0.0/8")]
AT_LEAST = timedelta(seconds=4)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@asynccontextmanager
async def sending(
    pool: Pool, clock: HandClock, *, sealing: SealingKey | None = SEALING, allowed: Any = LOOPBACK
) -> AsyncGenerator[None]:
    """Deliver until the block ends."""
    resolver = Resolver(public_and(allowed))
    transport = Transport(resolver)
    sender = WebhookSender(pool, clock, transport, sealing)
    await sender.start()
    try:
        yield
    finally:
        await sender.stop()
        await transport.close()
        resolver.close()


async def rows(pool: Pool) -> list[tuple[str, int]]:
    found = await pool.fetch("SELECT status, attempts FROM webhook_delivery ORDER BY sequence")
    return [(row["status"], row["attempts"]) for row in found]


def has(pool: Pool, *expected: tuple[str, int]) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return await rows(pool) == list(expected)

    return holds


def is_left(pool: Pool) -> Callable[[], Awaitable[bool]]:
    """Whether no sender has an endpoint."""

    async def holds() -> bool:
        return not await pool.fetchval("SELECT EXISTS (SELECT FROM webhook_endpoint WHERE token IS NOT NULL)")

    return holds


async def attempts(pool: Pool) -> list[tuple[int | None, str, str]]:
    found = await pool.fetch("SELECT status_code, error, reply FROM webhook_attempt ORDER BY id")
    return [tuple(row) for row in found]


async def later(pool: Pool, clock: HandClock, by: timedelta) -> None:
    """Let time pass, and have senders look."""
    clock.advance(by)
    await pool.execute("SELECT pg_notify($1, '')", CHANNEL)


async def reload(pool: Pool, endpoint: EndpointRow) -> EndpointRow:
    async with pool.acquire() as tx:
        found = await find_endpoint(tx, endpoint.team_id, endpoint.id)
    assert found is not None
    return found


async def test_a_delivery(pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver) -> None:
    """Signed as Standard Webhooks are, with the id it keeps and a number that grows; any 2xx will do."""
    receiver.answer = lambda: Response("thanks", status_code=202)
    clock.advance(datetime.now(UTC) - NOW)  # the verifier of others goes by the time that it is
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    ids = await add_deliveries(pool, endpoint, 2, now=NOW)
    async with sending(pool, clock):
        await until(has(pool, ("delivered", 1), ("delivered", 1)))
    first, second = receiver.requests
    assert [one.headers["webhook-id"] for one in receiver.requests] == ids
    assert int(first.headers["x-loopwright-sequence"]) < int(second.headers["x-loopwright-sequence"])
    assert first.headers["content-type"] == "application/json"
    assert first.headers["host"] == receiver.url.split("/")[2]
    event = webhooks.verify(first.body, first.headers, SECRET, now=clock.now())
    assert event == webhooks.TestEvent(event_time=int(NOW.timestamp()))
    assert Webhook(SECRET).verify(first.body, first.headers) == json.loads(first.body)
    assert await attempts(pool) == [(202, "", "thanks")] * 2


async def test_two_secrets_sign_for_a_day(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver
) -> None:
    """Each by itself will do; the former one is over then."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    new = "whsec_bmV3"
    async with pool.acquire() as tx:
        await update_endpoint(
            tx,
            replace(
                endpoint,
                sealed_secret=seal_secret(SEALING, endpoint.id, new),
                former_secret=endpoint.sealed_secret,
                former_until=NOW + timedelta(hours=24),
            ),
        )
    await add_deliveries(pool, endpoint, 1, now=NOW)
    async with sending(pool, clock):
        await until(has(pool, ("delivered", 1)))
        await later(pool, clock, timedelta(hours=24))
        await add_deliveries(pool, endpoint, 1, now=clock.now())
        await until(has(pool, ("delivered", 1), ("delivered", 1)))
    both, one = receiver.requests
    for secret in (new, SECRET):
        webhooks.verify(both.body, both.headers, secret, now=NOW)
    webhooks.verify(one.body, one.headers, new, now=clock.now())
    with pytest.raises(webhooks.SignatureError):
        webhooks.verify(one.body, one.headers, SECRET, now=clock.now())


async def test_what_fails_goes_again_with_its_id(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver
) -> None:
    """After five seconds, then five minutes, or when the endpoint wants it; redirects are not followed."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    [delivery_id] = await add_deliveries(pool, endpoint, 1, now=NOW)
    receiver.answer = lambda: RedirectResponse("http://127.0.0.1:9/elsewhere", status_code=302)
    async with sending(pool, clock):
        await until(has(pool, ("queued", 1)))
        due = await pool.fetchval("SELECT due_at FROM webhook_delivery")
        assert AT_LEAST <= due - NOW <= timedelta(seconds=6)
        assert (await reload(pool, endpoint)).failing_since == NOW
        receiver.answer = lambda: Response("x" * 30_000, status_code=500, headers={"Retry-After": "3600"})
        await later(pool, clock, timedelta(seconds=6))
        await until(has(pool, ("queued", 2)))
        due = await pool.fetchval("SELECT due_at FROM webhook_delivery")
        assert due == clock.now() + timedelta(hours=1)
        receiver.answer = lambda: Response(status_code=200)
        await later(pool, clock, timedelta(hours=1))
        await until(has(pool, ("delivered", 3)))
    assert {one.headers["webhook-id"] for one in receiver.requests} == {delivery_id}
    assert await attempts(pool) == [(302, "", ""), (500, "", "x" * REPLY_BYTES), (200, "", "")]
    assert (await reload(pool, endpoint)).failing_since is None


async def test_eight_attempts_are_all(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver
) -> None:
    """Then it has failed, and its endpoint gets the next; it can be sent once more, from the beginning."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    await add_deliveries(pool, endpoint, 1, now=NOW)
    receiver.answer = lambda: Response(status_code=500)
    async with sending(pool, clock):
        for number in range(1, 9):
            await until(has(pool, ("queued" if number < 8 else "failed", number)))
            await later(pool, clock, timedelta(hours=12))
        assert len(receiver.requests) == 8
        receiver.answer = lambda: Response(status_code=200)
        async with pool.acquire() as tx:
            queued = await replay(
                tx, team.id, endpoint.id, ["failed"], start=NOW, end=clock.now(), now=clock.now()
            )
        assert queued == 1
        await until(has(pool, ("delivered", 1)))
    assert len(await attempts(pool)) == 9


@pytest.mark.parametrize("gone", [True, False])
async def test_an_endpoint_is_given_up(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver, *, gone: bool
) -> None:
    """At once when it says so, and after 120 hours without success; what waits is kept as missed."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    await add_deliveries(pool, endpoint, 1, now=NOW)
    receiver.answer = lambda: Response(status_code=410 if gone else 503)
    async with sending(pool, clock):
        if not gone:
            await until(has(pool, ("queued", 1)))
            await until(is_left(pool))  # who has it still may not know that it fails
            await later(pool, clock, timedelta(hours=120))
            await add_deliveries(pool, endpoint, 1, now=NOW + timedelta(days=9))

        async def disabled() -> bool:
            return (await reload(pool, endpoint)).disabled_at is not None

        await until(disabled)
    found = await reload(pool, endpoint)
    assert (found.disabled_at, found.disabled_reason) == (clock.now(), GONE if gone else FAILS)
    assert await rows(pool) == ([("failed", 1)] if gone else [("missed", 2), ("missed", 0)])


async def test_notices_before_it_is_given_up(
    pool: Pool,
    team: TeamRow,
    clock: HandClock,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a day, after three, and twelve hours before the end; each once, and anew after a success."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    receiver.answer = lambda: Response(status_code=503)

    async with sending(pool, clock):
        for number, hours in enumerate((0, 23, 1, 1, 47, 36), 1):
            clock.advance(timedelta(hours=hours))
            await add_deliveries(pool, endpoint, 1, now=clock.now())

            async def all_are_tried(number: int = number) -> bool:
                return [count for _, count in await rows(pool)][number - 1 :] == [1]

            await until(all_are_tried)
    told = [record.message for record in caplog.records if "nothing has succeeded" in record.message]
    assert [text.split(" for ")[1].split(" hours")[0] for text in told] == ["24", "72", "108"]
    assert "in 12 hours it is disabled" in told[-1]
    assert endpoint.id in told[-1]


async def test_in_strict_order(pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver) -> None:
    """What waits about a contact holds back what follows about it, and nothing else."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    async with pool.acquire() as tx:
        await update_endpoint(tx, replace(endpoint, ordered=True))
    first, second, other = await add_deliveries(pool, endpoint, 3, now=NOW)
    await pool.execute(
        "UPDATE webhook_delivery SET contact_id = CASE id WHEN $1 THEN 'cb' ELSE 'ca' END", other
    )
    answers = [Response(status_code=500)]
    receiver.answer = lambda: answers.pop() if answers else Response(status_code=200)
    async with sending(pool, clock):
        await until(has(pool, ("queued", 1), ("queued", 0), ("delivered", 1)))
        await later(pool, clock, timedelta(seconds=6))
        await until(has(pool, ("delivered", 2), ("delivered", 1), ("delivered", 1)))
    assert [one.headers["webhook-id"] for one in receiver.requests] == [first, other, first, second]


async def test_a_slow_endpoint_delays_no_other(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver
) -> None:
    """It has some deliveries in hand and the rest wait; its neighbour gets each of its own at once."""
    async with receiving() as tarpit:
        tarpit.hold.clear()
        slow = await add_endpoint(pool, team.id, tarpit.url, sealing=SEALING, now=NOW)
        healthy = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
        await add_deliveries(pool, slow, 100, now=NOW)
        loop = asyncio.get_running_loop()
        waits: list[float] = []
        async with sending(pool, clock):
            for number in range(10):
                queued = loop.time()
                await add_deliveries(pool, healthy, 1, now=NOW)
                while len(receiver.requests) <= number:
                    await asyncio.sleep(0.005)
                waits.append(receiver.requests[number].at - queued)
            tarpit.hold.set()
    assert max(waits) < 2
    assert 0 < len(tarpit.requests) <= IN_HAND * 2


async def test_ten_a_second(pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver) -> None:
    """Whatever number of processes there is; what is more waits."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    await add_deliveries(pool, endpoint, 12, now=NOW)
    async with sending(pool, clock), sending(pool, clock):
        await until(has(pool, *[("delivered", 1)] * 12))
    times = [one.at for one in receiver.requests]
    assert len(times) == 12
    assert times[-1] - times[0] >= 1.0
    assert all(later - earlier > 0.05 for earlier, later in pairwise(times))


async def test_what_a_dead_process_had_in_hand(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver
) -> None:
    """Another takes it once the lease is over, and no sooner; the id is the same."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    ids = await add_deliveries(pool, endpoint, 1, now=NOW)
    await pool.execute("UPDATE webhook_endpoint SET token = 'dead', leased_until = now() + interval '1 hour'")
    async with sending(pool, clock):
        await later(pool, clock, timedelta(seconds=1))
        assert receiver.requests == []
        await pool.execute("UPDATE webhook_endpoint SET leased_until = now()")
        await later(pool, clock, timedelta(seconds=1))
        await until(has(pool, ("delivered", 1)))
    assert [one.headers["webhook-id"] for one in receiver.requests] == ids
    assert await pool.fetchval("SELECT token FROM webhook_endpoint") is None


async def test_no_connection_to_what_is_not_public(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver
) -> None:
    """Neither by a name nor by a number in any notation, and nothing of whoever is there is shown."""
    port = receiver.url.split(":")[2].split("/")[0]
    hosts = ["127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]", "[::1]"]
    for host in hosts:
        endpoint = await add_endpoint(pool, team.id, f"http://{host}:{port}/", sealing=SEALING, now=NOW)
        await add_deliveries(pool, endpoint, 1, now=NOW)
    async with sending(pool, clock, allowed=[]):
        await until(has(pool, *[("queued", 1)] * len(hosts)))
    assert receiver.requests == []
    errors = [error for _, error, _ in await attempts(pool)]
    assert ["not public" in error for error in errors] == [True] * len(hosts)


async def test_without_a_key_nothing_is_sent(
    pool: Pool, team: TeamRow, clock: HandClock, receiver: Receiver
) -> None:
    """Its secret cannot be opened, and the history says what to do."""
    endpoint = await add_endpoint(pool, team.id, receiver.url, sealing=SEALING, now=NOW)
    await add_deliveries(pool, endpoint, 1, now=NOW)
    async with sending(pool, clock, sealing=SealingKey(bytes(31) + b"1")):
        await until(has(pool, ("queued", 1)))
    assert receiver.requests == []
    [(_, error, _)] = await attempts(pool)
    assert "rotate it" in error
