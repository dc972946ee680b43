"""Rejected rows in a file of their own, to be corrected and imported again."""

import csv
import json
from pathlib import Path

import pytest

from loopwright.cli.importing.files import Form, Row
from loopwright.cli.importing.rejected import SHOWN_REASONS, RejectedRows
from loopwright.cli.importing.table import Table, open_table

CSV = "email,name\na@example.com,x\n"


def rejected(
    folder: Path, form: Form = "csv", content: bytes = CSV.encode(), *, size: int = 0
) -> RejectedRows:
    source = folder / f"source.{form}"
    source.write_bytes(content)
    return RejectedRows(folder / f"r.{form}", table(source, form), size=size)


def table(path: Path, form: Form) -> Table:
    return open_table(path, form)


def test_csv_rows_can_be_read_again(tmp_path: Path) -> None:
    to = rejected(tmp_path)
    to.add(Row(3, {"": "0", "email": "a", "name": 'x, "y"'}), "no such address")
    to.add(Row(9, {"": "1", "email": "b", "name": "'=1\n"}), "=reason")
    with to.path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"": "0", "email": "a", "name": 'x, "y"', "import.row": "3", "import.reason": "no such address"},
        {"": "1", "email": "b", "name": "'=1\n", "import.row": "9", "import.reason": "'=reason"},
    ]
    again = open_table(to.path, "csv")
    assert [row.fields["name"] for row in again.rows()] == ['x, "y"', "'=1\n"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_they_open_in_the_program_that_wrote_the_file(tmp_path: Path, encoding: str) -> None:
    """Separated as that is, and marked as UTF-8, without which Excel takes it for something else."""
    to = rejected(tmp_path, content="email;name\na;ü\n".encode(encoding))
    to.add(Row(1, {"email": "a", "name": "ü"}), "why")
    assert to.path.read_bytes().startswith("\ufeffemail;name;import.row".encode())
    [row] = open_table(to.path, "csv").rows()
    assert row.fields["name"] == "ü"


def test_nobody_else_reads_them(tmp_path: Path) -> None:
    to = rejected(tmp_path)
    to.add(Row(1, {"email": "a"}), "why")
    assert to.path.stat().st_mode & 0o777 == 0o600


def test_json_rows(tmp_path: Path) -> None:
    to = rejected(tmp_path, "jsonl", b"")
    to.add(Row(3, {"event": "a", "n": 1}), "why")
    to.add(Row(4, {"line": "\udcff{"}), "not UTF-8")
    first, second = (json.loads(line) for line in to.path.read_text().splitlines())
    assert first == {"event": "a", "n": 1, "import.row": 3, "import.reason": "why"}
    assert second["line"] == "?{"


def test_the_first_reasons_are_kept_for_people(tmp_path: Path) -> None:
    to = rejected(tmp_path)
    for number in range(1, 20):
        to.add(Row(number, {"email": "a"}, line=number + 1), "why")
    assert to.shown[0] == "line 2, row 1: why"
    assert len(to.shown) == SHOWN_REASONS


def test_going_on_cuts_off_what_the_state_does_not_know(tmp_path: Path) -> None:
    """A killed import may have written rows that its state does not count; they will come again."""
    before = rejected(tmp_path, "jsonl", b"")
    before.add(Row(1, {}), "first")
    known = before.size
    before.add(Row(2, {}), "second")
    after = rejected(tmp_path, "jsonl", b"", size=known)
    after.add(Row(2, {}), "second")
    assert [json.loads(line)["import.row"] for line in after.path.read_text().splitlines()] == [1, 2]


def test_a_file_that_is_gone_begins_anew(tmp_path: Path) -> None:
    """With its headings, and without a gap where the old rows were."""
    to = rejected(tmp_path, size=500)
    to.add(Row(2, {"email": "a"}), "why")
    assert to.path.read_bytes().startswith(b"email,import.row,import.reason\r\n")


def test_without_rejected_rows_there_is_no_file(tmp_path: Path) -> None:
    assert not rejected(tmp_path).path.exists()
