"""What the overview reads is what a count of everything would say."""

from datetime import UTC, datetime, timedelta

from loopwright.server.store.database import Pool
from loopwright.server.store.housekeeping import delete_tallies
from loopwright.server.store.pages.overview import load_counts, load_hours
from loopwright.server.store.teams import TeamRow
from support.dashboard_rows import Rows
from support.factories import add_contacts

NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0, minute=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_counted_as_it_happens(pool: Pool, team: TeamRow) -> None:
    """Contacts that come and go, events and emails by the hour, many at once; what did not leave."""
    rows = Rows(pool, team.id)
    old = await rows.contact("old@example.com", at=NOON - DAY)
    await rows.contact("new@example.com", at=NOON)
    ids = [f"p{number}" for number in range(1, 6)]
    await add_contacts(pool, team.id, len(ids), domain="example.com")
    await pool.execute("DELETE FROM contact WHERE id = ANY ($1::text[])", [*ids[:2], old])
    for ago in (timedelta(0), HOUR, HOUR, DAY):
        await rows.event("signup", ids[2], at=NOON - ago)
        await rows.email("Hello", "a@example.com", ids[2], at=NOON - ago)
    for status in ("skipped", "failed", "failed", "unknown", "queued"):
        last = await rows.email("Hello", "a@example.com", ids[2], at=NOON, status=status, attempts=0)
    held = await rows.email("Hello", "a@example.com", ids[2], at=NOON, status="queued")
    await pool.execute("UPDATE email_queue SET due_at = 'infinity' WHERE email_id = $1", held)
    async with pool.acquire() as tx:
        counts = await load_counts(tx, team.id, since=MIDNIGHT)
        hours = await load_hours(tx, team.id, since=MIDNIGHT)
    assert (counts.contacts, counts.new_contacts, counts.events, counts.sent) == (4, 4, 3, 3)
    assert (counts.queued, counts.held, counts.skipped, counts.failed) == (1, 1, 1, 2)
    this_hour = NOON.replace(minute=0)
    assert hours.events == hours.sent == {this_hour: 1, this_hour - HOUR: 2}
    await pool.execute("UPDATE email SET status = 'failed' WHERE id = $1", last)
    await pool.execute("UPDATE email SET status = 'queued' WHERE status = 'skipped'")
    async with pool.acquire() as tx:
        counts = await load_counts(tx, team.id, since=MIDNIGHT)
        assert (counts.skipped, counts.failed) == (0, 3)
        assert await delete_tallies(tx, this_hour, 100) == 4
        after = await load_counts(tx, team.id, since=MIDNIGHT)
    assert (after.contacts, after.events, after.sent) == (4, 1, 1)
