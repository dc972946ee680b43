"""Email messages: the content of emails."""

from datetime import datetime
from typing import Literal, LiteralString

import msgspec
from msgspec import Struct

from .database import Connection


class MessageRow(Struct, frozen=True, kw_only=True):
    """The content of an email. `from_email` is the part before the @; fallbacks map a variable to text."""

    id: str
    team_id: str
    content_revision_id: str
    subject: str
    preview_text: str
    from_name: str
    from_email: str
    reply_to_email: str
    cc_email: str
    bcc_email: str
    language_code: str
    email_format: Literal["styled", "plain"]
    lmx: str
    contact_fallbacks: dict[str, str]
    event_fallbacks: dict[str, str]
    data_fallbacks: dict[str, str]
    updated_at: datetime


class Circumstances(Struct, frozen=True, kw_only=True):
    """What a delivery must know about its content, its mailing list and its address."""

    content_revision_id: str
    list_name: str | None
    is_suppressed: bool


MESSAGE: LiteralString = """
    SELECT id, team_id, content_revision_id, subject, preview_text, from_name, from_email, reply_to_email,
           cc_email, bcc_email, language_code, email_format, lmx, contact_fallbacks, event_fallbacks,
           data_fallbacks, updated_at
      FROM email_message
     WHERE team_id = $1 AND id = $2
"""
CIRCUMSTANCES: LiteralString = """
    SELECT email_message.content_revision_id, mailing_list.name AS list_name,
           EXISTS (SELECT FROM suppression WHERE team_id = $1 AND email = $4) AS is_suppressed
      FROM email_message
      LEFT JOIN mailing_list ON mailing_list.team_id = $1 AND mailing_list.id = $3
     WHERE email_message.team_id = $1 AND email_message.id = $2
"""

_fallbacks = msgspec.json.Decoder(dict[str, str])


async def load_message(tx: Connection, team_id: str, message_id: str) -> MessageRow | None:
    """The email message of that id."""
    row = await tx.fetchrow(MESSAGE, team_id, message_id)
    return _message(dict(row)) if row else None


async def load_circumstances(
    tx: Connection, team_id: str, message_id: str, *, mailing_list_id: str | None, to_email: str
) -> Circumstances:
    """The circumstances of sending a message to an address. `LookupError` when there is no such message."""
    row = await tx.fetchrow(CIRCUMSTANCES, team_id, message_id, mailing_list_id, to_email)
    if row is None:
        raise LookupError(f"no email message {message_id}")
    return Circumstances(**row)


def _message(row: dict[str, object]) -> MessageRow:
    for kind in ("contact_fallbacks", "event_fallbacks", "data_fallbacks"):
        row[kind] = _fallbacks.decode(str(row[kind]))
    return MessageRow(**row)  # type: ignore[arg-type]  # the columns are named as the fields are
