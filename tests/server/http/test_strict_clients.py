"""Clients made from the contract refuse a key that it does not declare, and one that is missing.

Every operation that the server answers is called so that it answers with each status that a request can bring
about, and the bodies are read as strictly.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from msgspec import Struct

from loopwright.server.content.save import write_content
from loopwright.server.http.endpoints import ENDPOINTS
from loopwright.server.http.routes import OWN_PATHS
from loopwright.server.store.messages import EMPTY
from loopwright.server.workflow.graph import (
    AddToListTrigger,
    AudienceFilterNode,
    BlankTrigger,
    BranchNode,
    ContactPropertyTrigger,
    EventTrigger,
    ExitAction,
    ExperimentBranchNode,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    VariantNode,
)
from loopwright.wire import operations
from loopwright.wire.filters import AudienceFilter, OptInCondition
from loopwright.wire.operations import OPERATIONS, Operation
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery
from support.contract import digest, misread
from support.contract import operations as published
from support.factories import (
    add_campaign,
    add_draft,
    add_library,
    add_list,
    add_segment,
    first_team,
    suppress,
)
from support.live import LiveServer
from support.refusals import code_of, refused
from support.workflows import add_workflow

from .conftest import Serving

ADA = {"email": "ada@example.com"}
KEY = {"Idempotency-Key": "k1"}
STATUSES = {one.operation: one.status for one in ENDPOINTS}
BIG = b'{"a":"' + b"x" * 4_000_000 + b'"}'
LONG = "x" * 600


class Case(Struct, frozen=True):
    """A request that is answered with a status. `body` is sent as JSON, or as it is when it is bytes."""

    row: Operation
    status: int
    text: str = ""
    body: Any = None
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    id: str = "cnone"
    node: str = "none"


CONTACT = {**ADA, "userId": "u1", "firstName": "Ada", "seats": 3, "mailingLists": {}}
EVENT = {"eventName": "signup", **ADA, "eventProperties": {"n": 1}}
DRAFT = {
    "subject": "Hello", "fromEmail": "hello", "lmx": "<Paragraph>Hello</Paragraph>", "languageCode": "en",
    "dataVariablesFallbacks": {"unused": "x"},
}  # fmt: skip
EMAIL = {**ADA, "transactionalId": "cwelcome"}

PREVIEW = {"emails": ["ada@example.com"], "dataVariables": {"code": "1"}}
WRONG_PREVIEW = {**PREVIEW, "eventProperties": {"plan": "pro"}}
UPLOAD = {"contentType": "image/png", "contentLength": 70}
BIG_TEAMS = {"type": "property", "key": "seats", "operator": "greaterThan", "value": 10}
SEGMENT = {
    "name": "Big",
    "filter": {"match": "all", "conditions": [BIG_TEAMS, {"type": "optIn", "status": None}]},
}
SENT = {
    "match": "any",
    "conditions": [
        {"type": "activity", "action": "sent", "negate": True, "target": "workflow", "id": "cnone"}
    ],
}
FLOW: dict[str, Node] = {
    "root": EventTrigger(next_node_ids=("wait",), event_name="signup", re_eligible=True),
    "wait": TimerAction(next_node_ids=("branch",), amount=1, unit="d"),
    "branch": BranchNode(next_node_ids=("way", "other")),
    "way": AudienceFilterNode(next_node_ids=("mail",)),
    "other": AudienceFilterNode(
        next_node_ids=("mail",),
        audience_filter=AudienceFilter(match="all", conditions=[OptInCondition(status=None)]),
    ),
    "mail": SendEmailAction(next_node_ids=("split",), email_message_id="cmail"),
    "split": ExperimentBranchNode(next_node_ids=("variant",)),
    "variant": VariantNode(next_node_ids=("exit",)),
    "exit": ExitAction(),
}
TRIGGERS: dict[str, Node] = {
    "blank": BlankTrigger(next_node_ids=("exit",)),
    "signup": SignupTrigger(next_node_ids=("exit",)),
    "event": EventTrigger(next_node_ids=("exit",)),
    "property": ContactPropertyTrigger(
        next_node_ids=("exit",),
        contact_property_query=ContactPropertyQuery(
            key="seats", is_=Comparison(operator="any"), was=Comparison(operator="empty")
        ),
    ),
    "list": AddToListTrigger(next_node_ids=("exit",)),
}
ADDED = ("AudienceFilter", "BranchNode", "ExperimentBranchNode", "SendEmailAction")
GROUPS = {
    one.path.removeprefix("/v1/").removesuffix("-groups"): tuple(
        row for row in OPERATIONS if row.path.startswith(one.path)
    )
    for one in OPERATIONS
    if one.path.endswith("-groups") and one.method == "GET"
}
CASES = [
    Case(operations.TEST_API_KEY, 200),
    Case(operations.CREATE_CONTACT, 200, body={"email": "bob@example.com"}),
    Case(operations.CREATE_CONTACT, 400, "Invalid email", {"email": "x"}),
    Case(operations.CREATE_CONTACT, 400, "longer than allowable", {**ADA, "firstName": LONG}),
    Case(operations.CREATE_CONTACT, 409, "already on list", CONTACT),
    Case(operations.UPDATE_CONTACT, 200, body=CONTACT),
    Case(operations.UPDATE_CONTACT, 400, "email or userId", {}),
    Case(operations.UPDATE_CONTACT, 400, "longer than allowable", {**ADA, "userGroup": LONG}),
    Case(operations.FIND_CONTACT, 200, query=ADA),
    Case(operations.FIND_CONTACT, 200, query={"userId": "nobody"}),
    Case(operations.FIND_CONTACT, 400, "email or userId"),
    Case(operations.DELETE_CONTACT, 200, body={"email": "bob@example.com"}),
    Case(operations.DELETE_CONTACT, 400, "leave one out", {**ADA, "userId": "u1"}),
    Case(operations.DELETE_CONTACT, 404, "Contact not found.", {"userId": "nobody"}),
    Case(operations.GET_CONTACT_SUPPRESSION, 200, query=ADA),
    Case(operations.GET_CONTACT_SUPPRESSION, 400, "email or userId"),
    Case(operations.GET_CONTACT_SUPPRESSION, 404, "not found", query={"userId": "nobody"}),
    Case(operations.REMOVE_CONTACT_SUPPRESSION, 200, query={"userId": "suppressed"}),
    Case(operations.REMOVE_CONTACT_SUPPRESSION, 400, "not suppressed", query=ADA),
    Case(operations.REMOVE_CONTACT_SUPPRESSION, 404, "not found", query={"userId": "nobody"}),
    Case(operations.LIST_CONTACT_PROPERTIES, 200),
    Case(operations.LIST_CONTACT_PROPERTIES, 400, "all or custom", query={"list": "some"}),
    Case(operations.CREATE_CONTACT_PROPERTY, 200, body={"name": "plan", "type": "string"}),
    Case(operations.CREATE_CONTACT_PROPERTY, 400, "already exists", {"name": "seats", "type": "number"}),
    Case(operations.LIST_MAILING_LISTS, 200),
    Case(operations.SEND_EVENT, 200, body=EVENT),
    Case(operations.SEND_EVENT, 400, "email or userId", {"eventName": "signup"}),
    Case(operations.SEND_EVENT, 400, "longer than allowable", {**EVENT, "eventProperties": {"n": LONG}}),
    Case(operations.SEND_EVENT, 409, "key k1 has already been processed.", EVENT, headers=KEY),
    Case(operations.LIST_EVENT_PATTERNS, 200),
    Case(operations.LIST_EVENT_PATTERNS, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.GET_EVENT_PATTERN, 200, id="cpattern"),
    Case(operations.GET_EVENT_PATTERN, 400, id="a b"),
    Case(operations.GET_EVENT_PATTERN, 404, "not found"),
    Case(operations.GET_EVENT_PATTERN_BY_NAME, 200, id="signup"),
    Case(operations.GET_EVENT_PATTERN_BY_NAME, 400, "eventName", id="%20"),
    Case(operations.GET_EVENT_PATTERN_BY_NAME, 404, "not found"),
    Case(operations.LIST_PUBLISHED_TRANSACTIONAL_EMAILS, 200),
    Case(operations.LIST_PUBLISHED_TRANSACTIONAL_EMAILS, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.SEND_TRANSACTIONAL_EMAIL, 200, body=EMAIL),
    Case(operations.SEND_TRANSACTIONAL_EMAIL, 400, "Invalid email", {**EMAIL, "email": "x"}),
    Case(operations.SEND_TRANSACTIONAL_EMAIL, 400, "allowable", {**EMAIL, "dataVariables": {"a": LONG}}),
    Case(operations.SEND_TRANSACTIONAL_EMAIL, 404, "not found.", {**EMAIL, "transactionalId": "cnone"}),
    Case(operations.SEND_TRANSACTIONAL_EMAIL, 409, "key k1 has already", EMAIL, headers=KEY),
    Case(operations.LIST_CAMPAIGNS, 200),
    Case(operations.LIST_CAMPAIGNS, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.CREATE_CAMPAIGN, 201, body={"name": "News", "audienceFilter": SEGMENT["filter"]}),
    Case(operations.CREATE_CAMPAIGN, 400, "Group not found.", {"name": "News", "campaignGroupId": "cnone"}),
    Case(operations.CREATE_CAMPAIGN, 404, "Mailing list not", {"name": "News", "mailingListId": "cnone"}),
    Case(operations.GET_CAMPAIGN, 200, id="cnews"),
    Case(operations.GET_CAMPAIGN, 400, "campaignId", id="a b"),
    Case(operations.GET_CAMPAIGN, 404, "Campaign not found."),
    Case(operations.UPDATE_CAMPAIGN, 200, body={"mailingListId": "clist"}, id="cnews"),
    Case(operations.UPDATE_CAMPAIGN, 400, "at least one", {}, id="cnews"),
    Case(operations.UPDATE_CAMPAIGN, 404, "Campaign not found.", {"name": "News"}),
    Case(operations.UPDATE_CAMPAIGN, 409, "not in draft", {"mailingListId": None}, id="csent"),
    Case(operations.GET_CAMPAIGN_METRICS, 200, id="csent"),
    Case(operations.GET_CAMPAIGN_METRICS, 400, "not been sent", id="cnews"),
    Case(operations.GET_CAMPAIGN_METRICS, 404, "Campaign not found."),
    Case(operations.LIST_AUDIENCE_SEGMENTS, 200),
    Case(operations.LIST_AUDIENCE_SEGMENTS, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.CREATE_AUDIENCE_SEGMENT, 200, body=SEGMENT),
    Case(operations.CREATE_AUDIENCE_SEGMENT, 400, "called Big already", SEGMENT),
    Case(operations.CREATE_AUDIENCE_SEGMENT, 404, "Workflow not found.", {"name": "Sent", "filter": SENT}),
    Case(operations.GET_AUDIENCE_SEGMENT, 200, id="csegment"),
    Case(operations.GET_AUDIENCE_SEGMENT, 400, "audienceSegmentId", id="a b"),
    Case(operations.GET_AUDIENCE_SEGMENT, 404, "Audience segment not found."),
    Case(operations.LIST_DEDICATED_SENDING_IPS, 200),
    Case(operations.LIST_THEMES, 200),
    Case(operations.LIST_THEMES, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.CREATE_THEME, 201, body={"name": "Night", "styles": {"bodyColor": "#000000"}}),
    Case(operations.CREATE_THEME, 400, "styles.nope", {"name": "Night", "styles": {"nope": 1}}),
    Case(operations.GET_THEME, 200, id="ctheme"),
    Case(operations.GET_THEME, 400, "themeId", id="a b"),
    Case(operations.GET_THEME, 404, "Theme not found."),
    Case(operations.UPDATE_THEME, 200, body={"styles": {"bodyXPadding": 12}}, id="ctheme"),
    Case(operations.UPDATE_THEME, 400, "at least one", {}, id="ctheme"),
    Case(operations.UPDATE_THEME, 404, "Theme not found.", {"name": "Day"}),
    Case(operations.LIST_COMPONENTS, 200),
    Case(operations.LIST_COMPONENTS, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.CREATE_COMPONENT, 201, body={"name": "Line", "lmx": "<Divider/>"}),
    Case(operations.CREATE_COMPONENT, 400, "lmx is missing", {"name": "Line"}),
    Case(operations.CREATE_COMPONENT, 413, "100,000 bytes", {"name": "Line", "lmx": "x" * 100_001}),
    Case(operations.CREATE_COMPONENT, 422, "line 1, column 1", {"name": "Line", "lmx": "<No/>"}),
    Case(operations.GET_COMPONENT, 200, id="ccomponent"),
    Case(operations.GET_COMPONENT, 400, "componentId", id="a b"),
    Case(operations.GET_COMPONENT, 404, "Component not found."),
    Case(operations.UPDATE_COMPONENT, 200, body={"name": "Rule"}, id="ccomponent"),
    Case(operations.UPDATE_COMPONENT, 400, "at least one", {}, id="ccomponent"),
    Case(operations.UPDATE_COMPONENT, 404, "Component not found.", {"name": "Rule"}),
    Case(operations.UPDATE_COMPONENT, 413, "100,000 bytes", {"lmx": "x" * 100_001}, id="ccomponent"),
    Case(operations.UPDATE_COMPONENT, 422, "column 1", {"lmx": "<No/>"}, id="ccomponent"),
    Case(operations.CREATE_UPLOAD, 200, body={"contentType": "image/png", "contentLength": 70}),
    Case(operations.CREATE_UPLOAD, 400, "Unsupported content type.", {**UPLOAD, "contentType": "text/html"}),
    Case(operations.CREATE_UPLOAD, 400, "from 1", {**UPLOAD, "contentLength": 0}),
    Case(operations.CREATE_UPLOAD, 413, "4,000,000 bytes", {**UPLOAD, "contentLength": 4_000_001}),
    Case(operations.COMPLETE_UPLOAD, 200, id="cupload"),
    Case(operations.COMPLETE_UPLOAD, 200, id="cupload"),
    Case(operations.COMPLETE_UPLOAD, 400, "not arrived", id="cpending"),
    Case(operations.COMPLETE_UPLOAD, 400, "emailAssetId", id="a b"),
    Case(operations.COMPLETE_UPLOAD, 404, "not found."),
    Case(operations.COMPLETE_UPLOAD, 429, "max 50 uploads per 24 hours", id="cmuch"),
    *(
        case
        for kind, (listing, creating, getting, changing) in GROUPS.items()
        for case in (
            Case(listing, 200),
            Case(listing, 400, "10 to 50", query={"perPage": "9"}),
            Case(creating, 200, body={"name": "Receipts", "description": "What people bought"}),
            Case(creating, 400, "another name", {"name": " unsorted"}),
            Case(getting, 200, id=f"c{kind}"),
            Case(getting, 400, "GroupId", id="a b"),
            Case(getting, 404, "Group not found."),
            Case(changing, 200, body={"description": ""}, id=f"c{kind}"),
            Case(changing, 400, "at least one", {}, id=f"c{kind}"),
            Case(changing, 404, "Group not found.", {"name": "Bills"}),
        )
    ),
    Case(operations.LIST_TRANSACTIONAL_EMAILS, 200),
    Case(operations.LIST_TRANSACTIONAL_EMAILS, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.CREATE_TRANSACTIONAL_EMAIL, 201, body={"name": "Receipt"}),
    Case(operations.CREATE_TRANSACTIONAL_EMAIL, 400, "name is missing", {}),
    Case(operations.GET_TRANSACTIONAL_EMAIL, 200, id="cdraft"),
    Case(operations.GET_TRANSACTIONAL_EMAIL, 400, "transactionalId", id="a b"),
    Case(operations.GET_TRANSACTIONAL_EMAIL, 404, "not found."),
    Case(operations.UPDATE_TRANSACTIONAL_EMAIL, 200, body={"name": "Other"}, id="cdraft"),
    Case(operations.UPDATE_TRANSACTIONAL_EMAIL, 400, "at least one", {}, id="cdraft"),
    Case(operations.UPDATE_TRANSACTIONAL_EMAIL, 404, "not found.", {"name": "Other"}),
    Case(operations.GET_EMAIL_MESSAGE, 200, id="cmessage"),
    Case(operations.GET_EMAIL_MESSAGE, 400, "emailMessageId", id="a b"),
    Case(operations.GET_EMAIL_MESSAGE, 404, "not found."),
    Case(operations.UPDATE_EMAIL_MESSAGE, 200, body=DRAFT, id="cmessage"),
    Case(operations.UPDATE_EMAIL_MESSAGE, 400, "nope is not a key", {"nope": 1}, id="cmessage"),
    Case(operations.UPDATE_EMAIL_MESSAGE, 404, "not found.", DRAFT),
    Case(operations.UPDATE_EMAIL_MESSAGE, 409, "stale", {"expectedRevisionId": "r"}, id="cmessage"),
    Case(operations.UPDATE_EMAIL_MESSAGE, 413, "100,000 bytes", {"lmx": "x" * 100_001}, id="cmessage"),
    Case(operations.UPDATE_EMAIL_MESSAGE, 422, "line 1, column 1", {"lmx": "<No/>"}, id="cmessage"),
    Case(operations.PREVIEW_EMAIL_MESSAGE, 200, body=PREVIEW, id="cmessage"),
    Case(operations.PREVIEW_EMAIL_MESSAGE, 400, "no place", WRONG_PREVIEW, id="cmessage"),
    Case(operations.PREVIEW_EMAIL_MESSAGE, 404, "not found.", PREVIEW),
    Case(operations.PREVIEW_EMAIL_MESSAGE, 429, "100 previews", {"emails": ["a@b.test"] * 101}, id="cblank"),
    Case(operations.GET_EMAIL_MESSAGE_GUARDIAN, 200, id="cmessage"),
    Case(operations.GET_EMAIL_MESSAGE_GUARDIAN, 400, "emailMessageId", id="a b"),
    Case(operations.GET_EMAIL_MESSAGE_GUARDIAN, 404, "not found."),
    Case(operations.PUBLISH_TRANSACTIONAL_EMAIL, 200, id="cdraft"),
    Case(operations.PUBLISH_TRANSACTIONAL_EMAIL, 400, "transactionalId", id="a b"),
    Case(operations.PUBLISH_TRANSACTIONAL_EMAIL, 404, "not found."),
    Case(operations.PUBLISH_TRANSACTIONAL_EMAIL, 409, "nothing to publish", id="cdraft"),
    Case(operations.PUBLISH_TRANSACTIONAL_EMAIL, 422, "subject is empty", id="cempty"),
    Case(operations.ENSURE_TRANSACTIONAL_DRAFT, 200, id="cdraft"),
    Case(operations.ENSURE_TRANSACTIONAL_DRAFT, 400, "transactionalId", id="a b"),
    Case(operations.ENSURE_TRANSACTIONAL_DRAFT, 404, "not found."),
]
R = {"expectedRevisionId": "r"}
OLD = {"expectedRevisionId": None}
TIMER = {**R, "nodeTypeName": "TimerAction", "insertMode": "after", "fromNodeId": "root"}
LIST = {**R, "mailingListId": "clist"}
DETOUR = {**R, "newTargetNodeId": "split"}
WAIT = {**R, "payload": {"amount": 2}}
FLOW_CASES: Sequence[tuple[Operation, dict[str, Any], str, dict[str, Any], str]] = (
    (operations.UPDATE_WORKFLOW_PROPERTIES, {**R, "name": "Hello"}, "at least one", {**R}, "root"),
    (operations.CHANGE_WORKFLOW_MAILING_LIST, LIST, "list not found", {**R, "mailingListId": "cno"}, "root"),
    (operations.CREATE_WORKFLOW_NODE, TIMER, "no meaning", {**TIMER, "toNodeId": "root"}, "root"),
    (operations.UPDATE_WORKFLOW_NODE, WAIT, "0 or longer", {**R, "payload": {"amount": -1}}, "wait"),
    (operations.REROUTE_NODE_CONNECTION, DETOUR, "no path", {**R, "newTargetNodeId": "root"}, "way"),
    (operations.ADD_WORKFLOW_BRANCH, R, "nope is not a key", {**R, "nope": 1}, "branch"),
    (operations.DELETE_WORKFLOW_NODE, R, "nope is not a key", {**R, "nope": 1}, "wait"),
    (operations.DELETE_WORKFLOW_NODE_RECURSIVELY, R, "nope is not a key", {**R, "nope": 1}, "wait"),
    (operations.DELETE_WORKFLOW, R, "expectedRevisionId is missing", {}, "root"),
)  # fmt: skip
"""Every change of a workflow: a good body, what a bad one is told, that one, and the node if there is one."""
CASES += [
    Case(operations.CREATE_WORKFLOW, 200, body={"name": "Welcome", "mailingListId": "clist"}),
    Case(operations.CREATE_WORKFLOW, 400, "Group not found.", {"name": "W", "workflowGroupId": "cno"}),
    Case(operations.LIST_WORKFLOWS, 200),
    Case(operations.LIST_WORKFLOWS, 400, "10 to 50", query={"perPage": "9"}),
    Case(operations.GET_WORKFLOW, 200, id="cflow"),
    Case(operations.GET_WORKFLOW, 400, "workflowId", id="a b"),
    Case(operations.GET_WORKFLOW, 404, "Workflow not found."),
    *(Case(operations.GET_WORKFLOW_NODE, 200, id="cflow", node=node) for node in FLOW),
    *(Case(operations.GET_WORKFLOW_NODE, 200, id=f"cflow{kind}", node="root") for kind in TRIGGERS),
    Case(operations.GET_WORKFLOW_NODE, 400, "nodeId", id="cflow", node="a b"),
    Case(operations.GET_WORKFLOW_NODE, 404, "Workflow node not found.", id="cflow"),
    Case(operations.UPDATE_WORKFLOW_NODE, 501, "no update", WAIT, id="cflow", node="exit"),
    Case(operations.CREATE_WORKFLOW_NODE, 400, "workflow is sending", TIMER, id="csending"),
    Case(operations.GET_WORKFLOW_NODE_METRICS, 200, id="cflow", node="mail"),
    Case(operations.GET_WORKFLOW_NODE_METRICS, 400, "not a SendEmailAction node.", id="cflow", node="wait"),
    Case(operations.GET_WORKFLOW_NODE_METRICS, 404, "Workflow node not found.", id="cflow"),
    Case(operations.GET_TRANSACTIONAL_EMAIL_METRICS, 200, id="cdraft"),
    Case(operations.GET_TRANSACTIONAL_EMAIL_METRICS, 400, "transactionalId", id="a b"),
    Case(operations.GET_TRANSACTIONAL_EMAIL_METRICS, 404, "not found."),
    *(
        case
        for row, good, said, bad, node in FLOW_CASES
        for case in (
            Case(row, 400, said, bad, id="cflow", node=node),
            Case(row, 404, "Workflow not found.", good, node=node),
            Case(row, 409, "Latest workflowRevisionId is r.", {**good, **OLD}, id="cflow", node=node),
            Case(row, STATUSES[row], "", good, id=f"c{row.id}", node=node),
        )
    ),
    *(
        Case(operations.CREATE_WORKFLOW_NODE, 200, body={**TIMER, "nodeTypeName": kind}, id=f"cadd{kind}")
        for kind in ADDED
    ),
]  # fmt: skip
NEVER = {("getEmailMessage", "409"), ("getEmailMessageGuardian", "409")}
"""No message here is MJML."""


WITH_BODY = [one.operation for one in ENDPOINTS if one.body]
CASES += [
    case
    for row in WITH_BODY
    for case in (
        Case(row, 400, "has no body"),
        Case(row, 400, "is not JSON", b"{"),
        Case(row, 400, "a JSON object", b"[]"),
        Case(row, 413, "under 4 MB", BIG),
        Case(row, 415, "is compressed", b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    )
]
CASES += [Case(row, 401, "Invalid API key", headers={"Authorization": "Bearer x"}) for row in OPERATIONS]
CASES += [
    Case(row, 501, f"{row.id} is not built in this server yet") for row in OPERATIONS if row not in STATUSES
]


def path_of(case: Case) -> str:
    pieces = (
        case.node if piece == "{nodeId}" else case.id if piece.startswith("{") else piece
        for piece in case.row.path.split("/")
    )
    return "/".join(pieces).removeprefix("/v1")


async def ask(http: httpx2.AsyncClient, case: Case) -> httpx2.Response:
    content = {"content": case.body} if isinstance(case.body, bytes) else {"json": case.body}
    return await http.request(
        case.row.method, path_of(case), params=dict(case.query) or None, headers=dict(case.headers),
        **(content if case.body is not None else {}),
    )  # fmt: skip


@pytest.fixture
async def audience(http: httpx2.AsyncClient, live_server: LiveServer, welcome_id: str) -> None:
    """A property, Ada, somebody who bounced, a list, an event pattern, and the key k1 used."""
    await http.post("/contacts/properties", json={"name": "seats", "type": "number"})
    await http.post("/contacts/create", json=CONTACT)
    await http.post("/contacts/create", json={"email": "eve@example.org", "userId": "suppressed"})
    await http.post("/events/send", json=EVENT, headers=KEY)
    await http.post("/transactional", json={**EMAIL, "transactionalId": welcome_id}, headers=KEY)
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    for draft_id, message_id in (("cdraft", "cmessage"), ("cempty", "cblank")):
        await add_draft(pool, team_id, draft_id, message_id)
    await pool.execute("UPDATE event_pattern SET id = 'cpattern' WHERE name = 'signup'")
    await suppress(pool, team_id, "eve@example.org")
    await add_list(pool, team_id, "clist")
    await add_library(pool, team_id, uploads=49)
    await add_segment(pool, team_id, "csegment", name="Small")
    await add_campaign(pool, team_id, "cnews")
    await add_campaign(pool, team_id, "csent", status="Sent")


@pytest.fixture
async def flows(live_server: LiveServer, audience: None) -> None:
    """Workflows of every node and trigger, all at the revision `r`, and one for each change that succeeds."""
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    async with pool.acquire() as tx, tx.transaction():
        await write_content(tx, team_id, "cmail", EMPTY, now=datetime.now(UTC))
    names = ["cflow", *(f"c{row.id}" for row, *_ in FLOW_CASES), *(f"cadd{kind}" for kind in ADDED)]
    for name in names:
        await add_workflow(pool, team_id, FLOW, status="Draft", workflow_id=name, revision_id="r")
    await add_workflow(pool, team_id, FLOW, workflow_id="csending", revision_id="r")
    for kind, trigger in TRIGGERS.items():
        nodes: dict[str, Node] = {"root": trigger, "exit": ExitAction()}
        await add_workflow(pool, team_id, nodes, status="Draft", workflow_id=f"cflow{kind}", revision_id="r")


@pytest.mark.usefixtures("audience")
@pytest.mark.usefixtures("flows")
async def test_every_answer_is_read_strictly(http: httpx2.AsyncClient) -> None:
    """Success and failure alike: nothing that is not declared, and everything that is required."""
    wrong: list[object] = []
    for case in CASES:
        response = await ask(http, case)
        status, body = response.status_code, response.json() if response.content else None
        faults = misread(case.row.id, status, body)
        if faults or status != case.status or (body and status >= 400 and case.text not in body["message"]):
            wrong.append((case, status, body, faults))
    assert wrong == []


async def test_another_method(http: httpx2.AsyncClient) -> None:
    """405 wherever the contract has a path, built or not, with the methods that it has there."""
    by_path: dict[str, set[str]] = {}
    for row in OPERATIONS:
        by_path.setdefault(row.path, set()).add(row.method)
    for path, methods in by_path.items():
        response = await http.request("PATCH", path.removeprefix("/v1"))
        refused(response, 405, "PATCH is not allowed here; use ")
        assert set(response.headers["allow"].split(", ")) == methods
        assert code_of(response) == "method_not_allowed"


async def test_too_fast(serving: Serving) -> None:
    """429 has the plain form for every operation, the ones that are not built included."""
    async with serving(rate_limit=0.001) as http:
        await http.get("/api-key")
        for row in OPERATIONS:
            refused(await ask(http, Case(row, 429)), 429, "Too many requests")


async def test_every_operation_is_built(http: httpx2.AsyncClient) -> None:
    """At both roots, behind the key; an unknown path is unknown."""
    assert {one.operation for one in ENDPOINTS} == set(OPERATIONS)
    address = str(http.base_url).replace("/api/v1", "/v1")
    for one in ("/campaigns/", f"{address}campaigns", "/workflows/"):
        assert (await http.get(one)).status_code == 200
    refused(await http.get("/workflows/x/nowhere"), 404, "There is nothing at")
    assert (await http.head("/workflows")).status_code == 200


async def test_our_own_addresses(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Below our own prefix failures have the plain form, too, and so has the form's."""
    for path, handlers in OWN_PATHS.items():
        for method in handlers:
            address = f"{live_server.base_url}/loopwright/v1{path}"
            refused(
                await http.request(method, address, headers={"Authorization": "x"}), 401, "Invalid API key"
            )
    form = f"{live_server.base_url}/api/newsletter-form/x"
    answer = await http.post(form, data=ADA)
    refused(answer, 400, "no form of that id")
    assert "x-loopwright-code" in answer.headers["access-control-expose-headers"]


