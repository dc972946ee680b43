"""What a folder's emails share, by the names it has there: themes, components, images.

LMX in a folder names a theme by its file, `themeId="brand"` for themes/brand.toml, a component likewise, and
an image by its path from the folder's root, `src="images/logo.png"`. A team has ids and addresses instead.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from loopwright.server.mail.design import Design

IMAGES = "images/"
SOMEWHERE = "https://images.invalid/"
"""Stands for where the images will be, as long as nobody knows."""
SLUG_LENGTH = 100
"""Of a slug that is made: with a number and an ending it stays a file's name on every system."""
_TAG = re.compile(r"""<(?:Image|Style|Component)\b(?:[^"'<>]|"[^"<]*"|'[^'<]*')*>""")
_NAME = re.compile(r"""\b(src|themeId|componentId)(\s*=\s*)(?:"([^"<]*)"|'([^'<]*)')""")


class Names(Struct, frozen=True, kw_only=True):
    """What stands for a folder's names: ids of themes and components, addresses of images."""

    themes: Mapping[str, str] = {}
    components: Mapping[str, str] = {}
    images: Mapping[str, str] = {}

    def resolved(self, lmx: str) -> str:
        """LMX with what stands for its names; others are left as they are. Lines keep their numbers."""
        kinds = {"src": self.images, "themeId": self.themes, "componentId": self.components}

        def put_in(found: re.Match[str]) -> str:
            value = found[3] if found[3] is not None else found[4]
            return f'{found[1]}{found[2]}"{kinds[found[1]][value]}"' if value in kinds[found[1]] else found[0]

        return _TAG.sub(lambda tag: _NAME.sub(put_in, tag[0]), lmx)


class Shared(Struct, frozen=True, kw_only=True):
    """What a folder's emails can name: its design, by slug, and the paths of its images."""

    design: Design
    images: frozenset[str]

    def design_of(self, themes: frozenset[str], components: frozenset[str]) -> Design | None:
        """The design, when it has all of these; others may be the team's, which nobody knows here."""
        known = themes <= self.design.themes.keys() and components <= self.design.components.keys()
        return self.design if known else None


NOTHING_SHARED = Shared(design=Design(), images=frozenset())


def slugs_of(things: Iterable[tuple[str, str | None, str]]) -> dict[str, str]:
    """A slug for each of these (id, slug, name): the one it has, or one of its own made of its name."""
    things = list(things)
    slugs = {one: slug for one, slug, _ in things if slug}
    taken = set(slugs.values())
    for one, _, name in things:
        if one in slugs:
            continue
        words = "-".join(re.findall(r"[a-z0-9]+", name.lower()))
        base = words[:SLUG_LENGTH].rstrip("-") or "unnamed"
        number, slug = 1, base
        while slug in taken:
            number += 1
            slug = f"{base}-{number}"
        slugs[one] = slug
        taken.add(slug)
    return slugs


def sources(lmx: str) -> Iterator[str]:
    """Where the images of LMX are said to be."""
    for source, _ in _sources(lmx):
        yield source


def images_in(lmx: str) -> Iterator[tuple[str, int]]:
    """The images of the folder that LMX names, with their lines."""
    return ((source, line) for source, line in _sources(lmx) if source.startswith(IMAGES))


def _sources(lmx: str) -> Iterator[tuple[str, int]]:
    for tag in _TAG.finditer(lmx):
        for found in _NAME.finditer(tag[0]):
            if found[1] == "src":
                source = found[3] if found[3] is not None else found[4]
                yield source, lmx.count("\n", 0, tag.start() + found.start()) + 1


def somewhere(lmx: str) -> str:
    """LMX whose images are at addresses, as far as a check is concerned."""
    return Names(images={path: f"{SOMEWHERE}{path}" for path, _ in images_in(lmx)}).resolved(lmx)
