"""Faults on demand: what the next requests, or the next recipients, meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .control import Control


class Fault:
    """A fault that was asked for."""

    def __init__(self, control: Control, team_id: str, fault_id: str) -> None:
        self._control = control
        self._path = f"/teams/{team_id}/faults"
        self._id = fault_id

    @property
    def met(self) -> int:
        """How many have met it so far."""
        return next(int(one["met"]) for one in self._control.get(self._path) if one["id"] == self._id)


class Faults:
    """Has the server do to a team's requests what networks and servers do."""

    def __init__(self, control: Control, team_id: str) -> None:
        self._control = control
        self._team_id = team_id

    def on(
        self,
        route: str,
        *,
        times: int = 1,
        phase: Literal["before", "after"] = "before",
        delay: float = 0.0,
        status: int | None = None,
        retry_after: float | None = None,
        body: Mapping[str, Any] | None = None,
        reset: bool = False,
        garbage: bool = False,
    ) -> Fault:
        """Have the next `times` requests of a route, such as `POST /v1/events/send`, meet this.

        `before`: nobody handles the request. `after`: it was handled, and the answer is lost. `delay` is in
        seconds of real time and comes first; then one of `status` (with `retry_after` in seconds, and a
        `body`), a `reset` of the connection, `garbage` instead of an answer. A path's part in braces stands
        for any.
        """
        fault = {
            "route": route,
            "times": times,
            "phase": phase,
            "delay": delay,
            "status": status,
            "retryAfter": retry_after,
            "body": None if body is None else dict(body),
            "reset": reset,
            "garbage": garbage,
        }
        return self._add("faults", fault)

    def smtp(self, domain: str, reply: str, *, times: int = 1) -> Fault:
        """Have the next `times` recipients at a domain refused over SMTP, with such as `550 5.1.1 nobody`."""
        return self._add("replies", {"domain": domain, "reply": reply, "times": times})

    def _add(self, kind: str, fault: Mapping[str, Any]) -> Fault:
        answer = self._control.post(f"/teams/{self._team_id}/{kind}", fault)
        return Fault(self._control, self._team_id, answer["id"])
