"""Themes and components: what a team's emails share."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, TypeAlias

import msgspec
from msgspec import Struct

from .database import Connection

Styles: TypeAlias = Mapping[str, str | float]
"""Style attributes by the names that LMX has for them; colours as text, lengths in pixels."""


class ThemeRow(Struct, frozen=True, kw_only=True):
    """A theme. The default one is that of emails which name none."""

    id: str
    name: str
    styles: Styles
    is_default: bool
    created_at: datetime
    updated_at: datetime


class ComponentRow(Struct, frozen=True, kw_only=True):
    """A piece of LMX with a name."""

    id: str
    name: str
    lmx: str
    created_at: datetime
    updated_at: datetime


_THEME: LiteralString = "id, name, styles, is_default, created_at, updated_at"
_COMPONENT: LiteralString = "id, name, lmx, created_at, updated_at"

COUNT_THEMES: LiteralString = "SELECT count(*) FROM theme WHERE team_id = $1"
THEME_PAGE: LiteralString = f"""
    SELECT {_THEME} FROM theme
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
THEMES: LiteralString = f"SELECT {_THEME} FROM theme WHERE team_id = $1 AND (id = ANY($2) OR is_default)"
LOCK_THEME: LiteralString = f"SELECT {_THEME} FROM theme WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE"
INSERT_THEME: LiteralString = """
    INSERT INTO theme (team_id, id, name, styles, is_default, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6)
"""
UPDATE_THEME: LiteralString = """
    UPDATE theme SET name = $3, styles = $4, updated_at = $5 WHERE team_id = $1 AND id = $2
"""
COUNT_COMPONENTS: LiteralString = "SELECT count(*) FROM component WHERE team_id = $1"
COMPONENT_PAGE: LiteralString = f"""
    SELECT {_COMPONENT} FROM component
     WHERE team_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
COMPONENTS: LiteralString = f"SELECT {_COMPONENT} FROM component WHERE team_id = $1 AND id = ANY($2)"
LOCK_COMPONENT: LiteralString = f"""
    SELECT {_COMPONENT} FROM component WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
INSERT_COMPONENT: LiteralString = """
    INSERT INTO component (team_id, id, name, lmx, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
"""
UPDATE_COMPONENT: LiteralString = """
    UPDATE component SET name = $3, lmx = $4, updated_at = $5 WHERE team_id = $1 AND id = $2
"""
# Whoever writes content that uses a theme or component waits for whoever changes one of the team's, and the
# other way round: a rendition is never of a version that is gone.
LOCK_DESIGN: LiteralString = "SELECT pg_advisory_xact_lock_shared(hashtextextended('design/' || $1, 0))"
LOCK_DESIGN_ALONE: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('design/' || $1, 0))"

_styles = msgspec.json.Decoder(dict[str, str | float])


async def lock_design(tx: Connection, team_id: str) -> None:
    """Keep the team's themes and components as they are until the transaction ends."""
    await tx.execute(LOCK_DESIGN, team_id)


async def lock_design_alone(tx: Connection, team_id: str) -> None:
    """Let nobody else write content or change themes and components until the transaction ends."""
    await tx.execute(LOCK_DESIGN_ALONE, team_id)


async def count_themes(tx: Connection, team_id: str) -> int:
    """How many themes the team has."""
    return int(await tx.fetchval(COUNT_THEMES, team_id))


async def load_theme_page(
    tx: Connection, team_id: str, *, before: str | None, limit: int
) -> Sequence[ThemeRow]:
    """Themes newest first, those older than the id `before`."""
    return [_theme(dict(row)) for row in await tx.fetch(THEME_PAGE, team_id, before, limit)]


async def load_themes(tx: Connection, team_id: str, ids: Collection[str]) -> Sequence[ThemeRow]:
    """The team's themes of those ids, and its default one."""
    return [_theme(dict(row)) for row in await tx.fetch(THEMES, team_id, list(ids))]


async def lock_theme(tx: Connection, team_id: str, theme_id: str) -> ThemeRow | None:
    """The theme of that id, which nobody else changes until the transaction ends."""
    row = await tx.fetchrow(LOCK_THEME, team_id, theme_id)
    return _theme(dict(row)) if row else None


async def insert_theme(tx: Connection, team_id: str, theme: ThemeRow) -> None:
    """Add a theme."""
    styles = msgspec.json.encode(theme.styles).decode()
    await tx.execute(INSERT_THEME, team_id, theme.id, theme.name, styles, theme.is_default, theme.created_at)


async def update_theme(tx: Connection, team_id: str, theme: ThemeRow) -> None:
    """Write the theme's name and styles."""
    styles = msgspec.json.encode(theme.styles).decode()
    await tx.execute(UPDATE_THEME, team_id, theme.id, theme.name, styles, theme.updated_at)


async def count_components(tx: Connection, team_id: str) -> int:
    """How many components the team has."""
    return int(await tx.fetchval(COUNT_COMPONENTS, team_id))


async def load_component_page(
    tx: Connection, team_id: str, *, before: str | None, limit: int
) -> Sequence[ComponentRow]:
    """Components newest first, those older than the id `before`."""
    return [ComponentRow(**row) for row in await tx.fetch(COMPONENT_PAGE, team_id, before, limit)]


async def load_components(tx: Connection, team_id: str, ids: Collection[str]) -> Sequence[ComponentRow]:
    """The team's components of those ids."""
    return [ComponentRow(**row) for row in await tx.fetch(COMPONENTS, team_id, list(ids))]


async def lock_component(tx: Connection, team_id: str, component_id: str) -> ComponentRow | None:
    """The component of that id, which nobody else changes until the transaction ends."""
    row = await tx.fetchrow(LOCK_COMPONENT, team_id, component_id)
    return ComponentRow(**row) if row else None


async def insert_component(tx: Connection, team_id: str, component: ComponentRow) -> None:
    """Add a component."""
    await tx.execute(
        INSERT_COMPONENT, team_id, component.id, component.name, component.lmx, component.created_at
    )


async def update_component(tx: Connection, team_id: str, component: ComponentRow) -> None:
    """Write the component's name and body."""
    await tx.execute(
        UPDATE_COMPONENT, team_id, component.id, component.name, component.lmx, component.updated_at
    )


def _theme(row: dict[str, Any]) -> ThemeRow:
    row["styles"] = _styles.decode(row["styles"])
    return ThemeRow(**row)
