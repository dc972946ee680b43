"""Patterns: what is known of a team's events of one name, and what it makes of the next one. Pure."""

from collections.abc import Mapping
from typing import cast

from loopwright.wire.values import PropertyType, Value, coerce, type_of


def type_values(
    known: Mapping[str, PropertyType], values: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, PropertyType]]:
    """An event's values in their pattern's types, and the types that the pattern learns from them.

    Nobody declares these types, they are guessed from earlier events: a value that does not fit its guess is
    not refused, the property counts as text from then on. Lists stay as they are and teach nothing.

        {"seats": "number"}, {"seats": "many", "on": "2024-01-17"}
            ->  {"seats": "many", "on": "2024-01-17T00:00:00.000Z"}, {"seats": "string", "on": "date"}
    """
    typed: dict[str, object] = {}
    learned: dict[str, PropertyType] = {}
    for key, value in values.items():
        if isinstance(value, list):
            typed[key] = value
            continue
        scalar = cast("Value", value)
        expected = known.get(key) or type_of(scalar)
        try:
            typed[key] = coerce(scalar, expected)
        except ValueError:
            expected, typed[key] = "string", _as_text(scalar)
        if known.get(key) != expected:
            learned[key] = expected
    return typed, learned


def _as_text(value: Value) -> str:
    return cast("str", coerce(str(value).lower() if isinstance(value, bool) else value, "string"))
