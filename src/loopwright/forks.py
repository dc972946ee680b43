"""Forks: a child process that Python copies from its parent must not go on with what is the parent's."""

import os
from collections.abc import Callable


def in_every_child(begin_anew: Callable[[], None]) -> None:
    """Have `begin_anew` called in each process that is forked from now on. Windows has none."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=begin_anew)
