"""The inbox for programs: what arrived, as JSON. Ours, not Loops'."""

import asyncio
from datetime import datetime

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.ingest.values import read_email
from loopwright.server.mail.parsed_email import parse_email
from loopwright.server.store.inbox import InboxText, keep_text, load_newest, load_received

from .dispatch import ApiRequest, answer

SHOWN = 50
SHOWN_BYTES = 10_000_000
"""The message that passes this many bytes of texts is the last one shown."""


class InboxMessage(Struct, frozen=True, kw_only=True, rename="camel"):
    """A message that stayed here. `text` and `html` are null when it has no such part."""

    id: str
    email_id: str | None
    from_email: str
    to_email: str
    subject: str
    text: str | None
    html: str | None
    received_at: datetime


async def list_inbox(call: ApiRequest) -> Response:
    """GET /loopwright/v1/inbox?to=: the newest messages, at most 50, and fewer where they are very long."""
    to_email = read_email(call.request.query_params.get("to"))
    rows = await _newest(call, to_email)
    if unread := [row.id for row in rows if not row.taken_apart]:
        for inbox_id in unread:
            await _take_apart(call, inbox_id)
        rows = await _newest(call, to_email)
    return answer([_message(row) for row in rows])


async def _newest(call: ApiRequest, to_email: str | None) -> list[InboxText]:
    async with call.pool.acquire() as tx:
        return await load_newest(tx, call.team.id, to_email=to_email, limit=SHOWN, room=SHOWN_BYTES)


async def _take_apart(call: ApiRequest, inbox_id: str) -> None:
    """Read a message that came before what it says was kept; this is done once."""
    async with call.pool.acquire() as tx:
        received = await load_received(tx, call.team.id, inbox_id)
    if received is None:
        return
    parsed = await asyncio.to_thread(parse_email, received.raw)
    async with call.pool.acquire() as tx:
        await keep_text(tx, call.team.id, inbox_id, text=parsed.text, html=parsed.html)


def _message(row: InboxText) -> InboxMessage:
    return InboxMessage(
        id=row.id,
        email_id=row.email_id,
        from_email=row.from_email,
        to_email=row.to_email,
        subject=row.subject,
        text=row.text,
        html=row.html,
        received_at=row.received_at,
    )
