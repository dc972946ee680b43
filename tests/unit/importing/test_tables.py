"""Rows out of files: the forms, and how CSV is written in the world."""

import gzip
import os
from decimal import Decimal
from pathlib import Path

import pytest

from loopwright.cli.importing.files import Form, Row, fingerprint, form_of
from loopwright.cli.importing.table import Table, open_table
from loopwright.cli.importing.text import FileError

PLAIN = "E-mail,First name\r\na@example.com,Jürgen\r\nb@example.com,Zoë\r\n"
ROWS = [("a@example.com", "Jürgen"), ("b@example.com", "Zoë")]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(
    folder: Path, content: str | bytes, *, delimiter: str | None = None, encoding: str | None = None
) -> Table:
    return open_table(written(folder, "a.csv", content), "csv", delimiter=delimiter, encoding=encoding)


def cells(read: Table) -> list[tuple[object, ...]]:
    rows = list(read.rows())
    assert not any(row.fault for row in rows)
    return [tuple(row.fields.values()) for row in rows]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"),
        ("a.CSV", "csv"),
        ("a.tsv", "csv"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("Unicode Text.txt", "csv"),
        ("a.parquet", "parquet"),
    ],
)
def test_the_name_tells_the_form(name: str, form: str) -> None:
    assert form_of(Path(name)) == form


def test_a_name_that_tells_nothing_is_an_error() -> None:
    with pytest.raises(FileError, match="--format"):
        form_of(Path("events.xlsx"))


def test_files_of_other_programs_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"book\.xlsx is an Excel workbook"):
        form_of(written(tmp_path, "book.xlsx", b"PK\x03\x04\x14\0"))


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_what_can_be_read_once_only_is_no_file(tmp_path: Path, form: Form) -> None:
    """A pipe is empty when its rows are to be sent: "nothing to do", the import would say."""
    pipe = tmp_path / "rows.csv"
    os.mkfifo(pipe)
    with pytest.raises(FileError, match="write the rows to a file first"):
        open_table(pipe, form)


@pytest.mark.parametrize(
    ("content", "read_as"),
    [
        pytest.param(PLAIN, 'UTF-8, separated by ","', id="plain"),
        pytest.param(PLAIN.encode("utf-8-sig"), 'UTF-8, separated by ","', id="UTF-8 with a mark"),
        pytest.param(PLAIN.encode("cp1252"), 'Windows-1252, separated by ","', id="Windows-1252"),
        pytest.param(PLAIN.replace(",", ";"), 'UTF-8, separated by ";"', id="semicolons"),
        pytest.param(
            PLAIN.replace(",", ";").encode("cp1252"), 'Windows-1252, separated by ";"', id="Excel in Germany"
        ),
        pytest.param(
            PLAIN.replace(",", "\t").encode("utf-16"), "UTF-16, separated by tabs", id="Excel's Unicode text"
        ),
        pytest.param(
            b"\xfe\xff" + PLAIN.encode("utf-16-be"), 'UTF-16, separated by ","', id="UTF-16, big end first"
        ),
        pytest.param(PLAIN.replace(",", "|"), 'UTF-8, separated by "|"', id="pipes"),
        pytest.param("sep=,\r\n" + PLAIN, 'UTF-8, separated by ",", headings in line 2', id="sep"),
        pytest.param(
            "SEP=\t\r\n" + PLAIN.replace(",", "\t"),
            "UTF-8, separated by tabs, headings in line 2",
            id="sep tab",
        ),
        pytest.param(
            "sep=#\n" + PLAIN.replace(",", "#"), 'UTF-8, separated by "#", headings in line 2', id="sep #"
        ),
        pytest.param(
            "Our customers, as of today;;\r\n\r\n" + PLAIN.replace(",", ";"),
            'UTF-8, separated by ";", headings in line 3',
            id="a title with a comma",
        ),
        pytest.param(
            '"Customers\r\nof ""2026""",\r\n' + PLAIN,
            'UTF-8, separated by ",", headings in line 3',
            id="a title of two lines",
        ),
        pytest.param(PLAIN.replace("\r\n", "\r"), 'UTF-8, separated by ","', id="ends as on old Macs"),
        pytest.param(
            PLAIN.replace("\r\na@", "\r\n,\r\n , \r\n\r\na@"), 'UTF-8, separated by ","', id="rows of commas"
        ),
        pytest.param(
            PLAIN.replace("E-mail", '"E-mail"').replace("Zoë", '"Zoë"'),
            'UTF-8, separated by ","',
            id="quotes",
        ),
    ],
)
def test_how_csv_is_written_is_found_out(tmp_path: Path, content: str | bytes, read_as: str) -> None:
    """And said, as far as it is not the plain way."""
    read = table(tmp_path, content)
    assert str(read.dialect) == read_as
    assert cells(read) == ROWS


