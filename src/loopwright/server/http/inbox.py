"""The inbox for programs: what arrived, as JSON. Ours, not Loops'."""

from datetime import datetime
from email import message_from_bytes, policy

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.ingest.reading import read_email
from loopwright.server.store.inbox import InboxRow, load_newest

from .operation import Call, answer

SHOWN = 50


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


async def list_inbox(call: Call) -> Response:
    """GET /loopwright/v1/inbox?to=: the newest messages, at most 50."""
    to_email = read_email(call.request.query_params.get("to"))
    async with call.pool.acquire() as tx:
        rows = await load_newest(tx, call.team.id, to_email=to_email, limit=SHOWN)
    return answer([_message(row) for row in rows])


def _message(row: InboxRow) -> InboxMessage:
    message = message_from_bytes(row.raw, policy=policy.default)
    text, html = (message.get_body([kind]) for kind in ("plain", "html"))
    return InboxMessage(
        id=row.id,
        email_id=row.email_id,
        from_email=row.from_email,
        to_email=row.to_email,
        subject=row.subject,
        text=text.get_content() if text else None,
        html=html.get_content() if html else None,
        received_at=row.received_at,
    )
