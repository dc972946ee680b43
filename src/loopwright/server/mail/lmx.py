"""LMX: what an email looks like, as markup; and whether a piece of it is sound.

`check` reads a fragment against the table of tags and answers with a document to render, or with everything
that is wrong with it. Nothing here knows how a document looks; that is `render`'s business.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct

from loopwright.wire.misfits import shown

from . import variables as variable
from .characters import unwanted, warning
from .markup import Element, MarkupProblem, Node, SourcePosition, Text, read
from .tags import BLOCKS, HTML_TAGS, INLINE, LISTS, TAGS, Attribute, Tag
from .urls import mistake as target_mistake
from .variables import EmailKind, Variable, parts

LIST_DEPTH = 12
_ALONE = (None, "not_empty", "empty", "true", "false")
"""Operations of a condition that compare with nothing; without one it is the first of them."""

_NUMERIC = ("numeric_equal", "numeric_not_equal", "greater_than", "less_than")


class Document(Struct, frozen=True):
    """A sound fragment: its blocks without the Style, with known attributes only, and the Style's own."""

    blocks: tuple[Element, ...]
    style: dict[str, str]


class Checked(Struct, frozen=True):
    """What a check found. `document` is `None` when there are problems; warnings do not stop anything."""

    document: Document | None
    problems: tuple[MarkupProblem, ...]
    warnings: tuple[MarkupProblem, ...]
    variables: frozenset[Variable]


def check(lmx: str, *, kind: EmailKind) -> Checked:
    """Check the markup of an email of that kind: all problems at once, in the order of the text."""
    fragment = read(lmx)
    checker = _Checker(kind, fragment.problems, fragment.warnings)
    blocks = checker.blocks(fragment.nodes, allowed=BLOCKS, holder="the top level")
    styles = [block for block in blocks if block.tag == "Style"]
    for extra in styles[1:]:
        checker.refuse(extra.place, "there is a second <Style>; keep one")
    document = None
    if not checker.problems:
        body = tuple(block for block in blocks if block.tag != "Style")
        document = Document(body, styles[0].attributes if styles else {})
    return Checked(
        document, _ordered(checker.problems), _ordered(checker.warnings), frozenset(checker.variables)
    )


def check_line(text: str, *, kind: EmailKind, field: str) -> Checked:
    """Check a text of one line, such as a subject, where only variables have a meaning."""
    problems = [
        MarkupProblem(SourcePosition(1, 1), f"{field}: {found}") for _, found in variable.mistakes(text, kind)
    ]
    if "\n" in text or "\r" in text:
        problems.append(MarkupProblem(SourcePosition(1, 1), f"{field}: write it in one line"))
    found: frozenset[Variable] = frozenset()
    if not problems:
        found = frozenset(variable.variables(parts(text)))
    control = unwanted(text)
    doubts = [MarkupProblem(SourcePosition(1, 1), f"{field}: {warning(control[0])}")] if control else []
    return Checked(None, tuple(problems), tuple(doubts), found)


def _ordered(problems: Iterable[MarkupProblem]) -> tuple[MarkupProblem, ...]:
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.place))


def _within(node: Text, offset: int) -> SourcePosition:
    """The place of a character of a text; the column is exact where no reference stands before it."""
    before = node.text[:offset]
    lines = before.count("\n")
    column = offset - before.rfind("\n") if lines else node.place.column + offset
    return SourcePosition(node.place.line + lines, column)


def list_of(repetition: Element) -> Variable | None:
    """The list whose items a For repeats; None when it names none."""
    found = parts(repetition.attributes.get("variable", ""))
    return next((part for part in found if isinstance(part, Variable)), None)


