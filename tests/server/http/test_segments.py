"""Segments over HTTP, and who is in an audience."""

from typing import Any

import httpx2

from support.audience import declare
from support.contract import misread, operation_at
from support.factories import add_contact, add_list, first_team, suppress
from support.live import LiveServer
from support.refusals import code_of, refused
from support.workflows import add_workflow, email_timer_email


def filter_(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"match": "all", "conditions": list(conditions)}


def property_(key: str, operator: str, **value: Any) -> dict[str, Any]:
    return {"type": "property", "key": key, "operator": operator, **value}


PRO = property_("plan", "equals", value="pro")
MANY = property_("seats", "greaterThan", value=4)


def read(response: httpx2.Response) -> dict[str, Any]:
    """The answer, which has the contract's keys and no others."""
    body: dict[str, Any] = response.json()
    assert response.status_code == 200, body
    assert misread(operation_at(response.request.method, response.request.url.path), 200, body) == []
    return body


async def test_segments(http: httpx2.AsyncClient, live_server: LiveServer, stranger: dict[str, str]) -> None:
    """Created once for each name, listed newest first, read as they were written, and the team's own."""
    pool = live_server.pool
    team_id = await first_team(pool)
    await declare(pool, team_id, plan="string", renewed="date")
    workflow = await add_workflow(pool, team_id, await email_timer_email(pool, team_id, 5))
    range_ = {"from": "2024-01-01T00:00:00.000Z", "to": "2024-02-01T00:00:00.000Z"}
    whole = filter_(
        PRO,
        property_("renewed", "between", value=range_),
        {"type": "optIn", "status": None},
        {"type": "activity", "action": "sent", "negate": False, "target": "workflow", "id": workflow.id},
        {"type": "activity", "action": "sent", "negate": True, "target": "workflowEmail", "id": "first"},
    )
    path = "/audience-segments"
    pros = read(await http.post(path, json={"name": " Pros ", "filter": whole}))
    assert (pros["name"], pros["description"], pros["filter"]) == ("Pros", None, whole)
    other = read(await http.post(path, json={"name": "Other", "description": "", "filter": filter_(PRO)}))
    assert other["description"] == ""
    assert read(await http.get(f"{path}/{pros['id']}")) == pros
    listed = read(await http.get(path))
    assert listed["data"] == [other, pros]
    assert listed["pagination"]["totalResults"] == 2

    refused(await http.get(f"{path}/{pros['id']}", headers=stranger), 404, "Audience segment not found.")
    assert read(await http.get(path, headers=stranger))["data"] == []
    strange = await http.post(path, json={"name": "Pros", "filter": filter_(PRO)}, headers=stranger)
    refused(strange, 400, "conditions[0]: there is no contact property plan")


async def test_null_where_an_operator_needs_no_value(
    http: httpx2.AsyncClient, live_server: LiveServer
) -> None:
    """Clients that have a place for every value send it; where one is needed, it is none."""
    await declare(live_server.pool, await first_team(live_server.pool), plan="string")
    body = {"name": "Any plan", "filter": filter_(property_("plan", "notEmpty", value=None))}
    made = read(await http.post("/audience-segments", json=body))
    assert made["filter"] == filter_(property_("plan", "notEmpty"))
    body = {"name": "Pros", "filter": filter_(property_("plan", "equals", value=None))}
    refused(await http.post("/audience-segments", json=body), 400, "takes text as its value")


