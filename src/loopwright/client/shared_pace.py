"""One pace a key and server for the whole process, so that all clients, threads and tasks keep one limit
together.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from time import monotonic
from weakref import WeakValueDictionary

from loopwright.client.pacing import Pace
from loopwright.forks import in_every_child


class SharedPace:
    """A `Pace` behind a lock, held for microseconds and never across a wait."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.lock = threading.Lock()

    def reserve(self, *, content: bool) -> float:
        """Take the next place; answers how many seconds to wait for it."""
        with self.lock:
            return self.pace.reserve(monotonic(), content=content)

    def report(self, headers: Mapping[str, str], *, content: bool) -> None:
        """Learn from an answer."""
        with self.lock:
            self.pace.report(headers, monotonic(), content=content)

    def refused(self, headers: Mapping[str, str], retry_after: float | None, *, content: bool) -> None:
        """Learn from a 429."""
        with self.lock:
            self.pace.refused(headers, monotonic(), retry_after, content=content)


_paces: WeakValueDictionary[tuple[str, str], SharedPace] = WeakValueDictionary()
_lock = threading.Lock()


def shared_pace(root: str, api_key: str) -> SharedPace:
    """The pace of all clients of this process with this key at this server."""
    with _lock:
        pace = _paces.get((root, api_key))
        if pace is None:
            pace = _paces[root, api_key] = SharedPace()
        return pace


def _renew_locks() -> None:
    """A lock that another thread held at the moment of a fork stays locked for ever in the child."""
    global _lock
    _lock = threading.Lock()
    for pace in list(_paces.values()):
        pace.lock = threading.Lock()


in_every_child(_renew_locks)