def test_what_is_said_is_not_guessed(tmp_path: Path) -> None:
    """Latin alphabets have many encodings, and a heading may hold any character."""
    content = "email;Umsatz,\nb@example.com;ő\n".encode("iso8859-2")
    read = table(tmp_path, content, encoding="latin2", delimiter=";")
    assert read.headings == ["email", "Umsatz,"]
    assert cells(read) == [("b@example.com", "ő")]
    assert cells(table(tmp_path, "email\tname\na@example.com\tx;y\n", delimiter="tab")) == [
        ("a@example.com", "x;y")
    ]
    marked = "\ufeffemail\na@example.com\n"
    assert table(tmp_path, marked.encode("utf-16-le"), encoding="utf-16-le").headings == ["email"]
    assert table(tmp_path, marked, encoding="utf-8").headings == ["email"]


def test_all_of_a_file_tells_its_encoding(tmp_path: Path) -> None:
    """Not its beginning, which may well be plain for long."""
    long = "email,name\n" + "".join(f"p{n}@example.com,Jan\n" for n in range(20_000))
    read = table(tmp_path, long.encode() + "z@example.com,Jürg\n".encode("cp1252"))
    assert str(read.dialect).startswith("Windows-1252")
    assert cells(read)[-1] == ("z@example.com", "Jürg")
    mixed = long.replace("p7@example.com,Jan", "p7@example.com,Zoë")
    with pytest.raises(FileError, match=r"a\.csv, line 20002: not UTF-8, as line 9 is"):
        table(tmp_path, mixed.encode() + "z@example.com,Jürg\n".encode("cp1252"))


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        pytest.param("", {}, "is empty", id="empty"),
        pytest.param("\n ,,\n;;\n", {}, "is empty", id="blank"),
        pytest.param(b"email,name\na,\x81\n", {}, "line 2: not Windows-1252", id="no encoding at all"),
        pytest.param(b"email\na\n\xff\n", {"encoding": "utf-8"}, "line 3: not UTF-8", id="not as was said"),
        pytest.param("email\n" * 3 + "é\n", {"encoding": "ascii"}, "line 4: not ascii", id="not even ASCII"),
        pytest.param("email\na", {"encoding": "klingon"}, "no such encoding", id="unknown encoding"),
        pytest.param("email\na", {"encoding": "rot13"}, "no such encoding", id="no encoding of text"),
        pytest.param("email\na", {"encoding": "idna"}, "no such encoding", id="an encoding of names alone"),
        pytest.param("email\na", {"encoding": "undefined"}, "no such encoding", id="an encoding of nothing"),
        pytest.param(
            "email\na", {"encoding": "utf-16"}, "give utf-16-le or utf-16-be", id="no mark of UTF-16"
        ),
        pytest.param(
            "email\na", {"encoding": "UTF32"}, "give utf-32-le or utf-32-be", id="no mark of UTF-32"
        ),
        pytest.param(b"PK\x03\x04\x14\0", {}, "Excel workbook.*save the sheet as CSV", id="a workbook"),
        pytest.param(gzip.compress(b"email\na"), {}, "gzip: unpack it", id="packed"),
        pytest.param("email,name\na," + "x" * 200_000, {}, "line 2: a cell has more than", id="a huge cell"),
        pytest.param("email\na", {"delimiter": ";;"}, "the one character", id="two characters"),
        pytest.param("email\na", {"delimiter": '"'}, "the one character", id="a quote"),
        pytest.param("email\na", {"delimiter": "x"}, "the one character", id="a letter"),
        pytest.param("email\na\nb\0\n", {}, "line 3: a NUL byte", id="NUL"),
        pytest.param(
            "email\na\n".encode("utf-16-le"), {}, "line 1: a NUL byte.*utf-16-le", id="UTF-16 without a mark"
        ),
        pytest.param(
            "Email,First name,Email\na,b,c\n",
            {},
            "line 1: columns 1 and 3 are both named 'Email'",
            id="twice",
        ),
        pytest.param("Title\n\nemail,email\n", {}, "line 3: columns 1 and 2", id="twice, below a title"),
        pytest.param(
            'email\na\n"b\nc\nd\n', {}, "line 3: a quote opens a cell", id="a quote that stays open"
        ),
        pytest.param(
            'email,name\na,"A\nb,"B"\nc,C\n', {}, "line 2: a quote opens a cell", id="a quote that swallows"
        ),
        pytest.param(
            'email,name\n"a\nb",A\n"c\nd","C\n',
            {},
            "line 5: a quote opens a cell",
            id="in a row of many lines",
        ),
        pytest.param('email,"name\na,b\n', {}, "line 1: a quote opens a cell", id="in the headings"),
        pytest.param(
            'email,name\na,"b"c\n', {}, "line 2: a quote opens a cell.*written twice", id="a quote inside"
        ),
        pytest.param(
            'email\n"a\n' + "b@example.com\n" * 30_000, {}, "line 2: a quote opens a cell", id="and on and on"
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(
    tmp_path: Path, content: str | bytes, options: dict[str, str], says: str
) -> None:
    """With the line, as people's editors count them."""
    with pytest.raises(FileError, match=says):
        list(table(tmp_path, content, **options).rows())


def test_rows_know_their_lines(tmp_path: Path) -> None:
    """Physical ones, whatever quoted cells hold and however many rows are blank."""
    people = '"a@example.com","two\r\nlines"\n,\n\nb@example.com,"three\n\nlines"\nc@example.com,C'
    content = f"Title\nemail,name\n{people}"
    rows = list(table(tmp_path, content).rows())
    assert [(row.number, row.line) for row in rows] == [(1, 3), (2, 7), (3, 10)]
    assert rows[2].place == "line 10, row 3"


def test_rows_of_another_length_are_no_rows(tmp_path: Path) -> None:
    """A row may be cut by a line break in it, or by a separator: half of it is nothing to send."""
    short, long = table(tmp_path, "email,name,plan\na@example.com,Ada\nb@example.com,Bob,pro,Rome\n").rows()
    assert (short.line, short.fields) == (2, {"email": "a@example.com", "name": "Ada", "plan": None})
    assert short.fault == "the row has fewer cells (2) than there are columns (3)"
    assert (long.line, long.fields["plan"]) == (3, "pro")
    assert "more cells (4) than there are columns (3): ['Rome']" in long.fault


def test_blank_columns_may_be_there_or_not(tmp_path: Path) -> None:
    """As spreadsheets write them behind the last column, in the headings or in rows."""
    content = "email,name,,\na@example.com,Ada\nb@example.com,Bob,,\nc@example.com,Cy,,,,\n"
    rows = list(table(tmp_path, content).rows())
    assert [row.fault for row in rows] == ["", "", ""]
    assert [row.fields["name"] for row in rows] == ["Ada", "Bob", "Cy"]


def test_columns_without_a_heading_stay_apart(tmp_path: Path) -> None:
    """As pandas writes its index. None of them hides another, so rejected rows keep what they held."""
    right, long = table(tmp_path, ",email,\n0,a@example.com,x\n1,b@example.com,y,z\n").rows()
    assert right.fields == {"": "0", "email": "a@example.com", " ": "x"}
    assert "more cells" in long.fault


def test_json_lines(tmp_path: Path) -> None:
    content = b'{"email": "a", "n": 1}\n\nnot json\n[1]\n{"a": "\xff"}\n{"a": NaN}\n{"email": "b"}'
    first, broken, listed, foreign, nan, last = open_table(
        written(tmp_path, "a.jsonl", content), "jsonl"
    ).rows()
    assert (first, last) == (Row(1, {"email": "a", "n": 1}, line=1), Row(7, {"email": "b"}, line=7))
    assert (broken.number, broken.fields) == (3, {"line": "not json"})
    assert "not JSON" in broken.fault
    assert "object" in listed.fault
    assert "not UTF-8" in foreign.fault
    assert "NaN" in nan.fault


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_lines_with_a_mark(tmp_path: Path, encoding: str) -> None:
    """As PowerShell writes them."""
    path = written(tmp_path, "a.jsonl", '{"email": "ä"}\r\n'.encode(encoding))
    assert [row.fields for row in open_table(path, "jsonl").rows()] == [{"email": "ä"}]


@pytest.mark.parametrize("line", ['{"email": "a", "email": "b"}', '{"o": {"x": 1, "y": 2, "x": 1}}'])
def test_a_key_that_is_there_twice(tmp_path: Path, line: str) -> None:
    """One of the two would be lost, so the row is none; its text stays as it was."""
    [row] = open_table(written(tmp_path, "a.jsonl", line), "jsonl").rows()
    assert "is there twice" in row.fault
    assert row.fields == {"line": line}


@pytest.mark.parametrize("option", ["delimiter", "encoding"])
def test_options_that_do_not_fit_the_form(tmp_path: Path, option: str) -> None:
    form = "parquet" if option == "encoding" else "jsonl"
    with pytest.raises(FileError, match=f"--{option}"):
        open_table(written(tmp_path, "a", ""), form, **{option: ","})  # type: ignore[arg-type]


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"event": f"e{n}", "n": n, "price": Decimal("1.5"), "o": {"a": True}} for n in range(1, 1201)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    read = open_table(tmp_path / "a.parquet", "parquet")
    assert read.headings == ["event", "n", "price", "o"]
    found = list(read.rows())
    assert [row.number for row in found] == list(range(1, 1201))
    assert found[0].fields == {"event": "e1", "n": 1, "price": 1.5, "o": {"a": True}}


def test_parquet_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(FileError, match="not a Parquet file"):
        open_table(written(tmp_path, "a.parquet", "event,email\n"), "parquet")


def test_parquet_with_two_columns_of_one_name(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = [pyarrow.array(["a"]), pyarrow.array(["b"])]
    parquet.write_table(pyarrow.table(columns, names=["email", "email"]), tmp_path / "a.parquet")
    with pytest.raises(FileError, match="both named 'email'"):
        open_table(tmp_path / "a.parquet", "parquet")


def test_the_fingerprint_is_the_contents(tmp_path: Path) -> None:
    one, same, other = (written(tmp_path, *f) for f in (("1", b"a"), ("2", b"a"), ("3", b"b")))
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
    assert len(fingerprint(one)) == 64
