"""The dashboard in a real browser, in front of the whole server."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from loopwright import AsyncLoops
from loopwright.ids import new_id
from loopwright.server.sealing import SealingKey
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    EventTrigger,
    ExitAction,
    ExperimentBranchNode,
    Node,
    SendEmailAction,
    TimerAction,
    VariantNode,
)
from loopwright.wire.filters import ActivityCondition, AudienceFilter, Condition, PropertyCondition
from support.chromium import DESKTOP, PHONE, Complaints
from support.content import draft_anew, publish, write_message, write_transactional
from support.dashboard_life import live_a_day
from support.dashboard_rows import Rows
from support.factories import add_campaign, add_deliveries, add_endpoint, add_fact, add_segment, insert
from support.live import LiveServer
from support.workflows import add_workflow, until, wait_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
LOOKS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SANDBOXED = re.compile(r"Blocked script execution in '.*' because the document's frame is sandboxed")

RECEIPT = """<H1>Thank you for your order</H1>
<Paragraph>Hello {data.firstName}, you paid <Strong>{data.total}</Strong>.</Paragraph>
<Button href="https://example.com/orders/{data.orderNumber}">See the order</Button>
<Divider />
<Paragraph>Questions? <Link href="mailto:billing@example.com">Write to us</Link>.</Paragraph>"""


NEWS = """<H1>What is new in winter</H1>
<Paragraph>Your engine became faster, and it now writes its notes by itself.</Paragraph>
<Button href="https://example.com/winter">Read all of it</Button>
<Paragraph>Or <Link href="https://example.com/a-very-long-address/that-does-not-fit/on-a-phone">look at
it</Link>.</Paragraph>"""
OUTCOMES = {
    3: ("skipped", "the contact is unsubscribed"),
    7: ("skipped", "the contact is unsubscribed"),
    8: ("skipped", "the address is suppressed: it bounced or complained earlier"),
    11: ("failed", "550 5.1.1 the address does not exist"),
    12: ("unknown", "its sender died while it was being sent"),
}


async def sign_in(context: BrowserContext, server: LiveServer) -> Page:
    page = await context.new_page()
    await page.goto(server.base_url)
    await page.get_by_label("API key").fill(server.api_key)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Today")).to_be_visible()
    return page


async def send_signup(server: LiveServer, email: str = "ada@example.com") -> None:
    async with AsyncLoops(server.api_key, base_url=f"{server.base_url}/api") as loops:
        await loops.events.send(
            "signup",
            email=email,
            contact={"firstName": "Ada"},
            properties={"planName": "pro", "seats": 3, "trial": True, "trialEnds": "2026-12-01"},
        )


async def rows_of(server: LiveServer) -> Rows:
    return Rows(server.pool, await server.pool.fetchval("SELECT id FROM team"))


async def test_an_event_arrives_and_its_email_is_read(browser: Browser, welcoming: LiveServer) -> None:
    """Sign in, watch an event come in without a reload, follow it to its email, and read that."""
    context = await browser.new_context(**DESKTOP)
    complaints = Complaints(context)
    page = await sign_in(context, welcoming)
    await expect(page.get_by_text("Send your first event")).to_be_visible()

    await page.get_by_role("link", name="Events").click()
    await expect(page.get_by_role("heading", name="No event yet")).to_be_visible()
    await page.evaluate("window.neverReloaded = true")
    await send_signup(welcoming)
    event = page.locator(".events > li", has_text="signup")
    await expect(event).to_contain_text("ada@example.com")
    properties = {"planName": "pro", "seats": "3", "trial": "true", "trialEnds": "2026-12-01"}
    for name, value in properties.items():
        await expect(event.locator(".pairs div", has=page.get_by_text(name, exact=True))).to_contain_text(
            value
        )
    await expect(event.get_by_text("running", exact=True)).to_be_visible()
    await expect(event.get_by_text("sent", exact=True)).to_be_visible()
    assert await page.evaluate("window.neverReloaded") is True

    await event.get_by_role("link", name="Welcome aboard, Ada").click()
    await expect(page.get_by_role("heading", name="Welcome aboard, Ada")).to_be_visible()
    letter = page.frame_locator("iframe")
    await expect(letter.get_by_role("heading", name="Welcome, Ada!")).to_be_visible()
    await expect(letter.get_by_text("Your pro plan is ready for you and your team of 3.")).to_be_visible()
    for tab, says in {
        "Text": "Welcome, Ada!",
        "Headers": "List-Unsubscribe",
        "Source": "MIME-Version",
    }.items():
        await page.get_by_role("link", name=tab, exact=True).click()
        await expect(page.locator(".letter")).to_contain_text(says)

    await page.get_by_role("link", name="ada@example.com").click()
    await expect(page.locator(".timeline")).to_contain_text("Welcome aboard, Ada")
    await page.get_by_role("link", name="Overview").click()
    await expect(page.locator(".numbers > div", has_text="Emails sent").locator("dd")).to_have_text("1")

    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API key")).to_be_visible()
    await page.goto(f"{welcoming.base_url}/inbox")
    await expect(page.get_by_label("API key")).to_be_visible()
    assert complaints.said == []


async def test_everything_can_be_read_without_javascript(browser: Browser, welcoming: LiveServer) -> None:
    """Sign-in, lists, search, tabs and paging are plain links and forms."""
    rows = await rows_of(welcoming)
    for number in range(60):
        await rows.received(f"Number {number}", "ada@example.com")
    context = await browser.new_context(**PHONE, java_script_enabled=False)
    page = await sign_in(context, welcoming)
    await page.get_by_role("link", name="Inbox").click()
    await expect(page.locator(".live")).to_be_hidden()
    await page.get_by_role("link", name="Older").click()
    await expect(page.locator(".inbox > li")).to_have_count(10)
    await page.get_by_label("Recipient or subject").fill("number 42")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="Number 42").click()
    await expect(page.frame_locator("iframe").get_by_role("heading", name="Number 42")).to_be_visible()
    await page.get_by_role("link", name="Text").click()
    await expect(page.locator(".letter")).to_contain_text("your engine is warming up")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API key")).to_be_visible()


async def test_an_update_disturbs_nobody(browser: Browser, welcoming: LiveServer) -> None:
    """What has the focus keeps it, what is typed stays, and nothing above the list moves."""
    context = await browser.new_context(**DESKTOP)
    complaints = Complaints(context)
    await send_signup(welcoming, "grace@example.com")
    page = await sign_in(context, welcoming)
    await page.get_by_role("link", name="Events").click()
    await page.get_by_label("Event name or contact").fill("half a wo")
    link = page.get_by_role("link", name="grace@example.com")
    await link.focus()
    above = await page.locator(".head").bounding_box()
    for turn in range(2):
        await send_signup(welcoming, f"ada{turn}@example.com")
        await expect(page.get_by_role("link", name=f"ada{turn}@example.com")).to_be_visible()
    await expect(link).to_be_focused()
    await expect(page.get_by_label("Event name or contact")).to_have_value("half a wo")
    assert await page.locator(".head").bounding_box() == above
    assert complaints.said == []


async def test_an_open_page_leaves_when_its_session_ends(browser: Browser, welcoming: LiveServer) -> None:
    """A revoked key takes the page off the screen; the sign-in does not appear inside it."""
    context = await browser.new_context(**DESKTOP)
    page = await sign_in(context, welcoming)
    await welcoming.pool.execute("DELETE FROM api_key")
    await expect(page).to_have_url(f"{welcoming.base_url}/sign-in")
    await expect(page.get_by_label("API key")).to_be_visible()


async def test_an_email_cannot_do_anything(browser: Browser, welcoming: LiveServer) -> None:
    """Its scripts do not run, in the frame or alone; its links open outside; its width can be a phone's."""
    rows = await rows_of(welcoming)
    message = await rows.received("Nice try", "ada@example.com")
    context = await browser.new_context(**DESKTOP)
    complaints = Complaints(context)
    page = await sign_in(context, welcoming)
    await page.goto(f"{welcoming.base_url}/inbox/{message}")
    frame = page.frame_locator("iframe")
    await expect(frame.get_by_role("heading", name="Nice try")).to_be_visible()
    assert await page.title() == "Nice try · Loopwright"
    wide = await page.locator("iframe").bounding_box()
    await page.get_by_label("Phone").check()
    narrow = await page.locator("iframe").bounding_box()
    assert wide is not None
    assert narrow is not None
    assert wide["width"] > 1000
    assert narrow["width"] == 375

    await context.route("https://example.com/**", lambda route: route.fulfill(body="outside"))
    async with context.expect_page() as opened:
        await frame.get_by_role("link", name="Start your first analysis").click()
    outside = await opened.value
    assert outside.url == "https://example.com/start"
    assert await outside.evaluate("window.opener") is None

    await page.goto(f"{welcoming.base_url}/inbox/{message}/html")
    assert await page.title() == "Nice try"
    assert [said for said in complaints.said if not SANDBOXED.match(said)] == []


