"""What a team's contacts can have and join, properties and mailing lists, and who is in an audience."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from loopwright.server.audience.predicate import Audience, Predicate, compile_filters
from loopwright.wire.values import PropertyType

from .contacts import CONTACT_COLUMNS, ContactRow, decode_contact
from .database import Connection
from .segments import find_segment


class ListRow(Struct, frozen=True, kw_only=True):
    """A mailing list."""

    id: str
    team_id: str
    name: str
    description: str | None
    is_public: bool


PROPERTIES: LiteralString = """
    SELECT team_id, key, type FROM contact_property WHERE team_id = ANY ($1::text[]) ORDER BY created_at, key
"""
INSERT_PROPERTY: LiteralString = """
    INSERT INTO contact_property (team_id, key, type, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING key
"""
DECLARED: LiteralString = """
    SELECT team_id, key, type FROM contact_property WHERE team_id = ANY ($1::text[])
    UNION ALL
    SELECT team_id, id, NULL FROM mailing_list WHERE team_id = ANY ($1::text[])
"""
LISTS: LiteralString = """
    SELECT id, team_id, name, description, is_public FROM mailing_list
     WHERE team_id = ANY ($1::text[]) ORDER BY id DESC
"""
# Whom marketing reaches at this moment: `mail.decide` asks the same of each email.
REACHABLE: LiteralString = """
    subscribed AND coalesce(opt_in_status, '') NOT IN ('pending', 'rejected')
    AND email NOT IN (SELECT suppression.email FROM suppression WHERE suppression.team_id = $1)
    AND email NOT IN (
        SELECT soft_bouncing.email FROM soft_bouncing
         WHERE soft_bouncing.team_id = $1 AND soft_bouncing.stopped_at IS NOT NULL)
"""
# Whom it would reach once they have confirmed.
UNCONFIRMED: LiteralString = "(subscribed AND opt_in_status = 'pending')"
UNKNOWN_TARGETS: LiteralString = """
    SELECT kind, id FROM unnest($2::text[], $3::text[]) AS wanted (kind, id)
     WHERE NOT CASE kind
               WHEN 'campaign' THEN
                   EXISTS (SELECT FROM campaign WHERE team_id = $1 AND campaign.id = wanted.id)
               WHEN 'workflow' THEN
                   EXISTS (SELECT FROM workflow WHERE team_id = $1 AND workflow.id = wanted.id)
               WHEN 'workflowEmail' THEN
                   EXISTS (SELECT FROM workflow
                            WHERE team_id = $1
                              AND (nodes -> wanted.id ->> 'typeName' = 'SendEmailAction'
                                   OR jsonb_path_exists(nodes, '$.* ? (@.emailMessageId == $id)',
                                                        jsonb_build_object('id', wanted.id))))
               ELSE false END
     ORDER BY kind, id
"""
LIST_EXISTS: LiteralString = "SELECT EXISTS (SELECT FROM mailing_list WHERE team_id = $1 AND id = $2)"


async def load_properties(tx: Connection, team_ids: Collection[str]) -> dict[str, dict[str, PropertyType]]:
    """The custom properties of each team: team -> key -> type, oldest first."""
    properties: dict[str, dict[str, PropertyType]] = {team_id: {} for team_id in team_ids}
    for row in await tx.fetch(PROPERTIES, list(team_ids)):
        properties[row["team_id"]][row["key"]] = row["type"]
    return properties


async def load_declared(
    tx: Connection, team_ids: Collection[str]
) -> tuple[dict[str, dict[str, PropertyType]], dict[str, set[str]]]:
    """What commands may name, in one round trip: team -> property key -> type, and team -> list ids."""
    properties: dict[str, dict[str, PropertyType]] = {team_id: {} for team_id in team_ids}
    lists: dict[str, set[str]] = {team_id: set() for team_id in team_ids}
    for team_id, name, kind in await tx.fetch(DECLARED, list(team_ids)):
        if kind is None:
            lists[team_id].add(name)
        else:
            properties[team_id][name] = kind
    return properties, lists


async def insert_property(
    tx: Connection, team_id: str, key: str, kind: PropertyType, *, now: datetime
) -> bool:
    """Declare a custom property; False when the team has one of that key already."""
    return await tx.fetchval(INSERT_PROPERTY, team_id, key, kind, now) is not None


async def load_lists(tx: Connection, team_ids: Collection[str]) -> list[ListRow]:
    """The mailing lists of the teams, newest first."""
    return [ListRow(**row) for row in await tx.fetch(LISTS, list(team_ids))]


async def matching(
    tx: Connection, team_id: str, audience: Audience, contact_ids: Collection[str]
) -> set[str]:
    """Which of these contacts are in the audience."""
    is_in = await predicate_of(tx, team_id, audience, bound=2)
    statement = f"SELECT id FROM contact WHERE team_id = $1 AND id = ANY ($2::text[]) AND {is_in.sql}"
    return {row["id"] for row in await tx.fetch(statement, team_id, list(contact_ids), *is_in.values)}


async def count(tx: Connection, team_id: str, audience: Audience, mailing_list_id: str | None = None) -> int:
    """How many contacts are in the audience, and on the mailing list if there is one."""
    joined = on_list(mailing_list_id, bound=1)
    is_in = await predicate_of(tx, team_id, audience, bound=1 + len(joined.values))
    statement = f"SELECT count(*) FROM contact WHERE team_id = $1 AND {joined.sql} AND {is_in.sql}"
    return int(await tx.fetchval(statement, team_id, *joined.values, *is_in.values))


async def count_reachable(
    tx: Connection, team_id: str, audience: Audience, mailing_list_id: str | None = None
) -> int:
    """How many of those marketing reaches now: subscribed, not suppressed, with no opt-in outstanding."""
    joined = on_list(mailing_list_id, bound=1)
    is_in = await predicate_of(tx, team_id, audience, bound=1 + len(joined.values))
    statement = (
        f"SELECT count(*) FROM contact WHERE team_id = $1 AND {joined.sql} AND {REACHABLE} AND {is_in.sql}"
    )
    return int(await tx.fetchval(statement, team_id, *joined.values, *is_in.values))


async def load_newest(
    tx: Connection, team_id: str, audience: Audience, mailing_list_id: str | None, *, limit: int
) -> list[ContactRow]:
    """Some of the contacts in the audience, newest first."""
    joined = on_list(mailing_list_id, bound=2)
    is_in = await predicate_of(tx, team_id, audience, bound=2 + len(joined.values))
    statement = (
        f"SELECT {CONTACT_COLUMNS} FROM contact WHERE team_id = $1 AND {joined.sql} AND {is_in.sql} "
        "ORDER BY id DESC LIMIT $2"
    )
    rows = await tx.fetch(statement, team_id, limit, *joined.values, *is_in.values)
    return [decode_contact(row) for row in rows]


async def unknown_targets(
    tx: Connection, team_id: str, targets: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of the (kind, id) pairs of activity conditions that name nothing of the team's."""
    kinds, ids = [kind for kind, _ in targets], [one for _, one in targets]
    return [(row["kind"], row["id"]) for row in await tx.fetch(UNKNOWN_TARGETS, team_id, kinds, ids)]


async def has_list(tx: Connection, team_id: str, list_id: str) -> bool:
    """Whether the team has that mailing list."""
    return bool(await tx.fetchval(LIST_EXISTS, team_id, list_id))


def on_list(list_id: str | None, *, bound: int) -> Predicate:
    """Who is on a mailing list, if one is given. So many values are `bound` by the statement itself.

    A condition that allows for none would ask each contact whether there is one.
    """
    return _in_state(list_id, "= 'subscribed'", bound)


def asked_for_list(list_id: str | None, *, bound: int) -> Predicate:
    """The same, with those who have yet to confirm."""
    return _in_state(list_id, "IN ('subscribed', 'pending')", bound)


def _in_state(list_id: str | None, state: str, bound: int) -> Predicate:
    if list_id is None:
        return Predicate(sql="true", values=())
    return Predicate(sql=f"contact.mailing_lists ->> ${bound + 1}::text {state}", values=(list_id,))


async def predicate_of(tx: Connection, team_id: str, audience: Audience, *, bound: int) -> Predicate:
    """Who is in the audience, given its segment as it is now; see `compile_filters`.

    Raises `LookupError` for a segment that the team does not have.
    """
    filters = [audience.filter] if audience.filter else []
    if audience.segment_id is not None:
        segment = await find_segment(tx, team_id, audience.segment_id)
        if segment is None:
            raise LookupError(f"the team has no segment {audience.segment_id}")
        filters.append(segment.filter)
    return compile_filters(filters, bound=bound)
