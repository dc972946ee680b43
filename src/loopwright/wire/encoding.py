"""Write answers as the API writes them: timestamps in UTC with milliseconds and `Z`."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import msgspec

from loopwright.wire.values import wire_time


def encode(answer: object) -> bytes:
    """Encode Structs, or containers of them, as JSON. Timestamps keep milliseconds only."""
    return msgspec.json.encode(_timestamps_as_text(msgspec.to_builtins(answer, builtin_types=(datetime,))))


def _timestamps_as_text(value: object) -> object:
    if isinstance(value, dict):
        return {key: _timestamps_as_text(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_timestamps_as_text(item) for item in cast("list[object]", value)]
    return wire_time(value) if isinstance(value, datetime) else value