@pytest.mark.slow
async def test_every_page_fits_its_screen(browser: Browser, welcoming: LiveServer) -> None:
    """No page is wider than its screen, and none complains. Pictures are for people to look at."""
    sizes = [
        (size, await browser.new_context(**device))
        for size, device in (("desktop", DESKTOP), ("phone", PHONE))
    ]
    complaints = [Complaints(context) for _, context in sizes]
    await visit(sizes, welcoming, {"sign-in": "/sign-in"})
    pages = [(size, await refused(context, welcoming)) for size, context in sizes]
    for size, page in pages:
        await photograph(page, size, "sign-in-refused")
    for _, context in sizes:
        await (await sign_in(context, welcoming)).close()
    empty = {"overview-empty": "/", "events-empty": "/events", "transactionals-empty": "/transactional"}
    await visit(sizes, welcoming, empty)
    message = await live_with_an_email(welcoming)
    contact = await welcoming.pool.fetchval("SELECT id FROM contact WHERE email = 'ada@example.com'")
    event, lonely = await events_with_reasons(await rows_of(welcoming))
    receipt, unfit = await write_emails(await rows_of(welcoming))
    theme, component = await write_designs(await rows_of(welcoming))
    workflow = await write_workflow(welcoming)
    campaign, draft, segment = await write_campaigns(await rows_of(welcoming))
    warm_up = await write_warm_up(await rows_of(welcoming))
    endpoint = await write_endpoint(await rows_of(welcoming))
    run = await welcoming.pool.fetchval("SELECT id FROM run WHERE way <> '[]' ORDER BY id DESC LIMIT 1")
    places = {
        "unsent": "/unsent",
        "campaigns": "/campaigns",
        "campaign": f"/campaigns/{campaign}",
        "campaign-draft": f"/campaigns/{draft}",
        "campaign-warm-up": f"/campaigns/{warm_up}",
        "recipients": f"/campaigns/{campaign}/recipients?outcome=skipped",
        "segments": "/segments",
        "segment": f"/segments/{segment}",
        "run": f"/runs/{run}",
        "webhooks": "/webhooks",
        "webhook": f"/webhooks/{endpoint}",
        "workflows": "/workflows",
        "workflow": f"/workflows/{workflow}",
        "themes": "/themes",
        "theme": f"/themes/{theme}",
        "components": "/components",
        "component": f"/components/{component}",
        "transactionals": "/transactional",
        "transactional": f"/transactional/{receipt}",
        "transactional-lmx": f"/transactional/{receipt}?view=lmx",
        "transactional-changes": f"/transactional/{receipt}?version=draft&view=changes",
        "transactional-unfit": f"/transactional/{unfit}",
        "event": f"/events/{event}",
        "event-nobody-waits": f"/events/{lonely}",
        "overview": "/",
        "inbox": "/inbox",
        "inbox-search": "/inbox?q=receipt",
        "message": f"/inbox/{message}",
        "message-text": f"/inbox/{message}?view=text",
        "message-headers": f"/inbox/{message}?view=headers",
        "message-source": f"/inbox/{message}?view=source",
        "events": "/events",
        "contacts": "/contacts",
        "contact": f"/contacts/{contact}",
        "nothing-found": "/contacts?q=nobody",
    }
    await visit(sizes, welcoming, places)
    for size, context in sizes:
        page = await context.new_page()
        await page.goto(f"{welcoming.base_url}/campaigns/{draft}")
        await page.get_by_text("Schedule…").click()
        await photograph(page, size, "campaign-schedule")
        await page.get_by_text("Send…").click()
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("subject is empty")
        await photograph(page, size, "campaign-refused")
    said = [text for heard in complaints for text in heard.said if "401" not in text and "422" not in text]
    assert said == []


