"""Contacts into files: CSV, JSON Lines and Parquet, in the columns that an import reads.

Headings of CSV carry the types (`seats:number`), because its cells have none. Its cells of text are guarded
from spreadsheets; numbers are not, as a spreadsheet reads `-5` as what it is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

import msgspec

from loopwright.cli.importing.files import Form
from loopwright.cli.importing.guard import guarded
from loopwright.cli.importing.private import private
from loopwright.cli.importing.text import FileError
from loopwright.wire.values import PropertyType, parse_date

Contact: TypeAlias = Mapping[str, Any]
Types: TypeAlias = Mapping[str, PropertyType]

OWN: Types = {
    "id": "string",
    "email": "string",
    "userId": "string",
    "firstName": "string",
    "lastName": "string",
    "source": "string",
    "userGroup": "string",
    "subscribed": "boolean",
    "optInStatus": "string",
    "mailingLists": "string",
}


class ContactFile(Protocol):
    """A file that takes contacts, some at a time."""

    def add(self, contacts: Sequence[Contact]) -> None: ...

    def close(self) -> None: ...


def open_contact_file(path: Path, form: Form, custom: Types, *, raw: bool) -> ContactFile:
    """Begin a file that only its owner may read; `custom` are the team's own properties.

    With `raw` no cell of CSV is guarded. Raises `FileError` without pyarrow.
    """
    match form:
        case "csv":
            return _CsvFile(path, custom, str if raw else guarded)
        case "jsonl":
            return _JsonlFile(path)
        case "parquet":
            return _ParquetFile(path, custom)


class _CsvFile:
    def __init__(self, path: Path, custom: Types, write_text: Callable[[str], str]) -> None:
        self._keys = [*OWN, *custom]
        self._write_text = write_text
        self._file = TextIOWrapper(_private(path), encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        hints = [key if kind == "string" else f"{key}:{kind}" for key, kind in custom.items()]
        self._writer.writerow([*OWN, *hints])

    def add(self, contacts: Sequence[Contact]) -> None:
        self._writer.writerows([self._cell(one.get(key)) for key in self._keys] for one in contacts)

    def _cell(self, value: object) -> str:
        match value:
            case None:
                return ""
            case str():
                return self._write_text(value)
            case bool() | dict():
                return msgspec.json.encode(value).decode() if value != {} else ""
            case _:
                return str(value)

    def close(self) -> None:
        self._file.close()


class _JsonlFile:
    def __init__(self, path: Path) -> None:
        self._file = _private(path)

    def add(self, contacts: Sequence[Contact]) -> None:
        self._file.writelines(msgspec.json.encode(one) + b"\n" for one in contacts)

    def close(self) -> None:
        self._file.close()


class _ParquetFile:
    def __init__(self, path: Path, custom: Types) -> None:
        try:
            pyarrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ModuleNotFoundError:
            raise FileError("writing Parquet needs pyarrow: pip install 'loopwright[parquet]'") from None
        types: Mapping[PropertyType, object] = {
            "string": pyarrow.string(),
            "number": pyarrow.float64(),
            "boolean": pyarrow.bool_(),
            "date": pyarrow.timestamp("ms", tz="UTC"),
        }
        self._types: Types = {**OWN, **custom}
        self._schema = pyarrow.schema([(key, types[kind]) for key, kind in self._types.items()])
        self._table = pyarrow.Table
        self._file = _private(path)
        self._writer = parquet.ParquetWriter(self._file, self._schema)

    def add(self, contacts: Sequence[Contact]) -> None:
        rows = [{key: _typed(one.get(key), kind) for key, kind in self._types.items()} for one in contacts]
        self._writer.write_table(self._table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()
        self._file.close()


def _private(path: Path) -> IO[bytes]:
    """A new file that nobody else may read, whatever was there by its name."""
    path.unlink(missing_ok=True)
    return open(path, "xb", opener=private)


def _typed(value: object, kind: PropertyType) -> object:
    if value is None or value == {}:
        return None
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if kind == "number" and isinstance(value, int):
        return float(value)
    return parse_date(value) if kind == "date" else value
