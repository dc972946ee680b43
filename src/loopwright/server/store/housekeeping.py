"""What time leaves behind: the months of events, keys and log lines that nobody will ask for again."""

from datetime import UTC, datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection

# One process at a time makes and drops months.
LOCK_MONTHS: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('loopwright.months'))"
# Whoever waits for a table lock has everybody behind it wait, too: not for long.
SHORT_WAITS: LiteralString = "SET LOCAL lock_timeout = '2s'"
MONTH_TABLES: LiteralString = """
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'event'::regclass AND relname ~ '^event_[0-9]{4}_[0-9]{2}$'
     ORDER BY relname
"""
# The constraint spares reading the table again when it becomes a part of the whole.
CREATE_MONTH = """
    CREATE TABLE {table} (
        LIKE event INCLUDING DEFAULTS INCLUDING INDEXES,
        CONSTRAINT {table}_month CHECK (received_at >= '{start}' AND received_at < '{end}')
    )
"""
MOVE_TO_MONTH = """
    WITH moved AS (
        DELETE FROM event_default WHERE received_at >= '{start}' AND received_at < '{end}' RETURNING *
    )
    INSERT INTO {table} SELECT * FROM moved
"""
LOCK_STRAYS: LiteralString = "LOCK TABLE event_default IN ACCESS EXCLUSIVE MODE"
ATTACH_MONTH = "ALTER TABLE event ATTACH PARTITION {table} FOR VALUES FROM ('{start}') TO ('{end}')"
FORGET_CHECK = "ALTER TABLE {table} DROP CONSTRAINT {table}_month"
DROP_MONTH = "DROP TABLE {table}"

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

DELETE_STRAY_EVENTS: LiteralString = """
    DELETE FROM event_default WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM event_default WHERE received_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
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
DELETE_JOB_LOG: LiteralString = """
    DELETE FROM pgqueuer_log WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM pgqueuer_log WHERE created < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""
DELETE_JOB_STATISTICS: LiteralString = """
    DELETE FROM pgqueuer_statistics WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM pgqueuer_statistics WHERE created < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
"""


class Month(Struct, frozen=True, order=True):
    """A calendar month in UTC."""

    year: int
    number: int

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def next(self) -> "Month":
        """The month after it, whose first moment is this one's end."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def table(self) -> str:
        """Where its events are."""
        return f"event_{self.year:04}_{self.number:02}"


def month_of(moment: datetime) -> Month:
    """The month that an aware moment lies in."""
    utc = moment.astimezone(UTC)
    return Month(utc.year, utc.month)


async def load_months(tx: Connection) -> list[Month]:
    """The months that have a table of their own, oldest first."""
    rows = await tx.fetch(MONTH_TABLES)
    return [Month(int(row["relname"][6:10]), int(row["relname"][11:13])) for row in rows]


async def lock_months(tx: Connection) -> None:
    """Have this transaction alone change which months there are."""
    await tx.execute(LOCK_MONTHS)


async def add_month(tx: Connection, month: Month) -> None:
    """Give a month a table of its own, with the events of it that are there already.

    They are moved while others add more; only the last of them, and the change itself, have writers wait.
    Raises `asyncpg.LockNotAvailableError` when that would be long.
    """
    values = {
        "table": month.table,
        "start": month.start.isoformat(),
        "end": month.next.start.isoformat(),
    }
    await tx.execute(CREATE_MONTH.format(**values))
    await tx.execute(MOVE_TO_MONTH.format(**values))
    await tx.execute(SHORT_WAITS)
    await tx.execute(LOCK_STRAYS)
    await tx.execute(MOVE_TO_MONTH.format(**values))
    await tx.execute(ATTACH_MONTH.format(**values))
    await tx.execute(FORGET_CHECK.format(**values))


async def drop_month(tx: Connection, month: Month) -> None:
    """Forget a month's events. Raises `asyncpg.LockNotAvailableError` when somebody reads for long."""
    await tx.execute(SHORT_WAITS)
    await tx.execute(DROP_MONTH.format(table=month.table))


async def months_without_names(tx: Connection) -> list[str]:
    """The tables whose events cannot be found by name yet."""
    return [row["month"] for row in await tx.fetch(WITHOUT_NAMES)]


async def index_names(tx: Connection, month: str) -> None:
    """Have the events in that table found by name. Takes its time, outside of any transaction."""
    for statement in INDEX_NAMES:
        await tx.execute(statement.format(month=month), timeout=INDEX_SECONDS)


async def delete_stray_events(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` events of months without a table; returns how many there were."""
    return _count(await tx.execute(DELETE_STRAY_EVENTS, before, limit))


async def delete_keys(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` idempotency keys that were used before; returns how many there were."""
    return _count(await tx.execute(DELETE_KEYS, before, limit))


async def delete_removals(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` notes of suppressions that were lifted before; returns how many there were."""
    return _count(await tx.execute(DELETE_REMOVALS, before, limit))


async def delete_sessions(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the dashboard's sessions that ended before; returns how many there were."""
    return _count(await tx.execute(DELETE_SESSIONS, before, limit))


async def delete_job_log(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the queue's log lines; returns how many there were."""
    return _count(await tx.execute(DELETE_JOB_LOG, before, limit))


async def delete_job_statistics(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the queue's counts by the second; returns how many there were."""
    return _count(await tx.execute(DELETE_JOB_STATISTICS, before, limit))


def _count(status: str) -> int:
    """Of "DELETE 12" the 12."""
    return int(status.rsplit(" ", 1)[1])