SUBJECTS = ("Welcome aboard, {contact.firstName}", "One tip for day two", "What is new this week")


async def test_no_word_is_too_long_for_a_phone(browser: Browser, welcoming: LiveServer) -> None:
    """Names and values without a blank break, and each is read to its end."""
    rows, now, word = await rows_of(welcoming), datetime.now(UTC), "longer" * 60
    contact = await rows.contact(f"{word[:60]}@example.com", at=now, first_name=word, user_id=word[:100])
    event = await rows.event(word[:150], contact, at=now, **{word[:100]: word, "b": True})
    await rows.email(word, "ada@example.com", contact, at=now, status="failed", reason=word)
    context = await browser.new_context(**PHONE)
    page = await sign_in(context, welcoming)
    for path in ("/", "/events", f"/events/{event}", "/contacts", f"/contacts/{contact}", "/unsent"):
        await page.goto(f"{welcoming.base_url}{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") == 390, path
        hidden = "one => [...one.querySelectorAll('.pairs div')].filter(e => e.scrollWidth > e.clientWidth)"
        assert await page.locator("main").evaluate(f"{hidden}.length") == 0, path


async def write_workflow(server: LiveServer) -> str:
    """A workflow with a branch and an experiment in which contacts wait."""
    rows = await rows_of(server)
    mails = [await write_message(rows.pool, rows.team_id, subject=subject) for subject in SUBJECTS]
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("hello",), event_name="signup", re_eligible=True),
        "hello": SendEmailAction(next_node_ids=("day",), email_message_id=mails[0].message_id),
        "day": TimerAction(next_node_ids=("branch",), amount=1.5, unit="d"),
        "branch": BranchNode(next_node_ids=("paid", "others")),
        "paid": AudienceFilterNode(
            next_node_ids=("split",),
            audience_filter=AudienceFilter(
                match="all", conditions=[PropertyCondition(key="userGroup", operator="equals", value="pro")]
            ),
        ),
        "others": AudienceFilterNode(next_node_ids=("exit",)),
        "split": ExperimentBranchNode(next_node_ids=("a", "b"), sampling_rate=80),
        "a": VariantNode(next_node_ids=("tips",)),
        "b": VariantNode(next_node_ids=("news",), is_control=True),
        "tips": SendEmailAction(next_node_ids=("exit",), email_message_id=mails[1].message_id),
        "news": SendEmailAction(next_node_ids=("exit",), email_message_id=mails[2].message_id),
        "exit": ExitAction(),
    }
    row = await add_workflow(rows.pool, rows.team_id, nodes, status="Paused", name="Onboarding")
    await wait_at(rows.pool, row, "day", 3)
    return row.id


