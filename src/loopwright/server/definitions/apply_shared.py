"""Brings in line what a team's emails share: images, themes and components, before the emails that name them.

Files keep what they last wrote. A theme or component that is otherwise by now was changed elsewhere: drift.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.content import designs as content
from loopwright.server.content.images import digest_of, image_url
from loopwright.server.refusal import Unprocessable
from loopwright.server.store import definitions as named
from loopwright.server.store import designs, uploads
from loopwright.server.store.database import Connection
from loopwright.server.store.designs import ComponentRow, Styles, ThemeRow

from .change import Change, action
from .mistakes import Mistake
from .model import ComponentDefinition, ImageDefinition, ThemeDefinition
from .names import Names

DRIFT = "this {what} was changed elsewhere; take the change into the files, or apply with --overwrite"


class SharedApplier:
    """One apply. Afterwards `names` has what stands for the folder's names, `drift` what others changed, and
    `refused` what emails cannot bear.
    """

    def __init__(self, tx: Connection, team_id: str, public_url: str, now: datetime) -> None:
        self._tx = tx
        self._team_id = team_id
        self._public_url = public_url
        self._now = now
        self.names = Names()
        self.drift: list[Mistake] = []
        self.refused: list[Mistake] = []

    async def images(self, definitions: Sequence[ImageDefinition]) -> list[Change]:
        """Store images; one that is there already stays as it is."""
        digests = {one.path: digest_of(one.data) for one in definitions}
        rows = {
            digests[one.path]: uploads.ImageRow(content_type=one.content_type, data=one.data)
            for one in definitions
        }
        added = await uploads.keep_images(self._tx, self._team_id, rows, now=self._now)
        urls = {
            one.path: image_url(self._public_url, digests[one.path], one.content_type) for one in definitions
        }
        self.names = replace(self.names, images=urls)
        return [
            Change("image", path, "created" if digests[path] in added else "unchanged", detail=url)
            for path, url in urls.items()
        ]

    async def themes(self, definitions: Sequence[ThemeDefinition]) -> list[Change]:
        """Create and change themes, with all the emails that have them."""
        slugs = [one.slug for one in definitions]
        known = {one.slug: one for one in await named.load_named_themes(self._tx, self._team_id, slugs)}
        ids = [one.id for one in known.values()]
        rows = {one.id: one for one in await designs.load_themes(self._tx, self._team_id, ids)}
        changes: list[Change] = []
        for one in definitions:
            stored = known.get(one.slug)
            row = rows[stored.id] if stored else None
            if stored and stored.written and row:
                last = msgspec.json.decode(stored.written, type=dict[str, str | float])
                self._compare("theme", one.file, row.styles, last, one.styles)
            changes.append(await self._theme(one, row))
        self.names = replace(self.names, themes={one.slug: one.id for one in changes})
        return changes

    async def components(self, definitions: Sequence[ComponentDefinition]) -> list[Change]:
        """Create and change components, with all the emails in which they stand."""
        slugs = [one.slug for one in definitions]
        known = {one.slug: one for one in await named.load_named_components(self._tx, self._team_id, slugs)}
        ids = [one.id for one in known.values()]
        rows = {one.id: one for one in await designs.load_components(self._tx, self._team_id, ids)}
        changes: list[Change] = []
        for one in definitions:
            stored = known.get(one.slug)
            row = rows[stored.id] if stored else None
            lmx = self.names.resolved(one.lmx)
            if stored and stored.written is not None and row:
                self._compare("component", one.file, row.lmx, stored.written, lmx)
            changes.append(await self._component(one, row, lmx))
        self.names = replace(self.names, components={one.slug: one.id for one in changes})
        return changes

    async def _theme(self, definition: ThemeDefinition, row: ThemeRow | None) -> Change:
        detail = ""
        styles: Styles = definition.styles
        wanted = ThemeRow(
            id=row.id if row else new_id(self._now),
            name=definition.name,
            styles=styles,
            is_default=row.is_default if row else False,
            created_at=row.created_at if row else self._now,
            updated_at=self._now,
        )
        differs = row is None or (row.name, row.styles) != (wanted.name, wanted.styles)
        if row is None:
            await designs.insert_theme(self._tx, self._team_id, wanted)
        elif differs:
            reached = await content.write_theme(self._tx, self._team_id, row, wanted, now=self._now)
            detail = f"emails that have it: {reached}" if reached else ""
        written = msgspec.json.encode(styles).decode()
        await named.name_theme(self._tx, self._team_id, wanted.id, definition.slug, written)
        return Change("theme", definition.slug, action(row, differs=differs), wanted.id, detail)

    async def _component(self, definition: ComponentDefinition, row: ComponentRow | None, lmx: str) -> Change:
        detail = ""
        component_id = row.id if row else new_id(self._now)
        differs = row is None or (row.name, row.lmx) != (definition.name, lmx)
        try:
            if row is None:
                made = ComponentRow(
                    id=component_id, name=definition.name, lmx=lmx, created_at=self._now, updated_at=self._now
                )
                await content.create_component(self._tx, self._team_id, made)
            elif differs:
                _, reached = await content.change_component(
                    self._tx, self._team_id, component_id, definition.name, lmx, now=self._now
                )
                detail = f"emails that hold it: {reached}" if reached else ""
        except Unprocessable as problem:
            self.refused.append(Mistake(definition.file, 1, str(problem)))
        else:
            await named.name_component(self._tx, self._team_id, component_id, definition.slug, lmx)
        return Change("component", definition.slug, action(row, differs=differs), component_id, detail)

    def _compare(self, what: str, file: str, current: object, last: object, wanted: object) -> None:
        """Note drift when what is there is neither what files wrote nor what they say."""
        if current not in (last, wanted):
            self.drift.append(Mistake(file, 1, DRIFT.format(what=what)))
