"""Workflows as people change them: pages of them, one locked for a change, and who waits in it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection
from .workflows import WorkflowStatus


class WorkflowSummaryRow(Struct, frozen=True, kw_only=True):
    """A workflow in a list."""

    id: str
    name: str
    status: WorkflowStatus
    group_id: str | None
    created_at: datetime
    updated_at: datetime


COUNT: LiteralString = "SELECT count(*) FROM workflow WHERE team_id = $1"
PAGE: LiteralString = """
    SELECT id, name, status, group_id, created_at, updated_at FROM workflow
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3
"""
DELETE: LiteralString = "DELETE FROM workflow WHERE team_id = $1 AND id = $2"
_WAITING: LiteralString = "team_id = $1 AND workflow_id = $2 AND status = 'active'"
COUNT_WAITING: LiteralString = f"SELECT count(DISTINCT contact_id) FROM run WHERE {_WAITING}"
_NOT_ON_LIST: LiteralString = """
    contact_id NOT IN (
        SELECT contact.id FROM contact WHERE team_id = $1 AND mailing_lists ->> $3 = 'subscribed'
    )
"""
COUNT_NOT_ON_LIST: LiteralString = f"{COUNT_WAITING} AND {_NOT_ON_LIST}"
DROP_NOT_ON_LIST: LiteralString = f"""
    UPDATE run SET status = 'removed', reason = $4, updated_at = $5 WHERE {_WAITING} AND {_NOT_ON_LIST}
"""
SUBJECTS: LiteralString = """
    SELECT message.id, revision.subject
      FROM email_message AS message
      JOIN email_revision AS revision ON revision.id = message.content_revision_id
     WHERE message.team_id = $1 AND message.id = ANY ($2::text[])
"""


async def count_workflows(tx: Connection, team_id: str) -> int:
    """How many workflows the team has."""
    return int(await tx.fetchval(COUNT, team_id))


async def load_page(
    tx: Connection, team_id: str, *, before: str | None, limit: int
) -> Sequence[WorkflowSummaryRow]:
    """Workflows newest first, those older than the id `before`."""
    return [WorkflowSummaryRow(**row) for row in await tx.fetch(PAGE, team_id, before, limit)]


async def delete_workflow(tx: Connection, team_id: str, workflow_id: str) -> None:
    """Delete a workflow with its runs. What was sent by it stays."""
    await tx.execute(DELETE, team_id, workflow_id)


async def count_waiting(tx: Connection, team_id: str, workflow_id: str) -> int:
    """How many contacts are inside a workflow."""
    return int(await tx.fetchval(COUNT_WAITING, team_id, workflow_id))


async def count_not_on_list(tx: Connection, team_id: str, workflow_id: str, list_id: str) -> int:
    """How many contacts are inside a workflow and are no subscribers of the list."""
    return int(await tx.fetchval(COUNT_NOT_ON_LIST, team_id, workflow_id, list_id))


async def drop_not_on_list(
    tx: Connection, team_id: str, workflow_id: str, list_id: str, *, reason: str, now: datetime
) -> None:
    """End the runs of those contacts, for that reason."""
    await tx.execute(DROP_NOT_ON_LIST, team_id, workflow_id, list_id, reason, now)


async def load_subjects(tx: Connection, team_id: str, message_ids: Collection[str]) -> dict[str, str]:
    """What the messages have as their subjects now, by id."""
    return {row["id"]: row["subject"] for row in await tx.fetch(SUBJECTS, team_id, list(message_ids))}
