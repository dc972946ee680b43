"""Themes: list, create, read, change for every email that has them."""

from typing import Any

import msgspec
from msgspec import UNSET

from loopwright.ids import new_id
from loopwright.server.content.designs import change_theme, check_styles
from loopwright.server.mail.style import DEFAULTS
from loopwright.server.refusal import NotFound
from loopwright.server.store import designs
from loopwright.server.store.designs import ThemeRow
from loopwright.wire.failures import THEME_NOT_FOUND
from loopwright.wire.paging import Page
from loopwright.wire.themes import Theme, ThemeStyles, ThemeUpdated

from .bodies import ThemeCreateRequest, ThemeUpdateRequest
from .dispatch import ApiRequest
from .paging import PageWanted, page
from .strict import at_least_one, name_of


async def list_themes(call: ApiRequest, wanted: PageWanted) -> Page[Theme]:
    """GET /v1/themes: newest first."""
    async with call.pool.acquire() as tx:
        total = await designs.count_themes(tx, call.team.id)
        rows = await designs.load_theme_page(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return page(call, wanted, total, rows, lambda row: Theme(**_fields(row)))


async def create_theme(call: ApiRequest, body: ThemeCreateRequest) -> Theme:
    """POST /v1/themes."""
    now = call.clock.now()
    styles = {} if body.styles is UNSET else body.styles
    check_styles(styles)
    row = ThemeRow(
        id=new_id(now),
        name=name_of(body.name),
        styles=styles,
        is_default=False,
        created_at=now,
        updated_at=now,
    )
    async with call.pool.acquire() as tx:
        await designs.insert_theme(tx, call.team.id, row)
    return Theme(**_fields(row))


async def get_theme(call: ApiRequest, theme_id: str) -> Theme:
    """GET /v1/themes/{themeId}."""
    async with call.pool.acquire() as tx:
        rows = await designs.load_themes(tx, call.team.id, [theme_id])
    found = [row for row in rows if row.id == theme_id]
    if not found:
        raise NotFound(THEME_NOT_FOUND, code="theme_not_found")
    return Theme(**_fields(found[0]))


async def update_theme(call: ApiRequest, theme_id: str, body: ThemeUpdateRequest) -> ThemeUpdated:
    """POST /v1/themes/{themeId}: for emails that are accepted from now on."""
    at_least_one(body)
    name = None if body.name is UNSET else name_of(body.name)
    styles = {} if body.styles is UNSET else body.styles
    async with call.pool.acquire() as tx, tx.transaction():
        row, affected = await change_theme(tx, call.team.id, theme_id, name, styles, now=call.clock.now())
    return ThemeUpdated(**_fields(row), affected_email_count=affected)


def _fields(row: ThemeRow) -> dict[str, Any]:
    styles = {**DEFAULTS, **row.styles}
    return {**msgspec.structs.asdict(row), "styles": msgspec.convert(styles, ThemeStyles)}
