"""The buttons of a workflow: start, pause, resume, stop."""

from starlette.responses import Response

from loopwright.server.dashboard.buttons import Wish
from loopwright.server.workflow import control


async def start_workflow(wish: Wish) -> Response:
    """POST /workflows/{workflow_id}/start."""
    workflow_id, has_relay = wish.path_id("workflow_id"), wish.context.has_relay
    await control.start(wish.tx, wish.team_id, workflow_id, has_relay=has_relay, now=wish.now)
    return wish.back(done="started")


async def resume_workflow(wish: Wish) -> Response:
    """POST /workflows/{workflow_id}/resume."""
    workflow_id, has_relay = wish.path_id("workflow_id"), wish.context.has_relay
    await control.resume(wish.tx, wish.team_id, workflow_id, has_relay=has_relay, now=wish.now)
    return wish.back(done="resumed")


async def pause_workflow(wish: Wish) -> Response:
    """POST /workflows/{workflow_id}/pause."""
    await control.pause(wish.tx, wish.team_id, wish.path_id("workflow_id"), now=wish.now)
    return wish.back(done="paused")


async def stop_workflow(wish: Wish) -> Response:
    """POST /workflows/{workflow_id}/stop."""
    await control.stop(wish.tx, wish.team_id, wish.path_id("workflow_id"), now=wish.now)
    return wish.back(done="stopped")
