"""On which line each key of a TOML file stands. The standard library's reader keeps values only."""

import re
import tomllib
from bisect import bisect_right
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value: keys of tables, indexes of arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


def key_lines(source: str) -> dict[Path, int]:
    """The line, from 1, of every key, table header and array element of `source`, which is sound TOML.

    A table that is only named as part of a longer key stands where it is first named.
    """
    scanner = _Scanner(source)
    scanner.scan()
    return scanner.lines


class _Scanner:
    """Walks over TOML that is known to be sound, so that it may leave every check out."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[Path, int] = {}
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", source))]
        self._lengths: dict[Path, int] = {}  # of arrays of tables, by the way to them
        self._at = 0

    def scan(self) -> None:
        table: Path = ()
        while self._skip_blank() < len(self.source):
            if self.source.startswith("[[", self._at):
                table = self._element_header()
            elif self.source[self._at] == "[":
                table = self._table_header()
            else:
                self._pair(table)

    def _table_header(self) -> Path:
        self._at += 1
        path = self._note((), self._key())
        self._skip_over("]")
        return path

    def _element_header(self) -> Path:
        self._at += 2
        line = self._line()
        keys = self._key()
        array = (*self._note((), keys[:-1]), keys[-1])
        self._skip_over("]")
        self._skip_over("]")
        index = self._lengths.get(array, 0)
        self._lengths[array] = index + 1
        self.lines.setdefault(array, line)
        self.lines[*array, index] = line
        return (*array, index)

    def _note(self, table: Path, keys: list[str]) -> Path:
        """Follow `keys` from `table`, into the newest element of each array of tables."""
        path = table
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, self._line())
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        path = self._note(table, self._key())
        self._skip_over("=")
        self._value(path)

    def _key(self) -> list[str]:
        keys = [self._simple_key()]
        while self.source.startswith(".", self._skip_blank()):
            self._at += 1
            keys.append(self._simple_key())
        return keys

    def _simple_key(self) -> str:
        self._skip_blank()
        found = _BARE_KEY.match(self.source, self._at) or _STRING.match(self.source, self._at)
        assert found is not None
        self._at = found.end()
        if found[0][0] == '"':
            return str(tomllib.loads(f"key = {found[0]}")["key"])
        return found[0].strip("'")

    def _value(self, path: Path) -> None:
        self._skip_blank()
        if string := _STRING.match(self.source, self._at):
            self._at = string.end()
        elif self.source[self._at] == "[":
            self._array(path)
        elif self.source[self._at] == "{":
            self._inline_table(path)
        else:
            plain = _PLAIN.match(self.source, self._at)
            assert plain is not None
            self._at = plain.end()

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self.source[self._skip_blank()] != "]":
            self.lines[*path, index] = self._line()
            self._value((*path, index))
            self._skip_comma()
            index += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self.source[self._skip_blank()] != "}":
            self._pair(path)
            self._skip_comma()
        self._at += 1

    def _skip_blank(self) -> int:
        found = _BLANK.match(self.source, self._at)
        assert found is not None
        self._at = found.end()
        return self._at

    def _skip_over(self, mark: str) -> None:
        self._at = self.source.index(mark, self._at) + len(mark)

    def _skip_comma(self) -> None:
        if self.source[self._skip_blank()] == ",":
            self._at += 1

    def _line(self) -> int:
        return bisect_right(self._line_starts, self._at)
