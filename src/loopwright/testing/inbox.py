"""A team's inbox: waits for emails, and says why one did not come."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from .clock import Clock
from .control import Control
from .received import Email, email_of

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 2.0
NOTHING = """\
  nothing: the server heard of no event and no send of this test's team. A client that was made in an earlier
  test has the key of that one's team, and sends to it"""

Wanted = str | re.Pattern[str] | None


class Inbox:
    """Every email of one team, each handed out once by `wait_for`."""

    def __init__(self, control: Control, clock: Clock, team_id: str) -> None:
        self._control = control
        self._clock = clock
        self._path = f"/teams/{team_id}"
        self._last = ""
        self._all: list[Email] = []
        self._unread: list[Email] = []

    @property
    def emails(self) -> Sequence[Email]:
        """All that has arrived, read or not, once everything that is due is done."""
        self._look()
        return list(self._all)

    def wait_for(
        self, *, to: str | None = None, subject: Wanted = None, within: float = PATIENCE_SECONDS
    ) -> Email:
        """The first email not handed out yet that fits: to that address, with `subject` in its subject.

        All that is due is done first; no time passes on the server. What the program under test still sends
        meanwhile, from other threads and processes, is waited for `within` so many seconds. Raises
        `AssertionError` that tells what did arrive, and why nothing else was sent.
        """
        deadline = time.monotonic() + within
        while True:
            self._look()
            for email in self._unread:
                if _fits(email, to, subject):
                    self._unread.remove(email)
                    return email
            if time.monotonic() >= deadline:
                raise AssertionError(self._miss(to, subject))
            time.sleep(LOOK_SECONDS)

    def assert_empty(self) -> None:
        """See that nothing has arrived that was not handed out, once all that is due is done."""
        self._look()
        if self._unread:
            raise AssertionError(f"no email was expected, and there is:\n{_list(self._unread)}")

    def _look(self) -> None:
        self._clock.settle()
        arrived = self._control.get(f"{self._path}/messages?after={self._last}")
        if arrived:
            self._last = arrived[-1]["id"]
        new = [email_of(one) for one in arrived]
        self._all += new
        self._unread += new

    def _miss(self, to: str | None, subject: Wanted) -> str:
        words = subject.pattern if isinstance(subject, re.Pattern) else subject
        wanted = "".join((f" to {to}" if to else "", f" with {words!r} in its subject" if words else ""))
        story = self._control.get(f"{self._path}/story")
        read = [email for email in self._all if email not in self._unread]
        parts = [f"no email{wanted} arrived"]
        if self._unread:
            parts.append(f"what did arrive:\n{_list(self._unread)}")
        if read:
            parts.append(f"what this test has read already:\n{_list(read)}")
        told = "\n".join(f"  {line}" for line in story) or NOTHING
        parts.append(f"what happened (it is {self._clock.now:%Y-%m-%d %H:%M:%S} UTC there):\n{told}")
        return "\n".join(parts)


def _fits(email: Email, to: str | None, subject: Wanted) -> bool:
    if to is not None and email.to.casefold() != to.casefold():
        return False
    if isinstance(subject, re.Pattern):
        return subject.search(email.subject) is not None
    return subject is None or subject in email.subject


def _list(emails: Sequence[Email]) -> str:
    return "\n".join(f"  {one.subject!r} to {one.to} ({one.why})" for one in emails)
