"""Reads a TOML table key by key, and keeps a list of everything that is wrong on the way."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from math import isfinite
from posixpath import basename, dirname, splitext
from typing import Any, cast

import msgspec

from loopwright.server.store.database import is_storable

from .mistakes import Mistake, meant
from .positions import Path, key_lines

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def read_toml(file: str, source: str, mistakes: list[Mistake]) -> "Table | None":
    """Read a whole file; None, and mistakes, when it is not TOML, or has values that cannot be stored."""
    text = source.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        mistakes.append(Mistake(file, line, f"not TOML: {_PLACE.sub('', message)}"))
        return None
    except (ValueError, RecursionError):
        mistakes.append(
            Mistake(file, 1, "a number is too long, or lists and tables are too deep; shorten it")
        )
        return None
    lines = key_lines(text)
    refused = [
        Mistake(file, _line_of(path, lines), f"{path[-1]}{reason}")
        for path, reason in _unstorable(values, ())
    ]
    mistakes += refused
    return None if refused else Table(file, values, (), lines, mistakes)


def _unstorable(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """What TOML has and our storage lacks, with its place: kept as null, nan could never be read back."""
    match value:
        case float() if not isfinite(value):
            yield path, " is a number, not nan or inf; write one that ends"
        case str() if not is_storable(value):
            yield path, " contains a NUL; leave it out"
        case dict():
            for key, inner in cast("dict[str, object]", value).items():
                yield from _unstorable(inner, (*path, key))
        case list():
            for place, inner in enumerate(cast("list[object]", value)):
                yield from _unstorable(inner, (*path, place))
        case _:
            pass


def _line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """Where a value stands, or else the nearest thing that holds it."""
    ways = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[way] for way in ways if way in lines), 1)


def tables_in(
    folder: str, files: Mapping[str, str], mistakes: list[Mistake]
) -> Iterator[tuple[str, "Table"]]:
    """The TOML files of a folder by what they are called, without its subfolders."""
    for file in sorted(files):
        if dirname(file) != folder or not file.endswith(".toml"):
            continue
        slug = splitext(basename(file))[0]
        check_slug(slug, file, 1, mistakes)
        table = read_toml(file, files[file], mistakes)
        if table is not None:
            yield slug, table


def check_slug(slug: str, file: str, line: int, mistakes: list[Mistake]) -> None:
    """Refuse a name that is no slug."""
    if not SLUG.fullmatch(slug):
        mistakes.append(
            Mistake(file, line, f"the name {slug!r} has other characters than a-z, 0-9 and single -")
        )


class Table:
    """One table of a file. A question makes its key known; `finish` refuses the keys nobody asked for."""

    def __init__(
        self, file: str, values: dict[str, Any], path: Path, lines: dict[Path, int], mistakes: list[Mistake]
    ) -> None:
        self.file = file
        self._values = values
        self._path = path
        self._lines = lines
        self._mistakes = mistakes
        self._known: set[str] = set()

    def __contains__(self, key: str) -> bool:
        self._known.add(key)
        return key in self._values

    def line(self, key: str | None = None) -> int:
        """Where `key` stands, or else the table itself."""
        path = self._path if key is None else (*self._path, key)
        return self._lines.get(path, self._lines.get(self._path, 1))

    def refuse(self, message: str, key: str | None = None) -> None:
        """Note a mistake at `key`, or at the table."""
        self._mistakes.append(Mistake(self.file, self.line(key), message))

    def text(self, key: str) -> str | None:
        """The text at `key`; None when there is none."""
        value = self._get(key)
        if value is None or isinstance(value, str):
            return value
        self.refuse(f"{key} is text in quotes, not {_kind(value)}", key)
        return None

    def required_text(self, key: str) -> str:
        """The text at `key`, which may not be missing or blank."""
        if key not in self:
            self.refuse(f"{key} is missing")
            return ""
        value = self.text(key)
        if value is not None and not value.strip():
            self.refuse(f"{key} is empty", key)
        return value or ""

    def choice(self, key: str, options: Collection[str]) -> str | None:
        """The text at `key`, one of `options`."""
        value = self.text(key)
        if value is None or value in options:
            return value
        self.refuse(f"{key} cannot be {value!r}; {meant(value, options)}", key)
        return None

    def yes(self, key: str) -> bool:
        """Whether `key` is true; a missing one is not."""
        value = self._get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(f"{key} is true or false, not {_kind(value)}", key)
        return False

    def number(self, key: str) -> float | None:
        """The number at `key`."""
        value = self._get(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self.refuse(f"{key} is a number, not {_kind(value)}", key)
        return None

    def table(self, key: str) -> "Table | None":
        """The table at `key`."""
        value = self._get(key)
        if value is None:
            return None
        if isinstance(value, dict):
            return self._inner((*self._path, key), cast("dict[str, Any]", value))
        self.refuse(f"{key} is a table, not {_kind(value)}", key)
        return None

    def required_tables(self, key: str) -> list["Table"]:
        """The tables of the array at `key`; there is at least one."""
        try:
            items = msgspec.convert(self._get(key), list[dict[str, Any]])
        except msgspec.ValidationError:
            items = []
        if not items:
            self.refuse(f"{key} is a list of tables, one or more; begin each with [[{key}]]", key)
        return [self._inner((*self._path, key, i), item) for i, item in enumerate(items)]

    def inner_tables(self) -> Iterator[tuple[str, "Table"]]:
        """Every key of the table as a table of its own."""
        for key in self._values:
            inner = self.table(key)
            if inner is not None:
                yield key, inner

    def keys(self) -> Collection[str]:
        """Every key of the table; whoever asks for them reads them all."""
        return self._values.keys()

    def texts(self) -> dict[str, str]:
        """Every key of the table with its text."""
        found = {key: self.text(key) for key in self._values}
        return {key: value for key, value in found.items() if value is not None}

    def plain(self) -> dict[str, Any]:
        """All that the table holds, as it is; whoever takes it checks it."""
        self._known.update(self._values)
        return dict(self._values)

    def raw(self, key: str) -> Any:
        """Whatever is at `key`; whoever takes it checks it."""
        return self._get(key)

    def list_of_texts(self, key: str) -> list[str]:
        """The texts at `key`; there is at least one, and each once."""
        try:
            texts = msgspec.convert(self._get(key), list[str])
        except msgspec.ValidationError:
            texts = []
        if not texts:
            self.refuse(f"{key} is a list of names, one or more", key)
        if twice := sorted({text for text in texts if texts.count(text) > 1}):
            self.refuse(f"{key} names {', '.join(twice)} more than once; leave it there once", key)
        return texts

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with the file, as far as it was read."""
        return not any(one.file == self.file for one in self._mistakes)

    def scalars(self) -> dict[str, str | float]:
        """Every key of the table with its text or number."""
        found: dict[str, str | float] = {}
        for key, value in self._values.items():
            self._known.add(key)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                found[key] = value
            else:
                self.refuse(f"{key} is text in quotes or a number, not {_kind(value)}", key)
        return found

    def all(self) -> dict[str, Any]:
        """Every key of the table with its value, whatever that is."""
        self._known |= self._values.keys()
        return dict(self._values)

    def holds_table(self, key: str) -> bool:
        """Whether `key` has a table rather than a plain value."""
        return isinstance(self._get(key), dict)

    def finish(self) -> None:
        """Refuse every key that nobody asked for, with what it may have been meant to be."""
        for key in self._values:
            if key not in self._known:
                self.refuse(
                    f"unknown key {key}; {meant(key, self._known - set(self._values) or self._known)}", key
                )

    def _get(self, key: str) -> Any:
        self._known.add(key)
        return self._values.get(key)

    def _inner(self, path: Path, values: dict[str, Any]) -> "Table":
        return Table(self.file, values, path, self._lines, self._mistakes)


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return "a date or time"
