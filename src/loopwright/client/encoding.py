"""Bodies as JSON. What cannot be written is refused with its place in the body. Pure."""

from __future__ import annotations

from typing import cast

import msgspec

from loopwright.client.arguments import refused
from loopwright.wire.values import HALF_CHARACTER, to_wire

# A Decimal is a number, not text. Subclasses of builtins and their like, get plain by the hook.
_encode = msgspec.json.Encoder(enc_hook=to_wire, decimal_format="number").encode


def encode(body: object) -> bytes:
    """Write a body. Raises `ArgumentError` that names the place of what no JSON can hold."""
    try:
        return _encode(body)
    except UnicodeEncodeError:
        raise refused(_culprit(body) or "the request", ValueError(HALF_CHARACTER)) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise refused(_culprit(body) or "the request", error) from None
    except RecursionError as error:
        raise refused("the request holds itself, or is nested too deep", error) from None


def _culprit(value: object) -> str:
    """Where in `value` the first thing is that cannot be written; empty for `value` itself."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            if _fails(item):
                inside = _culprit(item)
                return f"{key}{inside if inside.startswith('[') else inside and f'.{inside}'}"
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(cast("list[object]", value)):
            if _fails(item):
                inside = _culprit(item)
                return f"[{number}]{inside if inside.startswith('[') else inside and f'.{inside}'}"
    elif isinstance(value, msgspec.Struct):
        return _culprit({name: getattr(value, name) for name in value.__struct_fields__})
    return ""


def _fails(value: object) -> bool:
    try:
        _encode(value)
    except (TypeError, ValueError, OverflowError):
        return True
    return False
