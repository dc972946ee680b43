"""Tables kept by the month: each month has a table of its own, made ahead and dropped as a whole."""

from datetime import UTC, datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class Monthly(Struct, frozen=True):
    """A partitioned table, and the column whose moment says to which month a row belongs."""

    name: str
    column: str


EVENTS = Monthly("event", "received_at")
FACTS = Monthly("fact", "happened_at")
HITS = Monthly("email_hit", "happened_at")
MONTHLY = (EVENTS, FACTS, HITS)

# One process at a time makes and drops months.
LOCK_MONTHS: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('loopwright.months'))"
# Whoever waits for a table lock has everybody behind it wait, too: not for long.
SHORT_WAITS: LiteralString = "SET LOCAL lock_timeout = '2s'"
MONTH_TABLES: LiteralString = """
    SELECT substr(relname, length($1) + 2) AS month FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = $1::text::regclass AND relname ~ ('^' || $1 || '_[0-9]{4}_[0-9]{2}$')
     ORDER BY relname
"""
# The constraint spares reading the table again when it becomes a part of the whole.
CREATE_MONTH = """
    CREATE TABLE {month} (
        LIKE {name} INCLUDING DEFAULTS INCLUDING INDEXES,
        CONSTRAINT {month}_month CHECK ({column} >= '{start}' AND {column} < '{end}')
    )
"""
MOVE_TO_MONTH = """
    WITH moved AS (
        DELETE FROM {name}_default WHERE {column} >= '{start}' AND {column} < '{end}' RETURNING *
    )
    INSERT INTO {month} SELECT * FROM moved
"""
LOCK_STRAYS = "LOCK TABLE {name}_default IN ACCESS EXCLUSIVE MODE"
ATTACH_MONTH = "ALTER TABLE {name} ATTACH PARTITION {month} FOR VALUES FROM ('{start}') TO ('{end}')"
FORGET_CHECK = "ALTER TABLE {month} DROP CONSTRAINT {month}_month"
DROP_MONTH = "DROP TABLE {month}"
DELETE_STRAYS = """
    DELETE FROM {name}_default WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {name}_default WHERE {column} < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
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


def month_of(moment: datetime) -> Month:
    """The month that an aware moment lies in."""
    utc = moment.astimezone(UTC)
    return Month(utc.year, utc.month)


def table_of(table: Monthly, month: Month) -> str:
    """Where the rows of a month are."""
    return f"{table.name}_{month.year:04}_{month.number:02}"


async def load_months(tx: Connection, table: Monthly) -> list[Month]:
    """The months that have a table of their own, oldest first."""
    rows = await tx.fetch(MONTH_TABLES, table.name)
    return [Month(*map(int, row["month"].split("_"))) for row in rows]


async def lock_months(tx: Connection) -> None:
    """Have this transaction alone change which months there are."""
    await tx.execute(LOCK_MONTHS)


async def add_month(tx: Connection, table: Monthly, month: Month) -> None:
    """Give a month a table of its own, with the rows of it that are there already.

    They are moved while others add more; only the last of them, and the change itself, have writers wait.
    Raises `asyncpg.LockNotAvailableError` when that would be long.
    """
    values = {
        "name": table.name,
        "column": table.column,
        "month": table_of(table, month),
        "start": month.start.isoformat(),
        "end": month.next.start.isoformat(),
    }
    await tx.execute(CREATE_MONTH.format(**values))
    await tx.execute(MOVE_TO_MONTH.format(**values))
    await tx.execute(SHORT_WAITS)
    await tx.execute(LOCK_STRAYS.format(**values))
    await tx.execute(MOVE_TO_MONTH.format(**values))
    await tx.execute(ATTACH_MONTH.format(**values))
    await tx.execute(FORGET_CHECK.format(**values))


async def drop_month(tx: Connection, table: Monthly, month: Month) -> None:
    """Forget a month's rows. Raises `asyncpg.LockNotAvailableError` when somebody reads for long."""
    await tx.execute(SHORT_WAITS)
    await tx.execute(DROP_MONTH.format(month=table_of(table, month)))


async def delete_strays(tx: Connection, before: datetime, limit: int, *, table: Monthly) -> int:
    """Delete up to `limit` rows of months without a table; returns how many there were."""
    statement = DELETE_STRAYS.format(name=table.name, column=table.column)
    return int((await tx.execute(statement, before, limit)).rsplit(" ", 1)[1])
