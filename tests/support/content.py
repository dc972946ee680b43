"""What emails say, for tests: a plain message, and whatever a test makes of it."""

from datetime import UTC, datetime

from msgspec.structs import replace

from loopwright.server.content import publishing, save
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.messages import EMPTY, RevisionRow

PLAIN = replace(
    EMPTY,
    subject="Hello",
    from_name="Loopwright",
    from_email="team",
    lmx="<Paragraph>Hello</Paragraph>",
)


async def write_message(
    pool: Pool, team_id: str, message_id: str | None = None, *, now: datetime | None = None, **given: object
) -> RevisionRow:
    """Write a message, or another revision of one: `PLAIN`, but for the fields given."""
    async with pool.acquire() as tx:
        return await write_content(tx, team_id, message_id, now=now, **given)


async def write_content(
    tx: Connection,
    team_id: str,
    message_id: str | None = None,
    *,
    now: datetime | None = None,
    **given: object,
) -> RevisionRow:
    """The same, in the caller's transaction."""
    now = now or datetime.now(UTC)
    return await save.write_content(tx, team_id, message_id, replace(PLAIN, **given), now=now)


async def write_transactional(
    pool: Pool, team_id: str, name: str, *, now: datetime | None = None, **given: object
) -> str:
    """A transactional email whose draft says `PLAIN`, but for the fields given; answers its id."""
    now = now or datetime.now(UTC)
    async with pool.acquire() as tx, tx.transaction():
        new_id, draft = await publishing.create(tx, team_id, name, None, now=now)
        await write_content(tx, team_id, draft.message_id, now=now, **given)
    return new_id


async def publish(pool: Pool, team_id: str, transactional_id: str, *, now: datetime | None = None) -> None:
    """Make its draft what is sent."""
    async with pool.acquire() as tx, tx.transaction():
        await publishing.publish(tx, team_id, transactional_id, has_relay=False, now=now or datetime.now(UTC))


async def draft_anew(
    pool: Pool, team_id: str, transactional_id: str, *, now: datetime | None = None, **given: object
) -> RevisionRow:
    """Give a published one a draft: `PLAIN`, but for the fields given."""
    now = now or datetime.now(UTC)
    async with pool.acquire() as tx, tx.transaction():
        draft = await publishing.ensure_draft(tx, team_id, transactional_id, now=now)
        return await write_content(tx, team_id, draft.message_id, now=now, **given)
