"""Set aside what a later API version added to a union, so that the rest of an answer can still be read."""

from __future__ import annotations

from typing import cast

from loopwright.wire.workflow_nodes import NODE_TYPES

CONDITION_TYPES = frozenset({"property", "optIn", "activity"})


def set_aside(value: object) -> object:
    """A parsed answer with unknown nodes and conditions turned into their `Other` kinds."""
    if isinstance(value, list):
        return [set_aside(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    found = {key: set_aside(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(type_name := found.get("typeName"), str) and type_name not in NODE_TYPES:
        return {**found, "typeName": "Other", "original": found}
    if isinstance(conditions := found.get("conditions"), list):
        found["conditions"] = [_condition(item) for item in cast("list[object]", conditions)]
    return found


def _condition(value: object) -> object:
    if not isinstance(value, dict):
        return value
    condition = cast("dict[str, object]", value)
    known = condition.get("type") in CONDITION_TYPES
    return condition if known else {"type": "other", "original": condition}