async def write_campaigns(rows: Rows) -> tuple[str, str, str]:
    """A campaign that was sent, a draft that cannot be, and the segment that both are for."""
    now = datetime.now(UTC)
    pool, team_id = rows.pool, rows.team_id
    campaign, draft, segment = new_id(now), new_id(now), new_id(now)
    conditions: list[Condition] = [
        PropertyCondition(key="plan", operator="equals", value="pro"),
        PropertyCondition(key="seats", operator="greaterThan", value=3),
        ActivityCondition(action="opened", negate=True, target="campaign", id=campaign),
    ]
    teams = AudienceFilter(match="all", conditions=conditions)
    await add_segment(pool, team_id, segment, name="Teams that pay", filter_=teams)
    at = now - timedelta(hours=3)
    message = await add_campaign(
        pool, team_id, campaign, name="What is new in winter", status="Sent", started_at=at, noted_at=at,
        queued_at=at, recipients=19, segment_id=segment,
    )  # fmt: skip
    await add_campaign(
        pool, team_id, draft, name="An announcement whose name is longer than a phone is wide",
        segment_id=segment,
    )  # fmt: skip
    await write_message(
        pool, team_id, message, subject="What is new in winter", from_name="Analytical Engines",
        preview_text="Three things that we made for you", lmx=NEWS,
    )  # fmt: skip
    await pool.execute("UPDATE team SET tracking = true WHERE id = $1", team_id)
    for number in range(19):
        address = f"reader-{number}@readers.example.com"
        status, reason = OUTCOMES.get(number, ("sent", ""))
        contact = await rows.contact(address)
        email = await rows.email(
            "What is new in winter", address, contact, at=at, status=status, reason=reason,
            campaign_id=campaign, message_id=message,
        )  # fmt: skip
        if status != "sent":
            continue
        for kind in ("email_opened", "email_clicked")[: number % 3]:
            await add_fact(pool, team_id, kind, email_id=email, now=now)
    revision = await pool.fetchval("SELECT content_revision_id FROM email_message WHERE id = $1", message)
    hour = at.replace(minute=0, second=0, microsecond=0)
    for link, human, machine, unsure in [(0, 1130, 212, 35), (1, 317, 540, 8), (2, 41, 530, 12)]:
        for turn in range(4):
            await insert(
                pool, "visit_count", team_id=team_id, owner_id=message, revision_id=revision, link=link,
                hour=hour + timedelta(hours=turn), part=0, human=human >> turn, machine=machine >> turn,
                unsure=unsure >> turn,
            )  # fmt: skip
    return campaign, draft, segment


