"""Servers for the client's tests, and an environment without settings of the machine's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from support.faulty import FaultyServer, Step

NOT_OURS = ("LOOPS_API_KEY", "LOOPS_BASE_URL", "http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NOT_OURS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultyServer]]:
    """Start servers that follow a script, and stop them at the end."""
    with ExitStack() as stack:

        def start(*script: Step) -> FaultyServer:
            return stack.enter_context(FaultyServer(*script))

        yield start
