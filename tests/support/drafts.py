"""Transactional emails over HTTP, from a draft to sending."""

from typing import Any

import httpx2

from support.contract import read

BODY = "<Paragraph>Your code is {data.code}.</Paragraph>"
SOUND = {"subject": "Your code", "fromName": "Acme", "fromEmail": "hello", "lmx": BODY}


async def create(http: httpx2.AsyncClient, **content: object) -> dict[str, Any]:
    """A transactional email whose draft says `content`."""
    made = read(await http.post("/transactional-emails", json={"name": "Code"}), 201)
    if content:
        draft = made["draftEmailMessageId"]
        expected = made["draftEmailMessageContentRevisionId"]
        read(await http.post(f"/email-messages/{draft}", json={"expectedRevisionId": expected, **content}))
    return made


async def publish(http: httpx2.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    """Make its draft what is sent."""
    return read(await http.post(f"/transactional-emails/{made['id']}/publish"))


async def send(http: httpx2.AsyncClient, made: dict[str, Any], **values: object) -> httpx2.Response:
    """Send it, with these data variables."""
    body = {"email": "ada@example.com", "transactionalId": made["id"], "dataVariables": values}
    return await http.post("/transactional", json=body)
