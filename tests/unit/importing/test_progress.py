"""The state of an import: found again for the same content only."""

from pathlib import Path

import pytest

from loopwright.cli.importing.progress import ChangedFile, Progress, load, row_key, save
from loopwright.wire.limits import KEY_CHARACTERS

CONTENT = "a" * 64


def test_a_new_import_starts_at_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "state", content=CONTENT) == Progress(content=CONTENT)


def test_what_was_saved_is_found(tmp_path: Path) -> None:
    progress = Progress(content=CONTENT, row=17, sent=15, already=1, rejected=1, rejected_bytes=90)
    save(tmp_path / "state", progress)
    assert load(tmp_path / "state", content=CONTENT) == progress
    assert progress.settled == 17


def test_another_content_starts_anew(tmp_path: Path) -> None:
    """A file that was written again after its import, as exports are, is another file."""
    save(tmp_path / "state", Progress(content=CONTENT, row=17, sent=17, finished=True))
    assert load(tmp_path / "state", content="b" * 64) == Progress(content="b" * 64)


def test_a_file_changed_midway_is_refused(tmp_path: Path) -> None:
    """Its rows would get new keys, and those already sent would be sent again."""
    save(tmp_path / "state", Progress(content=CONTENT, row=17, sent=17))
    with pytest.raises(ChangedFile, match="sent 17 of its rows"):
        load(tmp_path / "state", content="b" * 64)


def test_a_file_changed_after_an_early_kill_is_refused(tmp_path: Path) -> None:
    """Killed before it could count, an import may have sent something."""
    save(tmp_path / "state", Progress(content=CONTENT, running=True))
    with pytest.raises(ChangedFile):
        load(tmp_path / "state", content="b" * 64)


def test_a_spoiled_state_starts_anew(tmp_path: Path) -> None:
    """Nothing is doubled by that: the keys of the rows are the same as before."""
    (tmp_path / "state").write_bytes(b'{"content": "a')
    assert load(tmp_path / "state", content=CONTENT).row == 0


def test_keys_name_content_and_row() -> None:
    keys = {row_key(content, row) for content in (CONTENT, "b" * 64) for row in (1, 2, 10**9)}
    assert len(keys) == 6
    assert max(map(len, keys)) <= KEY_CHARACTERS
