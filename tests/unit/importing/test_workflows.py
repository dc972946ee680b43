"""Whether an import can leave workflows alone."""

import pytest

from loopwright import Loops
from loopwright.cli.importing.workflows import keeps_quiet


@pytest.mark.parametrize("base_url", ["", "https://app.loops.so/api", "https://eu.loops.so/api/v1"])
def test_loops_itself_is_not_asked_to_keep_quiet(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    """It starts the workflows of every new contact; a closed client could not ask."""
    monkeypatch.setenv("LOOPS_BASE_URL", base_url)
    monkeypatch.setenv("LOOPS_API_KEY", "k")
    loops = Loops()
    loops.close()
    assert keeps_quiet(loops) is False
