"""What emails say, for tests: a plain message, and whatever a test makes of it."""

from datetime import UTC, datetime

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.messages import Content, RevisionRow, write_revisions

PLAIN = Content(
    subject="Hello",
    preview_text="",
    from_name="Loopwright",
    from_email="team",
    reply_to_email="",
    cc_email="",
    bcc_email="",
    language_code="",
    email_format="styled",
    lmx="<Paragraph>Hello</Paragraph>",
    contact_fallbacks={},
    event_fallbacks={},
    data_fallbacks={},
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
    revision = RevisionRow(
        id=new_id(now),
        team_id=team_id,
        message_id=message_id or new_id(now),
        content=replace(PLAIN, **given),
        created_at=now,
    )
    await write_revisions(tx, [revision])
    return revision
