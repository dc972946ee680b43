"""What PostgreSQL believes of the sizes of our tables, by which it plans every statement."""

from typing import LiteralString

from .database import Connection

# Half of what is there was not there when the table was last looked at. Plans for a few pages are all alike.
GROWN: LiteralString = """
    SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND pg_has_role(relowner, 'USAGE')
       AND pg_relation_size(oid) > 2 * greatest(relpages, 8) * current_setting('block_size')::bigint
"""
# Plans that are kept anywhere are made anew. What another process looks at already is left to it.
ANALYZE = "ANALYZE (SKIP_LOCKED) {tables}"


async def analyze_grown(tx: Connection) -> None:
    """Have PostgreSQL look again at the tables that have doubled since it last did."""
    if tables := await tx.fetchval(GROWN):
        await tx.execute(ANALYZE.format(tables=tables))
