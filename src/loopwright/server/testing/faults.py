"""Faults: what a server for tests does to the next requests that fit, and how often it has. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.http.paths import tidied

Phase: TypeAlias = Literal["before", "after"]


class Fault(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What the next `times` requests of a method and path meet.

    `route` is such as `POST /v1/events/send`; a part in braces stands for any. In the phase `before` nobody
    handles the request; `after` it has been handled, and its answer never leaves. First comes a `delay` in
    seconds, then the one of the others that is given: a `status` with a `retryAfter` in seconds and a `body`,
    a `reset` of the connection, or `garbage` that no client can read. With none of them, and in the phase
    `before`, the request goes on.
    """

    route: str
    times: int = 1
    phase: Phase = "before"
    delay: float = 0.0
    status: int | None = None
    retry_after: float | None = None
    body: dict[str, Any] | None = None
    reset: bool = False
    garbage: bool = False


class Reply(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What the next `times` recipients at a `domain` are answered over SMTP, such as `550 5.1.1 nobody`."""

    domain: str
    reply: str
    times: int = 1


class Standing(Struct, frozen=True, kw_only=True, rename="camel"):
    """A fault or reply as it was asked for, and how many have met it."""

    id: str
    team_id: str
    fault: Fault | Reply
    met: int = 0


_ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_AROUND_DOMAIN = re.compile(r"[\s@]")
_REPLY = re.compile(r"[45]\d\d[ -]\S.*")


def problem_of(fault: Fault | Reply) -> str | None:
    """What is wrong with a fault, in a sentence that says what to give."""
    if fault.times < 1:
        return "times is a number of requests, 1 or more."
    return _problem_of_reply(fault) if isinstance(fault, Reply) else _problem_of_request(fault)


def _problem_of_reply(fault: Reply) -> str | None:
    if not fault.domain or _AROUND_DOMAIN.search(fault.domain):
        return "domain is what stands behind the @ of the recipients' addresses, such as 'slow.example'."
    if _REPLY.fullmatch(fault.reply) is None:
        return "reply is a line of SMTP that begins with 4 or 5, such as '450 4.2.1 try later'."
    return None


def _problem_of_request(fault: Fault) -> str | None:
    if _ROUTE.fullmatch(fault.route) is None:
        return "A route is a method and a path, such as 'POST /v1/events/send'."
    if fault.delay < 0:
        return "delay is a number of seconds, 0 or more."
    if fault.status is not None and not 400 <= fault.status <= 599:
        return "status is that of an error, 400 to 599."
    kinds = [fault.status is not None, fault.reset, fault.garbage]
    if sum(kinds) > 1:
        return "A fault is one of status, reset and garbage."
    if not any(kinds) and not fault.delay and fault.phase == "before":
        return "Say what is to happen: status, reset, garbage or delay, or phase='after' to lose the answer."
    if fault.retry_after is not None and fault.retry_after < 0:
        return "retry_after is a number of seconds, 0 or more."
    if fault.status is None and (fault.retry_after is not None or fault.body is not None):
        return "retry_after and body go with a status."
    return None


class Faults:
    """The faults that were asked for, each with what is left of it."""

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}

    def add(self, fault_id: str, team_id: str, fault: Fault | Reply) -> None:
        """Have a team's next requests or recipients that fit meet this one, after those asked for before."""
        self._standing[fault_id] = Standing(id=fault_id, team_id=team_id, fault=fault)

    def of_team(self, team_id: str) -> list[Standing]:
        """Those of a team, first asked for first, also when nothing is left of them."""
        return [one for one in self._standing.values() if one.team_id == team_id]

    def forget(self, team_id: str) -> None:
        """Drop those of a team."""
        self._standing = {key: one for key, one in self._standing.items() if one.team_id != team_id}

    def await_requests(self) -> bool:
        """Whether any request may meet one."""
        return any(isinstance(one.fault, Fault) for one in self._left())

    def meet(self, team_id: str, method: str, path: str) -> Fault | None:
        """The fault that a request meets, counted; `path` begins with /v1 or /loopwright."""
        for one in self._left():
            if one.team_id == team_id and isinstance(one.fault, Fault) and _fits(one.fault, method, path):
                self._count(one)
                return one.fault
        return None

    def reply_to(self, recipient: str) -> str | None:
        """What a recipient's server says against an email, of whichever team, counted."""
        domain = recipient.rpartition("@")[2].lower()
        for one in self._left():
            if isinstance(one.fault, Reply) and one.fault.domain.lower() == domain:
                self._count(one)
                return one.fault.reply
        return None

    def _left(self) -> list[Standing]:
        return [one for one in self._standing.values() if one.met < one.fault.times]

    def _count(self, one: Standing) -> None:
        self._standing[one.id] = replace(one, met=one.met + 1)


def _fits(fault: Fault, method: str, path: str) -> bool:
    wanted, pattern = fault.route.split(" ", 1)
    parts, given = pattern.removeprefix("/api").split("/"), path.split("/")
    return (
        wanted == method
        and len(parts) == len(given)
        and all(part == one or part.startswith("{") for part, one in zip(parts, given, strict=True))
    )


def plain_path(path: str) -> str:
    """A path of the API under either of its roots, as its documentation calls it."""
    return tidied(path).removeprefix("/api")


def body_of(fault: Fault) -> Mapping[str, Any]:
    """What the answer says."""
    return fault.body or {"success": False, "message": f"A fault of this test: {fault.status}."}
