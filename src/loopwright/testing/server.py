"""A server for tests, and the teams that tests have on it."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopwright.client.waits import skipping_waits

from .awaited import AsyncClock, AsyncInbox
from .clock import Clock
from .control import Control
from .faults import Faults
from .inbox import Inbox
from .process import Process
from .webhooks import Webhooks, listening

if TYPE_CHECKING:
    from types import TracebackType

    from loopwright import AsyncLoops, Loops


class UnmetFaults(AssertionError):
    """Faults that a test asked for were never met, so it did not test what it says."""


class Team:
    """A team of one test: nobody else sees what it has, nor gets its email."""

    def __init__(self, control: Control, team_id: str, key: str) -> None:
        self.id = team_id
        self.api_key = key
        self.base_url = f"{control.address}/api"
        self.clock = Clock(control)
        self.inbox = Inbox(control, self.clock, team_id)
        self.async_clock = AsyncClock(self.clock)
        self.async_inbox = AsyncInbox(self.inbox)
        self.faults = Faults(control, team_id)
        self._control = control

    @property
    def environ(self) -> Mapping[str, str]:
        """What has any program find the server and the team."""
        return {"LOOPS_API_KEY": self.api_key, "LOOPS_BASE_URL": self.base_url}

    @contextmanager
    def environment(self) -> Generator[None]:
        """While the context lasts, `environ` is this process's, and that of programs it starts."""
        before = {name: os.environ.get(name) for name in self.environ}
        os.environ.update(self.environ)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def client(self) -> Loops:
        """A client of this team, to be closed by the caller."""
        from loopwright import Loops

        return Loops(api_key=self.api_key, base_url=self.base_url)

    def async_client(self) -> AsyncLoops:
        """A client of this team that keeps no connection, so that nothing of it is left in any loop."""
        from loopwright import AsyncLoops, Limits

        return AsyncLoops(api_key=self.api_key, base_url=self.base_url, limits=Limits(max_keepalive=0))

    @contextmanager
    def webhooks(self) -> Generator[Webhooks]:
        """While the context lasts, an endpoint of this process that is told all that happens to the team."""
        with listening(self._control, self.api_key, self.clock) as webhooks:
            yield webhooks

    def apply(self, folder: str | os.PathLike[str]) -> None:
        """Give the team the workflows, emails and lists of a folder, as `loopwright apply` does."""
        self._control.post(f"/teams/{self.id}/definitions", {"folder": str(Path(folder).resolve())})

    def end(self) -> Sequence[Mapping[str, Any]]:
        """Drop what waits, put the clock back, and answer the faults that were never met."""
        faults: list[dict[str, Any]] = self._control.post(f"/teams/{self.id}/end")
        return [one for one in faults if one["met"] < one["fault"]["times"]]


class Server:
    """A Loopwright server with a PostgreSQL of its own, for as long as the context lasts.

    `with Server() as server, server.team() as team: ...`. It listens on a free port of this machine, and
    leaves neither process nor folder behind. Needs Linux or macOS. Raises `ServerDidNotStart`.
    """

    def __init__(self) -> None:
        self._process = Process()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; returns once it takes requests."""
        self._process.start()

    def stop(self) -> None:
        """Stop it, and remove its data."""
        self._process.stop()

    def restart(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by that signal, and start it again: same address, data and clock."""
        self._process.restart(number)

    @property
    def address(self) -> str:
        """Where it listens, such as `http://127.0.0.1:34567`; the dashboard is there, too."""
        return self._process.address

    @property
    def key(self) -> str:
        """What its control requests take."""
        return self._process.key

    @contextmanager
    def team(self) -> Generator[Team]:
        """A new team for one test. Nobody in this process waits before trying again meanwhile.

        Raises `UnmetFaults` in the end, unless the test failed anyway.
        """
        team = self.new_team()
        try:
            with skipping_waits():
                yield team
        except BaseException:
            team.end()
            raise
        if unmet := team.end():
            raise UnmetFaults(tell_unmet(unmet))

    def new_team(self) -> Team:
        """A new team, to be ended by the caller."""
        control = Control(self.address, self.key, self._process.said)
        answer = control.post("/teams")
        return Team(control, answer["id"], answer["key"])


def tell_unmet(unmet: Sequence[Mapping[str, Any]]) -> str:
    """What to say of a test whose faults were not met."""
    return f"faults that were never met: {', '.join(map(_told, unmet))}"


def _told(one: Mapping[str, Any]) -> str:
    fault = one["fault"]
    what = fault["route"] if "route" in fault else f"{fault['reply']} for {fault['domain']}"
    return f"{what} ({one['met']} of {fault['times']} times)"