class _Checker:
    """Walks the nodes, collects what is wrong, and gives back what is known of them."""

    def __init__(
        self, kind: EmailKind, problems: Sequence[MarkupProblem], warnings: Sequence[MarkupProblem]
    ) -> None:
        self.kind: EmailKind = kind
        self.problems = list(problems)
        self.warnings = list(warnings)
        self.variables: set[Variable] = set()
        self.repeated: Variable | None = None

    def refuse(self, place: SourcePosition, message: str) -> None:
        self.problems.append(MarkupProblem(place, message))

    def blocks(
        self, nodes: Sequence[Node], *, allowed: frozenset[str], holder: str, list_depth: int = 0
    ) -> tuple[Element, ...]:
        """Check nodes that must be blocks; white space between them is dropped."""
        kept: list[Element] = []
        for node in nodes:
            if isinstance(node, Text):
                if words := node.text.lstrip():
                    place = _within(node, len(node.text) - len(words))
                    self.refuse(place, f"{holder} holds no text; put it into a <Paragraph>")
            elif self.is_known(node) and self.fits(node, allowed, holder):
                kept.append(self.element(node, list_depth, allowed))
        return tuple(kept)

    def inline(self, nodes: Sequence[Node], *, holder: Element, list_depth: int) -> tuple[Node, ...]:
        """Check text with inline tags; a ListItem holds lists as well."""
        allowed = INLINE | LISTS if holder.tag == "ListItem" else INLINE
        kept: list[Node] = []
        for node in nodes:
            if isinstance(node, Text):
                self.text(node)
                kept.append(node)
            elif self.is_known(node) and self.fits(node, allowed, f"<{holder.tag}>"):
                kept.append(self.element(node, list_depth, allowed))
        return tuple(kept)

    def characters(self, nodes: Sequence[Node], *, holder: Element, braces: bool) -> tuple[Node, ...]:
        """Check that there is only text; with `braces` as characters, or else with variables."""
        for node in nodes:
            if isinstance(node, Element):
                self.refuse(node.place, f"<{holder.tag}> holds text only; take <{node.tag}> out of it")
            elif not braces:
                self.text(node)
        return tuple(node for node in nodes if isinstance(node, Text))

    def items(self, holder: Element, tag: Tag, list_depth: int) -> tuple[Element, ...]:
        """Check a tag that holds only tags of one name."""
        assert tag.items is not None
        name, least, most = tag.items
        kept = self.blocks(
            holder.children, allowed=frozenset({name}), holder=f"<{tag.name}>", list_depth=list_depth
        )
        count = sum(isinstance(node, Element) and node.tag == name for node in holder.children)
        shares = holder.attributes.get("widths", "").count(",") + 1
        if "widths" in holder.attributes and shares != count:
            self.refuse(
                holder.place, f'"widths" has {shares} for {count} columns; give one for each, 100 together'
            )
        if not least <= count <= most:
            amount = f"{least} or more" if most >= 1000 else f"{least} to {most}"
            self.refuse(holder.place, f"<{tag.name}> holds {amount} <{name}>, here are {count}")
        return kept

    def repetition(self, element: Element, allowed: frozenset[str]) -> tuple[Element, ...]:
        """Check the blocks of a For, which may use the fields of its list's items."""
        if self.repeated:
            self.refuse(element.place, "<For> cannot stand inside another <For>; move it out")
        if not any(isinstance(node, Element) for node in element.children):
            self.refuse(element.place, "<For> repeats one block or more, and here is none; put one into it")
        outer = self.repeated
        self.repeated = list_of(element)
        children = self.blocks(element.children, allowed=allowed, holder="<For>")
        self.repeated = outer
        return children

    def element(self, element: Element, list_depth: int, allowed: frozenset[str]) -> Element:
        """Check a tag of the table, which stands where these tags may, with everything inside it."""
        tag = TAGS[element.tag]
        attributes = self.attributes(element, tag)
        if element.tag in LISTS:
            list_depth += 1
            if list_depth == LIST_DEPTH + 1:
                self.refuse(element.place, f"lists may be nested {LIST_DEPTH} deep; this one is deeper")
        children: tuple[Node, ...]
        match tag.inside:
            case "nothing":
                children = ()
                if not element.closed_itself:
                    self.refuse(element.place, f"<{tag.name}> holds nothing; write {_alone(tag)}")
            case "blocks":
                holder = f"<{tag.name}>"
                children = self.blocks(element.children, allowed=BLOCKS - tag.never, holder=holder)
            case "repeated":
                children = self.repetition(element, allowed - tag.never)
            case "items":
                children = self.items(element, tag, list_depth)
            case "inline":
                children = self.inline(element.children, holder=element, list_depth=list_depth)
            case "plain":
                children = self.characters(element.children, holder=element, braces=False)
            case "raw":
                children = self.characters(element.children, holder=element, braces=True)
        return Element(element.tag, attributes, children, element.place, element.closed_itself)

    def is_known(self, element: Element) -> bool:
        if element.tag in TAGS:
            return True
        names = {name.lower(): name for name in TAGS}
        written = element.tag.lower()
        close = HTML_TAGS.get(written) or next(
            (names[one] for one in get_close_matches(written, names, n=1)), ""
        )
        remedy = f"write {_begun(TAGS[close])}" if close else f"the tags are {', '.join(TAGS)}"
        self.refuse(element.place, f"<{element.tag}> is not a tag of LMX; {remedy}")
        return False

    def fits(self, element: Element, allowed: frozenset[str], holder: str) -> bool:
        if element.tag in allowed:
            return True
        if element.tag in INLINE and "Paragraph" in allowed:
            remedy = "put it into a <Paragraph>"
        elif element.tag == "Icon" and "Icons" in allowed:
            remedy = "put it into <Icons>"
        elif len(allowed) == 1:
            remedy = f"it holds <{next(iter(allowed))}> only"
        else:
            remedy = "move it out"
        self.refuse(element.place, f"<{element.tag}> cannot stand in {holder}; {remedy}")
        return False

    def attributes(self, element: Element, tag: Tag) -> dict[str, str]:
        """Check all attributes and keep those the table knows."""
        kept: dict[str, str] = {}
        for name, value in element.attributes.items():
            attribute = tag.attributes.get(name)
            if attribute is None:
                known = ", ".join(tag.attributes) or "none"
                message = f'"{name}" has no effect on <{tag.name}>; its attributes: {known}'
                self.warnings.append(MarkupProblem(element.place, message))
                continue
            kept[name] = attribute.read(value)
            self.attribute(element, name, kept[name], attribute)
        for name, attribute in tag.attributes.items():
            if attribute.required and name not in kept:
                self.refuse(element.place, f'<{tag.name}> needs the attribute "{name}"; add {name}="…"')
        self.conditions(element, kept)
        if tag.name in ("Button", "Icon") and "href" not in kept:
            message = f'<{tag.name}> leads nowhere; add href="https://…"'
            self.warnings.append(MarkupProblem(element.place, message))
        return kept

    def attribute(self, element: Element, name: str, value: str, attribute: Attribute) -> None:
        if attribute.dynamic or name in ("if", "variable"):
            self.text(Text(value, element.place))
        if attribute.dynamic and variable.variables(parts(value)):
            return
        if found := attribute.mistake(value):
            self.refuse(element.place, f'"{name}" {found} (got {shown(value)})')
        elif name == "href" and (doubt := target_mistake(value)):
            self.warnings.append(MarkupProblem(element.place, f'"href" {doubt} (got {shown(value)})'))

    def conditions(self, element: Element, attributes: dict[str, str]) -> None:
        """Check that the attributes of a conditional Section belong together."""
        operation = attributes.get("ifOperation")
        if (operation is not None or "ifValue" in attributes) and "if" not in attributes:
            self.refuse(element.place, 'a condition needs its variable; add if="{contact.…}"')
        value = attributes.get("ifValue")
        if value is None and operation not in _ALONE:
            self.refuse(element.place, f'ifOperation="{operation}" compares with a value; add ifValue="…"')
        elif value and "if" in attributes and (doubt := _value_doubt(value, operation)):
            self.warnings.append(MarkupProblem(element.place, f'"ifValue" {doubt} (got {shown(value)})'))

    def text(self, node: Text) -> None:
        """Check the variables in a text."""
        for offset, found in variable.mistakes(node.text, self.kind, self.repeated):
            self.refuse(_within(node, offset), found)
        self.variables |= variable.variables(parts(node.text))


def _value_doubt(value: str, operation: str | None) -> str | None:
    """Why the value of a condition cannot do what its author means."""
    if operation in _ALONE:
        return f'has no effect with ifOperation="{operation or "not_empty"}"; compare by ifOperation="equal"'
    if variable.variables(parts(value)):
        return "is compared as it stands, braces and all; write a fixed text"
    if operation in _NUMERIC and not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", value):
        return f'is no number, so ifOperation="{operation}" never holds; write one such as 10'
    return None


def _begun(tag: Tag) -> str:
    """How the tag is written."""
    return _alone(tag) if tag.inside == "nothing" else f"<{tag.name}>"


def _alone(tag: Tag) -> str:
    """How a tag that holds nothing is written."""
    return f"<{tag.name} … />" if tag.attributes else f"<{tag.name}/>"
