"""Idempotency keys over HTTP: what they belong to, and how long they may be."""

import httpx2

from support.live import LiveServer
from support.refusals import refused

USED = "Request with idempotency key k1 has already been processed."
KEY = {"Idempotency-Key": "k1"}
EVENT = {"eventName": "signup", "email": "ada@example.com"}


async def test_a_key_belongs_to_team_and_endpoint(
    http: httpx2.AsyncClient, welcome_id: str, stranger: dict[str, str]
) -> None:
    """The same one passes once with each endpoint, and with another team."""
    email = {"email": "ada@example.com", "transactionalId": welcome_id}
    assert (await http.post("/events/send", json=EVENT, headers=KEY)).status_code == 200
    assert (await http.post("/transactional", json=email, headers=KEY)).status_code == 200
    assert (await http.post("/events/send", json=EVENT, headers={**KEY, **stranger})).status_code == 200
    refused(await http.post("/events/send", json=EVENT, headers=KEY), 409, USED)
    refused(await http.post("/events/send", json=EVENT, headers={**KEY, **stranger}), 409, USED)


async def test_sending_an_email_once(
    http: httpx2.AsyncClient, welcome_id: str, live_server: LiveServer
) -> None:
    """A used key is a conflict, and no second email is made; a key has at most 100 characters."""
    email = {"email": "ada@example.com", "transactionalId": welcome_id}
    assert (await http.post("/transactional", json=email, headers=KEY)).status_code == 200
    refused(await http.post("/transactional", json=email, headers=KEY), 409, USED)
    too_long = {"Idempotency-Key": "k" * 101}
    refused(await http.post("/transactional", json=email, headers=too_long), 400, "at most 100")
    assert await live_server.pool.fetchval("SELECT count(*) FROM email") == 1
    longest = {"Idempotency-Key": "k" * 100}
    assert (await http.post("/transactional", json=email, headers=longest)).status_code == 200
