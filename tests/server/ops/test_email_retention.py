"""Emails and messages go when they have had their time; what waits, what a run needs and links stay."""

from datetime import UTC, datetime, timedelta

import pytest

from loopwright.ids import new_id
from loopwright.server.runtime import housekeeping
from loopwright.server.runtime.housekeeping import Housekeeping, Kept
from loopwright.server.store.database import Pool
from loopwright.server.store.emails import load_subscription
from loopwright.server.store.people import forget_contact
from loopwright.server.store.teams import TeamRow
from support.content import write_message
from support.dashboard_rows import Rows
from support.mail_office import StillClock
from support.workflows import add_contact

NOW = datetime(2031, 12, 15, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=100)
YOUNG = NOW - timedelta(days=20)
EMAIL = """
    INSERT INTO email (id, team_id, cause, kind, message_id, revision_id, contact_id, to_email, run_id,
                       event_properties, data_variables, status, attempts, mime_id, created_at)
    SELECT $1, team_id, $1, $3, message_id, id, $4, 'ada@elsewhere.org', $5, '{}', '{}', $6, 1, $1, $7
      FROM email_revision WHERE message_id = $2
"""


@pytest.fixture
async def message(pool: Pool, team: TeamRow) -> str:
    """What all emails say."""
    return (await write_message(pool, team.id)).message_id


async def add_email(
    pool: Pool,
    message: str,
    moment: datetime = OLD,
    *,
    kind: str = "marketing",
    contact_id: str | None = None,
    run_id: str | None = "r-over",
    status: str = "sent",
) -> str:
    email_id = new_id(moment)
    await pool.execute(EMAIL, email_id, message, kind, contact_id, run_id, status, moment)
    return email_id


async def tidy(pool: Pool, kept: Kept) -> set[str]:
    """Do the housekeeping; returns the ids of the emails that are left."""
    clock = StillClock()
    clock.moment = NOW
    await Housekeeping(pool, clock, kept).tidy()
    return {row["id"] for row in await pool.fetch("SELECT id FROM email")}


async def test_what_is_over_goes_in_its_time(
    pool: Pool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several steps, whatever became of it; nothing goes without the setting."""
    monkeypatch.setattr(housekeeping, "AT_ONCE", 2)
    for status in ("sent", "skipped", "failed") * 3:
        await add_email(pool, message, status=status)
    young = await add_email(pool, message, YOUNG)
    assert len(await tidy(pool, Kept())) == 10
    assert len(await tidy(pool, Kept(emails=101, events=1, inbox=1))) == 10
    assert await tidy(pool, Kept(emails=30)) == {young}


async def test_what_waits_and_what_is_needed_stays(pool: Pool, team: TeamRow, message: str) -> None:
    """Email that has not left, what a run that goes on has sent, and a request to confirm, 30 days longer."""
    kept = {
        await add_email(pool, message, status=status) for status in ("held", "queued", "sending", "unknown")
    }
    workflow = await Rows(pool, team.id).workflow("Welcome")
    await pool.execute(
        """
        INSERT INTO run (id, team_id, workflow_id, contact_id, event_properties, once, status, node_id,
                         entered_at, created_at, updated_at)
        VALUES ('r-on', $1, $2, 'c', '{}', true, 'active', 'n', now(), now(), now())
        """,
        team.id,
        workflow,
    )
    kept.add(await add_email(pool, message, run_id="r-on"))
    asked = await add_email(pool, message, run_id=None)
    assert await tidy(pool, Kept(emails=80)) == {*kept, asked}
    assert await tidy(pool, Kept(emails=60)) == kept


async def test_mailed_links_go_on_working(pool: Pool, team: TeamRow, message: str) -> None:
    """They open what they opened while the email was there, until the contact is deleted: then, nobody's."""
    contact = await add_contact(pool, team.id, "ada@elsewhere.org")
    mailed = await add_email(pool, message, contact_id=contact.id)
    never = await add_email(pool, message, contact_id=contact.id, kind="transactional")
    async with pool.acquire() as tx:
        before = await load_subscription(tx, team.id, mailed)
    assert await tidy(pool, Kept(emails=30)) == set()
    async with pool.acquire() as tx:
        assert before is not None
        assert await load_subscription(tx, team.id, mailed) == before
        assert await load_subscription(tx, team.id, never) is None
        await forget_contact(tx, team.id, contact.id, limit=10)
        left = await load_subscription(tx, team.id, mailed)
    assert left is not None
    assert (left.contact_id, left.secret) == (None, before.secret)


async def test_the_inbox_has_a_time_of_its_own(pool: Pool, team: TeamRow, message: str) -> None:
    """Messages go, and the emails that they are copies of stay."""
    email = await add_email(pool, message)
    for moment in (OLD, YOUNG):
        await pool.execute(
            """
            INSERT INTO inbox_message (id, team_id, email_id, from_email, to_email, subject, raw, received_at)
            VALUES ($1, $2, $3, 'a@x.org', 'b@x.org', '', '', $4)
            """,
            new_id(moment),
            team.id,
            email,
            moment,
        )
    assert await tidy(pool, Kept(inbox=30)) == {email}
    assert [row["received_at"] for row in await pool.fetch("SELECT received_at FROM inbox_message")] == [
        YOUNG
    ]
