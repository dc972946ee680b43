"""The mark of databases that are for tests, and who keeps away from which."""

from pathlib import Path

import pytest

from loopwright.server.app import prepare
from loopwright.server.settings import Settings
from loopwright.server.store.address import DatabaseProblem
from loopwright.server.store.clock_ahead import mark
from loopwright.server.store.database import Pool


async def test_a_server_for_tests_keeps_away_from_others(database_url: str, tmp_path: Path) -> None:
    """Before it changes anything in them."""
    settings = Settings(database_url=database_url, data_dir=tmp_path, for_tests=True)
    with pytest.raises(DatabaseProblem, match="was not made by `loopwright serve --test`"):
        await prepare(settings)


async def test_others_keep_away_from_a_server_for_tests(
    database_url: str, pool: Pool, tmp_path: Path
) -> None:
    """They would send what was never meant to leave."""
    async with pool.acquire() as tx:
        await mark(tx)
    with pytest.raises(DatabaseProblem, match="whose clock tests move"):
        await prepare(Settings(database_url=database_url, data_dir=tmp_path))
