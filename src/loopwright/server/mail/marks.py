"""Marks: what stands for authors' and recipients' texts while MJML lays a page out.

MJML sees our own markup only. Whatever an author or a recipient brings in is a mark there, `[[7]]`, and takes
its place, escaped by us, in the HTML that comes back. So a page is laid out once and nothing breaks it.
"""

import re
from collections.abc import Iterable
from html import escape

from msgspec import Struct

from .template import Chunk, Condition, Each, Template, When, joined
from .variables import Variable

_MARK = re.compile(r' (?:href|src)="\[\[(\d+)\]\]"|\[\[(\d+)\]\]')


class Begin(Struct, frozen=True):
    """From here to its `End`, what is shown under a condition only, or once for each item of a list."""

    by: Condition | Variable


class End(Struct, frozen=True):
    """The end of what the last open `Begin` began."""


class Marks:
    """Keeps what the marks of one page stand for."""

    def __init__(self) -> None:
        self._kept: list[tuple[Chunk | Begin | End, ...]] = []

    def mark(self, chunks: Iterable[Chunk | Begin | End]) -> str:
        """A mark for these chunks."""
        self._kept.append(tuple(chunks))
        return f"[[{len(self._kept) - 1}]]"

    def raw(self, chunks: Iterable[Chunk | Begin | End]) -> str:
        """HTML among MJML's own."""
        return f"<mj-raw>{self.mark(chunks)}</mj-raw>"

    def resolved(self, html: str) -> Template:
        """Put what the marks stand for in their place."""
        levels: list[list[Chunk]] = [[]]
        begun: list[Condition | Variable] = []
        end = 0
        for found in _MARK.finditer(html):
            levels[-1].append(html[end : found.start()])
            end = found.end()
            for chunk in self._kept[int(found[1] or found[2])]:
                match chunk:
                    case Begin():
                        begun.append(chunk.by)
                        levels.append([])
                    case End():
                        inside = joined(levels.pop())
                        by = begun.pop()
                        levels[-1].append(Each(by, inside) if isinstance(by, Variable) else When(by, inside))
                    case _:
                        levels[-1].append(chunk)
        levels[-1].append(html[end:])
        return joined(levels[-1])


def given(**attributes: str | None) -> str:
    """MJML attributes: those that have a value."""
    return "".join(
        f' {name.replace("_", "-")}="{escape(value)}"' for name, value in attributes.items() if value
    )


def pixels(value: str | float | None) -> str | None:
    """A length as CSS has it; None stays None."""
    if value is None:
        return None
    return f"{value}px" if isinstance(value, str) else f"{value:g}px"
