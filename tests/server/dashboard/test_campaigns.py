"""The pages of campaigns and of segments, and the buttons of a campaign."""

from datetime import timedelta
from typing import Any

import httpx2
import msgspec

from loopwright.ids import new_id
from loopwright.server.store.campaigns import CampaignRow, find_campaign
from loopwright.wire.filters import AudienceFilter, PropertyCondition
from support.content import write_message
from support.dashboard_site import FROM_HERE, Site, words
from support.factories import add_campaign, add_fact, add_segment, insert

EVIL = "<script>alert(1)</script>\"'&"
PRO = AudienceFilter(
    match="all", conditions=[PropertyCondition(key="userGroup", operator="equals", value="pro")]
)
LMX = '<Paragraph>Hello {contact.firstName}</Paragraph><Button href="https://acme.org/new">See</Button>'


async def write(site: Site, **columns: Any) -> str:
    """A campaign that can be sent, to one contact."""
    pool, team_id = site.rows.pool, site.rows.team_id
    campaign_id = new_id(site.clock.now())
    message = await add_campaign(pool, team_id, campaign_id, name="Winter news", **columns)
    fallbacks = {"firstName": "you"}
    await write_message(pool, team_id, message, subject="What is new", lmx=LMX, contact_fallbacks=fallbacks)
    await site.rows.contact("ada@example.com", first_name="Ada", user_group="pro")
    await site.rows.own_domain()
    await pool.execute("UPDATE team SET address = '12 St James' WHERE id = $1", team_id)
    return campaign_id


async def of(site: Site, campaign_id: str) -> CampaignRow:
    async with site.rows.pool.acquire() as tx:
        campaign = await find_campaign(tx, site.rows.team_id, campaign_id)
    assert campaign is not None
    return campaign


async def test_a_draft(site: Site, operator: httpx2.AsyncClient) -> None:
    """Whom it is for, in words and numbers; what it says, and what Guardian makes of it."""
    assert "No campaign yet" in (await operator.get("/campaigns")).text
    await add_segment(site.rows.pool, site.rows.team_id, "cseg" + site.rows.team_id, name="Pros", filter_=PRO)
    campaign = await write(
        site,
        segment_id="cseg" + site.rows.team_id,
        filter=msgspec.json.encode(PRO).decode(),
    )
    assert "Winter news draft" in words((await operator.get("/campaigns")).text)
    page = await operator.get(f"/campaigns/{campaign}")
    said = words(page.text)
    assert "Email reaches now 1 contact user group is “pro”" in said
    assert "Segment Pros" in said
    assert "Found nothing." in said
    assert "Send… It goes to 1 contact now" in said
    assert "Hello you" in (await operator.get(f"/campaigns/{campaign}/html")).text
    assert "Hello you" in (await operator.get(f"/campaigns/{campaign}?view=text")).text
    assert "{contact.firstName}" in (await operator.get(f"/campaigns/{campaign}?view=lmx")).text
    assert (await operator.get("/campaigns/cnone")).status_code == 404


async def test_what_makes_no_sense_is_refused(site: Site, operator: httpx2.AsyncClient) -> None:
    """With the reason, and nothing has changed."""
    campaign = await write(site)
    path = f"/campaigns/{campaign}"
    past = await operator.post(f"{path}/schedule", data={"at": "2020-01-01T09:30"}, headers=FROM_HERE)
    assert past.status_code == 422
    assert "has passed" in past.text
    unclear = await operator.post(f"{path}/schedule", data={"at": "soon"}, headers=FROM_HERE)
    assert "Choose a day and a time" in unclear.text
    page = await operator.post(f"{path}/pause", headers=FROM_HERE)
    assert "only one that is being sent can be paused" in page.text
    await site.rows.pool.execute("UPDATE team SET address = '' WHERE id = $1", site.rows.team_id)
    unlawful = await operator.post(f"{path}/send", headers=FROM_HERE)
    assert "the team has no postal address" in unlawful.text
    assert (await of(site, campaign)).status == "Draft"


async def test_a_campaign_goes_its_way_by_buttons(site: Site, operator: httpx2.AsyncClient) -> None:
    """Each state offers what can be done, and says what was."""
    campaign = await write(site)
    path = f"/campaigns/{campaign}"
    soon = site.clock.now() + timedelta(days=1)
    page = await operator.post(f"{path}/schedule", data={"at": f"{soon:%Y-%m-%dT%H:%M}"}, headers=FROM_HERE)
    assert "The campaign is scheduled." in page.text
    assert f"It begins {soon:%d %b %Y %H:%M}" in words(page.text)
    assert "by clocks of UTC" in page.text
    starts_at = (await of(site, campaign)).starts_at
    assert starts_at == soon.replace(second=0, microsecond=0)
    for verb, says, status, offered in [
        ("cancel", "The campaign is cancelled.", "Draft", {"send", "schedule"}),
        ("send", "The campaign is being sent.", "Sending", {"pause", "cancel"}),
        ("pause", "The campaign is paused", "Sending", {"resume", "cancel"}),
        ("resume", "The campaign goes on.", "Sending", {"pause", "cancel"}),
    ]:
        page = await operator.post(f"{path}/{verb}", headers=FROM_HERE)
        assert says in page.text
        assert (await of(site, campaign)).status == status
        verbs = ("send", "schedule", "pause", "resume", "cancel")
        assert {one for one in verbs if f'action="{path}/{one}"' in page.text} == offered
    page = await operator.post(f"{path}/cancel", headers=FROM_HERE)
    assert "The campaign is cancelled." in page.text
    assert (await of(site, campaign)).stopped == "cancelled"


