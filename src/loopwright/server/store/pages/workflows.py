"""Workflows that wait for events, and who was in them before."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import msgspec

from loopwright.server.store.database import Connection
from loopwright.server.store.workflows import WorkflowStatus


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that starts with an event; `list_name` is its mailing list, if it has one."""

    id: str
    name: str
    status: WorkflowStatus
    trigger_event: str
    list_name: str | None
    updated_at: datetime


class EarlierRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run with which a contact entered a workflow that takes each contact once."""

    workflow_id: str
    event_id: str | None
    created_at: datetime


LISTENERS: LiteralString = """
    SELECT workflow.id, workflow.name, workflow.status, workflow.trigger_event,
           mailing_list.name AS list_name, workflow.updated_at
      FROM workflow
      LEFT JOIN mailing_list
             ON mailing_list.team_id = workflow.team_id AND mailing_list.id = workflow.mailing_list_id
     WHERE workflow.team_id = $1 AND workflow.trigger_type = 'EventTrigger'
       AND workflow.trigger_event IS NOT NULL
     ORDER BY workflow.trigger_event = $2 DESC, workflow.name, workflow.id
     LIMIT $3
"""

EARLIER_RUNS: LiteralString = """
    SELECT workflow_id, event_id, created_at FROM run
     WHERE team_id = $1 AND contact_id = $2 AND once AND created_at <= $3
       AND event_id IS DISTINCT FROM $4 AND workflow_id = ANY ($5::text[])
"""


async def list_listeners(tx: Connection, team_id: str, *, event_name: str, limit: int) -> Sequence[Listener]:
    """Workflows that start with an event, those of that name first."""
    return [Listener(**row) for row in await tx.fetch(LISTENERS, team_id, event_name, limit)]


async def load_earlier_runs(
    tx: Connection,
    team_id: str,
    contact_id: str,
    *,
    before: datetime,
    event_id: str,
    workflows: Sequence[str],
) -> Sequence[EarlierRun]:
    """Load the contact's only runs in these workflows that began by then, and not with that event."""
    rows = await tx.fetch(EARLIER_RUNS, team_id, contact_id, before, event_id, workflows)
    return [EarlierRun(**row) for row in rows]
