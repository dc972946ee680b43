"""Connections of clients: how many there may be, and how long each may take over what it does.

A stranger pays nothing for a connection, so none may keep its place by doing nothing: whoever is late is
closed, and when all places are taken, those who wait longest without an answer being due make room.
"""

import logging
import resource
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

MOST_CONNECTIONS = 2000
"""Of one process. As many heads under way, each as long as it may be, are 160 MB."""
LEAST_CONNECTIONS = 16
KEPT_FILES = 128
"""Open files left for the database, email and whatever else a process does."""
ROOM = 20
"""One in so many connections makes room at a time: they are not looked through for every newcomer."""
TELL_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Phase(Enum):
    """What a connection is doing, in the order in which connections make room."""

    LEAVING = 1
    """It has its last answer; what still comes is thrown away until the client has read that."""
    IDLE = 2
    """Nothing of a request has come."""
    HEAD = 3
    """A request's head has begun."""
    BODY = 4
    """The head is whole, the body is not."""
    ANSWER = 5
    """The server's turn: the request is whole, or the server wants no more of it for now."""


class Reason(Enum):
    """Why the server ends a connection, as metrics name it."""

    IDLE = "idle"
    LEFT = "left"
    HEAD_LATE = "head_late"
    BODY_LATE = "body_late"
    ANSWER_NOT_TAKEN = "answer_not_taken"
    MADE_ROOM = "made_room"
    TURNED_AWAY = "turned_away"


@dataclass(frozen=True)
class Deadlines:
    """How long a client may take, in seconds.

    A body that nobody has begun to answer gets one second more for each `body_rate` bytes. `stall` is the
    longest time without any progress while an answer is sent. `look` is how often all this is seen to.
    """

    idle: float = 75
    head: float = 10
    body: float = 30
    body_rate: float = 1000
    stall: float = 60
    leave: float = 30
    look: float = 1


class Connection(Protocol):
    """What is asked of a connection. Times are the loop's."""

    since: float
    """When its phase began."""
    moved: float
    """When anything came or went last, or was not the client's to send or take."""
    received: int
    """Bytes of the request."""

    @property
    def phase(self) -> Phase:
        """What it is doing now."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client has not taken."""
        ...

    @property
    def answer_has_begun(self) -> bool:
        """Whether the answer to its last request has."""
        ...

    @property
    def is_closing(self) -> bool:
        """Whether it has been ended, and only its last bytes are still to go."""
        ...

    def note_progress(self, now: float, look: float) -> None:
        """See whether anything has moved; called every `look` seconds."""
        ...

    def end(self, reason: Reason) -> None:
        """End it, with an answer where one can be given."""
        ...


class Connections:
    """The connections of one process, at most `most`. `ended` is told why one was."""

    def __init__(self, most: int, deadlines: Deadlines, ended: Callable[[str], None]) -> None:
        self.most = most
        self.deadlines = deadlines
        self.open: Collection[Connection] = ()
        self._ended = ended
        self._told_at = -TELL_SECONDS

    def look(self, now: float) -> None:
        """End the connections that are late at `now`, on the loop's clock."""
        for connection in list(self.open):
            connection.note_progress(now, self.deadlines.look)
            reason = overdue(connection, now, self.deadlines)
            if reason:
                self._end(connection, reason)

    def admit(self, newcomer: Connection) -> None:
        """Make room for a connection that was taken just now, or turn it away when all others are at work."""
        if len(self.open) <= self.most:
            return
        present = [one for one in self.open if not one.is_closing]
        if len(present) <= self.most:
            return
        self._tell()
        others = [one for one in present if one is not newcomer and one.phase is not Phase.ANSWER]
        for one in sorted(others, key=_makes_room_at)[: max(1, self.most // ROOM)]:
            self._end(one, Reason.MADE_ROOM)
        if not others:
            self._end(newcomer, Reason.TURNED_AWAY)

    def _end(self, connection: Connection, reason: Reason) -> None:
        connection.end(reason)
        self._ended(reason.value)

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            logger.warning(
                "all %d connections are taken; those that wait longest make room for others. "
                "More: --connections, and the limit of open files",
                self.most,
            )


def overdue(one: Connection, now: float, deadlines: Deadlines) -> Reason | None:
    """Why a connection is to be ended at `now`, when it is."""
    age, still = now - one.since, now - one.moved
    if one.unsent and still > deadlines.stall:
        return Reason.ANSWER_NOT_TAKEN
    match one.phase:
        case Phase.IDLE:
            return Reason.IDLE if age > deadlines.idle else None
        case Phase.LEAVING:
            return Reason.LEFT if age > deadlines.leave else None
        case Phase.HEAD:
            return Reason.HEAD_LATE if age > deadlines.head else None
        case Phase.BODY if one.answer_has_begun:
            return Reason.BODY_LATE if still > deadlines.stall else None
        case Phase.BODY:
            allowed = deadlines.body + one.received / deadlines.body_rate
            return Reason.BODY_LATE if age > allowed else None
        case Phase.ANSWER:
            return None


def affordable(wanted: int) -> int:
    """How many connections this process can have of those it wants, by the files that it may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, files - KEPT_FILES), LEAST_CONNECTIONS)


def raise_open_files() -> None:
    """Let this process and its children open as many files as they may at most."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS has a lower limit of its own, and takes nothing above it.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _makes_room_at(one: Connection) -> tuple[int, float]:
    return one.phase.value, one.since
