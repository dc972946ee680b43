"""Workers that are killed while runs go on: the benchmark's rounds, a few of them."""

from pathlib import Path

import pytest
from benchmarks.crash.steps import rounds


@pytest.mark.slow
async def test_every_effect_happens_once_whoever_dies_when(tmp_path: Path) -> None:
    """Three workers, 2,000 due runs, SIGKILL at random moments: all finish, with each email and node once."""
    assert "each queued exactly once" in await rounds(tmp_path, 2, seed=11)
