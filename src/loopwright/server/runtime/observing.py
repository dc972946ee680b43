"""How whoever works in the background lets itself be measured."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

Observe: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""The context in which a job, or a batch of jobs, of that name is done."""


def unobserved(_: str) -> AbstractContextManager[None]:
    """Nobody measures."""
    return nullcontext()
