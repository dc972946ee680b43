"""What the dashboard says of a relay, and the button that sends an email again."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from loopwright.server.store.relays import RelayRow, forget_relay, note_relay
from support.content import write_message
from support.dashboard_site import FROM_HERE, Site
from support.factories import add_campaign, hold


@pytest.mark.parametrize(
    ("condition", "words"),
    [("down", "No email leaves"), ("slow", "Email leaves slowly"), ("up", None)],
)
async def test_the_first_line_tells_of_the_relay(
    site: Site, operator: httpx2.AsyncClient, condition: str, words: str | None
) -> None:
    """In its words, before all numbers, and on a campaign that waits; nothing when all is well."""
    now = site.clock.now()
    add = add_campaign(site.rows.pool, site.rows.team_id, f"c{condition}", status="Sending", started_at=now)
    await write_message(site.rows.pool, site.rows.team_id, await add, now=now)
    row = RelayRow(
        process="p1",
        host="relay.test",
        condition=condition,
        reason="535 <b>authentication failed",
        since=datetime(2026, 3, 4, tzinfo=UTC),
    )
    async with site.rows.pool.acquire() as tx:
        await note_relay(tx, row)
    page = (await operator.get("/")).text
    campaign = (await operator.get(f"/campaigns/c{condition}")).text
    async with site.rows.pool.acquire() as tx:
        await forget_relay(tx, "p1")
    if words is None:
        assert "relay.test" not in page + campaign
    else:
        assert campaign.index(words) < campaign.index("<dt>Recipients")
        assert page.index(words) < page.index("<dt>Events")
        assert "535 &lt;b&gt;authentication failed" in page
    assert "relay.test" not in (await operator.get("/")).text


@pytest.mark.parametrize("status", ["failed", "skipped"])
async def test_an_email_is_sent_again(site: Site, operator: httpx2.AsyncClient, status: str) -> None:
    """The button leads back to its page, and the email waits."""
    email = await site.rows.email("Hi", "ada@elsewhere.org", None, status=status, reason="spam")
    assert f"/emails/{email}/retry" in (await operator.get("/")).text
    answer = await operator.post(
        f"/emails/{email}/retry",
        headers={**FROM_HERE, "referer": f"{site.base_url}/"},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/#at-{email}")
    assert await site.rows.pool.fetchval("SELECT status FROM email WHERE id = $1", email) == "queued"
    assert f"/emails/{email}/retry" not in (await operator.get("/")).text


async def test_no_other_site_and_no_other_team_sends_again(site: Site, operator: httpx2.AsyncClient) -> None:
    """Nor anybody who is not signed in; and what was sent is not sent twice."""
    failed = await site.rows.email("Hi", "ada@elsewhere.org", None, status="failed", reason="spam")
    sent = await site.rows.email("Hi", "ada@elsewhere.org", None)
    answer = await operator.post(f"/emails/{failed}/retry", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    async with httpx2.AsyncClient(base_url=site.base_url) as stranger:
        answer = await stranger.post(f"/emails/{failed}/retry", headers=FROM_HERE)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    await operator.post(f"/emails/{sent}/retry", headers=FROM_HERE)
    statuses = "SELECT status FROM email WHERE id = ANY ($1) ORDER BY id"
    found = await site.rows.pool.fetch(statuses, [failed, sent])
    assert sorted(row["status"] for row in found) == ["failed", "sent"]
    other = await site.rows.pool.fetchval(
        "SELECT id FROM email WHERE team_id <> $1 AND status = 'failed' LIMIT 1", site.rows.team_id
    )
    if other:
        await operator.post(f"/emails/{other}/retry", headers=FROM_HERE)
        assert await site.rows.pool.fetchval("SELECT status FROM email WHERE id = $1", other) == "failed"


async def test_the_first_line_tells_of_held_email(site: Site, operator: httpx2.AsyncClient) -> None:
    """How many there are, whenever they were made, and why; nothing once none is."""
    pool = site.rows.pool
    for number in range(2):
        email = await site.rows.email(
            "Hi", f"p{number}@elsewhere.org", None, status="held", reason="no <domain>"
        )
        await hold(pool, site.rows.team_id, email)
    page = (await operator.get("/")).text
    assert page.index("2 emails are held") < page.index("no &lt;domain&gt;") < page.index("<dt>Events")
    await pool.execute("UPDATE email SET status = 'skipped' WHERE status = 'held'")
    assert "are held" not in (await operator.get("/")).text


async def test_the_first_line_tells_of_runs_that_do_not_go_on(
    site: Site, operator: httpx2.AsyncClient
) -> None:
    """How many there are and since when; those of other teams are nobody's business."""
    contact = await site.rows.contact("ada@elsewhere.org")
    await site.rows.run(await site.rows.workflow("Welcome"), contact, status="active")
    waits = "UPDATE run SET due_at = $2 WHERE team_id = $1"
    await site.rows.pool.execute(waits, site.rows.team_id, site.clock.now() - timedelta(minutes=6))
    page = (await operator.get("/")).text
    assert page.index("1 contact does not go on") < page.index("<dt>Events")
    await site.rows.pool.execute(waits, site.rows.team_id, site.clock.now() - timedelta(minutes=4))
    assert "not go on" not in (await operator.get("/")).text