async def write_warm_up(rows: Rows) -> str:
    """A campaign that goes by a warm-up plan, and a brake on a workflow; a provider tells of deliveries."""
    now = datetime.now(UTC)
    pool, team_id, campaign = rows.pool, rows.team_id, new_id(now)
    await pool.execute("UPDATE team SET provider_delivers = true WHERE id = $1", team_id)
    await insert(
        pool, "warm_up", team_id=team_id, per_day=500, per_hour=62, growth=50, until=100_000, cap=1125,
        day=now.date(),
    )  # fmt: skip
    message = await add_campaign(
        pool, team_id, campaign, name="To all our readers", started_at=now, noted_at=now, queued_at=now,
        recipients=82_461,
    )  # fmt: skip
    await write_message(pool, team_id, message, subject="To all our readers", lmx=NEWS)
    for number in range(38):
        address = f"reader-{number}@warm.example.com"
        email = await rows.email(
            "To all our readers", address, await rows.contact(address), campaign_id=campaign,
            message_id=message,
        )  # fmt: skip
        if number % 3:
            await add_fact(pool, team_id, "email_delivered", email_id=email, now=now)
    await insert(
        pool, "email_queue", email_id=email, team_id=team_id, lane=2, due_at=now + timedelta(days=1),
        admitted=False,
    )  # fmt: skip
    await pool.execute("UPDATE campaign SET status = 'Sending' WHERE id = $1", campaign)
    workflow = await pool.fetchrow("SELECT id FROM workflow WHERE name = 'Onboarding'")
    assert workflow
    await insert(
        pool, "brake", team_id=team_id, owner_id=workflow["id"], kind="workflow", state="braked", since=now,
        reason="brake: 51 hard bounces of 400 emails in an hour, 13 %; 10 % pauses it", armed_at=now,
    )  # fmt: skip
    return campaign


async def write_endpoint(rows: Rows) -> str:
    """An endpoint that was told a few things."""
    now = datetime.now(UTC)
    endpoint = await add_endpoint(
        rows.pool, rows.team_id, "https://hooks.analytical.example/loopwright/events",
        sealing=SealingKey(bytes(32)), now=now,
    )  # fmt: skip
    await add_deliveries(rows.pool, endpoint, 4, now=now)
    await rows.pool.execute(
        "UPDATE webhook_endpoint SET failing_since = $2, ordered = true WHERE id = $1", endpoint.id, now
    )
    return endpoint.id


async def write_emails(rows: Rows) -> tuple[str, str]:
    """A transactional email with a draft of its next version, and one that cannot be published."""
    receipt = await write_transactional(
        rows.pool, rows.team_id, "Receipt",
        subject="Your receipt for order {data.orderNumber}",
        preview_text="Paid on {data.paidOn}, with thanks",
        from_name="Analytical Engines", from_email="billing",
        lmx=RECEIPT, data_fallbacks={"firstName": "there", "paidOn": "the day of the order"},
    )  # fmt: skip
    await publish(rows.pool, rows.team_id, receipt)
    await draft_anew(
        rows.pool, rows.team_id, receipt,
        subject="Receipt {data.orderNumber}", from_name="Analytical Engines", from_email="billing",
        lmx=RECEIPT.replace("Thank you for your order", "Thank you, {data.firstName}"),
        data_fallbacks={"firstName": "there"},
    )  # fmt: skip
    unfit = await write_transactional(
        rows.pool, rows.team_id, "Password reset with a name that is too long for one line of a phone",
        subject="",
        lmx='<Paragraph>Somebody forgot a password.</Paragraph><Button href="">Set a new one</Button>'
        '<Paragraph><Link href="mailto ada@example.com">Write to us</Link></Paragraph>',
    )  # fmt: skip
    return receipt, unfit


