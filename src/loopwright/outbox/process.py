"""What happens to the process around an outbox: it ends, it is told to end, it forks.

One SIGTERM handler serves all outboxes of the process. It gives each its time to drain and then does whatever
would have happened without it: the handler that was there before, or the end of the process. A handler runs
between two steps of the main thread, perhaps in the middle of a transaction, so it waits until the main
thread has left those (`held`) before it begins.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol
from weakref import WeakSet


class Member(Protocol):
    """Something that wants to know."""

    def on_termination(self) -> None: ...
    def before_fork(self) -> None: ...
    def after_fork_in_parent(self) -> None: ...
    def after_fork_in_child(self) -> None: ...


_members: WeakSet[Member] = WeakSet()
_forking: list[Member] = []


def join(member: Member) -> None:
    """Tell `member` of SIGTERM and of forks from now on, for as long as it lives.

    SIGTERM is watched only when the first outbox of a process is made by its main thread; Python allows no
    other.
    """
    _install()
    _members.add(member)


def leave(member: Member) -> None:
    """Stop telling it."""
    _members.discard(member)


# SIGTERM ----------------------------------------------------------------------------------------------------

_previous: Callable[[int, FrameType | None], Any] | int | None = None
_depth = 0  # of `held` in the main thread
_waiting: FrameType | bool | None = None  # a SIGTERM that came meanwhile, and the frame it interrupted


@contextmanager
def held() -> Generator[None]:
    """Keep SIGTERM waiting while the main thread is inside."""
    global _depth, _waiting
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0 and _waiting:
            frame, _waiting = _waiting, None
            _terminate(frame if isinstance(frame, FrameType) else None)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    global _waiting
    if _depth:
        _waiting = frame or True
    else:
        _terminate(frame)


def _terminate(frame: FrameType | None) -> None:
    for member in list(_members):
        member.on_termination()
    if callable(_previous):
        _previous(signal.SIGTERM, frame)
    elif _previous == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


# Installing -------------------------------------------------------------------------------------------------

_fork_lock = threading.Lock()  # one fork at a time: `_forking` is its list
_watching_forks = False
_watching_sigterm = False


def _install() -> None:
    global _watching_forks, _watching_sigterm, _previous
    if not _watching_forks and hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
        )
        _watching_forks = True
    if not _watching_sigterm and threading.current_thread() is threading.main_thread():
        _previous = signal.getsignal(signal.SIGTERM)
        if _previous is not None:  # None: set by something that is not Python, and could not be called on
            signal.signal(signal.SIGTERM, _on_sigterm)
        _watching_sigterm = True


def _before_fork() -> None:
    _fork_lock.acquire()
    _forking[:] = _members
    for member in _forking:
        member.before_fork()


def _after_fork_in_parent() -> None:
    for member in reversed(_forking):
        member.after_fork_in_parent()
    _forking.clear()
    _fork_lock.release()


def _after_fork_in_child() -> None:
    for member in reversed(_forking):
        member.after_fork_in_child()
    _forking.clear()
    _fork_lock.release()
