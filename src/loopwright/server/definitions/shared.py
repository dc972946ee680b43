"""Reads what a folder's emails share: images, themes, components."""

from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath

from msgspec import Struct

from loopwright.server.content.designs import as_attributes, style_problems
from loopwright.server.content.images import EXTENSIONS, type_of
from loopwright.server.content.message import component_problems
from loopwright.server.mail.design import Design, SharedComponent
from loopwright.server.mail.normal import normalise
from loopwright.wire.limits import IMAGE_BYTES

from .content import unknown_images
from .mistakes import Mistake, meant
from .model import ComponentDefinition, ImageDefinition, ThemeDefinition
from .names import Shared, somewhere
from .table import Table, tables_in

NO_IMAGES: Mapping[str, bytes] = {}


class SharedDefinitions(Struct, frozen=True, kw_only=True):
    """All that a folder's emails share."""

    images: tuple[ImageDefinition, ...]
    themes: tuple[ThemeDefinition, ...]
    components: tuple[ComponentDefinition, ...]

    def names(self) -> Shared:
        """What emails can name."""
        return Shared(
            design=Design(
                themes={one.slug: as_attributes(one.styles) for one in self.themes},
                components={
                    one.slug: SharedComponent(one.name, somewhere(one.lmx)) for one in self.components
                },
            ),
            images=frozenset(one.path for one in self.images),
        )


def read_shared(
    files: Mapping[str, str], images: Mapping[str, bytes], mistakes: list[Mistake]
) -> SharedDefinitions:
    """Read it; mistakes are noted."""
    kept = tuple(_images(images, mistakes))
    paths = frozenset(one.path for one in kept)
    return SharedDefinitions(
        images=kept,
        themes=tuple(_theme(slug, table) for slug, table in tables_in("themes", files, mistakes)),
        components=tuple(
            _component(slug, table, files, paths, mistakes)
            for slug, table in tables_in("components", files, mistakes)
        ),
    )


def _images(images: Mapping[str, bytes], mistakes: list[Mistake]) -> Iterator[ImageDefinition]:
    for path, data in images.items():
        content_type = type_of(data)
        if content_type is None:
            message = f"no image that emails may hold, which are {', '.join(sorted(EXTENSIONS.values()))}"
            mistakes.append(Mistake(path, 1, message))
        elif len(data) > IMAGE_BYTES:
            mistakes.append(
                Mistake(path, 1, f"an image has at most {IMAGE_BYTES:,} bytes, this one {len(data):,}")
            )
        else:
            yield ImageDefinition(path=path, content_type=content_type, data=data)


def _theme(slug: str, table: Table) -> ThemeDefinition:
    name = table.required_text("name")
    inner = table.table("styles")
    styles = inner.scalars() if inner else {}
    for key, problem in style_problems(styles).items():
        assert inner is not None
        inner.refuse(f"{key} {problem}", key)
    table.finish()
    return ThemeDefinition(slug=slug, file=table.file, name=name, styles=styles)


def _component(
    slug: str, table: Table, files: Mapping[str, str], images: frozenset[str], mistakes: list[Mistake]
) -> ComponentDefinition:
    name, body = table.required_text("name"), table.required_text("body")
    table.finish()
    file = normpath(join(dirname(table.file), body))
    if body and not (file.endswith(".lmx") and file in files):
        beside = [other for other in files if other.startswith("components/") and other.endswith(".lmx")]
        near = meant(body, [other.removeprefix("components/") for other in beside])
        table.refuse(f"body names {body}, which is no .lmx file here; {near}", "body")
    lmx = files.get(file, "")
    mistakes += [Mistake(file, one.place.line, one.message) for one in component_problems(somewhere(lmx))]
    mistakes += unknown_images(file, lmx, images)
    return ComponentDefinition(slug=slug, file=table.file, name=name, lmx=normalise(lmx))
