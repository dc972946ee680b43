"""Scheduling as it travels. Pure."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from loopwright.client.arguments import refused
from loopwright.errors import ArgumentValueError, mistyped
from loopwright.wire.campaigns import Scheduling
from loopwright.wire.values import wire_time


def scheduling_to_wire(scheduling: Scheduling | UnsetType) -> dict[str, object] | UnsetType:
    """`now` travels without a timestamp, `schedule` with one. Raises `ArgumentError` otherwise."""
    if scheduling is UNSET:
        return UNSET
    if not isinstance(scheduling, Scheduling):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise mistyped("scheduling", "a Scheduling", scheduling)
    if (scheduling.method == "schedule") != (scheduling.timestamp is not None):
        raise ArgumentValueError('scheduling takes a timestamp with "schedule", and none with "now"')
    if scheduling.timestamp is None:
        return {"method": scheduling.method}
    try:
        return {"method": scheduling.method, "timestamp": wire_time(scheduling.timestamp)}
    except (TypeError, ValueError) as error:
        raise refused("scheduling.timestamp", error) from None
