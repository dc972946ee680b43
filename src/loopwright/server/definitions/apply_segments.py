"""Brings segments in line with files, by their names."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.refusal import Refusal
from loopwright.server.store import segments
from loopwright.server.store.database import Connection
from loopwright.server.store.segments import SegmentRow

from .change import Change, action
from .filters import SEGMENTS_FILE
from .mistakes import Mistake
from .model import SegmentDefinition
from .targets import Targets, accept_named


async def apply_segments(
    tx: Connection,
    team_id: str,
    definitions: Sequence[SegmentDefinition],
    targets: Targets,
    mistakes: list[Mistake],
    *,
    now: datetime,
) -> list[Change]:
    """Create and change them. What a filter names and the team has not is noted among the mistakes."""
    stored = await segments.load_named(tx, team_id, [one.name for one in definitions])
    changes: list[Change] = []
    for one in definitions:
        row = stored.get(one.name)
        try:
            accepted = await accept_named(tx, team_id, one.filter, row.filter if row else None, targets)
        except Refusal as refused:
            mistakes.append(Mistake(SEGMENTS_FILE, one.line, refused.message))
            continue
        if row is None:
            wanted = SegmentRow(
                id=new_id(now), name=one.name, description=one.description, filter=accepted,
                created_at=now, updated_at=now,
            )  # fmt: skip
            await segments.insert_segment(tx, team_id, wanted)
        else:
            wanted = replace(row, description=one.description, filter=accepted)
            if wanted != row:
                await segments.update_segment(tx, team_id, replace(wanted, updated_at=now))
        changes.append(Change("segment", one.name, action(row, differs=wanted != row), wanted.id))
    return changes