async def test_segments_that_are_refused(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Each with its key and the remedy, and none is stored."""
    await declare(live_server.pool, await first_team(live_server.pool), plan="string")
    path = "/audience-segments"
    read(await http.post(path, json={"name": "Pros", "filter": filter_(PRO)}))
    sent = {"type": "activity", "action": "sent", "negate": False, "id": "c"}
    cases: list[tuple[dict[str, Any], int, str, str]] = [
        ({"name": "Pros"}, 400, "a segment is called Pros already", "name_taken"),
        ({"name": "x" * 256}, 400, "name must be text of 1 to 255 characters", "value_invalid"),
        ({"name": " "}, 400, "name is empty", "name_invalid"),
        ({"name": "a\0"}, 400, "name contains a NUL", "value_invalid"),
        ({"description": "x" * 1001}, 400, "description must be text of at most 1,000", "value_invalid"),
        ({"color": "red"}, 400, "color is not a key", "key_unknown"),
        ({"filter": None}, 400, "filter must be an object", "value_invalid"),
        ({"filter": filter_()}, 400, "write at least one", "filter_invalid"),
        ({"filter": filter_(*[PRO] * 101)}, 400, "at most 100 conditions", "filter_too_long"),
        ({"filter": {**filter_(PRO), "then": 1}}, 400, "filter.then is not a key there", "value_invalid"),
        ({"filter": filter_({**PRO, "than": 1})}, 400, "[0].than is not a key there", "value_invalid"),
        ({"filter": filter_({"type": "list"})}, 400, "filter.conditions[0].type", "value_invalid"),
        ({"filter": {"match": "none", "conditions": [PRO]}}, 400, "filter.match", "value_invalid"),
        ({"filter": filter_({**sent, "target": "campaign"})}, 404, "Campaign", "campaign_not_found"),
        ({"filter": filter_({**sent, "target": "workflow"})}, 404, "Workflow", "workflow_not_found"),
        (
            {"filter": filter_({**sent, "target": "workflowEmail"})},
            404, "id is that of an email's node", "workflow_email_not_found",
        ),
    ]  # fmt: skip
    for change, status, text, code in cases:
        answer = await http.post(path, json={"name": "New", "filter": filter_(PRO), **change})
        refused(answer, status, text)
        assert code_of(answer) == code, change
    opened = {**sent, "action": "opened", "target": "workflow"}
    answer = await http.post(path, json={"name": "New", "filter": filter_(opened)})
    refused(answer, 400, "loopwright team set --tracking")
    assert read(await http.get(path))["pagination"]["totalResults"] == 1


async def test_who_is_meant(
    http: httpx2.AsyncClient, live_server: LiveServer, stranger: dict[str, str]
) -> None:
    """Everybody, or members of a list, a segment, a filter; those that marketing reaches are told apart."""
    pool = live_server.pool
    team_id = await first_team(pool)
    await declare(pool, team_id, plan="string", seats="number")
    await add_list(pool, team_id, "cnews")
    news = {"mailing_lists": {"cnews": "subscribed"}}
    await add_contact(pool, team_id, "cany")
    await add_contact(pool, team_id, "cpro", properties={"plan": "Pro", "seats": 2}, **news)
    await add_contact(pool, team_id, "cbig", properties={"plan": "pro", "seats": 9})
    await add_contact(pool, team_id, "cleft", properties={"plan": "pro", "seats": 9}, subscribed=False)
    await add_contact(pool, team_id, "cwait", properties={"plan": "pro", "seats": 9}, opt_in_status="pending")
    await add_contact(pool, team_id, "cdead", properties={"plan": "pro"}, **news)
    await suppress(pool, team_id, "cdead@elsewhere.org")
    segment = read(await http.post("/audience-segments", json={"name": "Pros", "filter": filter_(PRO)}))
    root = f"{live_server.base_url}/loopwright/v1/audience"

    async def counted(**body: Any) -> tuple[int, int]:
        answer = await http.post(f"{root}/count", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["contacts"], answer.json()["reachable"]

    within = {"audienceSegmentId": segment["id"], "audienceFilter": filter_(MANY)}
    assert await counted() == (6, 3)
    assert await counted(audienceSegmentId=segment["id"], mailingListId=None) == (5, 2)
    assert await counted(audienceFilter=filter_(MANY)) == (3, 1)
    assert await counted(**within) == (3, 1)
    assert await counted(mailingListId="cnews") == (2, 1)
    shown = (await http.post(f"{root}/preview", json=within)).json()["data"]
    assert [one["id"] for one in shown] == ["cwait", "cleft", "cbig"]
    assert (shown[2]["plan"], shown[2]["email"]) == ("pro", "cbig@elsewhere.org")

    refused_ = [
        ({"mailingListId": "cnone"}, 404, "Mailing list not found."),
        ({"audienceSegmentId": "cnone"}, 404, "Audience segment not found."),
        ({"audienceFilter": filter_()}, 400, "write at least one"),
        ({"listId": "cnews"}, 400, "listId is not a key of this request"),
    ]
    for body, status, text in refused_:
        for path in ("count", "preview"):
            answer = await http.post(f"{root}/{path}", json=body)
            assert (answer.status_code, text in answer.json()["message"]) == (status, True), answer.text
    answer = await http.post(f"{root}/count", json={"audienceSegmentId": segment["id"]}, headers=stranger)
    assert answer.status_code == 404
