"""Where all that runs of the test kit leave behind would be, and that nothing is there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psutil

from support.workflows import until

PREFIX = "loopwright-test-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder to be the TMPDIR of runs; sockets want short paths."""
    folder = Path(mkdtemp(prefix="lw-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user for root
    yield folder
    shutil.rmtree(folder)


async def all_gone(scratch: Path) -> None:
    """Wait until no server for tests is left there, nor a folder of one."""

    async def gone() -> bool:
        processes = [
            one
            for one in psutil.process_iter(["cmdline"])
            if any(f"{scratch}/{PREFIX}" in part for part in one.info["cmdline"] or [])
        ]
        return not processes and not list(scratch.glob(f"{PREFIX}*"))

    await until(gone)