def test_every_declared_status_is_provoked() -> None:
    """A status that the contract declares for an operation that is built is among the cases."""
    everywhere = {"401", "405"}
    declared = {
        (row.id, status)
        for row in STATUSES
        for status in published(digest())[row.id]["responses"].keys() - everywhere
    }
    assert declared - NEVER - {(case.row.id, str(case.status)) for case in CASES} == set()


@pytest.mark.parametrize(
    ("name", "status", "body", "fault"),
    [
        pytest.param("sendEvent", 400, {"code": "c"}, "$.code: unknown field", id="a key nobody declared"),
        pytest.param("sendTransactionalEmail", 404, {}, "$.error: is missing", id="a key that is missing"),
        pytest.param("testApiKey", 401, {"error": 1}, "$.error: 1 is not string", id="another type"),
        pytest.param(None, 404, {"path": "x"}, "$.path: unknown field", id="no operation at all"),
        pytest.param("sendEvent", 401, {"error": "x"}, "$.error: unknown field", id="declared elsewhere"),
    ],
)
def test_the_strict_reader_is_strict(
    name: str | None, status: int, body: dict[str, object], fault: str
) -> None:
    """It finds what would break such a client."""
    assert fault in misread(name, status, {"success": False, "message": "No.", **body})
    assert misread("getEventPattern", 200, {"id": "x", "eventName": "y", "eventProperties": []}) == [
        "$.incomingWebhookPlatform: is missing"
    ]
