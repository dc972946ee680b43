"""The folder of a benchmark that kills: it is what to look at when a promise is broken."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path


def kept_if_broken(play: Callable[[Path], Coroutine[None, None, bool]]) -> None:
    """Play in a new folder. It goes if all promises are kept; else it stays, and the program ends with 1."""
    folder = Path(tempfile.mkdtemp(prefix="loopwright-crash-"))
    if not asyncio.run(play(folder)):
        print(f"a promise is broken; the data is in {folder}")
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)
