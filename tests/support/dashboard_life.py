"""A team that has lived for a day: enough of everything to see whether its pages look right."""

from datetime import UTC, datetime, timedelta

from support.dashboard_rows import Rows
from support.factories import suppress

PEOPLE = [
    ("ada@example.com", "Ada", "Lovelace", "usr_1815"),
    ("grace.hopper@example.com", "Grace", "Hopper", "usr_1906"),
    ("katherine@example.com", "Katherine", "Johnson", None),
    ("alan@example.com", None, None, "usr_1912"),
    ("a.very.long.address.that.never.ends@research.department.example.com", "Barbara", "Liskov", "usr_1939"),
    ("margaret@example.com", "Margaret", "Hamilton", None),
]


async def live_a_day(rows: Rows) -> None:
    """Fill the team's tables with people, events, runs and emails of the last 24 hours."""
    now = datetime.now(UTC)
    news = await rows.mailing_list("Product news")
    beta = await rows.mailing_list("Beta testers", is_public=False)
    await rows.property("plan", "string")
    await rows.property("seats", "number")
    await rows.property("trialEnds", "date")
    await rows.property("invited", "boolean")
    welcome = await rows.workflow("Welcome")
    receipt = await rows.workflow("Order follow-up")
    ids = [
        await rows.contact(
            email,
            at=now - timedelta(hours=22 - turn),
            first_name=first,
            last_name=last,
            user_id=user_id,
            subscribed=turn != 3,
            properties={"plan": "pro", "seats": 12.0, "trialEnds": "2026-12-01T00:00:00.000Z"},
            mailing_lists={news: "subscribed", beta: "opted_out" if turn % 2 else "subscribed"},
        )
        for turn, (email, first, last, user_id) in enumerate(PEOPLE)
    ]
    await suppress(rows.pool, rows.team_id, PEOPLE[5][0], now=now)
    for hours in range(23, 0, -1):
        for turn in range((hours * 7) % 5 + (3 if hours % 9 < 4 else 0)):
            who = (hours + turn) % len(ids)
            at = now - timedelta(hours=hours, minutes=7 * turn)
            event = await rows.event("page_viewed", ids[who], at=at, path="/pricing", seconds=4.5 * turn)
            if turn % 2:
                run = await rows.run(receipt, ids[who], event_id=event, at=at)
                await rows.email("How was your order?", PEOPLE[who][0], ids[who], at=at, run_id=run)
    at = now - timedelta(minutes=9)
    event = await rows.event(
        "order_paid", ids[1], at=at, order="A-1043", total=129.9, items=3, gift=False, paidAt="2026-11-23"
    )
    run = await rows.run(receipt, ids[1], event_id=event, status="active", at=at)
    at = now - timedelta(minutes=6)
    event = await rows.event("signup", ids[3], at=at, plan="free")
    run = await rows.run(welcome, ids[3], event_id=event, at=at)
    await rows.email(
        "Welcome, {contact.firstName}",
        PEOPLE[3][0],
        ids[3],
        at=at,
        run_id=run,
        status="skipped",
        attempts=0,
        reason="the contact is unsubscribed from marketing email",
    )
    at = now - timedelta(minutes=4)
    event = await rows.event("signup", ids[5], at=at, plan="team")
    run = await rows.run(welcome, ids[5], event_id=event, at=at)
    await rows.email(
        "Welcome, Margaret",
        PEOPLE[5][0],
        ids[5],
        at=at,
        run_id=run,
        status="failed",
        attempts=4,
        reason="550 5.1.1 the address does not exist",
    )
    await rows.run(welcome, ids[0], at=now - timedelta(minutes=3), status="removed", reason="left the list")
    at = now - timedelta(minutes=2)
    event = await rows.event("signup", ids[0], at=at, plan="pro", seats=3, referredBy="grace", trial=True)
    run = await rows.run(welcome, ids[0], event_id=event, at=at)
    await rows.email(
        "Welcome to the engine, Ada", PEOPLE[0][0], ids[0], at=at, run_id=run, workflow_id=welcome
    )
    await rows.email(
        "Your receipt for A-1043", PEOPLE[0][0], ids[0], at=now - timedelta(minutes=1), kind="transactional"
    )
    await rows.email(
        "A tip for day two", PEOPLE[0][0], ids[0], at=now, run_id=run, status="queued", attempts=0
    )
