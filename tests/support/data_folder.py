"""Data folders for a test, whose PostgreSQLs are ended with it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from loopwright.server.store.postmaster import find_postmaster


@contextmanager
def folder_of_data() -> Iterator[Path]:
    """A private folder for data folders; a PostgreSQL that a test left running below it is ended."""
    # Not below pytest's own folder, which every further run closes to the user that PostgreSQL runs as.
    folder = Path(mkdtemp(prefix="lw-"))
    try:
        yield folder
    finally:
        for data in folder.rglob("postgres"):
            if running := find_postmaster(data):
                running.process.kill()
        shutil.rmtree(folder)


@contextmanager
def data_folder() -> Iterator[Path]:
    """A data folder that does not exist yet, in one that goes."""
    with folder_of_data() as parent:
        yield parent / "data"
