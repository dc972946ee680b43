"""The built package, an environment for each way to install it, and a server that runs from one of them."""

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

import pytest

from support.installed import Built, Installed, build, install, lowest_versions
from support.process import API_KEY, ServerProcess

PLAIN = ("bare", "fast", "socks", "cli", "server", "testing", "parquet")
AT_ONCE = 2


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    # Not below pytest's own folder, which every further run closes to the user that PostgreSQL runs as.
    folder = Path(mkdtemp(prefix="loopwright-package-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def built(place: Path) -> Built:
    return build(place)


@pytest.fixture(scope="session")
def environments(place: Path, built: Built) -> Mapping[str, Installed]:
    """`bare`, one for each extra, and `lowest`: server and kit on the lowest versions that bounds allow."""
    constraints = place / "lowest.txt"
    constraints.write_text("\n".join(lowest_versions("testing")))
    with ThreadPoolExecutor(AT_ONCE) as workers:
        lowest = workers.submit(
            install, place / "lowest", built.wheel, "testing", "--constraint", str(constraints)
        )
        plain = {
            name: workers.submit(install, place / name, built.wheel, "" if name == "bare" else name)
            for name in PLAIN
        }
        return {name: one.result() for name, one in {**plain, "lowest": lowest}.items()}


@pytest.fixture(scope="session")
def server(environments: Mapping[str, Installed], place: Path) -> Iterator[ServerProcess]:
    """A server that runs from an environment of its own, for the others to call."""
    running = ServerProcess(place / "data", program=environments["server"].loopwright)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def variables(server: ServerProcess) -> dict[str, str]:
    """What a client's environment says of the server."""
    return {"LOOPS_API_KEY": API_KEY, "LOOPS_BASE_URL": server.address}
