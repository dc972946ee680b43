"""Campaigns over HTTP, as the API has them: drafts, their audience, their message, their plan."""

from typing import Any

import httpx2

from support.audience import declare
from support.contract import read
from support.factories import add_campaign, add_list, add_segment, first_team
from support.live import LiveServer
from support.refusals import code_of, refused

from .conftest import Serving

LATER = {"method": "schedule", "timestamp": "2999-01-01T08:00:00.000Z"}
NOW = {"method": "now", "timestamp": None}


async def test_a_drafts_life(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Made with an empty message of its own, which is edited like any other but has no copies."""
    await live_server.pool.execute("UPDATE team SET copies = true")
    made = read(await http.post("/campaigns", json={"name": " News "}), 201)
    assert (made["name"], made["status"], made["scheduling"]) == ("News", "Draft", NOW)
    assert (made["mailingListId"], made["audienceSegmentId"], made["audienceFilter"]) == (None, None, None)
    assert made["url"] == f"{live_server.base_url}/campaigns/{made['id']}"
    groups = read(await http.get("/campaign-groups"))["data"]
    assert [one["name"] for one in groups if one["id"] == made["campaignGroupId"]] == ["Unsorted"]
    message = read(await http.get(f"/email-messages/{made['emailMessageId']}"))
    assert message["campaignId"] == made["id"]
    assert message["contentRevisionId"] == made.pop("emailMessageContentRevisionId")

    path = f"/email-messages/{made['emailMessageId']}"
    refused(await http.post(path, json={"ccEmail": "eve@example.org"}), 400, "leave ccEmail and bccEmail out")
    lmx = "<Paragraph>Hello {contact.firstName}, {event.plan}</Paragraph>"
    read(await http.post(path, json={"lmx": lmx, "subject": "Hello"}))
    report = read(await http.get(f"{path}/guardian"))
    assert [one["rule"] for one in report["errors"]] == ["unsupportedEventProperties"]
    read(await http.post(path, json={"lmx": "<Paragraph>Hello {contact.firstName}</Paragraph>"}))
    sample = {"emails": ["ada@example.com"], "contactProperties": {"firstName": "Ada"}}
    wrong = {**sample, "eventProperties": {"plan": "pro"}}
    refused(await http.post(f"{path}/preview", json=wrong), 400, "no place in a campaign email")

    group = read(await http.post("/campaign-groups", json={"name": "Monthly"}))
    change = {"name": "Letter", "campaignGroupId": group["id"], "scheduling": LATER}
    changed = read(await http.post(f"/campaigns/{made['id']}", json=change))
    assert {**made, **change, "updatedAt": changed["updatedAt"]} == changed
    assert read(await http.get(f"/campaigns/{made['id']}")) == changed
    assert read(await http.get("/campaigns"))["data"] == [changed]
    back = read(await http.post(f"/campaigns/{made['id']}", json={"scheduling": {"method": "now"}}))
    assert back["scheduling"] == NOW


async def test_to_whom(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """A segment and a filter take each other's place, unless both are given; null clears what it names."""
    pool = live_server.pool
    team_id = await first_team(pool)
    await declare(pool, team_id, plan="string")
    await add_list(pool, team_id, "cnews")
    await add_segment(pool, team_id, "cpros")
    pros = {
        "match": "any",
        "conditions": [{"type": "property", "key": "plan", "operator": "equals", "value": "pro"}],
    }
    made = read(await http.post("/campaigns", json={"name": "News", "audienceFilter": pros}), 201)
    steps: list[tuple[dict[str, Any], tuple[Any, Any, Any]]] = [
        ({"mailingListId": "cnews"}, ("cnews", None, pros)),
        ({"audienceSegmentId": "cpros"}, ("cnews", "cpros", None)),
        ({"audienceFilter": pros}, ("cnews", None, pros)),
        ({"audienceSegmentId": None}, ("cnews", None, pros)),
        ({"audienceSegmentId": "cpros", "audienceFilter": pros}, ("cnews", "cpros", pros)),
        ({"audienceFilter": None}, ("cnews", "cpros", None)),
        ({"audienceSegmentId": None, "mailingListId": None}, (None, None, None)),
    ]
    for change, (list_id, segment_id, filter_) in steps:
        body = read(await http.post(f"/campaigns/{made['id']}", json=change))
        now = (body["mailingListId"], body["audienceSegmentId"], body["audienceFilter"])
        assert now == (list_id, segment_id, filter_), change


async def test_campaigns_that_are_refused(
    http: httpx2.AsyncClient, live_server: LiveServer, stranger: dict[str, str]
) -> None:
    """Each with its key and the remedy, whether one is made or changed; nothing is stored."""
    pool = live_server.pool
    team_id = await first_team(pool)
    await add_campaign(pool, team_id, "cdraft")
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"name": " "}, 400, "name is empty"),
        ({"name": "\u200b \u2060"}, 400, "name is empty"),
        ({"nam": "News"}, 400, "nam is not a key"),
        ({"campaignGroupId": "cnone"}, 400, "Group not found."),
        ({"mailingListId": "cnone"}, 404, "Mailing list not found."),
        ({"audienceSegmentId": "cnone"}, 404, "Audience segment not found."),
        ({"audienceFilter": {"match": "all", "conditions": []}}, 400, "write at least one"),
        ({"scheduling": {"method": "later"}}, 400, "scheduling.method"),
        ({"scheduling": {"method": "schedule"}}, 400, "timestamp is missing"),
        (
            {"scheduling": {**LATER, "zone": "UTC"}},
            400,
            "scheduling.zone is not a key there; send method, timestamp",
        ),
        ({"scheduling": {**LATER, "timestamp": "2020-01-01T08:00:00Z"}}, 400, "has passed"),
        ({"scheduling": {**LATER, "timestamp": "9999-12-31T23:59:59-14:00"}}, 400, "outside the years 1 to"),
        ({"scheduling": {**LATER, "timestamp": "0001-01-01T00:00:00+14:00"}}, 400, "outside the years 1 to"),
        ({"scheduling": {**LATER, "method": "now"}}, 400, "no place beside now"),
    ]
    before = read(await http.get("/campaigns/cdraft"))
    for change, status, text in cases:
        refused(await http.post("/campaigns", json={"name": "News", **change}), status, text)
        refused(await http.post("/campaigns/cdraft", json=change), status, text)
    assert read(await http.get("/campaigns"))["data"] == [before]
    refused(await http.get("/campaigns/cdraft", headers=stranger), 404, "Campaign not found.")
    refused(await http.post("/campaigns/cdraft", json={"name": "x"}, headers=stranger), 404, "Campaign not")


