"""The inbox as tests read it: each message with what caused it."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class Arrived(Struct, frozen=True, kw_only=True, rename="camel"):
    """A message that arrived, its `raw` bytes as they came, and the names of what caused it, if any did."""

    id: str
    email_id: str | None
    from_email: str
    to_email: str
    subject: str
    text: str | None
    html: str | None
    raw: bytes
    received_at: datetime
    kind: str | None
    event: str | None
    workflow: str | None
    transactional: str | None
    contact_id: str | None


ARRIVED: LiteralString = """
    SELECT message.id, message.email_id, message.from_email, message.to_email, message.subject, message.text,
           message.html, message.raw, message.received_at, email.kind, run.event_name AS event,
           workflow.name AS workflow, transactional_email.name AS transactional, email.contact_id
      FROM inbox_message AS message
      LEFT JOIN email ON email.team_id = message.team_id AND email.id = message.email_id
      LEFT JOIN run ON run.team_id = message.team_id AND run.id = email.run_id
      LEFT JOIN workflow ON workflow.team_id = message.team_id AND workflow.id = email.workflow_id
      LEFT JOIN transactional_email
             ON transactional_email.team_id = message.team_id
            AND transactional_email.id = email.transactional_id
     WHERE message.team_id = $1 AND message.id > $2
     ORDER BY message.id
"""
WITHOUT_RUN: LiteralString = "SELECT id FROM email WHERE team_id = $1 AND run_id IS NULL ORDER BY id"


async def load_arrived(tx: Connection, team_id: str, *, after: str) -> Sequence[Arrived]:
    """The messages of a team that came after the one of that id, in their order; all after ''."""
    return [Arrived(**row) for row in await tx.fetch(ARRIVED, team_id, after)]


async def emails_of_team(tx: Connection, team_id: str) -> Sequence[str]:
    """The ids of the team's emails that no run sent, oldest first."""
    return [row["id"] for row in await tx.fetch(WITHOUT_RUN, team_id)]
