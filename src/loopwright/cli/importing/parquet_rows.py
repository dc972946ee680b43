"""Rows of Parquet files, some hundreds in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from loopwright.cli.importing.files import Row
from loopwright.cli.importing.text import FileError

BATCH_ROWS = 500


class ParquetRows:
    """A Parquet file; its `headings` are there at once.

    Raises `FileError` for what is none, for columns of one name, and without pyarrow.
    """

    def __init__(self, path: Path) -> None:
        try:
            pyarrow: Any = import_module("pyarrow")
            self._parquet: Any = import_module("pyarrow.parquet")
        except ModuleNotFoundError:
            raise FileError("reading Parquet needs pyarrow: pip install 'loopwright[parquet]'") from None
        self._path = path
        self._invalid: type[Exception] = pyarrow.ArrowInvalid
        try:
            self.headings: list[str] = self._parquet.read_schema(path).names
        except self._invalid as error:
            raise FileError(f"{path.name} is not a Parquet file: {error}") from None
        for name in self.headings:
            if self.headings.count(name) > 1:
                raise FileError(f"{path.name}: two columns are both named {name!r}. Nothing was sent")

    def rows(self) -> Iterator[Row]:
        """The rows, numbered from 1."""
        try:
            with self._parquet.ParquetFile(self._path) as file:
                batches: Iterator[Any] = file.iter_batches(batch_size=BATCH_ROWS)
                rows: Iterator[dict[str, object]] = (row for batch in batches for row in batch.to_pylist())
                for number, fields in enumerate(rows, 1):
                    yield Row(number, {key: _plain(value) for key, value in fields.items()})
        except self._invalid as error:
            raise FileError(f"{self._path.name} is not a Parquet file: {error}") from None


def _plain(value: object) -> object:
    """Parquet's exact decimals travel as JSON numbers."""
    return float(value) if isinstance(value, Decimal) else value
