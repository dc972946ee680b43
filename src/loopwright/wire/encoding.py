"""Write answers as the API writes them: timestamps in UTC with milliseconds and `Z`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from loopwright.wire.values import wire_time


def encode(answer: object) -> bytes:
    """Encode Structs, or containers of them, as JSON. Timestamps keep milliseconds only."""
    whole: list[Any] = [msgspec.to_builtins(answer, builtin_types=(datetime,))]
    _write_times(whole)
    return msgspec.json.encode(whole[0])


def _write_times(plain: dict[Any, Any] | list[Any]) -> None:
    """Put text in the place of each timestamp, in a list or dict that nobody else has."""
    for key, item in plain.items() if isinstance(plain, dict) else enumerate(plain):
        if isinstance(item, dict | list):
            _write_times(item)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(item, datetime):
            plain[key] = wire_time(item)
