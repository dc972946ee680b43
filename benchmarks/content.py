"""What content operations cost with much content: lists at 16 connections, and a theme of 5,000 emails.

Run it with `python -m benchmarks.content [EMAILS]`; it writes its section of README.md. The server is one
process, PostgreSQL another; wrk asks for the lists, and takes its share of the processors. Lists of nothing
are the floor. Events come in at a steady pace before the theme changes and during that.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from time import perf_counter
from typing import LiteralString

import httpx2
from msgspec.structs import replace

from benchmarks.ingest.machine import need_wrk, wrk_get
from benchmarks.report import circumstances, write_section
from loopwright.ids import new_id
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.content.designs import load_design, render_anew
from loopwright.server.store.database import Connection, open_pool
from loopwright.server.store.designs import ComponentRow, ThemeRow, insert_component, insert_theme
from loopwright.server.store.embedded import EmbeddedPostgres
from loopwright.server.store.messages import EMPTY, RevisionRow, write_revisions
from loopwright.server.store.schema import migrate

KEY = "0123456789abcdef0123456789abcdef"
THEMES, COMPONENTS = 200, 500
CONNECTIONS = 16
LIST_SECONDS = 5
LIST_BAR, CASCADE_BAR, EVENT_BAR = 0.050, 2.0, 0.050
EVENTS_A_SECOND = 50
CASCADES = 5
LISTS = ("/transactional-emails", "/transactional", "/themes", "/components", "/campaigns", "/workflows")
BODY = (
    '<Style themeId="{theme}"/><Component componentId="{component}"/><H1>Hello {{data.name}}</H1>'
    '<Paragraph>{text}</Paragraph><Button href="https://example.com/">Go</Button>'
)
OWNERS: LiteralString = """
    INSERT INTO transactional_email (id, team_id, name, draft_message_id, published_message_id, published_at,
                                     data_variables, required_variables, created_at, updated_at)
    SELECT new.id, $1, 'Email ' || new.id, NULL, new.message_id, $4, '{name}', '{name}', $4, $4
      FROM unnest($2::text[], $3::text[]) AS new (id, message_id)
