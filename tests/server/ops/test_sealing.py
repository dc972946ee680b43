"""The sealing key of a server: made once, kept, and the start refused with another one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopwright.server.app import prepare, run
from loopwright.server.sealing import SealingFailure, new_sealing_key
from loopwright.server.settings import Settings
from loopwright.server.store.database import Pool
from support.data_folder import data_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


async def start(settings: Settings) -> None:
    async with run(settings):
        pass


async def test_in_a_data_folder(folder: Path) -> None:
    """The first start makes the key, for its owner alone; later ones keep to it and refuse another."""
    settings = Settings(port=0, data_dir=folder)
    await start(settings)
    file = folder / "sealing.key"
    assert file.stat().st_mode & 0o777 == 0o600
    key = file.read_text()
    await start(settings)
    assert file.read_text() == key

    file.write_text(new_sealing_key())
    with pytest.raises(SealingFailure, match=r"sealing\.key is not the one that this database"):
        await start(settings)
    file.unlink()
    with pytest.raises(SealingFailure, match=r"there is no .*sealing\.key"):
        await start(settings)
    assert not file.exists()
    await start(Settings(port=0, data_dir=folder, sealing_key=key))


async def test_beside_a_database_of_ones_own(pool: Pool, database_url: str, tmp_path: Path) -> None:
    """It is a setting: not needed until it was given once, and then the same for every process."""
    plain = Settings(database_url=database_url, data_dir=tmp_path)
    await prepare(plain)
    assert os.listdir(tmp_path) == []
    key = new_sealing_key()
    await prepare(Settings(database_url=database_url, sealing_key=key))
    (tmp_path / "key").write_text(key)
    await prepare(Settings(database_url=database_url, sealing_key=str(tmp_path / "key")))
    with pytest.raises(SealingFailure, match="sealed with a key that was not given"):
        await prepare(plain)
    with pytest.raises(SealingFailure, match=r"\(--sealing-key\) is not the one") as failure:
        await prepare(Settings(database_url=database_url, sealing_key=new_sealing_key()))
    assert "sealing reset" in str(failure.value)
    assert await pool.fetchval("SELECT count(*) FROM sealing") == 1


def test_settings_do_not_show_it() -> None:
    """They are printed now and then."""
    key = new_sealing_key()
    assert key not in repr(Settings(sealing_key=key))
