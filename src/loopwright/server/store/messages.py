"""Content: email messages, and the transactional emails that publish them."""

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


class TransactionalRow(Struct, frozen=True, kw_only=True):
    """A transactional email. `data_variables` are those of the published message, `required_variables` of
    them those without a fallback."""

    id: str
    team_id: str
    name: str
    draft_message_id: str | None
    published_message_id: str | None
    data_variables: list[str]
    required_variables: list[str]
    created_at: datetime
    updated_at: datetime


MESSAGE: LiteralString = """
    SELECT id, team_id, content_revision_id, subject, preview_text, from_name, from_email, reply_to_email,
           cc_email, bcc_email, language_code, email_format, lmx, contact_fallbacks, event_fallbacks,
           data_fallbacks, updated_at
      FROM email_message
     WHERE team_id = $1 AND id = $2
"""
_TRANSACTIONAL: LiteralString = """
    id, team_id, name, draft_message_id, published_message_id, data_variables, required_variables, created_at,
    updated_at
"""
TRANSACTIONAL: LiteralString = f"""
    SELECT {_TRANSACTIONAL} FROM transactional_email WHERE team_id = $1 AND id = $2
"""
PUBLISHED: LiteralString = f"""
    SELECT {_TRANSACTIONAL}
      FROM transactional_email
     WHERE team_id = $1 AND published_message_id IS NOT NULL AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC
     LIMIT $3
"""
COUNT_PUBLISHED: LiteralString = """
    SELECT count(*) FROM transactional_email WHERE team_id = $1 AND published_message_id IS NOT NULL
"""

_fallbacks = msgspec.json.Decoder(dict[str, str])


async def load_message(tx: Connection, team_id: str, message_id: str) -> MessageRow | None:
    """The email message of that id."""
    row = await tx.fetchrow(MESSAGE, team_id, message_id)
    return _message(dict(row)) if row else None


async def load_transactional(tx: Connection, team_id: str, transactional_id: str) -> TransactionalRow | None:
    """The transactional email of that id, published or not."""
    row = await tx.fetchrow(TRANSACTIONAL, team_id, transactional_id)
    return TransactionalRow(**row) if row else None


async def list_published(
    tx: Connection, team_id: str, *, before: str | None, limit: int
) -> list[TransactionalRow]:
    """Published transactional emails, newest first; with `before`, those made earlier than that one."""
    return [TransactionalRow(**row) for row in await tx.fetch(PUBLISHED, team_id, before, limit)]


async def count_published(tx: Connection, team_id: str) -> int:
    """How many transactional emails are published."""
    return int(await tx.fetchval(COUNT_PUBLISHED, team_id))


def _message(row: dict[str, object]) -> MessageRow:
    for kind in ("contact_fallbacks", "event_fallbacks", "data_fallbacks"):
        row[kind] = _fallbacks.decode(str(row[kind]))
    return MessageRow(**row)  # type: ignore[arg-type]  # the columns are named as the fields are
