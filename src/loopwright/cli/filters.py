"""An audience filter as people give it to a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from loopwright.wire.filters import AudienceFilter

FilterText = Annotated[
    str | None,
    typer.Option("--filter", metavar="JSON|FILE", help="An audience filter: JSON text, or a file with it."),
]
OnList = Annotated[str | None, typer.Option("--list", metavar="ID", help="Only members of this list.")]


def filter_of(text: str) -> AudienceFilter:
    """Read a filter. Raises `typer.BadParameter` for what is none; what it means, the server checks."""
    path = Path(text)
    is_text = text.lstrip().startswith("{")
    if not is_text and not path.is_file():
        raise typer.BadParameter(f"{text!r} is neither a JSON object nor a file")
    try:
        return msgspec.json.decode(text if is_text else path.read_bytes(), type=AudienceFilter)
    except msgspec.MsgspecError as error:
        raise typer.BadParameter(f"that is no audience filter: {error}") from None
