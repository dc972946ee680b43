"""Workflows over HTTP: made, edited, raced for, emptied of contacts and deleted."""

import asyncio
from typing import Any

import httpx2
import pytest

from loopwright.server.store.database import Pool
from loopwright.server.store.workflows import WorkflowRow, WorkflowStatus
from support.factories import add_list, first_team
from support.live import LiveServer
from support.refusals import refused
from support.workflows import add_workflow, email_timer_email, until, wait_at


class Flow:
    """One workflow and its latest revision, changed by requests."""

    def __init__(self, http: httpx2.AsyncClient, workflow: dict[str, Any]) -> None:
        self.http = http
        self.id = workflow["id"]
        self.workflow = workflow

    async def change(self, path: str, method: str = "POST", **body: object) -> dict[str, Any]:
        """Make a change to the latest revision."""
        response = await self.ask(path, method, **body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        if "nodes" in answer or "workflow" in answer:
            self.workflow = answer.get("workflow", answer)
        return answer

    async def ask(self, path: str, method: str = "POST", **body: object) -> httpx2.Response:
        latest = {"expectedRevisionId": self.workflow["workflowRevisionId"]}
        return await self.http.request(method, f"/workflows/{self.id}{path}", json={**latest, **body})

    async def insert(self, kind: str, **place: str) -> str:
        made = await self.change("/nodes", nodeTypeName=kind, **place)
        return str(made["node"]["id"])

    @property
    def root(self) -> str:
        return str(self.workflow["rootNodeId"])

    @property
    def nodes(self) -> dict[str, Any]:
        nodes: dict[str, Any] = self.workflow["nodes"]
        return nodes


async def new_flow(http: httpx2.AsyncClient, **body: object) -> Flow:
    response = await http.post("/workflows", json={"name": "Welcome", **body})
    assert response.status_code == 200, response.text
    return Flow(http, response.json())


async def stored(
    http: httpx2.AsyncClient, live_server: LiveServer, status: WorkflowStatus, *, contacts: int = 0
) -> tuple[Flow, WorkflowRow]:
    """A workflow with an email, a timer and an email, and contacts who wait at the timer."""
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    row = await add_workflow(pool, team_id, await email_timer_email(pool, team_id, 60), status=status)
    await wait_at(pool, row, "wait", contacts)
    return Flow(http, (await http.get(f"/workflows/{row.id}")).json()), row


async def test_a_workflow_is_built(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """From nothing to an email that has something to say, and back."""
    await http.post(
        "/events/send", json={"eventName": "signup", "email": "a@elsewhere.org", "eventProperties": {"n": 1}}
    )
    pattern = (await http.get("/event-patterns/by-name/signup")).json()
    flow = await new_flow(http)
    assert (flow.workflow["status"], flow.nodes[flow.root]["typeName"]) == ("Draft", "BlankTrigger")
    trigger = await flow.change(
        f"/nodes/{flow.root}",
        payload={"typeName": "EventTrigger", "eventPatternId": pattern["id"], "reEligible": True},
    )
    assert (trigger["eventName"], trigger["eventProperties"]) == ("signup", [{"name": "n", "type": "number"}])
    mail = await flow.insert("SendEmailAction", insertMode="after", fromNodeId=flow.root)
    message_id = flow.nodes[mail]["emailMessageId"]
    said = await http.post(
        f"/email-messages/{message_id}", json={"subject": "Hello", "lmx": "<Paragraph>Hi</Paragraph>"}
    )
    assert said.status_code == 200
    node = (await http.get(f"/workflows/{flow.id}/nodes/{mail}")).json()
    assert (node["subject"], node["workflowId"]) == ("Hello", flow.id)
    branch = await flow.change(
        "/nodes", nodeTypeName="BranchNode", insertMode="between", fromNodeId=flow.root, toNodeId=mail
    )
    assert [child["typeName"] for child in branch["node"]["createdChildNodes"]] == ["AudienceFilter"] * 2
    assert "createdChildNodes" not in (await flow.change(f"/nodes/{branch['node']['id']}/add-branch"))["node"]
    gone = await flow.change(f"/nodes/{mail}", "DELETE")
    assert gone["nodeIds"] == [mail]
    refused(await http.get(f"/email-messages/{message_id}"), 404, "not found")
    row = await live_server.pool.fetchrow(
        "SELECT trigger_type, trigger_event FROM workflow WHERE id = $1", flow.id
    )
    assert row
    assert tuple(row) == ("EventTrigger", "signup")


async def test_triggers_filters_and_what_they_name(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Whatever a payload names has to be there, and to fit."""
    team_id = await first_team(live_server.pool)
    list_id = await add_list(live_server.pool, team_id, "cnews")
    await http.post("/contacts/properties", json={"name": "seats", "type": "number"})
    flow = await new_flow(http, mailingListId=list_id)
    at = f"/nodes/{flow.root}"
    assert (await flow.change(at, payload={"typeName": "AddToListTrigger"}))["mailingListId"] == list_id
    query = {
        "key": "seats",
        "is": {"operator": "greater_than", "value": 2**53 + 1},
        "was": {"operator": "any", "value": ""},
    }
    payload = {"typeName": "ContactPropertyTrigger", "contactPropertyQuery": query}
    assert (await flow.change(at, payload=payload))["contactPropertyQuery"] == query
    # As the official Go client has it, which writes null where there is no value.
    nothing = {**payload, "contactPropertyQuery": {**query, "was": {"operator": "any", "value": None}}}
    assert (await flow.change(at, payload=nothing))["contactPropertyQuery"] == query
    filter_id = await flow.insert("AudienceFilter", insertMode="after", fromNodeId=flow.root)
    conditions = [{"type": "property", "key": "seats", "operator": "greaterThan", "value": 3}]
    wanted = {"match": "all", "conditions": conditions}
    changed = await flow.change(f"/nodes/{filter_id}", payload={"audienceFilter": wanted})
    assert (changed["audienceFilter"], "audienceSegmentId" in changed) == (wanted, False)
    odd = {**query, "extra": 1}
    no_number = {**query, "is": {"operator": "greater_than", "value": None}}
    refusals: tuple[tuple[str, dict[str, Any], int, str], ...] = (
        (flow.root, {}, 400, "at least one of"),
        (flow.root, {"contactPropertyQuery": {**query, "key": "none"}}, 400, "no contact property none"),
        (flow.root, {"contactPropertyQuery": odd}, 400, "extra"),
        (flow.root, {"contactPropertyQuery": no_number}, 400, "takes a number"),
        (flow.root, {"amount": 1}, 400, "payload.amount is not a key"),
        (flow.root, {"typeName": "EventTrigger", "eventPatternId": "cno"}, 400, "no event pattern cno"),
        (flow.root, {"typeName": "EventTrigger", "eventName": "a:b"}, 400, "':'"),
        (
            flow.root,
            {"typeName": "EventTrigger", "eventName": "a", "eventPatternId": "b"},
            400,
            "leave one out",
        ),
        (flow.root, {"typeName": "WebhookTrigger"}, 501, "no update to a WebhookTrigger"),
        (filter_id, {"audienceSegmentId": "cno"}, 404, "Audience segment not found"),
        (filter_id, {"audienceFilter": {**wanted, "x": 1}}, 400, "x"),
        (filter_id, {"audienceFilter": {"match": "all", "conditions": []}}, 400, "conditions is empty"),
    )
    for node, wrong, status, text in refusals:
        refused(await flow.ask(f"/nodes/{node}", payload=wrong), status, text)


async def test_of_many_writers_one_wins(http: httpx2.AsyncClient) -> None:
    """The others are told which revision is the latest, and have changed nothing."""
    flow = await new_flow(http)
    place = {"nodeTypeName": "TimerAction", "insertMode": "after", "fromNodeId": flow.root}
    answers = await asyncio.gather(*(flow.ask("/nodes", **place) for _ in range(12)))
    assert sorted(one.status_code for one in answers) == [200] + [409] * 11
    latest = (await http.get(f"/workflows/{flow.id}")).json()
    assert len(latest["nodes"]) == 3
    stale = next(one for one in answers if one.status_code == 409)
    assert stale.json()["message"] == (
        f"workflowRevisionId mismatch. Latest workflowRevisionId is {latest['workflowRevisionId']}. "
        "Refetch and retry."
    )
    refused(await flow.ask("/nodes", expectedRevisionId=None, **place), 409, "mismatch")


async def test_the_graph_rests_while_it_sends(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Names may change; nodes and the list may not."""
    flow, _ = await stored(http, live_server, "Sending")
    refused(await flow.ask("/nodes/wait", payload={"amount": 1}), 400, "pause it, then change it")
    refused(await flow.ask("/nodes/wait", "DELETE", dryRun=True), 400, "pause it")
    refused(await flow.ask("/mailing-list", mailingListId=None), 400, "pause it")
    assert (await flow.change("", name="Other"))["name"] == "Other"


async def test_deleting_a_step_where_contacts_wait(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """They are counted, kept, and dropped only when that is asked for."""
    flow, row = await stored(http, live_server, "Paused", contacts=3)
    found = {"nodeIds": ["wait"], "queuedContactCount": 3}
    before = flow.workflow["workflowRevisionId"]
    assert await flow.change("/nodes/wait", "DELETE", dryRun=True) == {"status": "dryRun", **found}
    assert await flow.change("/nodes/wait", "DELETE") == {"status": "queuedContactsFound", **found}
    assert flow.workflow["workflowRevisionId"] == before
    gone = await flow.change("/nodes/wait", "DELETE", queuedContactPolicy="discard")
    assert (gone["status"], gone["queuedContactCount"], gone["nodeIds"]) == ("deleted", 3, ["wait"])
    assert gone["workflowRevisionId"] == flow.workflow["workflowRevisionId"] != before
    rows = await live_server.pool.fetch("SELECT status, reason FROM run WHERE workflow_id = $1", row.id)
    assert {tuple(one) for one in rows} == {("removed", "its step was deleted")}


async def test_another_list_drops_who_is_not_on_it(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """And none drops nobody."""
    list_id = await add_list(live_server.pool, await first_team(live_server.pool), "cnews")
    flow, _ = await stored(http, live_server, "Paused", contacts=2)
    contact = (await http.get("/contacts/find", params={"email": f"0-{flow.id}@elsewhere.org"})).json()[0]
    await http.put("/contacts/update", json={"email": contact["email"], "mailingLists": {list_id: True}})
    found = {"mailingListId": list_id, "queuedContactCount": 1}
    assert await flow.change("/mailing-list", mailingListId=list_id, dryRun=True) == {
        "status": "dryRun",
        **found,
    }
    assert (await flow.change("/mailing-list", mailingListId=list_id))["status"] == "queuedContactsFound"
    changed = await flow.change("/mailing-list", mailingListId=list_id, queuedContactPolicy="discard")
    assert (changed["status"], changed["queuedContactCount"]) == ("updated", 1)
    assert flow.workflow["mailingListId"] == list_id
    cleared = await flow.change("/mailing-list", mailingListId=None)
    assert (cleared["status"], cleared["queuedContactCount"]) == ("updated", 0)


@pytest.mark.parametrize(
    ("status", "contacts", "said"),
    [
        pytest.param("Paused", 0, None, id="nothing is lost"),
        pytest.param(
            "Sending",
            0,
            "This workflow is currently sending. Deleting it will stop sending it. ",
            id="it sends",
        ),
        pytest.param(
            "Paused",
            2,
            "This workflow has 2 queued contacts. Deleting it will cancel those queued contacts. ",
            id="contacts wait",
        ),
        pytest.param(
            "Sending",
            2,
            "This workflow is currently sending and has 2 queued contacts. "
            "Deleting it will stop sending it and cancel those queued contacts. ",
            id="both",
        ),
    ],
)
async def test_deleting_a_workflow(
    http: httpx2.AsyncClient, live_server: LiveServer, status: WorkflowStatus, contacts: int, said: str | None
) -> None:
    """What is lost has to be confirmed, in the API's own words."""
    flow, _ = await stored(http, live_server, status, contacts=contacts)
    if said is not None:
        confirm = "Confirm deletion by sending a second request with confirmDelete: true."
        response = await flow.ask("", "DELETE")
        assert (response.status_code, response.json()["message"]) == (409, said + confirm)
    done = await flow.ask("", "DELETE", **({"confirmDelete": True} if said else {}))
    assert (done.status_code, done.content) == (204, b"")
    refused(await flow.ask("", "DELETE"), 404, "Workflow not found.")


async def test_groups_and_the_list(http: httpx2.AsyncClient, stranger: dict[str, str]) -> None:
    """A workflow is in a group, and another team sees neither."""
    group = (await http.post("/workflow-groups", json={"name": "Onboarding"})).json()["id"]
    flow = await new_flow(http, workflowGroupId=group)
    assert flow.workflow["workflowGroupId"] == group
    listed = (await http.get("/workflows")).json()["data"]
    assert [(one["id"], one["workflowGroupId"]) for one in listed] == [(flow.id, group)]
    assert listed[0]["url"] == flow.workflow["url"]
    await flow.change("", workflowGroupId=(await new_flow(http)).workflow["workflowGroupId"])
    assert flow.workflow["workflowGroupId"] != group
    assert (await http.get("/workflows", headers=stranger)).json()["data"] == []
    refused(await http.get(f"/workflows/{flow.id}", headers=stranger), 404, "Workflow not found.")
    gone = await http.request(
        "DELETE", f"/workflows/{flow.id}", headers=stranger, json={"expectedRevisionId": None}
    )
    refused(gone, 404, "Workflow not found.")


async def test_an_event_for_a_workflow_that_goes_away(
    http: httpx2.AsyncClient, live_server: LiveServer
) -> None:
    """It is taken without the workflow, though it was to enter it when the workflow went."""
    flow, _ = await stored(http, live_server, "Sending")
    pool = live_server.pool
    event = {"eventName": "signup", "email": "late@elsewhere.org"}
    await http.post("/events/send", json=event)  # nothing is to be learned from the next one
    async with pool.acquire() as tx:
        deletion = tx.transaction()
        await deletion.start()
        await tx.execute("DELETE FROM workflow WHERE id = $1", flow.id)
        sending = asyncio.create_task(http.post("/events/send", json=event))
        await until(lambda: is_waiting(pool))
        await deletion.commit()
    assert (await sending).status_code == 200
    assert await pool.fetchval("SELECT count(*) FROM event WHERE name = 'signup'") == 2
    assert await pool.fetchval("SELECT count(*) FROM run") == 0


async def is_waiting(pool: Pool) -> bool:
    """Whether somebody waits for a lock."""
    return bool(await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


async def test_when_an_email_is_stale(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Read and changed under our own prefix, by the rules of other edits."""
    flow, _ = await stored(http, live_server, "Paused")
    root = f"{live_server.base_url}/loopwright/v1/workflows/{flow.id}/nodes"

    async def ask(node_id: str, revision: str | None = None, **body: object) -> httpx2.Response:
        latest = {"expectedRevisionId": revision or flow.workflow["workflowRevisionId"]}
        return await http.post(f"{root}/{node_id}", json={**latest, **body})

    assert (await http.get(f"{root}/first")).json()["staleAfterHours"] is None
    changed = await ask("first", staleAfterHours=36)
    assert changed.status_code == 200, changed.text
    assert changed.json() == {
        "id": "first",
        "workflowId": flow.id,
        "workflowRevisionId": (await http.get(f"/workflows/{flow.id}")).json()["workflowRevisionId"],
        "staleAfterHours": 36,
    }
    assert (await http.get(f"{root}/first")).json() == changed.json()
    latest = changed.json()["workflowRevisionId"]
    refused(await ask("first", staleAfterHours=1), 409, "mismatch")
    refused(await ask("first", latest), 400, "staleAfterHours is missing")
    for hours in (0, -1, 1e300):
        refused(
            await ask("first", latest, staleAfterHours=hours), 400, "SendEmailAction first: an email is stale"
        )
    refused(
        await ask("first", latest, staleAfterHours="soon"), 400, "staleAfterHours must be a number or null"
    )
    refused(await ask("wait", latest, staleAfterHours=1), 400, "TimerAction wait: only an email is stale")
    refused(await ask("none", latest, staleAfterHours=1), 404, "node")
    refused(await http.get(f"{root}/wait"), 404, "node")
    assert (await ask("first", latest, staleAfterHours=None)).json()["staleAfterHours"] is None


async def test_removed_nodes_are_forgotten_once_nobody_stands_there(
    http: httpx2.AsyncClient, live_server: LiveServer
) -> None:
    """Whoever stands at one goes on; the next edit forgets those at which nobody does."""
    flow, row = await stored(http, live_server, "Paused")
    pool = live_server.pool
    await pool.execute(
        "UPDATE workflow SET removed_nodes = $2 WHERE id = $1", row.id, '{"gone": "older", "older": "second"}'
    )
    await wait_at(pool, row, "gone", 1)

    async def removed() -> str:
        return str(await pool.fetchval("SELECT removed_nodes FROM workflow WHERE id = $1", row.id))

    await flow.change("/nodes/first", "DELETE")
    assert await removed() == '{"gone": "second"}'
    await pool.execute("UPDATE run SET node_id = 'second' WHERE node_id = 'gone'")
    await flow.insert("TimerAction", insertMode="before", toNodeId="second")
    assert await removed() == "{}"


DAY = "2026-05-17T09:00:00Z"
BOUNDARIES: list[tuple[dict[str, Any], str]] = [
    # what a filter's one condition says, and what is said about it
    ({"key": "born", "operator": "after", "value": "7 days ago"}, "value is not a date; send"),
    ({"key": "born", "operator": "after", "value": "-7d"}, "value is not a date; send"),
    (
        {"key": "born", "operator": "after", "value": {"amount": 7, "unit": "d"}},
        "value.amount is not a key there; send from, to",
    ),
    ({"key": "born", "operator": "after", "value": "2026-02-30"}, "value is not a date; send"),
    ({"key": "born", "operator": "after", "value": ""}, "value is not a date; send"),
    ({"key": "born", "operator": "after"}, "value is not a date; send"),
    ({"key": "born", "operator": "between", "value": DAY}, 'between takes {"from": date, "to": date}'),
    ({"key": "born", "operator": "between", "value": {"from": DAY}}, "value.to is missing"),
    (
        {"key": "born", "operator": "between", "value": {"from": DAY, "to": "2026-01-01"}},
        "value.from comes after value.to; exchange them",
    ),
    ({"key": "born", "operator": "between", "value": {"from": DAY, "to": "soon"}}, "value.to is not a date"),
    (
        {"key": "born", "operator": "between", "value": {"from": DAY, "to": DAY, "step": 1}},
        "value.step is not a key there; send from, to",
    ),
    ({"key": "born", "operator": "empty"}, "empty does not work on born, a date; use any, dateEmpty"),
    ({"key": "born", "operator": "equals", "value": DAY}, "equals does not work on born, a date"),
    ({"key": "none", "operator": "any"}, "there is no contact property none; GET /v1/contacts/properties"),
    ({"key": "Seats", "operator": "any"}, "there is no contact property Seats"),
    ({"key": "mailingLists", "operator": "any"}, "there is no contact property mailingLists"),
    ({"key": "seats", "operator": "greaterThan", "value": "3"}, "takes a number as its value, such as 42"),
    ({"key": "seats", "operator": "greaterThan", "value": True}, "conditions[0].value"),
    ({"key": "seats", "operator": "contains", "value": "3"}, "contains does not work on seats, a number"),
    ({"key": "plan", "operator": "equals", "value": 3}, 'takes text as its value, such as "blue"'),
    ({"key": "plan", "operator": "equals", "value": ""}, "value is empty; use empty or notEmpty"),
    ({"key": "plan", "operator": "empty", "value": "x"}, "empty takes no value; leave it out"),
    ({"key": "plan", "operator": "greater_than", "value": 3}, "greater_than does not work on plan, a string"),
    ({"key": "subscribed", "operator": "isTrue", "value": True}, "conditions[0].value"),
    ({"key": "plan", "operator": "equals", "value": None}, 'takes text as its value, such as "blue"'),
    ({"type": "optIn", "status": "maybe"}, "conditions[0].status"),
    ({"type": "mailingList", "id": "cnews"}, "conditions[0].type"),
    ({"type": "activity", "action": "sent", "negate": "no", "target": "workflow", "id": "c"}, "negate"),
    (
        {"type": "activity", "action": "read", "negate": False, "target": "workflow", "id": "c"},
        "action is one of",
    ),
    (
        {"type": "activity", "action": "sent", "negate": False, "target": "list", "id": "c"},
        "target is one of",
    ),
]


async def test_filters_as_strangers_send_them(http: httpx2.AsyncClient) -> None:
    """Each refusal names the condition and the rule, those of a node the node as well; nothing is changed."""
    for name, kind in (("born", "date"), ("seats", "number"), ("plan", "string")):
        await http.post("/contacts/properties", json={"name": name, "type": kind})
    flow = await new_flow(http)
    node_id = await flow.insert("AudienceFilter", insertMode="after", fromNodeId=flow.root)
    revision = flow.workflow["workflowRevisionId"]
    for condition, rule in BOUNDARIES:
        one = {"match": "all", "conditions": [{"type": "property", **condition}]}
        answer = await flow.ask(f"/nodes/{node_id}", payload={"audienceFilter": one})
        body = refused(answer, 400, rule)
        assert "conditions[0]" in body["message"], body
        assert node_id in body["message"], body
        refused(await http.post("/audience-segments", json={"name": "Any", "filter": one}), 400, rule)
    assert (await http.get(f"/workflows/{flow.id}")).json()["workflowRevisionId"] == revision
    query = {"key": "none", "is": {"operator": "any", "value": ""}, "was": {"operator": "any", "value": ""}}
    payload = {"typeName": "ContactPropertyTrigger", "contactPropertyQuery": query}
    said = f"ContactPropertyTrigger {flow.root}: contactPropertyQuery.key: there is no contact property none"
    refused(await flow.ask(f"/nodes/{flow.root}", payload=payload), 400, said)
    refused(await flow.ask("/mailing-list", mailingListId="cgone"), 400, "Mailing list not found")
    sent = {"type": "activity", "action": "sent", "negate": False, "target": "workflow", "id": "cgone"}
    gone = {"audienceFilter": {"match": "any", "conditions": [sent]}}
    refused(await flow.ask(f"/nodes/{node_id}", payload=gone), 404, "Workflow not found")
