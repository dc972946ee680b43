"""A team's pages hold that team's rows and no other's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from loopwright.ids import new_id
from loopwright.server.dashboard.views import PAGES
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, insert_team
from support.content import write_transactional
from support.dashboard_rows import Rows
from support.dashboard_site import Site
from support.factories import add_campaign, add_deliveries, add_endpoint, add_segment

SECRET = "belongs to the others"
NEIGHBOUR = "neighbour@example.com"


async def neighbours(site: Site) -> dict[str, str]:
    """A second team with one of everything. Answers with ids for the paths of `PAGES`."""
    pool = site.rows.pool
    team = TeamRow(
        id=new_id(site.clock.now()), name=SECRET, secret=b"", sending_domain="", company="", address=""
    )
    async with pool.acquire() as tx:
        await insert_team(tx, team, now=site.clock.now())
    rows = Rows(pool, team.id)
    contact = await rows.contact(NEIGHBOUR, user_id=SECRET, properties={"secret": SECRET})
    await rows.property("secretProperty", "string")
    event = await rows.event("neighbour_event", contact, secret=SECRET)
    workflow = await rows.workflow("Neighbour workflow")
    run = await rows.run(workflow, contact, event_id=event)
    await rows.email(SECRET, NEIGHBOUR, contact, run_id=run, workflow_id=workflow)
    await rows.email(SECRET, NEIGHBOUR, contact, status="failed", reason=SECRET)
    design: dict[str, Any] = {"name": SECRET, "created_at": site.clock.now(), "updated_at": site.clock.now()}
    message = await pool.fetchval("SELECT id FROM inbox_message WHERE team_id = $1", team.id)
    return {
        "team_id": team.id,
        "contact_id": contact,
        "event_id": event,
        "message_id": message,
        "workflow_id": workflow,
        "run_id": run,
        "transactional_id": await write_transactional(pool, team.id, SECRET, subject=SECRET),
        **await told(pool, team.id),
        **await meant(pool, team.id),
        "theme_id": await rows.add("theme", **design, styles={}, is_default=False),
        "component_id": await rows.add("component", **design, lmx=f"<Paragraph>{SECRET}</Paragraph>"),
    }


async def meant(pool: Pool, team_id: str) -> dict[str, str]:
    """A segment and a campaign."""
    segment, campaign = f"cs{team_id}", f"cc{team_id}"
    await add_segment(pool, team_id, segment, name=SECRET)
    await add_campaign(pool, team_id, campaign, name=SECRET, segment_id=segment)
    return {"segment_id": segment, "campaign_id": campaign}


async def told(pool: Pool, team_id: str) -> dict[str, str]:
    """An endpoint, and something it is told."""
    now = datetime.now(UTC)
    endpoint = await add_endpoint(
        pool, team_id, f"https://hooks.test/{SECRET}", sealing=SealingKey(bytes(32))
    )
    [delivery_id] = await add_deliveries(pool, endpoint, 1, now=now)
    return {"webhook_id": endpoint.id, "delivery_id": delivery_id}


async def test_no_page_shows_another_teams_rows(site: Site, operator: httpx2.AsyncClient) -> None:
    """Lists stay empty, and ids of the other team lead nowhere."""
    ids = await neighbours(site)
    for path in PAGES:
        answer = await operator.get(path.format(**ids))
        assert answer.status_code == (404 if "{" in path else 200), path
        for word in (SECRET, NEIGHBOUR, "neighbour_event", "Neighbour workflow", "secretProperty"):
            assert word not in answer.text, path


async def test_what_two_teams_share_stays_apart(site: Site, operator: httpx2.AsyncClient) -> None:
    """A row that points at another team's row shows nothing of it."""
    ids = await neighbours(site)
    event = await site.rows.event("mine", ids["contact_id"])
    await site.rows.run(ids["workflow_id"], ids["contact_id"], event_id=event)
    page = (await operator.get("/events")).text
    assert "mine" in page
    assert "deleted contact" in page
    assert NEIGHBOUR not in page
    assert "Neighbour workflow" not in page


async def test_searching_does_not_climb_the_wall(site: Site, operator: httpx2.AsyncClient) -> None:
    """Neither does a cursor of the other team."""
    ids = await neighbours(site)
    for path in ("/inbox", "/events", "/contacts", "/transactional"):
        page = (await operator.get(path, params={"q": "neighbour"})).text
        assert "neighbour@" not in page
        page = (await operator.get(path, params={"before": ids["message_id"]})).text
        assert "neighbour@" not in page


async def test_neighbours_do_not_crowd_anybody_out(site: Site, operator: httpx2.AsyncClient) -> None:
    """A list of the latest few is of this team's latest few."""
    at = site.clock.now() - timedelta(minutes=1)
    await site.rows.email("Mine", "ada@example.com", None, status="failed", reason="my own trouble", at=at)
    ids = await neighbours(site)
    others = Rows(site.rows.pool, ids["team_id"])
    for _ in range(6):
        await others.email(SECRET, NEIGHBOUR, ids["contact_id"], status="failed")
    assert "my own trouble" in (await operator.get("/")).text
