"""Keeping the progress of an import: on the screen, and on disk for the next one."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from loopwright.cli.importing.progress import Progress, State

SAVE_SHARE = 0.05
"""So much of the time may go into saving: after each batch where that is quick, else now and then."""


class Keeper:
    """The progress on the screen and on disk, brought up to date now and then."""

    def __init__(self, state: State, progress: Progress, total: int, bar: Bar) -> None:
        self.progress = progress
        self._state = state
        self._bar = bar
        self._task = bar.add_task("sending", total=total, completed=progress.settled)
        self._kept_at = time.monotonic()
        self._pause = 0.0

    def note(self, progress: Progress) -> None:
        self.progress = progress
        if time.monotonic() - self._kept_at > self._pause:
            self.keep(running=True)

    def keep(self, *, running: bool) -> None:
        self._bar.update(self._task, completed=self.progress.settled)
        started = time.monotonic()
        self._state.save(replace(self.progress, running=running))
        self._kept_at = time.monotonic()
        self._pause = (self._kept_at - started) / SAVE_SHARE


@contextmanager
def kept(state: State, progress: Progress, total: int) -> Generator[Keeper]:
    """Keep the progress, however the import ends, short of a kill."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        keeper = Keeper(state, progress, total, bar)
        keeper.keep(running=True)
        try:
            yield keeper
        finally:
            keeper.keep(running=False)
