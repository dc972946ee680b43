"""Emails as they are stored, for tests that look at what became of one."""

from datetime import datetime
from typing import LiteralString

import msgspec
from msgspec import Struct

from loopwright.server.store.database import Connection
from loopwright.server.store.emails import Kind, Status, Value
from loopwright.server.store.inbox import InboxRow


class EmailRow(Struct, frozen=True, kw_only=True):
    """An email as it is stored. `reason` says why it was skipped or failed, or what the last attempt met.

    `trying_since` is when the first attempt was made that did not end it.
    `revision_id` is the content it is rendered from, unknown for what was sent before revisions were kept.
    """

    id: str
    team_id: str
    cause: str
    kind: Kind
    message_id: str
    revision_id: str | None
    contact_id: str | None
    to_email: str
    workflow_id: str | None
    run_id: str | None
    mailing_list_id: str | None
    transactional_id: str | None
    event_properties: dict[str, Value]
    data_variables: dict[str, Value]
    status: Status
    reason: str
    attempts: int
    trying_since: datetime | None
    subject: str
    mime_id: str
    created_at: datetime
    sent_at: datetime | None


_COLUMNS: LiteralString = """
    id, team_id, cause, kind, message_id, revision_id, contact_id, to_email, workflow_id, run_id,
    mailing_list_id, transactional_id, event_properties, data_variables, status, reason, attempts,
    trying_since, subject, mime_id, created_at, sent_at
"""
EMAIL: LiteralString = f"SELECT {_COLUMNS} FROM email WHERE team_id = $1 AND id = $2"
COPIES: LiteralString = """
    SELECT id, team_id, email_id, from_email, to_email, subject, received_at, raw
      FROM inbox_message WHERE team_id = $1 AND email_id = $2 ORDER BY id
"""
_properties = msgspec.json.Decoder(dict[str, Value])


async def load_email(tx: Connection, team_id: str, email_id: str) -> EmailRow | None:
    """The email of that id."""
    row = await tx.fetchrow(EMAIL, team_id, email_id)
    return _email(dict(row)) if row else None


async def load_copies(tx: Connection, team_id: str, email_id: str) -> list[InboxRow]:
    """The copies of an email that arrived in the inbox, oldest first."""
    return [InboxRow(**row) for row in await tx.fetch(COPIES, team_id, email_id)]


def _email(row: dict[str, object]) -> EmailRow:
    row["event_properties"] = _properties.decode(str(row["event_properties"]))
    row["data_variables"] = _properties.decode(str(row["data_variables"]))
    return EmailRow(**row)  # type: ignore[arg-type]  # the columns are named as the fields are
