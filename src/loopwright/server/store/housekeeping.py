"""What time leaves behind: keys and log lines that nobody will ask for again, and indexes to be made."""

from datetime import datetime
from typing import LiteralString

from .database import Connection

# Months from before an index are given it while others write, one after the other.
WITHOUT_NAMES: LiteralString = """
    SELECT inhrelid::regclass::text AS month FROM pg_inherits
     WHERE inhparent = 'event'::regclass
       AND NOT EXISTS (
           SELECT FROM pg_index JOIN pg_inherits AS part ON part.inhrelid = pg_index.indexrelid
            WHERE pg_index.indrelid = pg_inherits.inhrelid AND part.inhparent = 'event_of_name'::regclass)
     ORDER BY month
"""
# What an attempt that broke off has left is of no use.
INDEX_NAMES = (
    "DROP INDEX CONCURRENTLY IF EXISTS {month}_of_name",
    "CREATE INDEX CONCURRENTLY {month}_of_name ON {month} (team_id, name, id)",
    "ALTER INDEX event_of_name ATTACH PARTITION {month}_of_name",
)
INDEX_SECONDS = 6 * 60 * 60

DELETE_KEYS: LiteralString = """
    DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_key WHERE created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
DELETE_REMOVALS: LiteralString = """
    DELETE FROM suppression_removal WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM suppression_removal WHERE removed_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
DELETE_SESSIONS: LiteralString = """
    DELETE FROM dashboard_session WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM dashboard_session WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
DELETE_TALLIES: LiteralString = """
    DELETE FROM tally WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM tally WHERE what IN ('events', 'sent') AND since < $1 LIMIT $2
           FOR UPDATE SKIP LOCKED))
"""
DELETE_UPLOADS: LiteralString = """
    DELETE FROM upload WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM upload
         WHERE completed_at IS NULL AND created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
DELETE_JOB_LOG: LiteralString = """
    DELETE FROM pgqueuer_log WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM pgqueuer_log WHERE created < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
DELETE_JOB_STATISTICS: LiteralString = """
    DELETE FROM pgqueuer_statistics WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM pgqueuer_statistics WHERE created < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""


async def months_without_names(tx: Connection) -> list[str]:
    """The tables whose events cannot be found by name yet."""
    return [row["month"] for row in await tx.fetch(WITHOUT_NAMES)]


async def index_names(tx: Connection, month: str) -> None:
    """Have the events in that table found by name. Takes its time, outside of any transaction."""
    for statement in INDEX_NAMES:
        await tx.execute(statement.format(month=month), timeout=INDEX_SECONDS)


async def delete_keys(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` idempotency keys that were used before; returns how many there were."""
    return _count(await tx.execute(DELETE_KEYS, before, limit))


async def delete_removals(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` notes of suppressions that were lifted before; returns how many there were."""
    return _count(await tx.execute(DELETE_REMOVALS, before, limit))


async def delete_sessions(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the dashboard's sessions that ended before; returns how many there were."""
    return _count(await tx.execute(DELETE_SESSIONS, before, limit))


async def delete_tallies(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` counts of hours before; those of contacts add up to all there are, and stay."""
    return _count(await tx.execute(DELETE_TALLIES, before, limit))


async def delete_uploads(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` uploads that were announced before and never completed."""
    return _count(await tx.execute(DELETE_UPLOADS, before, limit))


async def delete_job_log(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the queue's log lines; returns how many there were."""
    return _count(await tx.execute(DELETE_JOB_LOG, before, limit))


async def delete_job_statistics(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the queue's counts by the second; returns how many there were."""
    return _count(await tx.execute(DELETE_JOB_STATISTICS, before, limit))


def _count(status: str) -> int:
    """Of "DELETE 12" the 12."""
    return int(status.rsplit(" ", 1)[1])
