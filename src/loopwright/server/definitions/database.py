"""The database and the team that definitions are applied to."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import LiteralString

from msgspec.structs import replace

from loopwright.server.bootstrap import ensure_team
from loopwright.server.clock import Clock
from loopwright.server.store.database import Connection, Pool, open_pool
from loopwright.server.store.place import database_at
from loopwright.server.store.schema import bring_up
from loopwright.server.store.teams import TeamRow, load_teams

from .apply import USUAL, Manner, apply_definitions
from .apply_declared import KINDS as GROUP_KINDS
from .change import Change
from .mistakes import meant
from .model import Definitions

HAS_TEAMS: LiteralString = "SELECT to_regclass('team') IS NOT NULL"


class UnknownTeam(LookupError):
    """The team that was asked for is not there, or nobody said which of several it is."""


async def save(
    definitions: Definitions,
    data_dir: Path,
    database_url: str | None,
    team: str | None,
    clock: Clock,
    manner: Manner = USUAL,
) -> list[Change]:
    """Apply to the database at `database_url`, or else to the embedded one in `data_dir`, migrated first.

    `team` is a name or an id; None means the only team, which is made when there is none yet.
    """
    async with open_team(data_dir, database_url, team, clock) as (tx, owner):
        return await apply_definitions(tx, owner.id, definitions, manner, now=clock.now())


@asynccontextmanager
async def open_team(
    data_dir: Path, database_url: str | None, team: str | None, clock: Clock
) -> AsyncGenerator[tuple[Connection, TeamRow]]:
    """A transaction in the migrated database, and the team in it; the first team is made when there is none.

    Raises `UnknownTeam`.
    """
    async with open_database(data_dir, database_url) as pool:
        await ensure_team(pool, clock)
        async with pool.acquire() as tx, tx.transaction():
            yield tx, choose_team(await load_teams(tx), team)


@asynccontextmanager
async def open_database(data_dir: Path, database_url: str | None) -> AsyncGenerator[Pool]:
    """One connection to the database at `database_url`, or else to the embedded one, migrated first."""
    async with database_at(data_dir, database_url) as url:
        await bring_up(url)
        async with _pool(url) as pool:
            yield pool


async def preview(
    definitions: Definitions,
    data_dir: Path,
    database_url: str | None,
    team: str | None,
    clock: Clock,
    manner: Manner = USUAL,
) -> list[Change]:
    """What `save` would do, done and taken back. A place that holds nothing yet stays untouched."""
    if database_url is None and not has_data(data_dir):
        return all_new(definitions)
    async with database_at(data_dir, database_url) as url, _pool(url) as pool, pool.acquire() as tx:
        if not await tx.fetchval(HAS_TEAMS):
            return all_new(definitions)
        teams = await load_teams(tx)
        if not teams:
            return all_new(definitions)
        team_id = choose_team(teams, team).id
        return await _rolled_back(tx, team_id, definitions, clock, manner)


def choose_team(teams: list[TeamRow], wanted: str | None) -> TeamRow:
    """The team of that id or name; the only one when nothing is `wanted`. Raises `UnknownTeam`."""
    names = sorted(team.name for team in teams)
    if wanted is None:
        if len(teams) == 1:
            return teams[0]
        raise UnknownTeam(f"there are several teams; choose one with --team: {', '.join(names)}")
    found = [team for team in teams if wanted in (team.id, team.name)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(team.id for team in found)
        raise UnknownTeam(f"several teams are called {wanted}; choose one by its id: {ids}")
    raise UnknownTeam(f"there is no team {wanted}; {meant(wanted, names)}")


def all_new(definitions: Definitions) -> list[Change]:
    """The changes of a first apply."""
    return [
        *(Change("contact property", one.key, "created") for one in definitions.properties),
        *(Change("image", one.path, "created") for one in definitions.images),
        *(Change("theme", one.slug, "created") for one in definitions.themes),
        *(Change("component", one.slug, "created") for one in definitions.components),
        *(Change(GROUP_KINDS[one.kind], one.name, "created") for one in definitions.groups),
        *(Change("mailing list", definition.slug, "created") for definition in definitions.lists),
        *(Change("segment", one.name, "created") for one in definitions.segments),
        *(
            Change("transactional email", definition.slug, "created")
            for definition in definitions.transactional
        ),
        *(Change("workflow", definition.slug, "created") for definition in definitions.workflows),
    ]


def has_data(data_dir: Path) -> bool:
    """Whether the folder holds an embedded database."""
    return (data_dir / "postgres").exists()


async def _rolled_back(
    tx: Connection, team_id: str, definitions: Definitions, clock: Clock, manner: Manner
) -> list[Change]:
    transaction = tx.transaction()
    await transaction.start()
    try:
        changes = await apply_definitions(tx, team_id, definitions, manner, now=clock.now())
        # The id of what is not there after all would only mislead.
        return [replace(change, id="") if change.action == "created" else change for change in changes]
    finally:
        await transaction.rollback()


@asynccontextmanager
async def _pool(url: str) -> AsyncGenerator[Pool]:
    pool = await open_pool(url, size=1)
    try:
        yield pool
    finally:
        await pool.close()
