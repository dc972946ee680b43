"""A program as a user would write it. Type checkers read it; nobody runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, assert_type
from uuid import uuid4

import httpx2

from loopwright import (
    UNSET,
    ActivityCondition,
    AsyncLoops,
    Attachment,
    AudienceFilter,
    Between,
    Campaign,
    Contact,
    ContactSaved,
    ContactUpdate,
    DateRange,
    EmailMetrics,
    EventAccepted,
    EventToSend,
    Group,
    Limits,
    ListChanged,
    Listing,
    Loops,
    LoopsError,
    MailingList,
    NodeChanged,
    NodesDeleted,
    NodesHoldContacts,
    Outcome,
    Page,
    PropertyCondition,
    PublishedTransactional,
    RateLimitError,
    Raw,
    Scheduling,
    SendEmailAction,
    ThemeStyles,
    Timeout,
    TimerAction,
    TimerActionPayload,
    TransactionalMetrics,
    Workflow,
)


def sync_program() -> None:
    loops = Loops("key", base_url="http://localhost:5667/api", timeout=Timeout(connect=2, read=10))
    with Loops(transport="pyreqwest", limits=Limits(max_connections=10), verify="ca.pem") as fast:
        fast.api_key.test()
    Loops(transport=httpx2.Client())

    accepted = loops.events.send(
        "signup",
        email="ada@example.com",
        properties={"plan": "pro", "seats": 3, "trial": False, "at": datetime.now(UTC), "day": date.today()},  # noqa: DTZ011
        contact={"firstName": "Ada", "notes": None},
        mailing_lists={"l1": True},
        timeout=5,
        max_retries=0,
        headers={"X-Trace": "1"},
    )
    assert_type(accepted, EventAccepted)
    assert_type(accepted.replayed, bool)
    assert_type(accepted.raw, Raw)

    assert_type(loops.contacts.find(email="ada@example.com"), Contact | None)
    assert_type(loops.contacts.create("a@b.c", first_name=None, last_name=UNSET), ContactSaved)
    assert_type(loops.mailing_lists.list(), Listing[MailingList])
    assert_type(loops.dedicated_sending_ips.list()[0], str)
    assert_type(loops.campaigns.list(per_page=50), Page[Campaign])
    for group in loops.campaign_groups.iterate():
        assert_type(group, Group)
        assert_type(group.created_at, datetime)

    assert_type(loops.workflow_groups.create("Onboarding"), Group)
    assert_type(loops.campaigns.metrics("cmcampaign"), EmailMetrics)
    assert_type(loops.workflow_nodes.metrics("cmworkflow", "cmnode"), EmailMetrics)
    assert_type(loops.transactional_emails.metrics("cmemail"), TransactionalMetrics)
    assert_type(loops.campaigns.get("cmcampaign").url, str)

    events: list[EventToSend] = [{"name": "signup", "email": "a@b.c"}]
    for outcome in loops.events.send_many(events):
        assert_type(outcome, Outcome[EventToSend, EventAccepted])
    loops.events.send_many({"name": "signup", "user_id": str(number)} for number in range(10))
    loops.events.send_many([{"name": "signup", "email": "a@b.c"}])
    loops.events.send_many([{"name": "signup", "email": "a@b.c", "properties": {"seats": 3}}])
    rows = [{"name": "signup", "email": email} for email in ("a@b.c", "d@e.f")]
    for outcome_of_row in loops.events.send_many(rows):
        assert_type(outcome_of_row, Outcome[Any, EventAccepted])
    mixed: list[dict[str, object]] = [{"name": "signup", "email": "a@b.c", "properties": {"seats": 3}}]
    loops.events.send_many(mixed, at_once=2, timeout=5)
    loops.events.send_many(read_rows())
    loops.contacts.update_many([{"email": "a@b.c", "first_name": "Ada", "subscribed": False}])
    loops.contacts.update_many([{"email": "a@b.c"}, {"user_id": "u1", "subscribed": False}])
    loops.contacts.update_many(rows)
    assert_type(list(loops.events.send_many([])), list[Outcome[EventToSend, EventAccepted]])
    contacts: list[ContactUpdate] = [{"email": "a@b.c", "first_name": None}]
    for saved in loops.contacts.update_many(contacts):
        assert_type(saved, Outcome[ContactUpdate, ContactSaved])


def read_rows() -> Iterator[dict[str, str]]:
    yield {"name": "signup", "email": "a@b.c"}


class Plan(Enum):
    PRO = "pro"


class Seats(IntEnum):
    THREE = 3


def values(loops: Loops) -> None:
    loops.events.send(
        "signup",
        user_id="u1",
        properties={"price": Decimal("19.99"), "id": uuid4(), "plan": Plan.PRO, "seats": Seats.THREE},
        contact={"plan": Plan.PRO},
    )
    loops.contacts.update(user_id="u1", properties={"price": Decimal("19.99"), "plan": Plan.PRO})
    loops.email_messages.preview("m1", ["a@b.c"], data_variables={"seats": 3, "day": date(2024, 1, 17)})
    loops.email_messages.update("m1", contact_properties_fallbacks={"seats": 3, "firstName": None})
    loops.transactional.send(
        "t1",
        email="a@b.c",
        attachments=[Attachment.from_path("a.pdf"), Attachment.from_bytes("b.txt", b"text")],
    )
    page = loops.transactional.list()
    assert_type(len(page), int)
    assert_type(page[0], PublishedTransactional)
    assert_type(page[:2], list[PublishedTransactional])
    for email in page:
        assert_type(email, PublishedTransactional)


def content(loops: Loops) -> None:
    nineties = DateRange(from_=datetime(1990, 1, 1, tzinfo=UTC), to="2000-01-01")
    audience = AudienceFilter(
        match="any",
        conditions=[
            PropertyCondition(key="plan", operator="equals", value="pro"),
            PropertyCondition(key="born", operator="between", value=nineties),
            ActivityCondition(action="opened", target="campaign", id="c1"),
        ],
    )
    campaign = loops.campaigns.create(
        "Launch",
        audience_filter=audience,
        mailing_list_id=None,
        scheduling=Scheduling(method="schedule", timestamp=datetime(2030, 1, 1, tzinfo=UTC)),
    )
    assert_type(campaign.email_message_content_revision_id, str | None)
    loops.themes.create("Dark", styles=ThemeStyles(body_color="#000", body_x_padding=12))

    workflow = loops.workflows.get("w1")
    assert_type(workflow, Workflow)
    revision = workflow.workflow_revision_id
    changed = loops.workflow_nodes.create(
        "w1", "TimerAction", Between(from_node_id="a", to_node_id="b"), expected_revision_id=revision
    )
    assert_type(changed, NodeChanged)
    match changed.node:
        case TimerAction(amount=amount, unit=unit):
            assert_type(amount, float)
            print(amount, unit)
        case SendEmailAction(subject=subject):
            assert_type(subject, str)
        case other:
            print(other.next_node_ids)
    loops.workflow_nodes.update("w1", "n1", TimerActionPayload(amount=2), expected_revision_id=None)
    deletion = loops.workflow_nodes.delete("w1", "n1", expected_revision_id=None)
    if isinstance(deletion, NodesDeleted):
        assert_type(deletion.workflow, Workflow)
    elif isinstance(deletion, NodesHoldContacts):
        assert_type(deletion.queued_contact_count, int)
    change = loops.workflows.change_mailing_list("w1", None, expected_revision_id=None)
    if isinstance(change, ListChanged):
        assert_type(change.workflow_revision_id, str)


def errors(loops: Loops) -> None:
    try:
        loops.transactional.send("t1", email="a@b.c", data_variables={"items": [{"name": "Tea", "price": 3}]})
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except LoopsError as error:
        assert_type(error.outcome_unknown, bool)


async def async_program() -> None:
    async with AsyncLoops(transport=httpx2.AsyncClient()) as loops:
        assert_type(await loops.events.send("signup", user_id="u1"), EventAccepted)
        async for campaign in loops.campaigns.iterate():
            assert_type(campaign, Campaign)

        async def events() -> AsyncIterator[EventToSend]:
            yield {"name": "signup", "user_id": "u1"}

        async for outcome in loops.events.send_many(events()):
            assert_type(outcome.result, EventAccepted | None)
        loops.events.send_many([{"name": "signup", "email": "a@b.c"}])
        loops.events.send_many({"name": "signup", "email": email} for email in ("a@b.c", "d@e.f"))
        loops.contacts.update_many([{"email": email} for email in ("a@b.c", "d@e.f")])
        assert_type([item async for item in loops.campaigns.iterate()], list[Campaign])
        assert_type(list(await loops.campaigns.list()), list[Campaign])
