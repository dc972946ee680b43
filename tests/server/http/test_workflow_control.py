"""Starting, pausing, resuming and stopping workflows over HTTP."""

from datetime import timedelta
from typing import Any

import httpx2

from loopwright.server.runtime.housekeeping import Housekeeping, Kept
from loopwright.server.store.database import Pool
from loopwright.server.store.notices import set_address
from loopwright.server.store.workflows import WorkflowRow
from loopwright.server.workflow.graph import BranchNode, EventTrigger, ExitAction, Node, SendEmailAction
from support.clock import HandClock
from support.factories import first_team
from support.refusals import code_of, refused
from support.workflows import add_contact, add_message, add_workflow, email_timer_email, start_run, utc_now


class Control:
    """One workflow, and what its control answers."""

    def __init__(self, http: httpx2.AsyncClient, workflow: WorkflowRow) -> None:
        self.path = f"{http.base_url}".replace("/api/v1", "/loopwright/v1") + f"workflows/{workflow.id}"
        self._http = http

    async def do(self, verb: str, **options: Any) -> httpx2.Response:
        return await self._http.post(f"{self.path}/{verb}", **options)

    async def read(self, verb: str = "") -> dict[str, Any]:
        response = await (self.do(verb) if verb else self._http.get(self.path))
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body


async def make(pool: Pool, nodes: dict[str, Node] | None = None) -> WorkflowRow:
    team_id = await first_team(pool)
    nodes = nodes or await email_timer_email(pool, team_id, minutes=60)
    return await add_workflow(pool, team_id, nodes, status="Draft")


async def test_the_life_of_a_workflow(http: httpx2.AsyncClient, pool: Pool, stranger: dict[str, str]) -> None:
    """Started, paused, resumed, stopped and started again; to ask for what is so changes nothing."""
    control = Control(http, await make(pool))
    assert (await control.read())["status"] == "Draft"
    for verb in ("pause", "resume", "stop"):
        refused(await control.do(verb), 409, "The workflow is a draft that was never started; start it.")
        assert code_of(await control.do(verb)) == "workflow_is_draft"
    assert [(await control.read(verb))["status"] for verb in ("start", "start", "resume")] == ["Sending"] * 3
    paused = await control.read("pause")
    assert paused["status"] == "PausedAndQueueing"
    assert paused["queueingUntil"] > paused["pausedAt"]
    assert (await control.read("pause"))["pausedAt"] == paused["pausedAt"]
    assert (await control.read("resume"))["pausedAt"] is None
    stopped = await control.read("stop")
    assert (stopped["status"], stopped["queueingUntil"]) == ("Paused", None)
    assert (await control.read("pause"))["status"] == "Paused"
    assert (await control.read("start"))["status"] == "Sending"
    refused(await control.do("stop", headers=stranger), 404, "Workflow not found.")
    root = control.path.rpartition("/")[0]
    assert [one["status"] for one in (await http.get(root)).json()["data"]] == ["Sending"]
    assert (await http.get(root, headers=stranger)).json() == {"data": []}


async def test_a_start_is_refused_with_every_reason(http: httpx2.AsyncClient, pool: Pool) -> None:
    """The graph's problems and those of its emails are told at once, each with its node."""
    team_id = await first_team(pool)
    nodes: dict[str, Node] = {
        "root": EventTrigger(next_node_ids=("branch",)),
        "branch": BranchNode(next_node_ids=("mail",)),
        "mail": SendEmailAction(
            next_node_ids=("exit",), email_message_id=await add_message(pool, team_id, from_email="", lmx="")
        ),
        "exit": ExitAction(),
    }
    control = Control(http, await make(pool, nodes))
    response = await control.do("start")
    assert response.status_code == 422
    assert code_of(response) == "workflow_not_ready"
    for reason in (
        "node root: choose the event that starts the workflow",
        "node mail: the first node of a branch's way is an audience filter",
        "node mail: fromEmail is empty",
        "node mail: lmx is empty",
    ):
        assert reason in response.json()["message"]
    assert (await control.read())["status"] == "Draft"


async def test_a_pause_keeps_new_matches_for_a_day(http: httpx2.AsyncClient, pool: Pool) -> None:
    """Those of the first 24 hours enter with the resume, later ones are lost; a stop drops who waits."""
    team_id = await first_team(pool)
    workflow = await make(pool)
    control = Control(http, workflow)
    await control.read("start")
    await control.read("pause")

    async def event(name: str) -> None:
        answer = await http.post("/events/send", json={"email": f"{name}@example.com", "eventName": "signup"})
        assert answer.status_code == 200

    await event("early")
    assert (await control.read())["waitingToEnter"] == 1
    async with pool.acquire() as tx:
        await set_address(tx, team_id, "ops@elsewhere.org")
    clock = HandClock()
    housekeeping = Housekeeping(pool, clock, Kept())
    clock.advance(timedelta(hours=23))
    await housekeeping.tidy()
    assert (await control.read())["status"] == "PausedAndQueueing"
    clock.advance(timedelta(hours=2))
    await housekeeping.tidy()
    assert (await control.read())["status"] == "Paused"
    notice = await pool.fetchrow(
        "SELECT to_email, kind, data_variables FROM email WHERE cause LIKE 'notice:%'"
    )
    assert notice is not None
    assert (notice["to_email"], notice["kind"]) == ("ops@elsewhere.org", "transactional")
    assert "Welcome loses new contacts" in notice["data_variables"]
    assert "since the pause, 1 of them, enter when it is resumed" in notice["data_variables"]
    await event("late")
    waiting = await control.read()
    assert (waiting["inside"], waiting["nodes"]) == (1, [{"nodeId": "root", "contacts": 1}])

    inside = await add_contact(pool, team_id, "inside@example.com")
    run_id = await start_run(pool, workflow, inside, now=utc_now())
    await pool.execute("UPDATE run SET node_id = 'wait', way = '[[\"wait\", \"\"]]' WHERE id = $1", run_id)
    stopped = await control.read("stop")
    assert (stopped["inside"], stopped["waitingToEnter"]) == (1, 0)
    rows = await pool.fetch("SELECT reason FROM run WHERE status = 'removed'")
    assert [row["reason"] for row in rows] == ["the workflow was stopped before the contact entered"]
