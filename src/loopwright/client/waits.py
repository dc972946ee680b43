"""How long this process waits before it tries again: in one place, so that tests need not wait.

Only the test kit skips waits. The tries themselves are the same, and as many.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

_skipping = 0


def seconds_to_wait(seconds: float) -> float:
    """What is left of a wait of so many seconds: all of it, or nothing."""
    return 0.0 if _skipping else seconds


@contextmanager
def skipping_waits() -> Generator[None]:
    """While the context lasts, nobody in this process waits before trying again."""
    global _skipping
    _skipping += 1
    try:
        yield
    finally:
        _skipping -= 1