async def test_a_test_to_oneself(site: Site, operator: httpx2.AsyncClient) -> None:
    """It has the values of the contact with that address, and is refused without one."""
    campaign = await write(site)
    path = f"/campaigns/{campaign}/test"
    page = await operator.post(path, data={"email": "Ada@example.com"}, headers=FROM_HERE)
    assert "A test is on its way." in page.text
    row = await site.rows.pool.fetchrow(
        "SELECT to_email, preview::text FROM email WHERE team_id = $1", site.rows.team_id
    )
    assert row is not None
    assert row["to_email"] == "ada@example.com"
    assert '"firstName": "Ada"' in row["preview"]
    refused = await operator.post(path, data={"email": "nobody"}, headers=FROM_HERE)
    assert refused.status_code == 422


async def sent(site: Site, campaign: str, people: int, status: str, reason: str = "") -> list[str]:
    """Emails of the campaign that ended so."""
    message = (await of(site, campaign)).message_id
    ids = []
    for number in range(people):
        address = f"{status}{number}{reason[:3]}@example.com"
        contact = await site.rows.contact(address)
        email = await site.rows.email(
            "News", address, contact, status=status, reason=reason, campaign_id=campaign, message_id=message
        )
        ids.append(email)
    return ids


async def test_what_became_of_a_campaign(site: Site, operator: httpx2.AsyncClient) -> None:
    """By outcome and reason, by link and verdict; each outcome with its recipients, who can have it again."""
    pool, team_id = site.rows.pool, site.rows.team_id
    now = site.clock.now()
    campaign = await write(site, status="Sent", started_at=now, noted_at=now, queued_at=now, recipients=7)
    await pool.execute("UPDATE team SET tracking = true WHERE id = $1", team_id)
    await sent(site, campaign, 3, "sent")
    await sent(site, campaign, 2, "skipped", "the contact is unsubscribed")
    [failed] = await sent(site, campaign, 1, "failed", "550 no such user")
    await sent(site, campaign, 1, "unknown", EVIL)
    message = (await of(site, campaign)).message_id
    revision = await pool.fetchval("SELECT content_revision_id FROM email_message WHERE id = $1", message)
    for link, human, machine in [(0, 2, 1), (1, 1, 2)]:
        await insert(
            pool, "visit_count", team_id=team_id, owner_id=message, revision_id=revision, link=link,
            hour=now.replace(minute=0, second=0, microsecond=0), part=0, human=human, machine=machine,
            unsure=0,
        )  # fmt: skip
    page = (await operator.get(f"/campaigns/{campaign}")).text
    said = words(page)
    assert "3 of 7 sent" in said
    await pool.execute("UPDATE email_counter SET sends = relayed + 1, hard_bounces = 1")
    assert "3 of 7 sent" in words((await operator.get("/campaigns")).text)
    assert "Sent 3 In the queue 0 Skipped 2 Failed 1 Unknown 1" in said
    assert f"{now:%H}:00: 2 opens, 1 click" in said
    assert "Skipped because the contact is unsubscribed 2" in said
    assert "Opened 2 0 1 https://acme.org/new 1 0 2" in said
    for outcome, count, address in [
        ("sent", 3, "sent2@"),
        ("skipped", 2, "skipped0the@"),
        ("failed", 1, "failed0550@"),
        ("unknown", 1, "unknown0"),
    ]:
        text = (await operator.get(f"/campaigns/{campaign}/recipients?outcome={outcome}")).text
        assert address in text
        assert text.count('class="effect"') == count
        assert EVIL not in text
    again = await operator.post(f"/emails/{failed}/retry", headers=FROM_HERE)
    assert again.status_code == 200
    assert "Failed 0" in words((await operator.get(f"/campaigns/{campaign}")).text)
    answer = await operator.post(
        f"/campaigns/{campaign}/retry", data={"status": "skipped"}, headers=FROM_HERE
    )
    assert "They are being sent again." in answer.text
    assert (await of(site, campaign)).retry_status == "skipped"
    wrong = await operator.post(f"/campaigns/{campaign}/retry", data={"status": "sent"}, headers=FROM_HERE)
    assert wrong.status_code == 422