async def test_what_is_no_draft_is_closed(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Name and group can change, whatever else is asked for cannot; nor can its message."""
    pool = live_server.pool
    team_id = await first_team(pool)
    for status in ("Scheduled", "Sending", "Sent"):
        message_id = await add_campaign(pool, team_id, f"c{status}", status=status)
        path = f"/campaigns/c{status}"
        assert read(await http.post(path, json={"name": "Other"}))["name"] == "Other"
        for change in ({"name": "x", "mailingListId": None}, {"scheduling": {"method": "now"}}):
            answer = await http.post(path, json=change)
            refused(answer, 409, "Campaign is not in draft status.")
            assert code_of(answer) == "campaign_not_draft"
        assert read(await http.get(path))["name"] == "Other"
        refused(await http.post(f"/email-messages/{message_id}", json={"subject": "x"}), 409, "not in draft")
    assert read(await http.get("/campaigns/cSent/metrics"))["sends"] == 0
    refused(await http.get("/campaigns/cScheduled/metrics"), 400, "has not been sent")


async def test_a_relay_wants_a_domain(serving: Serving) -> None:
    """A campaign that can never leave is not begun."""
    async with serving(smtp_url="smtp://127.0.0.1:9") as http:
        refused(await http.post("/campaigns", json={"name": "News"}), 400, "no sending domain of its own")
