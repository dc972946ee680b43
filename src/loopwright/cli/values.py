"""What people type for properties and mailing lists, as values. Pure, but for reading a file they name.

Properties come as KEY=VALUE, as a JSON object, or as the path of a file that holds one; later ones win:

    --props plan=pro --props seats=3 --props '{"trial": false}' --props ./more.json

A VALUE that is a JSON number, `true`, `false` or `null` is taken as that, all else is text; quotes make text
of anything: `--props 'zip="01234"'`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import msgspec
import typer

from loopwright.wire.values import Value


def properties(given: Iterable[str] | None) -> dict[str, Value | None]:
    """Read all of an option's values. Raises `typer.BadParameter` naming the one that cannot be read."""
    found: dict[str, Value | None] = {}
    for text in given or ():
        found.update(_properties(text))
    return found


def mailing_lists(given: Iterable[str] | None) -> dict[str, bool]:
    """Read ID=true or ID=false; a bare ID subscribes."""
    found: dict[str, bool] = {}
    for text in given or ():
        list_id, _, answer = text.partition("=")
        if not list_id or answer.lower() not in ("", "true", "false"):
            raise typer.BadParameter(f"{text!r}: give ID=true to subscribe or ID=false to unsubscribe")
        found[list_id] = answer.lower() != "false"
    return found


def _properties(text: str) -> dict[str, Value | None]:
    if text.lstrip().startswith("{"):
        return _object(text.encode(), "the JSON text")
    key, equals, value = text.partition("=")
    if equals and key:
        return {key: _value(value)}
    path = Path(text)
    if path.is_file():
        return _object(path.read_bytes(), f"the file {text}")
    raise typer.BadParameter(f"{text!r} is neither KEY=VALUE, nor a JSON object, nor a file")


def _object(text: bytes, where: str) -> dict[str, Value | None]:
    try:
        return msgspec.json.decode(text, type=dict[str, Value | None])
    except msgspec.MsgspecError as error:
        raise typer.BadParameter(
            f"{where} is not a JSON object of strings, numbers and booleans: {error}"
        ) from None


def _value(text: str) -> Value | None:
    try:
        value = cast("object", msgspec.json.decode(text))
    except msgspec.MsgspecError:
        return text
    return value if value is None or isinstance(value, (str, int, float, bool)) else text
