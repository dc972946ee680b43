"""Scheduling as it travels. Pure."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from loopwright.wire.campaigns import Scheduling
from loopwright.wire.values import wire_time


def scheduling_to_wire(scheduling: Scheduling | UnsetType) -> dict[str, object] | UnsetType:
    """`now` travels without a timestamp, `schedule` with one. Raises `ValueError` otherwise."""
    if scheduling is UNSET:
        return UNSET
    if (scheduling.method == "schedule") != (scheduling.timestamp is not None):
        raise ValueError('scheduling takes a timestamp with "schedule", and none with "now"')
    if scheduling.timestamp is None:
        return {"method": scheduling.method}
    return {"method": scheduling.method, "timestamp": wire_time(scheduling.timestamp)}
