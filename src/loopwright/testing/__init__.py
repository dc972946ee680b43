"""A real server in every test suite: emails that arrive, time that tests move, faults on demand.

With pytest, the fixtures `loops`, `aloops`, `inbox`, `ainbox`, `clock`, `aclock`, `faults`, `loops_env` and
others are there once `loopwright[testing]` is installed. Without it:

    with Server() as server, server.team() as team:
        team.apply("emails")
        team.client().events.send("signup", email="ada@example.com")
        assert team.inbox.wait_for(to="ada@example.com").subject == "Welcome"

Never imports server/ before something was started, so that it is cheap to have around.
"""

from .awaited import AsyncClock, AsyncInbox
from .clock import Clock
from .control import TestServerError
from .faults import Fault, Faults
from .inbox import Inbox
from .process import ServerDidNotStart
from .received import Attachment, Email, Link, Visited
from .server import Server, Team, UnmetFaults
from .webhooks import Webhooks

__all__ = [
    "AsyncClock",
    "AsyncInbox",
    "Attachment",
    "Clock",
    "Email",
    "Fault",
    "Faults",
    "Inbox",
    "Link",
    "Server",
    "ServerDidNotStart",
    "Team",
    "TestServerError",
    "UnmetFaults",
    "Visited",
    "Webhooks",
]
