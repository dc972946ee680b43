"""How far an import has come, on disk beside the file, so that the next one goes on from there.

The state is a saving of time, not what keeps events from doubling: that is the idempotency key of each row,
made of the file's content and the row's number, which is the same whoever imports the same file. The few rows
that were under way when the last import ended are sent again under the same keys, and the API says that it
has them.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct


class Progress(Struct, frozen=True, kw_only=True):
    """What has been done with the file of this `content` (its SHA-256). `row` is the last one settled."""

    content: str
    row: int = 0
    sent: int = 0
    already: int = 0
    """Rows that the API had from an earlier import already."""
    rejected: int = 0
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


def load(path: Path, *, content: str) -> Progress:
    """The state an earlier import of the same content left, or that of a new one.

    Raises `ChangedFile` when the earlier import was of another content and did not finish.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Progress)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Progress(content=content)
    if found.content == content:
        return found
    if found.running or (found.sent and not found.finished):
        raise ChangedFile(path, found.sent)
    return Progress(content=content)


def save(path: Path, progress: Progress) -> None:
    """Replace the state as a whole, so that a reader never sees half of one."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(msgspec.json.format(msgspec.json.encode(progress)) + b"\n")
    new.replace(path)


def row_key(content: str, row: int) -> str:
    """The idempotency key of a row: the same for the same file, whatever its name and whenever it is
    imported.
    """
    return f"import-{content[:40]}-{row}"