async def write_designs(rows: Rows) -> tuple[str, str]:
    """A theme of many colours, and a component with a contact's name in it."""
    now = datetime.now(UTC)
    dated = {"created_at": now, "updated_at": now}
    styles = {
        "bodyColor": "#fff8ec", "backgroundColor": "#f2e3c6", "textBaseColor": "#3a2c12",
        "heading1Color": "#8a3b12", "buttonBodyColor": "#8a3b12", "buttonTextColor": "#ffffff",
        "textBaseFontSize": 17, "borderRadius": 16,
    }  # fmt: skip
    theme = await rows.add("theme", **dated, name="Autumn", styles=styles, is_default=False)
    lmx = "<Divider /><Paragraph>Until soon, {contact.firstName}!</Paragraph><H3>Analytical Engines</H3>"
    return theme, await rows.add("component", **dated, name="Signature", lmx=lmx)


async def visit(
    sizes: Sequence[tuple[str, BrowserContext]], server: LiveServer, places: Mapping[str, str]
) -> None:
    """Look at each of `places` (name -> path) in each of `sizes` (size, its context)."""
    for size, context in sizes:
        page = await context.new_page()
        for name, path in places.items():
            await page.goto(f"{server.base_url}{path}")
            document, window = await page.evaluate("[document.body.scrollWidth, window.innerWidth]")
            assert document <= window, f"{name} is wider than a {size}"
            for frame in await page.locator("iframe").all():  # out of sight, it is not drawn
                await frame.scroll_into_view_if_needed()
            await page.evaluate("scrollTo(0, 0)")
            await photograph(page, size, name)
        await page.close()


async def photograph(page: Page, size: str, name: str) -> None:
    """A picture in each look of one and the same page."""
    for look in LOOKS:
        await page.emulate_media(color_scheme=look)
        await page.screenshot(
            path=SCREENSHOTS / f"{size}-{look}" / f"{name}.png", animations="disabled", full_page=True
        )


async def refused(context: BrowserContext, server: LiveServer) -> Page:
    page = await context.new_page()
    await page.goto(f"{server.base_url}/sign-in")
    await page.get_by_label("API key").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    return page


async def events_with_reasons(rows: Rows) -> tuple[str, str]:
    """An event that started one workflow and not four others, and one that nobody waits for."""
    now = datetime.now(UTC)
    contact = await rows.contact("mary@example.com", first_name="Mary")
    event = await rows.event("signup", contact, at=now, plan="pro", seats=3)
    news = await rows.mailing_list("Product news")
    waits: dict[str, Any] = {"trigger_event": "signup", "at": now - timedelta(days=9)}
    started = await rows.workflow("First steps", **waits)
    once = await rows.workflow("Offer for new customers", **waits)
    kept_out = {
        await rows.workflow("Onboarding of teams", **waits, mailing_list_id=news): "not_on_list",
        await rows.workflow("Survey after a week", **waits, status="Paused"): "paused",
        await rows.workflow("Winter campaign", **waits, status="Draft"): "draft",
    }
    await rows.pool.execute("UPDATE event SET kept_out = $1 WHERE id = $2", json.dumps(kept_out), event)
    earlier = await rows.run(once, contact, event_id=event, at=now - timedelta(days=3))
    await rows.pool.execute("UPDATE run SET once = true, event_id = NULL WHERE id = $1", earlier)
    run = await rows.run(started, contact, event_id=event, at=now)
    await rows.email(
        "Your first steps", "mary@example.com", contact, at=now, run_id=run, status="skipped", attempts=0,
        reason="the contact is unsubscribed",
    )  # fmt: skip
    return event, await rows.event("Sign_up", contact, at=now)


async def live_with_an_email(server: LiveServer) -> str:
    """Fill the pages, and have one email go all the way; answers with its id in the inbox."""
    await live_a_day(await rows_of(server))
    await send_signup(server, "augusta@example.com")
    arrived: list[str] = []

    async def has_arrived() -> bool:
        arrived.extend(
            row["id"]
            for row in await server.pool.fetch(
                "SELECT id FROM inbox_message WHERE to_email = 'augusta@example.com'"
            )
        )
        return bool(arrived)

    await until(has_arrived)
    return arrived[0]
