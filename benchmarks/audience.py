"""What an audience filter costs beside reading the same rows without one.

Run it with `python -m benchmarks.audience [CONTACTS]`; it writes its section of README.md. Contacts have six
properties. Counting is measured beside a bare count of the team's contacts, once where that reads the table
as a filter has to, once where an index alone answers it; a workflow node's batch of 500 beside fetching those
500 contacts by id. Each figure is the median of nine alternating pairs.
"""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import perf_counter
from typing import LiteralString

from benchmarks.report import circumstances, write_section
from loopwright.ids import new_id
from loopwright.server.audience.predicate import Audience
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.store.audience import count, matching
from loopwright.server.store.contacts import load_named
from loopwright.server.store.database import Connection, open_pool
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.schema import migrate
from loopwright.wire.filters import AudienceFilter, Condition, DateRange, OptInCondition, PropertyCondition

PAIRS = 9
BATCH = 500
MOST = 3
COUNT: LiteralString = "SELECT count(*) FROM contact WHERE team_id = $1"
# The source is in no index, and everybody has one.
COUNT_ROWS: LiteralString = "SELECT count(source) FROM contact WHERE team_id = $1"
FILL: LiteralString = """
    INSERT INTO contact (id, team_id, email, first_name, source, subscribed, user_group, properties,
                         mailing_lists, created_at, updated_at)
    SELECT $2::text || to_char(n, 'FM00000000'), $1, 'person' || n || '@example.org', 'Ada', 'API', true, '',
           jsonb_build_object(
               'plan', (ARRAY['free', 'pro', 'Enterprise'])[1 + n % 3], 'seats', n % 100, 'trial', n % 2 = 0,
               'city', 'City ' || n % 1000, 'country', 'DE',
               'renewed', to_char('2024-01-01'::timestamp + n % 700 * interval '1 day',
                                  'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
           '{}', now(), now()
      FROM generate_series(1, $3::int) AS n
"""


def _property(key: str, operator: str, value: str | float | DateRange | None = None) -> PropertyCondition:
    given = {} if value is None else {"value": value}
    return PropertyCondition(key=key, operator=operator, **given)


YEAR = DateRange(from_="2024-03-01T00:00:00.000Z", to="2025-02-28T00:00:00.000Z")
FILTERS: dict[str, list[Condition]] = {
    "text equals": [_property("plan", "equals", "pro")],
    "text contains": [_property("city", "contains", "y 99")],
    "number greater": [_property("seats", "greaterThan", 90)],
    "date between": [_property("renewed", "between", YEAR)],
    "default property, opt-in": [_property("subscribed", "isTrue"), OptInCondition(status=None)],
    "four conditions": [
        _property("plan", "notEquals", "free"),
        _property("seats", "greaterThan", 50),
        _property("trial", "isTrue"),
        _property("renewed", "after", YEAR.from_),
    ],
}


async def _seconds(action: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await action()
    return perf_counter() - began


async def _ratio(
    action: Callable[[], Awaitable[object]], bare: Callable[[], Awaitable[object]]
) -> tuple[float, float]:
    """The median seconds of `action`, and how many times as long as `bare` it takes."""
    pairs = [(await _seconds(action), await _seconds(bare)) for _ in range(PAIRS)]
    return median(one for one, _ in pairs), median(one / other for one, other in pairs)


async def _measure(tx: Connection, team_id: str, ids: list[str]) -> list[str]:
    pairs = [(team_id, one) for one in ids]

    async def fetch() -> object:
        return await load_named(tx, emails=[], user_ids=[], ids=pairs)

    async def bare_count() -> object:
        return await tx.fetchval(COUNT, team_id)

    async def bare_count_of_rows() -> object:
        return await tx.fetchval(COUNT_ROWS, team_id)

    lines: list[str] = []
    for name, conditions in FILTERS.items():
        audience = Audience(filter=AudienceFilter(match="all", conditions=conditions))

        async def counted(audience: Audience = audience) -> object:
            return await count(tx, team_id, audience)

        async def matched(audience: Audience = audience) -> object:
            return await matching(tx, team_id, audience, ids)

        counting, against_rows = await _ratio(counted, bare_count_of_rows)
        _, against_index = await _ratio(counted, bare_count)
        batch, against_fetch = await _ratio(matched, fetch)
        lines.append(
            f"| {name} | {counting * 1e3:,.0f} ms | {against_rows:.2f} | {against_index:.2f} "
            f"| {batch * 1e3:.1f} ms | {against_fetch:.2f} |"
        )
        print(lines[-1], flush=True)
    return lines


async def main(contacts: int) -> None:
    """Fill a database of its own, measure, and write the table."""
    folder = Path(mkdtemp(prefix="loopwright-"))
    postgres = EmbeddedPostgres(folder)
    url = await postgres.start()
    try:
        await migrate(url)
        async with open_pool(url) as pool:
            team = await ensure_team(pool, SystemClock())
            async with pool.acquire() as tx:
                await tx.execute(FILL, team.id, new_id(SystemClock().now())[:17], contacts, timeout=600)
                await tx.execute("VACUUM ANALYZE contact", timeout=600)
                step = max(contacts // BATCH, 1)
                picked = "SELECT id FROM contact WHERE right(id, 8)::int % $1 = 0 LIMIT $2"
                ids = [row["id"] for row in await tx.fetch(picked, step, BATCH)]
                lines = await _measure(tx, team.id, ids)
    finally:
        await postgres.stop()
        shutil.rmtree(folder)
    heading = (
        f"| filter | count of {contacts:,} | of a bare count of the rows | of one by an index "
        f"| batch of {BATCH} | of fetching them |"
    )
    about = (
        "`python -m benchmarks.audience`: filters beside reading the same rows without one, medians of "
        f"{PAIRS} alternating pairs; the aim is at most {MOST} times as long as reading the same rows. "
        f"{circumstances('asyncpg')}"
    )
    write_section("audience", "\n".join([about, "", heading, "|---|---:|---:|---:|---:|---:|", *lines]))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000))
