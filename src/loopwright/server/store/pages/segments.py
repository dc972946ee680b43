"""What segments and filters speak of by id, and how many contacts are in each segment of a list."""

from collections.abc import Sequence
from typing import LiteralString

from loopwright.server.audience.predicate import Audience
from loopwright.server.store.audience import predicate_of
from loopwright.server.store.database import Connection
from loopwright.server.store.segments import SegmentRow

# An email of a workflow goes by the id of its message, or by that of its node.
TARGETS: LiteralString = """
    SELECT 'campaign' AS kind, id, name FROM campaign WHERE team_id = $1 AND id = ANY ($2::text[])
     UNION ALL
    SELECT 'workflow', id, name FROM workflow WHERE team_id = $1 AND id = ANY ($2::text[])
     UNION ALL
    SELECT 'workflowEmail', wanted.id, revision.subject
      FROM unnest($2::text[]) AS wanted (id)
      LEFT JOIN workflow ON workflow.team_id = $1 AND workflow.nodes ? wanted.id
      JOIN email_message AS message
           ON message.team_id = $1
          AND message.id = coalesce(workflow.nodes -> wanted.id ->> 'emailMessageId', wanted.id)
      JOIN email_revision AS revision ON revision.id = message.content_revision_id
"""


async def load_target_names(
    tx: Connection, team_id: str, targets: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """The names of what these (kind, id) pairs of activity conditions are about, as far as it is there."""
    rows = await tx.fetch(TARGETS, team_id, [one for _, one in targets])
    return {(row["kind"], row["id"]): row["name"] for row in rows}


async def count_each(tx: Connection, team_id: str, segments: Sequence[SegmentRow]) -> list[int]:
    """How many contacts are in each segment, in one look at all contacts."""
    if not segments:
        return []
    values: list[object] = []
    counts: list[str] = []
    for segment in segments:
        is_in = await predicate_of(tx, team_id, Audience(filter=segment.filter), bound=1 + len(values))
        values += is_in.values
        counts.append(f"count(*) FILTER (WHERE {is_in.sql})")
    row = await tx.fetchrow(f"SELECT {', '.join(counts)} FROM contact WHERE team_id = $1", team_id, *values)
    assert row is not None, "this statement always has one row"
    return list(row)
