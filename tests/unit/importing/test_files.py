"""Rows out of files, and rejected rows into one."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from loopwright.cli.importing.files import FileError, RejectedRows, Row, fingerprint, form_of, rows_of


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"),
        ("a.CSV", "csv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.parquet", "parquet"),
    ],
)
def test_the_name_tells_the_form(name: str, form: str) -> None:
    assert form_of(Path(name)) == form


def test_a_name_that_tells_nothing_is_an_error() -> None:
    with pytest.raises(FileError, match="--format"):
        form_of(Path("events.xlsx"))


def test_csv(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.csv", b'\xef\xbb\xbfevent,email\r\nsignup,"a@x.org"\r\n"two\nlines",b@x.org\r\n'
    )
    assert list(rows_of(path, "csv")) == [
        Row(1, {"event": "signup", "email": "a@x.org"}),
        Row(2, {"event": "two\nlines", "email": "b@x.org"}),
    ]


def test_csv_with_too_many_and_too_few_cells(tmp_path: Path) -> None:
    long, short = rows_of(written(tmp_path, "a.csv", b"event,email\na,b,c\na\n"), "csv")
    assert "more cells" in long.fault
    assert long.fields == {"event": "a", "email": "b"}
    assert short == Row(2, {"event": "a", "email": None})


def test_csv_with_a_column_that_has_no_heading(tmp_path: Path) -> None:
    """As pandas writes its index; a row that is too long is that all the same."""
    right, long = rows_of(written(tmp_path, "a.csv", b",event\n0,a\n1,b,c\n"), "csv")
    assert right == Row(1, {"": "0", "event": "a"})
    assert "more cells" in long.fault


def test_csv_that_is_not_utf8_spoils_one_row(tmp_path: Path) -> None:
    rows = list(rows_of(written(tmp_path, "a.csv", b"event,name\na,\xff\nb,ok\n"), "csv"))
    assert rows[0].fields["name"] == "\udcff"
    assert rows[1].fields["name"] == "ok"


def test_json_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", b'{"event": "a", "n": 1}\n\nnot json\n[1]\n{"event": "b"}')
    first, broken, listed, last = rows_of(path, "jsonl")
    assert (first, last) == (Row(1, {"event": "a", "n": 1}), Row(5, {"event": "b"}))
    assert (broken.number, broken.fields) == (3, {"line": "not json"})
    assert "not JSON" in broken.fault
    assert "object" in listed.fault


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"event": f"e{n}", "n": n, "price": Decimal("1.5"), "o": {"a": True}} for n in range(1, 1201)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    read = list(rows_of(tmp_path / "a.parquet", "parquet"))
    assert [row.number for row in read] == list(range(1, 1201))
    assert read[0].fields == {"event": "e1", "n": 1, "price": 1.5, "o": {"a": True}}


def test_parquet_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(FileError, match="not a Parquet file"):
        list(rows_of(written(tmp_path, "a.parquet", b"event,email\n"), "parquet"))


def test_the_fingerprint_is_the_contents(tmp_path: Path) -> None:
    one, same, other = (written(tmp_path, *f) for f in (("1", b"a"), ("2", b"a"), ("3", b"b")))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    assert len(fingerprint(one)) == 64


def test_rejected_csv_rows_can_be_read_again(tmp_path: Path) -> None:
    rejected = RejectedRows(tmp_path / "r.csv", "csv", size=0)
    rejected.add(Row(3, {"": "0", "event": "a", "email": 'x, "y"'}), "no such address")
    rejected.add(Row(9, {"": "1", "event": "b", "email": "\udcff"}), "not UTF-8")
    with (tmp_path / "r.csv").open(newline="", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"": "0", "event": "a", "email": 'x, "y"', "import.row": "3", "import.reason": "no such address"},
        {"": "1", "event": "b", "email": "\udcff", "import.row": "9", "import.reason": "not UTF-8"},
    ]


def test_rejected_json_rows(tmp_path: Path) -> None:
    rejected = RejectedRows(tmp_path / "r.jsonl", "jsonl", size=0)
    rejected.add(Row(3, {"event": "a", "n": 1}), "why")
    assert json.loads((tmp_path / "r.jsonl").read_text()) == {
        "event": "a", "n": 1, "import.row": 3, "import.reason": "why",
    }  # fmt: skip


def test_going_on_cuts_off_what_the_state_does_not_know(tmp_path: Path) -> None:
    """A killed import may have written rows that its state does not count; they will come again."""
    path = tmp_path / "r.jsonl"
    before = RejectedRows(path, "jsonl", size=0)
    before.add(Row(1, {}), "first")
    known = before.size
    before.add(Row(2, {}), "second")
    after = RejectedRows(path, "jsonl", size=known)
    after.add(Row(2, {}), "second")
    assert [json.loads(line)["import.row"] for line in path.read_text().splitlines()] == [1, 2]


def test_without_rejected_rows_there_is_no_file(tmp_path: Path) -> None:
    RejectedRows(tmp_path / "r.jsonl", "jsonl", size=0)
    assert not (tmp_path / "r.jsonl").exists()