"""


async def _fill(tx: Connection, team_id: str, emails: int, now: datetime) -> str:
    """The content; answers the theme that every email has."""
    theme = new_id(now)
    for number in range(THEMES):
        row = ThemeRow(
            id=theme if number == 0 else new_id(now), name=f"Theme {number}", styles={"bodyColor": "#ffffff"},
            is_default=False, created_at=now, updated_at=now,
        )  # fmt: skip
        await insert_theme(tx, team_id, row)
    components = [new_id(now) for _ in range(COMPONENTS)]
    for one in components:
        row_of = ComponentRow(
            id=one,
            name=f"Component {one}",
            lmx="<Paragraph>Shared</Paragraph>",
            created_at=now,
            updated_at=now,
        )
        await insert_component(tx, team_id, row_of)
    revisions = [
        RevisionRow(
            id=new_id(now), team_id=team_id, message_id=new_id(now), created_at=now,
            content=replace(
                EMPTY, subject="Hello", from_name="Acme", from_email="hello",
                lmx=BODY.format(theme=theme, component=components[n % COMPONENTS], text="Words of it. " * 20),
            ),
        )
        for n in range(emails)
    ]  # fmt: skip
    for start in range(0, emails, 500):
        some = revisions[start : start + 500]
        await write_revisions(tx, some)
        await render_anew(
            tx, some, await load_design(tx, team_id, [one.content.lmx for one in some]), now=now
        )
    owners = [new_id(now) for _ in revisions]
    await tx.execute(OWNERS, team_id, owners, [one.message_id for one in revisions], now)
    return theme


@asynccontextmanager
async def _server(database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A server on that database, as a process."""
    program = Path(sys.executable).parent / "loopwright"
    process = await asyncio.create_subprocess_exec(
        program, "serve", "--port", "0", "--database-url", database_url, "--api-key", KEY,
        stdout=asyncio.subprocess.PIPE, env={**os.environ},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            if found := re.search(r"listens on (\S+)", line.decode()):
                break
        else:
            raise SystemExit("the server did not start")
        limits = httpx2.Limits(max_connections=CONNECTIONS + 4)
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx2.AsyncClient(
            base_url=f"{found[1]}/api/v1", headers=headers, limits=limits, timeout=60
        ) as http:
            yield http
    finally:
        process.terminate()
        await process.wait()


async def _timed(http: httpx2.AsyncClient, method: str, path: str, body: object = None) -> float:
    began = perf_counter()
    answer = await http.request(method, path, json=body)
    seconds = perf_counter() - began
    answer.raise_for_status()
    return seconds


async def _events(http: httpx2.AsyncClient, times: list[float]) -> None:
    """Send events at a steady pace until cancelled; none waits for the one before."""
    async with asyncio.TaskGroup() as group:
        number = 0
        while True:
            number += 1
            body = {"email": f"p{number % 500}@example.org", "eventName": "seen", "eventProperties": {"n": 1}}

            async def send(body: object = body) -> None:
                times.append(await _timed(http, "POST", "/events/send", body))

            group.create_task(send())
            await asyncio.sleep(1 / EVENTS_A_SECOND)


async def _cascades(http: httpx2.AsyncClient, theme: str) -> tuple[list[float], list[float], list[float]]:
    """Seconds of the theme's changes, and of events before them and meanwhile."""
    before: list[float] = []
    sending = asyncio.create_task(_events(http, before))
    await asyncio.sleep(5)
    sending.cancel()
    during: list[float] = []
    sending = asyncio.create_task(_events(http, during))
    times = [
        await _timed(http, "POST", f"/themes/{theme}", {"styles": {"bodyColor": f"#fffff{number}"}})
        for number in range(CASCADES)
    ]
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return times, before, during


def p99(times: Sequence[float]) -> float:
    return sorted(times)[max(int(len(times) * 0.99) - 1, 0)]


def _verdict(seconds: float, bar: float) -> str:
    return f"at most {bar * 1e3:,.0f} ms: {'holds' if seconds <= bar else 'missed'}"


async def main(emails: int) -> None:
    """Fill a database of its own, measure, and write the table."""
    need_wrk()
    folder = Path(mkdtemp(prefix="loopwright-"))
    postgres = EmbeddedPostgres(folder)
    url = await postgres.start()
    lines: list[str] = []
    try:
        await migrate(url)
        async with open_pool(url) as pool:
            team = await ensure_team(pool, SystemClock())
            async with pool.acquire() as tx, tx.transaction():
                theme = await _fill(tx, team.id, emails, SystemClock().now())
            await pool.execute("VACUUM ANALYZE", timeout=600)
        async with _server(url) as http:
            for path in LISTS:
                answer = await http.get(path, params={"perPage": 50})
                load = wrk_get(str(answer.url), KEY, connections=CONNECTIONS, seconds=LIST_SECONDS)
                assert load.ok > load.failed == 0, load
                line = f"| list `{path}`, {load.rate:,.0f} a second | {load.p50:.1f} ms | {load.p99:.1f} ms |"
                lines.append(f"{line} {_verdict(load.p99 / 1e3, LIST_BAR)} |")
                print(lines[-1], flush=True)
            times, before, during = await _cascades(http, theme)
            line = f"| a theme that {emails:,} emails have | {median(times) * 1e3:,.0f} ms "
            lines.append(f"{line}| {max(times) * 1e3:,.0f} ms | {_verdict(median(times), CASCADE_BAR)} |")
            for what, some, aim in (
                ("before that", before, ""),
                ("during that", during, _verdict(p99(during), EVENT_BAR)),
            ):
                figures = f"{median(some) * 1e3:.1f} ms | {p99(some) * 1e3:.1f} ms"
                lines.append(f"| an event, {what} | {figures} | {aim} |")
            print(*lines[-3:], sep="\n", flush=True)
    finally:
        await postgres.stop()
        shutil.rmtree(folder)
    about = (
        f"`python -m benchmarks.content`: {emails:,} published emails, {THEMES} themes, "
        f"{COMPONENTS} components; "
        f"pages of 50 each over {CONNECTIONS} connections that never rest (wrk, one thread), "
        f"{CASCADES} changes of a theme, "
        f"{EVENTS_A_SECOND} events a second beside them. {circumstances('asyncpg')}"
    )
    heading = "| what | median | 99 in 100 (of the theme: slowest) | aim (of the theme: for the median) |"
    write_section("content", "\n".join([about, "", heading, "|---|---:|---:|---|", *lines]))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000))
