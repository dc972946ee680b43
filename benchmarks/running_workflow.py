"""A workflow that runs, as benchmarks put one into a database."""

from collections.abc import Mapping

from loopwright.ids import new_id
from loopwright.server.clock import SystemClock
from loopwright.server.store.database import Connection
from loopwright.server.store.workflows import WorkflowRow, insert_workflow
from loopwright.server.workflow.graph import EventTrigger, Node, Trigger, encode_nodes, type_name


async def insert_running_workflow(
    tx: Connection, team_id: str, name: str, trigger: Trigger, nodes: Mapping[str, Node]
) -> WorkflowRow:
    """Insert one that begins with `trigger`, whose id is `root`, and goes on with `nodes`."""
    now = SystemClock().now()
    row = WorkflowRow(
        id=new_id(now),
        team_id=team_id,
        slug=None,
        revision_id=new_id(now),
        status="Sending",
        name=name,
        description="",
        mailing_list_id=None,
        root_node_id="root",
        nodes=encode_nodes({"root": trigger, **nodes}).decode(),
        removed_nodes={},
        trigger_type=type_name(trigger),
        trigger_event=trigger.event_name if isinstance(trigger, EventTrigger) else None,
    )
    await insert_workflow(tx, row, now=now)
    return row
