"""Write down the schema that all migrations together make: `make schema`, after a new migration.

    python -m tools.schema_snapshot     write tests/server/store/schema.txt anew

PgQueuer's tables are its own and not in it.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString

from loopwright.server.store.database import Connection, connected
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.schema import migrate

SNAPSHOT = Path(__file__).resolve().parent.parent / "tests/server/store/schema.txt"

# What belongs to an extension or to PgQueuer is left out; columns stand in their order, which types rely on.
TABLES: LiteralString = """
    SELECT oid, relname AS name,
           CASE relkind WHEN 'c' THEN 'type' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END
           || CASE WHEN relpersistence = 'u' THEN ' unlogged' ELSE '' END
           || coalesce(' partition by ' || pg_get_partkeydef(oid), '')
           || coalesce(' partition of ' || inhparent::regclass || ' ' || pg_get_expr(relpartbound, oid), '')
           || coalesce(' with ' || array_to_string(reloptions, ', '), '') AS kind
      FROM pg_class LEFT JOIN pg_inherits ON inhrelid = oid AND relispartition
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'c', 'v', 'S')
       AND relname NOT LIKE 'pgqueuer%'
     ORDER BY relname COLLATE "C"
"""
PARTS: LiteralString = """
    SELECT attname || ' ' || format_type(atttypid, atttypmod)
           || CASE WHEN attnotnull THEN ' not null' ELSE '' END
           || CASE WHEN attidentity <> '' THEN ' identity ' || attidentity::text ELSE '' END
           || CASE WHEN attgenerated <> '' THEN ' generated' ELSE '' END
           || CASE WHEN attcompression <> '' THEN ' compression ' || attcompression::text ELSE '' END
           || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
           || coalesce(' options ' || array_to_string(attoptions, ', '), '') AS line,
           1 AS place, attnum AS turn
      FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid), 2, 0
      FROM pg_constraint WHERE conrelid = $1 AND contype <> 'n'
    UNION ALL
    SELECT pg_get_indexdef(indexrelid), 3, 0 FROM pg_index WHERE indrelid = $1
    UNION ALL
    SELECT pg_get_triggerdef(oid), 4, 0 FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal
     ORDER BY place, turn, line
"""
FUNCTIONS: LiteralString = """
    SELECT pg_get_functiondef(oid) AS text FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
       AND proname NOT LIKE '%pgqueuer%'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
     ORDER BY proname COLLATE "C", oid::regprocedure::text COLLATE "C"
"""


async def describe(connection: Connection) -> str:
    """The schema of a database, as text that is the same for the same schema."""
    blocks: list[str] = []
    for table in await connection.fetch(TABLES):
        parts = [f"    {row['line']}" for row in await connection.fetch(PARTS, table["oid"])]
        blocks.append("\n".join([f"{table['name']}: {table['kind']}", *parts]))
    for function in await connection.fetch(FUNCTIONS):
        lines = [line.rstrip() for line in function["text"].strip().splitlines()]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


async def _write() -> None:
    with TemporaryDirectory(prefix="loopwright-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        url = await postgres.start()
        try:
            await migrate(url)
            async with connected(url) as connection:
                SNAPSHOT.write_text(await describe(connection))
        finally:
            await postgres.stop()


if __name__ == "__main__":
    asyncio.run(_write())
    print(f"Wrote {SNAPSHOT}")
