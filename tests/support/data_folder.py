"""A data folder for a test, whose PostgreSQL is ended with it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from loopwright.server.store.postmaster import find_postmaster


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder that does not exist yet, in one that goes."""
    # Not below pytest's own folder, which every further run closes to the user that PostgreSQL runs as.
    parent = Path(mkdtemp(prefix="lw-"))
    folder = parent / "data"
    try:
        yield folder
    finally:
        if running := find_postmaster(folder / "postgres"):
            running.process.kill()
        shutil.rmtree(parent)
