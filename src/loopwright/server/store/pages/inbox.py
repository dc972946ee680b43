"""Why an email of the inbox was sent; the message itself is read through `store.inbox`."""

from datetime import datetime
from typing import LiteralString

import msgspec

from loopwright.server.store.database import Connection
from loopwright.server.store.messages import RENDITION


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What an email comes from; names of what was deleted since, or never was, are `None`.

    `revision_id` is the content it was rendered from, written at `written_at`; `is_current`: its message has
    not been changed since. All three are `None` for what was sent before revisions were kept.
    """

    kind: str
    contact_id: str | None
    workflow_name: str | None
    event_name: str | None
    transactional_name: str | None
    revision_id: str | None
    written_at: datetime | None
    is_current: bool | None


CAUSE: LiteralString = f"""
    SELECT email.kind, contact.id AS contact_id, workflow.name AS workflow_name, run.event_name,
           transactional_email.name AS transactional_name, email.revision_id,
           revision.created_at AS written_at, {RENDITION} = email.revision_id AS is_current
      FROM email
      LEFT JOIN contact ON contact.team_id = email.team_id AND contact.id = email.contact_id
      LEFT JOIN workflow ON workflow.team_id = email.team_id AND workflow.id = email.workflow_id
      LEFT JOIN run ON run.team_id = email.team_id AND run.id = email.run_id
      LEFT JOIN transactional_email
             ON transactional_email.team_id = email.team_id
            AND transactional_email.id = email.transactional_id
      LEFT JOIN email_revision AS revision
             ON revision.team_id = email.team_id AND revision.id = email.revision_id
      LEFT JOIN email_message AS message
             ON message.team_id = email.team_id AND message.id = email.message_id
     WHERE email.team_id = $1 AND email.id = $2
"""


async def load_cause(tx: Connection, team_id: str, email_id: str) -> Cause | None:
    """Load what the email of that id comes from."""
    row = await tx.fetchrow(CAUSE, team_id, email_id)
    return None if row is None else Cause(**row)
