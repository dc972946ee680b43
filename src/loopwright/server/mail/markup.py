"""Read an XML fragment: elements and text with the place each began, or what is wrong with it.

A fragment has no root, no declarations and no entities but XML's own five, so nothing is ever expanded.
Reading goes on after a mistake: whoever wrote the fragment sees every mistake at once.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from html import escape

from msgspec import Struct

from .characters import clean, warning

DEPTH_LIMIT = 64  # elements inside each other; keeps every walk over the tree shallow

_NAME = r"[A-Za-z_][\w.\-]*"
_OPEN = re.compile(rf"""<({_NAME})((?:[^"'<>]|"[^"<]*"|'[^'<]*')*)>""")
_CLOSE = re.compile(rf"</({_NAME})\s*>")
_COMMENT = re.compile(r"<!--((?:(?!--).)*)-->", re.DOTALL)
_ATTRIBUTE = re.compile(rf"""\s+({_NAME})\s*=\s*("[^"<]*"|'[^'<]*')""")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(\w+));|&")
_ILLEGAL = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_REMOVED = re.compile("[\x7f-\x9f]")  # legal in XML, and never in an email
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
# Nobody who leaves one of these open means what follows to be inside of it. HTML's are in any letter case.
_EMPTY = frozenset({"Br", "Divider", "Icon", "Image", "Style"})
_EMPTY_IN_HTML = frozenset({"br", "hr", "img"})


class SourcePosition(Struct, frozen=True, order=True):
    """Where something begins; line and column count from 1."""

    line: int
    column: int


class MarkupProblem(Struct, frozen=True):
    """One thing wrong, where, and what to do about it."""

    place: SourcePosition
    message: str

    def __str__(self) -> str:
        return f"line {self.place.line}, column {self.place.column}: {self.message}"


class Text(Struct, frozen=True):
    """Characters between tags, references resolved."""

    text: str
    place: SourcePosition


class Element(Struct, frozen=True):
    """A tag with what it holds."""

    tag: str
    attributes: dict[str, str]
    children: tuple["Element | Text", ...]
    place: SourcePosition
    closed_itself: bool = False


Node = Element | Text


class Fragment(Struct, frozen=True):
    """What was read. With problems, `nodes` holds as much as could be understood; warnings stop nothing."""

    nodes: tuple[Node, ...]
    problems: tuple[MarkupProblem, ...]
    warnings: tuple[MarkupProblem, ...] = ()


def read(source: str) -> Fragment:
    """Read `source` as a fragment."""
    reader = _Reader(source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    reader.read()
    return Fragment(
        tuple(reader.levels[0].children),
        tuple(sorted(reader.problems, key=lambda p: p.place)),
        tuple(sorted(reader.warnings, key=lambda p: p.place)),
    )


class _Level:
    """An element whose end has not been seen yet; the outermost one is the fragment itself."""

    def __init__(self, tag: str, attributes: dict[str, str], place: SourcePosition) -> None:
        self.tag = tag
        self.attributes = attributes
        self.place = place
        self.children: list[Node] = []


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self.levels = [_Level("", {}, SourcePosition(1, 1))]
        self.problems: list[MarkupProblem] = []
        self.warnings: list[MarkupProblem] = []

    def read(self) -> None:
        for found in _ILLEGAL.finditer(self.source):
            self.refuse(found.start(), f"remove the control character U+{ord(found[0]):04X}")
        for found in _REMOVED.finditer(self.source):
            self.warn(found.start(), found[0])
        position = 0
        while position < len(self.source):
            tag = self.source.find("<", position)
            if tag < 0:
                tag = len(self.source)
            if tag > position:
                self.take_text(position, tag)
            position = self.take_tag(tag) if tag < len(self.source) else tag
        for level in self.levels[1:]:
            self.problems.append(
                MarkupProblem(level.place, f"<{level.tag}> is never closed; add </{level.tag}>")
            )
        while len(self.levels) > 1:
            self.close_level()

    def place(self, position: int) -> SourcePosition:
        line = bisect_right(self.line_starts, position)
        return SourcePosition(line, position - self.line_starts[line - 1] + 1)

    def refuse(self, position: int, message: str) -> None:
        self.problems.append(MarkupProblem(self.place(position), message))

    def warn(self, position: int, character: str) -> None:
        self.warnings.append(MarkupProblem(self.place(position), warning(character)))

    def take_text(self, start: int, end: int) -> None:
        raw = self.source[start:end]
        if "]]>" in raw:
            self.refuse(start + raw.index("]]>"), "write ]]&gt; instead of ]]>")
        self.levels[-1].children.append(Text(self.resolve(raw, start), self.place(start)))

    def take_tag(self, start: int) -> int:
        """Take what begins with the `<` at `start` and answer where to go on."""
        if opened := _OPEN.match(self.source, start):
            self.open(opened)
            return opened.end()
        if closed := _CLOSE.match(self.source, start):
            self.close(closed[1], start)
            return closed.end()
        if comment := _COMMENT.match(self.source, start):
            return comment.end()
        return self.refuse_tag(start)

    def refuse_tag(self, start: int) -> int:
        """Say what the `<` at `start` should have been, and go on behind what it most likely spoiled."""
        source = self.source
        for opening, closing, message in (
            ("<!--", "-->", "a comment ends with --> and holds no -- before that"),
            ("<![CDATA[", "]]>", "CDATA is not part of LMX; escape the text with &lt; and &amp;"),
            ("<!", ">", "declarations such as a doctype are not part of LMX; remove it"),
            ("<?", ">", "processing instructions are not part of LMX; remove it"),
        ):
            if source.startswith(opening, start):
                self.refuse(start, message)
                end = source.find(closing, start)
                return len(source) if end < 0 else end + len(closing)
        self.refuse(
            start, "this < begins no well-formed tag; write &lt; for the character, and quote every attribute"
        )
        return start + 1

    def open(self, opened: re.Match[str]) -> None:
        tag, inner = opened[1], opened[2]
        closed_itself = inner.endswith("/")
        attributes = self.attributes(inner.removesuffix("/"), opened.start(2))
        place = self.place(opened.start())
        if closed_itself or _is_empty(tag):
            self.levels[-1].children.append(Element(tag, attributes, (), place, closed_itself))
            return
        if len(self.levels) == DEPTH_LIMIT + 1:
            self.refuse(opened.start(), f"tags may be nested {DEPTH_LIMIT} deep; this one is deeper")
        self.levels.append(_Level(tag, attributes, place))

    def close(self, tag: str, start: int) -> None:
        if _is_empty(tag):
            self.close_empty(tag, start)
            return
        if all(level.tag != tag for level in self.levels[1:]):
            self.refuse(start, f"</{tag}> closes nothing; remove it or add <{tag}> before it")
            return
        while self.levels[-1].tag != tag:
            unclosed = self.levels[-1]
            self.problems.append(
                MarkupProblem(
                    unclosed.place, f"<{unclosed.tag}> is not closed before </{tag}>; add </{unclosed.tag}>"
                )
            )
            self.close_level()
        self.close_level()

    def close_empty(self, tag: str, start: int) -> None:
        """The end right behind its beginning is refused with that; any other one closes nothing."""
        before = self.levels[-1].children[-1:]
        if not any(isinstance(one, Element) and one.tag == tag and not one.closed_itself for one in before):
            self.refuse(start, f"</{tag}> closes nothing; remove it")

    def close_level(self) -> None:
        level = self.levels.pop()
        if len(self.levels) <= DEPTH_LIMIT:
            element = Element(level.tag, level.attributes, tuple(level.children), level.place)
            self.levels[-1].children.append(element)

    def attributes(self, inner: str, start: int) -> dict[str, str]:
        attributes: dict[str, str] = {}
        position = 0
        while found := _ATTRIBUTE.match(inner, position):
            name, value = found[1], found[2][1:-1]
            if name in attributes:
                self.refuse(start + found.start(1), f"{name} is given twice; keep one")
            spaced = re.sub(r"[\t\n]", " ", value)
            attributes[name] = self.resolve(spaced, start + found.start(2) + 1)
            position = found.end()
        if rest := inner[position:].strip():
            self.refuse(
                start + position + 1,
                f'after the tag come attributes as name="value", but here is {rest[:40]}',
            )
        return attributes

    def resolve(self, raw: str, start: int) -> str:
        """Put characters in the place of their references; `start` is where `raw` begins in the source."""
        if "&" not in raw:
            return clean(raw)

        def character(found: re.Match[str]) -> str:
            decimal, hexadecimal, entity = found.groups()
            if entity in _ENTITIES:
                return _ENTITIES[entity]
            code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else -1
            if 0 <= code <= 0x10FFFF and not _ILLEGAL.match(chr(code)):
                if _REMOVED.match(chr(code)):
                    self.warn(start + found.start(), chr(code))
                return chr(code)
            remedy = "write &amp; for the character &"
            if entity:
                remedy = f"&{entity}; is not known in LMX; write the character itself, or &amp;{entity};"
            self.refuse(start + found.start(), remedy)
            return found[0]

        return clean(_REFERENCE.sub(character, raw))


def _is_empty(tag: str) -> bool:
    return tag in _EMPTY or tag.lower() in _EMPTY_IN_HTML


def write(nodes: tuple[Node, ...]) -> str:
    """Write nodes as markup again; reading it gives the same nodes, places aside."""
    return "".join(_written(nodes))


def _written(nodes: tuple[Node, ...]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Text):
            yield escape(node.text, quote=False)
            continue
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
        if node.closed_itself:
            yield f"<{node.tag}{attributes}/>"
        else:
            yield f"<{node.tag}{attributes}>"
            yield from _written(node.children)
            yield f"</{node.tag}>"
