"""A file of rows, opened: how it is read was found out, and it can be read again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from loopwright.cli.importing.csv_rows import CsvRows
from loopwright.cli.importing.dialect import Dialect, dialect_of
from loopwright.cli.importing.files import Form, Row
from loopwright.cli.importing.json_rows import json_rows
from loopwright.cli.importing.parquet_rows import ParquetRows
from loopwright.cli.importing.text import (
    UTF_8,
    Encoding,
    FileError,
    encoding_named,
    mark_of,
    refuse_other_kinds,
    refuse_pipes,
)


class Table(Struct, frozen=True, kw_only=True):
    """Rows in a file. `headings` are those of its columns, None where each row has its own.

    `where` is the place of the headings, for people. `quoted`: an apostrophe that guards a cell is no part
    of it.
    """

    path: Path
    form: Form
    headings: Sequence[str] | None
    where: str
    dialect: Dialect | None = None
    encoding: Encoding = UTF_8
    quoted: bool = False

    def rows(self, after: int = 0) -> Iterator[Row]:
        """The rows behind number `after`. Raises `FileError` for what makes the whole file unreadable."""
        match self.form:
            case "csv":
                assert self.dialect is not None
                return CsvRows(self.path, self.dialect).rows(after)
            case "jsonl":
                rows = json_rows(self.path, self.encoding)
            case "parquet":
                rows = ParquetRows(self.path).rows()
        return (row for row in rows if row.number > after)


def open_table(
    path: Path, form: Form, *, delimiter: str | None = None, encoding: str | None = None, raw: bool = False
) -> Table:
    """Find out how a file is to be read, as far as it was not said.

    Raises `FileError` for a file that cannot be read, and for what was said and does not fit it.
    """
    name = path.name
    (refuse_pipes if form == "parquet" else refuse_other_kinds)(path)
    if form != "csv" and (delimiter is not None or raw):
        raise FileError(f"--delimiter and --raw are for CSV, and {name} is taken for {form}")
    match form:
        case "csv":
            dialect = dialect_of(path, encoding=encoding, delimiter=delimiter)
            headings = CsvRows(path, dialect).headings
            return Table(
                path=path,
                form=form,
                headings=headings,
                where=f"{name}, line {dialect.line}",
                dialect=dialect,
                encoding=dialect.encoding,
                quoted=not raw,
            )
        case "jsonl":
            code = encoding_named(encoding, path) if encoding is not None else mark_of(path) or UTF_8
            return Table(path=path, form=form, headings=None, where=name, encoding=code)
        case "parquet":
            if encoding is not None:
                raise FileError(f"--encoding is for files of text, and {name} is taken for parquet")
            return Table(path=path, form=form, headings=ParquetRows(path).headings, where=name)
