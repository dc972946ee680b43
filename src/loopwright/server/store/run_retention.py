"""Runs that ended long ago. Ids sort by time, so that they are looked for among the old ones alone.

A workflow that lets each contact in once goes on to know whom it had: that is noted first, and the run goes
when nobody can be under way any more who has not seen the note.
"""

from datetime import datetime, timedelta
from typing import LiteralString

from loopwright.ids import new_id

from .database import Connection

SEEN_BY_ALL = timedelta(minutes=5)
"""No statement takes so long."""

NOTE_ENTRIES: LiteralString = """
    WITH old AS MATERIALIZED (
        SELECT team_id, workflow_id, contact_id FROM run
         WHERE id < $1 AND once AND status <> 'active' AND updated_at < $2
           AND NOT EXISTS (
               SELECT FROM run_entry AS entry
                WHERE entry.workflow_id = run.workflow_id AND entry.contact_id = run.contact_id)
         ORDER BY id LIMIT $3
    ), noted AS (
        INSERT INTO run_entry (team_id, workflow_id, contact_id, noted_at)
        SELECT team_id, workflow_id, contact_id, $4 FROM old ORDER BY workflow_id, contact_id
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM old
"""
DELETE_RUNS: LiteralString = """
    WITH gone AS (
        DELETE FROM run WHERE id IN (
            SELECT id FROM run
             WHERE id < $1 AND status <> 'active' AND updated_at < $2
               AND (NOT once OR EXISTS (
                   SELECT FROM run_entry AS entry
                    WHERE entry.workflow_id = run.workflow_id AND entry.contact_id = run.contact_id
                      AND entry.noted_at < $4))
             ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""


async def note_entries(tx: Connection, before: datetime, limit: int, *, now: datetime) -> int:
    """Note up to `limit` contacts whose run ended before `before` and was the only one; returns how many."""
    count: int = await tx.fetchval(NOTE_ENTRIES, new_id(before)[:10], before, limit, now)
    return count


async def delete_runs(tx: Connection, before: datetime, limit: int, *, now: datetime) -> int:
    """Delete up to `limit` runs that ended before `before`; returns how many."""
    count: int = await tx.fetchval(DELETE_RUNS, new_id(before)[:10], before, limit, now - SEEN_BY_ALL)
    return count
