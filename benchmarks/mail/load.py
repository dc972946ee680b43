"""What the measurement of sending puts into a database, and what it finds there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import LiteralString

import asyncpg
from msgspec.structs import replace

from benchmarks.render import MESSAGE
from benchmarks.running_workflow import insert_running_workflow
from loopwright.ids import new_id
from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import SystemClock
from loopwright.server.content.save import write_content
from loopwright.server.domains import add_domain
from loopwright.server.sealing import new_sealing_key, open_sealing
from loopwright.server.store.database import open_pool
from loopwright.server.store.messages import EMPTY, RevisionRow, write_revisions
from loopwright.server.store.schema import migrate
from loopwright.server.workflow.graph import EventTrigger, ExitAction, Node, SendEmailAction

DOMAIN = "mail.elsewhere.org"
SEALING_KEY = new_sealing_key()
EVENT = "signup"
CODE = replace(
    EMPTY,
    subject="Your code is {data.code}",
    from_name="Acme",
    from_email="hello",
    lmx="<Paragraph>{data.code}</Paragraph>",
)
URGENT: LiteralString = """
    INSERT INTO email (id, team_id, cause, kind, message_id, revision_id, to_email, event_properties,
                       data_variables, status, mime_id, created_at)
    SELECT $3, $1, $3, 'transactional', message_id, id, 'ada@elsewhere.test', '{}', '{"code": "271828"}',
           'queued', $3 || '@mail.elsewhere.test', clock_timestamp()
      FROM email_revision WHERE id = $2
"""
WAITED: LiteralString = """
    SELECT count(sent_at),
           percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - created_at))
      FROM email WHERE id = ANY ($1::text[])
"""
PEOPLE: LiteralString = """
    INSERT INTO contact (id, team_id, email, user_id, first_name, source, subscribed, user_group,
                         properties, mailing_lists, created_at, updated_at)
    SELECT 'c' || lpad(n::text, 24, '0'), $1, 'p' || n || '@elsewhere.test', 'u' || n, 'Ada ' || n, 'API',
           true, '', '{}', '{}', now(), now()
      FROM generate_series($2::int + 1, $2 + $3) AS n
"""
FILL: LiteralString = """
    WITH who AS (
        INSERT INTO contact (id, team_id, email, user_id, first_name, source, subscribed, user_group,
                             properties, mailing_lists, created_at, updated_at)
        SELECT 'c' || lpad(n::text, 24, '0'), $1, 'p' || n || '@elsewhere.test', 'u' || n, 'Ada ' || n, 'API',
               true, '', '{}', '{}', now(), now()
          FROM generate_series($3::int + 1, $3 + $4) AS n
    )
    INSERT INTO email (id, team_id, cause, kind, message_id, revision_id, contact_id, to_email,
                       event_properties, data_variables, status, mime_id, created_at)
    SELECT 'c' || lpad(n::text, 24, '0'), $1, 'run:' || n, 'marketing', message_id, id,
           'c' || lpad(n::text, 24, '0'), 'p' || n || '@elsewhere.test',
           '{"plan": "Pro", "renewsOn": "2026-12-01T00:00:00.000Z", "price": 19.5}', '{}', 'queued',
           n || '@mail.elsewhere.test', now()
      FROM email_revision, generate_series($3::int + 1, $3 + $4) AS n WHERE email_revision.id = $2
"""
"""Queued emails of a workflow, each for a contact of its own."""
STORED: LiteralString = """
    INSERT INTO email (id, team_id, cause, kind, message_id, revision_id, contact_id, to_email,
                       event_properties, data_variables, status, mime_id, created_at, sent_at,
                       subject, attempts)
    SELECT 'b' || lpad(n::text, 24, '0'), $1, 'old:' || n, 'marketing', message_id, id,
           'b' || lpad((n % 100000)::text, 24, '0'), 'q' || n % 100000 || '@elsewhere.test',
           '{"plan": "Pro", "renewsOn": "2026-12-01T00:00:00.000Z", "price": 19.5}', '{}', 'sent',
           n || '@mail.elsewhere.test', now(), now(), 'Welcome, Ada ' || n, 1
      FROM email_revision, generate_series($3::int + 1, $3 + $4) AS n WHERE email_revision.id = $2
