"""What a folder's emails share, by the names it has there: themes, components, images.

LMX in a folder names a theme by its file, `themeId="brand"` for themes/brand.toml, a component likewise, and
an image by its path from the folder's root, `src="images/logo.png"`. A team has ids and addresses instead.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from loopwright.server.mail.design import Design

IMAGES = "images/"
SOMEWHERE = "https://images.invalid/"
"""Stands for where the images will be, as long as nobody knows."""
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


def images_in(lmx: str) -> Iterator[tuple[str, int]]:
    """The images of the folder that LMX names, with their lines."""
    for tag in _TAG.finditer(lmx):
        for found in _NAME.finditer(tag[0]):
            path = found[3] if found[3] is not None else found[4]
            if found[1] == "src" and path.startswith(IMAGES):
                yield path, lmx.count("\n", 0, tag.start() + found.start()) + 1


def somewhere(lmx: str) -> str:
    """LMX whose images are at addresses, as far as a check is concerned."""
    return Names(images={path: f"{SOMEWHERE}{path}" for path, _ in images_in(lmx)}).resolved(lmx)