async def test_a_time_is_that_of_the_teams_clocks(site: Site, operator: httpx2.AsyncClient) -> None:
    """The form says which clocks, and the page both."""
    campaign = await write(site)
    await site.rows.pool.execute("UPDATE team SET time_zone = 'Asia/Tokyo' WHERE id = $1", site.rows.team_id)
    soon = (site.clock.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    form = {"at": f"{soon:%Y-%m-%dT%H:%M}"}
    page = await operator.post(f"/campaigns/{campaign}/schedule", data=form, headers=FROM_HERE)
    assert (await of(site, campaign)).starts_at == soon - timedelta(hours=9)
    assert f"It begins {soon:%d %b %Y %H:%M} by clocks of Asia/Tokyo" in words(page.text)


async def test_a_brake_is_told_of(site: Site, operator: httpx2.AsyncClient) -> None:
    """With its reason, where it stands."""
    now = site.clock.now()
    campaign = await write(site, status="Sending", stopped="paused", started_at=now, noted_at=now)
    await insert(
        site.rows.pool, "brake", team_id=site.rows.team_id, owner_id=campaign, kind="campaign",
        state="braked", reason="brake: Too many complained", since=now, armed_at=now,
    )  # fmt: skip
    told = words((await operator.get(f"/campaigns/{campaign}")).text)
    assert "A brake has paused it: Too many complained" in told
    overview = words((await operator.get("/")).text)
    assert "Campaign Winter news is paused: Too many complained (since" in overview


async def test_sent_and_delivered(site: Site, operator: httpx2.AsyncClient) -> None:
    """Two numbers, each by its name, where a provider tells what arrived."""
    now = site.clock.now()
    campaign = await write(site, status="Sent", started_at=now, noted_at=now, queued_at=now, recipients=3)
    pool, team_id = site.rows.pool, site.rows.team_id
    await pool.execute("UPDATE team SET provider_delivers = true WHERE id = $1", team_id)
    first, _, _ = await sent(site, campaign, 3, "sent")
    await add_fact(pool, team_id, "email_delivered", email_id=first, now=now)
    said = words((await operator.get(f"/campaigns/{campaign}")).text)
    assert "3 of 3 sent" in said
    assert "Sent 3 Delivered 1 In the queue 0" in said


async def test_a_warm_up_plan_is_told_of(site: Site, operator: httpx2.AsyncClient) -> None:
    """On the overview and where its campaign is: what is sent, what is to come, and until when."""
    now = site.clock.now()
    campaign = await write(site, status="Sending", started_at=now, noted_at=now, queued_at=now, recipients=12)
    await insert(
        site.rows.pool, "warm_up", team_id=site.rows.team_id, per_day=1000, per_hour=10, growth=50,
        until=5000, cap=1000, day=now.date(),
    )  # fmt: skip
    await sent(site, campaign, 5, "sent")
    for address in ("/", f"/campaigns/{campaign}"):
        said = words((await operator.get(address)).text)
        assert "5 of 10 marketing emails of an hour and 5 of 1,000 of a day are sent. 7 are to come" in said
        assert "all of them are through about" in said
    await site.rows.pool.execute("UPDATE campaign SET stopped = 'paused' WHERE id = $1", campaign)
    assert "Warm-up plan" not in (await operator.get(f"/campaigns/{campaign}")).text


async def test_emails_that_did_not_leave(site: Site, operator: httpx2.AsyncClient) -> None:
    """Found by status, words and time, and sent again together."""
    contact = await site.rows.contact("ada@example.com")
    old = site.clock.now() - timedelta(days=20)
    for reason, at in [("550 no such user", None), ("450 later", None), ("550 no such user", old)]:
        await site.rows.email("Hi", "ada@example.com", contact, status="failed", reason=reason, at=at)
    await site.rows.email("Hi", "ada@example.com", contact, status="skipped", reason="unsubscribed")
    assert "2 found" in (await operator.get("/unsent")).text
    assert "1 found" in (await operator.get("/unsent?status=skipped")).text
    assert "2 found" in (await operator.get("/unsent?words=No+Such&days=30")).text
    assert "None that failed for “none” in a day." in words(
        (await operator.get("/unsent?words=none&days=1")).text
    )
    form = {"status": "failed", "words": "no such", "days": "7"}
    page = await operator.post("/unsent/retry", data=form, headers=FROM_HERE)
    assert "Emails that are sent again: 1." in page.text
    assert "1 found" in (await operator.get("/unsent")).text


async def test_segments_in_words_and_numbers(site: Site, operator: httpx2.AsyncClient) -> None:
    """The list, and one of them with the newest of its contacts."""
    assert "No segment yet" in (await operator.get("/segments")).text
    segment = "cseg" + site.rows.team_id
    await add_segment(site.rows.pool, site.rows.team_id, segment, name=EVIL, filter_=PRO)
    contact = await site.rows.contact("ada@example.com", user_group="pro")
    await site.rows.contact("eve@example.com", user_group="pro", subscribed=False)
    await site.rows.contact("bob@example.com")
    listed = (await operator.get("/segments")).text
    assert "user group is “pro” 2" in words(listed)
    page = (await operator.get(f"/segments/{segment}")).text
    assert "Contacts 2 Marketing email reaches 1" in words(page)
    assert f'href="/contacts/{contact}"' in page
    assert "bob@" not in page
    assert EVIL not in listed + page
    assert (await operator.get("/segments/cnone")).status_code == 404
