"""One import of a file at a time: two would write into each other's state and rejected rows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from loopwright.cli.importing.text import FileError


@contextmanager
def alone(path: Path) -> Generator[None]:
    """Hold the file for this process, however it ends. Raises `FileError` when another process has it.

    Where the system cannot hold files, as Windows and some network folders, nothing is held.
    """
    with path.open("rb") as file:
        try:
            locks: Any = import_module("fcntl")
            locks.flock(file, locks.LOCK_EX | locks.LOCK_NB)
        except BlockingIOError:
            raise FileError(f"another import of {path.name} is under way; wait until it ends") from None
        except (ModuleNotFoundError, OSError):
            pass
        yield
