"""Whether work grows with its input, or with the square of it."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SMALL = 50_000
TIMES = 8
ENOUGH = 0.02
"""Seconds of work below which nothing is said: a quadratic way through `SMALL * TIMES` takes far more."""


def grows_linearly(make: Callable[[int], T], work: Callable[[T], object]) -> None:
    """Fail when eight times the input is more than thirty times the work; its square would be 64 times."""
    small, large = (_seconds(make(size), work) for size in (SMALL, SMALL * TIMES))
    assert large < ENOUGH or large < 30 * small, f"{small:.4f} s -> {large:.4f} s"


def _seconds(value: T, work: Callable[[T], object]) -> float:
    """Processor time of this thread, which other programs do not lengthen; the best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.thread_time()
        work(value)
        best = min(best, time.thread_time() - start)
    return best
