"""Keeping the progress of an import: on the screen, and on disk for the next one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext

from msgspec.structs import replace

from loopwright.cli.importing.progress import Progress, State

SAVE_SHARE = 0.05
"""So much of the time may go into saving: after each batch where that is quick, else now and then."""


class Keeper:
    """The progress on the screen and on disk, brought up to date now and then."""

    def __init__(self, state: State, progress: Progress, show: Callable[[int], None]) -> None:
        self.progress = progress
        self._state = state
        self._show = show
        self._kept_at = time.monotonic()
        self._pause = 0.0

    def note(self, progress: Progress) -> None:
        self.progress = progress
        if time.monotonic() - self._kept_at > self._pause:
            self.keep(running=True)

    def keep(self, *, running: bool) -> None:
        self._show(self.progress.settled)
        started = time.monotonic()
        self._state.save(replace(self.progress, running=running))
        self._kept_at = time.monotonic()
        self._pause = (self._kept_at - started) / SAVE_SHARE


@contextmanager
def kept(state: State, progress: Progress, total: int) -> Generator[Keeper]:
    """Keep the progress, however the import ends, short of a kill."""
    with _bar(progress.settled, total) if sys.stderr.isatty() else nullcontext(_nobody) as show:
        keeper = Keeper(state, progress, show)
        keeper.keep(running=True)
        try:
            yield keeper
        finally:
            keeper.keep(running=False)


@contextmanager
def _bar(completed: int, total: int) -> Generator[Callable[[int], None]]:
    """A bar for people. What draws it takes its time to load."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sending", total=total, completed=completed)

        def show(settled: int) -> None:
            bar.update(task, completed=settled)

        yield show


def _nobody(_: int) -> None:
    """Nobody looks at the screen."""
