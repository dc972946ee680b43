"""The state of imports: found again for the same file and the same aim only."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from loopwright.cli.importing.plan import Survey
from loopwright.cli.importing.progress import (
    ChangedFile,
    Progress,
    State,
    aim_of,
    remembered_survey,
    row_key,
)
from loopwright.cli.importing.table import Table
from loopwright.cli.importing.text import Encoding
from loopwright.wire.limits import KEY_CHARACTERS
from loopwright.wire.values import PropertyType

CONTENT = "a" * 64
TYPES: dict[str, set[PropertyType]] = {"email": set(), "n": {"number"}}
FOUND = Survey(3, TYPES, 1)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(path=tmp_path / "events.csv", form="csv", headings=None, where="")


def new(content: str = CONTENT) -> Progress:
    return Progress(content=content, rejected_file="events.rejected.csv")


def test_a_new_import_starts_at_nothing(table: Table) -> None:
    assert State(table, "one", FOUND).load(CONTENT) == new()


def test_what_was_saved_is_found(table: Table) -> None:
    progress = replace(new(), row=17, sent=15, already=1, rejected=1, rejected_bytes=90)
    State(table, "one", FOUND).save(progress)
    assert State(table, "one", FOUND).load(CONTENT) == progress
    assert progress.settled == 17


def test_another_aim_is_another_import(table: Table) -> None:
    """And each is kept, while the other goes on."""
    one, other = State(table, "one", FOUND), State(table, "other", FOUND)
    one.save(replace(new(), row=17, sent=17, finished=True))
    assert other.load(CONTENT) == new()
    other.save(replace(new(), row=3, sent=3))
    assert (one.load(CONTENT).sent, other.load(CONTENT).sent) == (17, 3)
    one.drop()
    assert (one.load(CONTENT), other.load(CONTENT).sent) == (new(), 3)
    other.drop()
    assert not other.path.exists()


def test_each_import_has_its_own_rejected_rows(table: Table) -> None:
    """They are nowhere else."""
    State(table, "one", FOUND).save(replace(new(), rejected=2, sent=1, finished=True))
    assert State(table, "other", FOUND).load(CONTENT).rejected_file == "events.rejected-2.csv"
    State(table, "other", FOUND).save(
        replace(new(), rejected=1, sent=1, rejected_file="events.rejected-2.csv")
    )
    assert State(table, "third", FOUND).load(CONTENT).rejected_file == "events.rejected-3.csv"
    assert State(table, "one", FOUND).load(CONTENT).rejected_file == "events.rejected.csv"


def test_another_content_starts_anew(table: Table) -> None:
    """A file that was written again after its import, as exports are, is another file."""
    State(table, "one", FOUND).save(replace(new(), row=17, sent=17, rejected=1, finished=True))
    assert State(table, "one", FOUND).load("b" * 64) == new("b" * 64)


def test_an_import_in_vain_may_be_tried_again(table: Table) -> None:
    """Nothing was sent, so nothing can be sent twice."""
    State(table, "one", FOUND).save(replace(new(), row=2, rejected=2, finished=True))
    assert State(table, "one", FOUND).load(CONTENT) == new()


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(replace(new(), row=17, sent=17), id="stopped"),
        pytest.param(replace(new(), running=True), id="killed before it could count"),
    ],
)
def test_a_file_changed_midway_is_refused(table: Table, left: Progress) -> None:
    """Its rows would get new keys, and those already sent would be sent again."""
    State(table, "one", FOUND).save(left)
    with pytest.raises(ChangedFile, match=f"sent {left.sent} of its rows"):
        State(table, "one", FOUND).load("b" * 64)
    assert State(table, "other", FOUND).load("b" * 64) == new("b" * 64)


@pytest.mark.parametrize("spoiled", [b'{"imports": {"one": {"content": "a', b"[]", b"\xff", b""])
def test_a_spoiled_state_starts_anew(table: Table, spoiled: bytes) -> None:
    """Nothing is doubled by that: the keys of the rows are the same as before."""
    State(table, "one", FOUND).path.write_bytes(spoiled)
    assert State(table, "one", FOUND).load(CONTENT).row == 0


def test_a_file_that_was_read_is_known(table: Table) -> None:
    """As long as it is the same, and read in the same manner; going on begins at once."""
    assert remembered_survey(table, CONTENT) is None
    State(table, "one", FOUND).save(new())
    kept = remembered_survey(table, CONTENT)
    assert kept is not None
    assert (kept.rows, kept.guarded, list(kept.headings["n"])) == (3, 1, ["number"])
    assert remembered_survey(table, "b" * 64) is None
    assert remembered_survey(replace(table, quoted=True), CONTENT) is None
    assert remembered_survey(replace(table, encoding=Encoding("cp1252")), CONTENT) is None


def test_an_aim_tells_nothing_of_the_key() -> None:
    """And each part of it counts, wherever one ends and the next begins."""
    aims = {aim_of("a", "secret"), aim_of("b", "secret"), aim_of("a", "other"), aim_of("a", "secret", "")}
    assert len(aims) == 4
    assert "secret" not in "".join(aims)


def test_keys_name_content_row_and_a_name_that_was_given() -> None:
    keys = {
        row_key(content, row, event)
        for content in (CONTENT, "b" * 64)
        for row in (1, 2, 10**9)
        for event in ("", "signup", "order")
    }
    assert len(keys) == 18
    assert max(map(len, keys)) <= KEY_CHARACTERS