"""
"""Emails that were sent long ago, fifty for a contact when there are five million."""


class Load:
    """A database with a team that sends from a domain of its own."""

    def __init__(self, url: str, team_id: str, mass: str, urgent: str) -> None:
        self.url = url
        self.team_id = team_id
        self._mass = mass
        self._urgent = urgent
        self._filled = 0

    async def fill(self, emails: int) -> None:
        """Queue emails, each for a contact of its own."""
        await self._run(FILL, self.team_id, self._mass, self._filled, emails)
        self._filled += emails

    async def fill_people(self, people: int) -> list[str]:
        """Have so many more contacts; returns their addresses."""
        await self._run(PEOPLE, self.team_id, self._filled, people)
        numbers = range(self._filled + 1, self._filled + people + 1)
        self._filled += people
        return [f"p{number}@elsewhere.test" for number in numbers]

    async def store(self, emails: int) -> None:
        """Have so many emails that were sent before."""
        for begin in range(0, emails, 250_000):
            await self._run(STORED, self.team_id, self._mass, begin, min(250_000, emails - begin))

    async def queue_urgent(self, connection: asyncpg.Connection, email_id: str) -> None:
        """Queue a transactional email."""
        await connection.execute(URGENT, self.team_id, self._urgent, email_id)

    @asynccontextmanager
    async def tracked(self) -> AsyncGenerator[None]:
        """The team's email tells of opens and clicks while the context lasts."""
        await self._run("UPDATE team SET tracking = true WHERE id = $1", self.team_id)
        yield
        await self._run("UPDATE team SET tracking = false WHERE id = $1", self.team_id)

    async def sign(self) -> None:
        """From now on the team's email is signed with RSA-2048."""
        now = SystemClock().now()
        async with open_pool(self.url, size=1) as pool, pool.acquire() as tx, tx.transaction():
            sealing = await open_sealing(tx, SEALING_KEY, None, now=now)
            assert sealing is not None
            await add_domain(tx, self.team_id, sealing, DOMAIN, ed25519=False, bounce_domain=None, now=now)

    async def answer_events(self) -> None:
        """From now on each `EVENT` is answered with the email that the others are."""
        now = SystemClock().now()
        async with open_pool(self.url, size=1) as pool, pool.acquire() as tx, tx.transaction():
            message = await write_content(tx, self.team_id, None, MESSAGE, now=now)
            trigger = EventTrigger(next_node_ids=("email",), event_name=EVENT)
            nodes: dict[str, Node] = {
                "email": SendEmailAction(next_node_ids=("exit",), email_message_id=message.message_id),
                "exit": ExitAction(),
            }
            await insert_running_workflow(tx, self.team_id, "Welcome", trigger, nodes)

    async def _run(self, statement: LiteralString, *values: object) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(statement, *values, timeout=3600)
        await connection.execute("VACUUM ANALYZE", timeout=3600)
        await connection.close()


async def new_load(url: str) -> Load:
    """Bring an empty database up, and write the two messages that all emails are of."""
    await migrate(url)
    now = SystemClock().now()
    async with open_pool(url, size=1) as pool:
        team = await ensure_team(pool, SystemClock())
        await pool.execute("UPDATE team SET sending_domain = $1, address = '1 Road'", DOMAIN)
        mass, urgent = (
            RevisionRow(
                id=new_id(now), team_id=team.id, message_id=new_id(now), content=content, created_at=now
            )
            for content in (MESSAGE, CODE)
        )
        async with pool.acquire() as tx:
            await write_revisions(tx, [mass, urgent])
    return Load(url, team.id, mass.id, urgent.id)
