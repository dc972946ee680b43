"""Hits of the links and the picture of a message's emails, by verdict: counted as they come, hour by hour."""

from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class LinkCount(Struct, frozen=True, kw_only=True):
    """The hits of a link of a revision over all time; link 0 is the picture."""

    revision_id: str
    link: int
    human: int
    machine: int
    unsure: int


class HourCount(Struct, frozen=True, kw_only=True):
    """The hits of an hour, of the picture or of links."""

    hour: datetime
    is_picture: bool
    human: int
    machine: int
    unsure: int


_SUMS: LiteralString = (
    "sum(human)::bigint AS human, sum(machine)::bigint AS machine, sum(unsure)::bigint AS unsure"
)
BY_LINK: LiteralString = f"""
    SELECT revision_id, link, {_SUMS} FROM visit_count
     WHERE team_id = $1 AND owner_id = $2
     GROUP BY revision_id, link ORDER BY revision_id, link
"""
BY_HOUR: LiteralString = f"""
    SELECT hour, link = 0 AS is_picture, {_SUMS} FROM visit_count
     WHERE team_id = $1 AND owner_id = $2 AND hour >= $3 AND hour < $4
     GROUP BY hour, is_picture ORDER BY hour, is_picture
"""


async def load_by_link(tx: Connection, team_id: str, message_id: str) -> list[LinkCount]:
    """The links of a message that were asked for, by revision and number."""
    return [LinkCount(**row) for row in await tx.fetch(BY_LINK, team_id, message_id)]


async def load_by_hour(
    tx: Connection, team_id: str, message_id: str, *, start: datetime, end: datetime
) -> list[HourCount]:
    """The hours from `start` up to `end` in which there was something, in their order."""
    return [HourCount(**row) for row in await tx.fetch(BY_HOUR, team_id, message_id, start, end)]
