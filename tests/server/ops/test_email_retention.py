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
from support import factories
from support.clock import HandClock
from support.content import write_message
from support.dashboard_rows import Rows
from support.workflows import add_contact

NOW = datetime(2031, 12, 15, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=100)
YOUNG = NOW - timedelta(days=20)


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
    await factories.add_email(
        pool, message, email_id, now=moment, kind=kind, contact_id=contact_id, run_id=run_id, status=status
    )
    return email_id


async def tidy(pool: Pool, kept: Kept) -> set[str]:
    """Do the housekeeping; returns the ids of the emails that are left."""
    await Housekeeping(pool, HandClock(NOW), kept).tidy()
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
    await factories.insert(
        pool, "run", id="r-on", team_id=team.id, workflow_id=workflow, contact_id="c", event_properties={},
        once=True, status="active", node_id="n", entered_at=NOW, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
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
        await factories.insert(
            pool, "inbox_message", id=new_id(moment), team_id=team.id, email_id=email, from_email="a@x.org",
            to_email="b@x.org", subject="", raw=b"", received_at=moment,
        )  # fmt: skip
    assert await tidy(pool, Kept(inbox=30)) == {email}
    assert [row["received_at"] for row in await pool.fetch("SELECT received_at FROM inbox_message")] == [
        YOUNG
    ]
