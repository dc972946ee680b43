"""Writes as files what emails share: themes, components, and the images that any of the bodies show."""

import re
from collections.abc import Iterable, Mapping
from typing import LiteralString

import msgspec
from msgspec import Struct

from loopwright.server.content.images import EXTENSIONS, digest_of, image_url
from loopwright.server.mail.design import named
from loopwright.server.store.database import Connection
from loopwright.server.store.uploads import load_images

from .mistakes import InvalidDefinitions, Mistake
from .names import IMAGES, Names, slugs_of, sources
from .parse import parse
from .toml import lines

_DIGEST = re.compile(r"/images/([0-9a-f]{64})\.")

# The default theme as every team has it is nobody's work, unless emails name it.
THEMES: LiteralString = """
    SELECT id, slug, name, styles FROM theme
     WHERE team_id = $1 AND (id = ANY($2::text[]) OR NOT is_default OR styles <> '{}') ORDER BY id
"""
COMPONENTS: LiteralString = "SELECT id, slug, name, lmx FROM component WHERE team_id = $1 ORDER BY id"
NAME_THEMES: LiteralString = """
    UPDATE theme SET slug = new.slug, written = theme.styles
      FROM unnest($2::text[], $3::text[]) AS new (id, slug)
     WHERE theme.team_id = $1 AND theme.id = new.id
"""
NAME_COMPONENTS: LiteralString = """
    UPDATE component SET slug = new.slug, written = component.lmx
      FROM unnest($2::text[], $3::text[]) AS new (id, slug)
     WHERE component.team_id = $1 AND component.id = new.id
"""


class PulledShared(Struct, frozen=True, kw_only=True):
    """The files of what is shared, the bytes of images by their paths, and what files cannot hold.

    `names` are those that stand in files for what the team has.
    """

    files: Mapping[str, str]
    images: Mapping[str, bytes]
    names: Names
    notes: list[str]


async def pull_shared(tx: Connection, team_id: str, public_url: str, bodies: Iterable[str]) -> PulledShared:
    """Themes and components, each with a slug from now on, and the images in them and in the `bodies`.

    `public_url` is where readers get the images, as it is for `apply`; images at other addresses stay there.
    """
    bodies = list(bodies)
    named_themes = {theme for body in bodies for theme in named(body).themes}
    themes = await tx.fetch(THEMES, team_id, list(named_themes))
    components = await tx.fetch(COMPONENTS, team_id)
    images, urls = await _images(tx, team_id, public_url, [*bodies, *(row["lmx"] for row in components)])
    files: dict[str, str] = {}
    notes: list[str] = []
    theme_slugs = slugs_of([(row["id"], row["slug"], row["name"]) for row in themes])
    component_slugs = slugs_of([(row["id"], row["slug"], row["name"]) for row in components])
    for row in themes:
        styles = msgspec.json.decode(row["styles"], type=dict[str, str | float])
        file = f"themes/{theme_slugs[row['id']]}.toml"
        text = lines({"name": row["name"], "styles": styles})
        if not _noted({file: text}, {}, notes):
            files[file] = text
    names = Names(images=urls)
    for row in components:
        slug = component_slugs[row["id"]]
        written = {
            f"components/{slug}.toml": lines({"name": row["name"], "body": f"{slug}.lmx"}),
            f"components/{slug}.lmx": names.resolved(row["lmx"]),
        }
        if not _noted(written, images, notes):
            files |= written
    kept_themes = {one: slug for one, slug in theme_slugs.items() if f"themes/{slug}.toml" in files}
    kept = {one: slug for one, slug in component_slugs.items() if f"components/{slug}.toml" in files}
    await tx.execute(NAME_THEMES, team_id, list(kept_themes), list(kept_themes.values()))
    await tx.execute(NAME_COMPONENTS, team_id, list(kept), list(kept.values()))
    names = Names(themes=kept_themes, components=kept, images=urls)
    return PulledShared(files=files, images=images, names=names, notes=notes)


def refused(files: Mapping[str, str], images: Mapping[str, bytes]) -> list[Mistake]:
    """What is wrong with files that were written."""
    try:
        parse(files, images)
    except InvalidDefinitions as invalid:
        return list(invalid.mistakes)
    return []


def _noted(files: Mapping[str, str], images: Mapping[str, bytes], notes: list[str]) -> bool:
    """Whether files cannot hold it, which is noted."""
    mistakes = refused(files, images)
    notes += [f"{one}; it stays where it is, and emails name it by its id" for one in mistakes]
    return bool(mistakes)


async def _images(
    tx: Connection, team_id: str, public_url: str, bodies: Iterable[str]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The bytes of the team's images in the bodies by their paths, and the paths by their addresses."""
    digests = {
        bytes.fromhex(found[1])
        for body in bodies
        for source in sources(body)
        if (found := _DIGEST.search(source))
    }
    images: dict[str, bytes] = {}
    paths: dict[str, str] = {}
    for one in await load_images(tx, team_id, sorted(digests)):
        digest = digest_of(one.data)
        path = f"{IMAGES}{digest.hex()[:16]}.{EXTENSIONS[one.content_type]}"
        images[path] = one.data
        paths[image_url(public_url, digest, one.content_type)] = path
    return images, paths
