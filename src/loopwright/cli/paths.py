"""Files and folders that people name: what is none is refused before a command begins.

Blanks are mostly a variable without a value. And `-`, which other programs take for their own input or
output, would be a file of that name.
"""

from __future__ import annotations

from pathlib import Path

import typer


def folder_path(given: str | Path) -> Path:
    """A folder, there or not."""
    folder = _named(given, "folder", "give one, or . for the one you are in")
    if folder.is_file():
        raise typer.BadParameter(f"{folder} is a file; name a folder")
    return folder


def file_path(given: str | Path) -> Path:
    """A file, there or not."""
    file = _named(given, "file", "give one")
    if file.is_dir():
        raise typer.BadParameter(f"{file} is a folder; name a file")
    return file


def existing_file_path(given: str | Path) -> Path:
    """A file that is there."""
    file = file_path(given)
    if not file.exists():
        raise typer.BadParameter(f"{file} does not exist")
    return file


def _named(given: str | Path, what: str, remedy: str) -> Path:
    if not str(given).strip():
        raise typer.BadParameter(f"no {what} is named; {remedy}")
    if str(given) == "-":
        raise typer.BadParameter(f"- is no {what} here; name one, or write ./- for one that is called so")
    return Path(given)
