"""`loopwright workflows`: how workflows stand, and starting and pausing them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from loopwright.cli.own import ask_own
from loopwright.cli.session import AsJson, client, say, show_json, show_table
from loopwright.wire.operations import Operation

_ROOT = "/loopwright/v1/workflows"
_LIST = Operation("listWorkflowStates", "GET", _ROOT, "always")
_SHOW = Operation("getWorkflowState", "GET", f"{_ROOT}/{{workflowId}}", "always")
# To ask for what is so already changes nothing, so that they may be sent again.
_START, _PAUSE, _RESUME, _STOP = (
    Operation(f"{verb}Workflow", "POST", f"{_ROOT}/{{workflowId}}/{verb}", "always")
    for verb in ("start", "pause", "resume", "stop")
)

app = typer.Typer(no_args_is_help=True, help="See, start and pause workflows of a Loopwright server.")

WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="The workflow's id; `list` shows it.")]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List workflows: their state, who is inside, and how many of those wait to enter."""
    with client() as loops:
        body = ask_own(loops, _LIST)
    if as_json:
        show_json(body)
        return
    rows = [
        [one[key] for key in ("id", "name", "status", "inside", "waitingToEnter")]
        for one in msgspec.json.decode(body)["data"]
    ]
    show_table(("id", "name", "status", "inside", "waiting to enter"), rows)


@app.command()
def show(workflow_id: WorkflowId, *, as_json: AsJson = False) -> None:
    """Show how a workflow stands, and who waits where."""
    _do(_SHOW, workflow_id, as_json=as_json)


@app.command()
def start(workflow_id: WorkflowId, *, as_json: AsJson = False) -> None:
    """Have a workflow send. Refused with every reason at once when it cannot."""
    _do(_START, workflow_id, as_json=as_json)


@app.command()
def pause(workflow_id: WorkflowId, *, as_json: AsJson = False) -> None:
    """Have everybody inside stay where they are; who would enter waits, for the first 24 hours."""
    _do(_PAUSE, workflow_id, as_json=as_json)


@app.command()
def resume(workflow_id: WorkflowId, *, as_json: AsJson = False) -> None:
    """Have a paused or stopped workflow go on, and let in who waits."""
    _do(_RESUME, workflow_id, as_json=as_json)


@app.command()
def stop(workflow_id: WorkflowId, *, as_json: AsJson = False) -> None:
    """Have everybody inside stay where they are; those who wait to enter are dropped, and nobody enters."""
    _do(_STOP, workflow_id, as_json=as_json)


def _do(operation: Operation, workflow_id: str, *, as_json: bool) -> None:
    with client() as loops:
        body = ask_own(loops, operation, workflow_id)
    if as_json:
        show_json(body)
        return
    found: dict[str, Any] = msgspec.json.decode(body)
    say(f"{found['name']}: {found['status']}")
    if found.get("reason"):
        say(found["reason"])
    if found["queueingUntil"]:
        say(f"New matches wait until {found['queueingUntil']}; later ones are lost.")
    say(f"{found['inside']} inside, {found['waitingToEnter']} of them wait to enter")
    for node in found["nodes"]:
        say(f"  {node['contacts']} at {node['nodeId']}")
