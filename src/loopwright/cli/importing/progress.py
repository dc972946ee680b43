"""How far imports of a file have come, on disk beside it, so that the next one goes on from there.

An import belongs to its aim: the server, the team, and what was asked for. The same file for another server,
another team or another event is another import; all of them are kept in one file of state.

For events the state is a saving of time, not what keeps them from doubling: that is the idempotency key of
each row, made of the file's content, the row's number and the name that `--event` gives it, which is the same
whoever imports the same file. Keys are a team's own, so the key needs no team in it. The few rows that were
under way when the last import ended are sent again under the same keys, and the API says that it has them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec
from msgspec import Struct

from loopwright.cli.importing.plan import Survey
from loopwright.cli.importing.table import Table


class Progress(Struct, frozen=True, kw_only=True):
    """What has been done with the file of this `content` (its SHA-256). `row` is the last one settled."""

    content: str
    row: int = 0
    sent: int = 0
    already: int = 0
    """Rows that the API had from an earlier import already."""
    rejected: int = 0
    rejected_file: str = ""
    rejected_bytes: int = 0
    running: bool = False
    """An import is at work, or was killed at it: it may have sent rows that are not counted here."""
    finished: bool = False

    @property
    def settled(self) -> int:
        return self.sent + self.already + self.rejected


class ChangedFile(Exception):
    """The file is not the one whose import was interrupted; its rows cannot be told from those sent."""

    def __init__(self, state: Path, sent: int) -> None:
        super().__init__(
            f"the file was changed after an unfinished import had sent {sent} of its rows, or more: put it "
            f"back as it was, or import the missing rows from a file of their own, "
            f"or delete {state} to send every row"
        )


class State:
    """An import among those of its file; `found` is what the first reading of the file brought."""

    def __init__(self, table: Table, aim: str, found: Survey) -> None:
        self.path = _path(table)
        self._table = table
        self._aim = aim
        self._found = found

    def load(self, content: str) -> Progress:
        """What an earlier import of the same content left, or a new one.

        Raises `ChangedFile` when the earlier import was of another content and did not finish.
        """
        found = self._read().get(self._aim)
        if found is None or (found.content == content and _in_vain(found)):
            return self.new(content)
        if found.content == content:
            return found
        if found.running or (found.sent and not found.finished):
            raise ChangedFile(self.path, found.sent)
        return self.new(content)

    def new(self, content: str) -> Progress:
        """An import at its start. Its rejected rows never replace another's, which are nowhere else."""
        taken = {one.rejected_file for aim, one in self._read().items() if aim != self._aim and one.rejected}
        suffix = "csv" if self._table.form == "csv" else "jsonl"
        names = (f"{self._table.path.stem}.rejected{more}.{suffix}" for more in _endings())
        return Progress(content=content, rejected_file=next(name for name in names if name not in taken))

    def save(self, progress: Progress) -> None:
        """Replace the state as a whole, so that a reader never sees half of one."""
        found = _Surveyed(progress.content, _manner(self._table), self._found)
        self._write({**self._read(), self._aim: progress}, found)

    def drop(self) -> None:
        """Forget the import; the last one takes the file with it."""
        left = {aim: progress for aim, progress in self._read().items() if aim != self._aim}
        if left:
            self._write(left)
        else:
            self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Progress]:
        return _load(self.path).imports

    def _write(self, imports: dict[str, Progress], found: _Surveyed | None = None) -> None:
        new = self.path.with_name(self.path.name + ".new")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(_Kept(imports, found))) + b"\n")
        new.replace(self.path)


class _Surveyed(Struct, frozen=True):
    """What a file of this content holds, when it is read in this manner."""

    content: str
    manner: str
    survey: Survey


class _Kept(Struct, frozen=True):
    imports: dict[str, Progress] = {}
    surveyed: _Surveyed | None = None


def remembered_survey(table: Table, content: str) -> Survey | None:
    """What an earlier import found in the same file, which need not be read again for that."""
    kept = _load(_path(table)).surveyed
    if kept is None or (kept.content, kept.manner) != (content, _manner(table)):
        return None
    return kept.survey


def _path(table: Table) -> Path:
    return table.path.with_name(table.path.name + ".import.json")


def _manner(table: Table) -> str:
    return f"{table.form}, {table.dialect or table.encoding.codec}, {'guarded' if table.quoted else 'raw'}"


def _load(path: Path) -> _Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return _Kept()


def aim_of(*asked: str) -> str:
    """One name for all that an import was asked for; tells none of it, as the API key is among it."""
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:32]


def row_key(content: str, row: int, event: str = "") -> str:
    """The idempotency key of a row: the same for the same file, whatever its name and whenever it is
    imported. `event` is the event's name where the row itself has none.
    """
    named = hashlib.sha256(f"{content}\n{event}".encode()).hexdigest() if event else content
    return f"import-{named[:40]}-{row}"


def _endings() -> Iterator[str]:
    """What makes names different: nothing, -2, -3 and so on."""
    yield ""
    yield from (f"-{number}" for number in count(2))


def _in_vain(progress: Progress) -> bool:
    """Whether nothing at all came of an import, so that it may be tried again."""
    return progress.finished and not progress.sent and not progress.already
