"""Random LMX of all tags: it is sound, reads back as it was, and says to every reader what it says."""

from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import count
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from loopwright.server.mail.design import Design, expand
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.lmx import LIST_DEPTH, check
from loopwright.server.mail.markup import Element, Node, SourcePosition, Text, read, write
from loopwright.server.mail.normal import normalise
from loopwright.server.mail.render import Rendered, fill, prepare
from loopwright.server.mail.tags import BLOCKS, INLINE, LISTS, TAGS, Attribute
from loopwright.server.mail.template import Values
from loopwright.server.store.messages import EMPTY

Choice = TypeVar("Choice")

PLACE = SourcePosition(1, 1)
FOOTER = Footer(company="Acme", address="1 Road")
SYSTEM = {"unsubscribe_link": "https://acme.example/leave", "icons_root": "https://acme.example/icons"}
SAMPLES = (
    *("0", "1", "6", "12", "24.5", "50", "100", "120", "200", "#0a66c2", "#06c", "#ffffff", "#000000"),
    *("left", "center", "right", "top", "middle", "bottom", "true", "false", "sans-serif", "Inter, serif"),
    *("globe", "envelope", "https://acme.example/picture.png", 'words & "signs" <b>'),
)
"""Every attribute takes those of them that it can have."""
WITH_PARTNERS = {"if", "ifOperation", "ifValue", "widths", "href", "alt", "dynamicSrc", "themeId"}
HOLDING = frozenset({"Style", "Section", "Columns", "For"})
HOSTILE = "<zq onload=x>\"'`&lt;</style></td>-->{{x}}[[0]]="


def values_of(attribute: Attribute) -> list[str]:
    return [one for one in SAMPLES if attribute.mistake(attribute.read(one)) is None]


CHOICES = {
    tag.name: {
        name: (values_of(attribute), attribute.required)
        for name, attribute in tag.attributes.items()
        if name not in WITH_PARTNERS
    }
    for tag in TAGS.values()
}


class Trees:
    """Makes one tree; remembers every word that a reader sees in it, and every address."""

    def __init__(self, random: Random, depth: int) -> None:
        self._random = random
        self._depth = depth
        self._numbers = count()
        self.words: list[str] = []
        self.addresses: list[str] = []

    def document(self) -> tuple[Node, ...]:
        blocks = self.blocks(BLOCKS - {"Style"}, self._depth)
        if self.maybe():
            blocks.insert(self.one_of(range(len(blocks) + 1)), self.element("Style", 0))
        return tuple(blocks)

    def blocks(self, allowed: frozenset[str], depth: int, repeated: bool = False) -> list[Element]:
        names = sorted(allowed - (HOLDING | {"Component"} if depth <= 0 else set()))
        if repeated:
            names = [name for name in names if name != "For"]
        number = self.one_of(range(1, 4 if depth == self._depth else 3))
        return [self.element(self.one_of(names), depth, repeated) for _ in range(number)]

    def element(self, name: str, depth: int, repeated: bool = False, lists: int = 0) -> Element:
        tag = TAGS[name]
        said = self.attributes(name)
        children: list[Node]
        match tag.inside:
            case "nothing":
                return Element(name, said, (), PLACE, closed_itself=True)
            case "blocks" if name == "Component":  # its blocks take its place, and have to fit in there
                said = {"componentId": "cfooter"}
                children = [*self.blocks(BLOCKS - tag.never - HOLDING, depth - 1, repeated)]
            case "blocks":
                children = [*self.blocks(BLOCKS - tag.never - {"Style"}, depth - 1, repeated)]
            case "repeated":
                said = {"variable": "{event.items}"}
                children = [*self.blocks(BLOCKS - {"Style", "For"}, depth - 1, repeated=True)]
            case "items":
                assert tag.items is not None
                item, least, most = tag.items
                number = self.one_of(range(least, min(most, least + 2) + 1))
                children = [self.element(item, depth, repeated, lists + 1) for _ in range(number)]
                if name == "Columns" and self.maybe():
                    said["widths"] = ",".join(f"{100 / number:.2f}" for _ in range(number))
            case "inline":
                children = self.inline(depth, repeated)
                if name == "ListItem" and lists < LIST_DEPTH and self.maybe():
                    children.append(self.element(self.one_of(sorted(LISTS)), depth, repeated, lists))
            case "plain":
                children = [self.text(repeated)]
            case "raw":
                children = [Text(f"{self.word()} {{braces}} < & >", PLACE)]
        return Element(name, said, tuple(children), PLACE)

    def inline(self, depth: int, repeated: bool) -> list[Node]:
        found: list[Node] = [self.text(repeated)]
        for _ in range(self.one_of(range(2 if depth < 0 else 3))):
            name = self.one_of(sorted(INLINE))
            found += [self.element(name, depth - 1, repeated), self.text(repeated)]
        return found

    def text(self, repeated: bool) -> Text:
        variables = ["", "{event.plan}", "{contact.firstName}", *(["{event.items[].name}"] * repeated)]
        return Text(f" {self.word()} {self.one_of(variables)} & <{self.word()}> ", PLACE)

    def attributes(self, name: str) -> dict[str, str]:
        said = {
            key: self.one_of(values) for key, (values, required) in CHOICES[name].items()
            if values and (required or self.one_of(range(4)) == 0)
        }  # fmt: skip
        known = TAGS[name].attributes
        if "href" in known and (known["href"].required or self.maybe()):
            address = f"https://acme.example/{self.word(seen=False)}"
            self.addresses.append(address)
            said["href"] = address + self.one_of(["", "?of={event.plan}", "/{contact.firstName}"])
        if "alt" in known:
            said["alt"] = f"{self.word()} {{event.plan}}"
        if "if" in known and self.maybe():
            said |= self.one_of(
                [
                    {"if": "{event.plan}"},
                    {"if": "{event.plan}", "ifOperation": "not_equal", "ifValue": "Free <b>"},
                    {"if": "{event.items}", "ifOperation": "greater_than", "ifValue": "1"},
                ]
            )
        return said

    def word(self, *, seen: bool = True) -> str:
        word = f"w{next(self._numbers)}w"
        if seen:
            self.words.append(word)
        return word

    def maybe(self) -> bool:
        return self._random.random() < 0.5

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        return self._random.choice(choices)


class Shape(HTMLParser):
    """The tags of a document with the names of their attributes, in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", (data,)))


def rendered(lmx: str, value: str) -> Rendered:
    values = Values(
        contact={"firstName": value},
        event={"plan": value, "items": [{"name": value}, {"name": value}]},
        system=SYSTEM,
    )
    return fill(prepare(replace(EMPTY, lmx=lmx), FOOTER), values)


def without_places(nodes: tuple[Node, ...]) -> list[object]:
    """Nodes as they compare: neighbouring texts are one, and places do not count."""
    found: list[object] = []
    for node in nodes:
        if isinstance(node, Text):
            found.append(node.text)
        else:
            found.append((node.tag, node.attributes, node.closed_itself, without_places(node.children)))
    return found


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), depth=st.integers(0, 2))
def test_random_emails(seed: int, depth: int) -> None:
    """Sound; the same when it is read back; once in normal form always; no value is ever markup."""
    tree = Trees(Random(seed), depth)  # drawn one by one it would take hypothesis ten times as long
    nodes = tree.document()
    lmx = write(nodes)
    assert check(lmx, kind="marketing").problems == ()
    assert without_places(read(lmx).nodes) == without_places(nodes)
    normal = normalise(lmx)
    assert normalise(normal) == normal
    assert check(normal, kind="marketing").problems == ()
    normal = expand(normal, Design())
    plain, hostile = rendered(normal, "Pro"), rendered(normal, HOSTILE)
    assert Shape(hostile.html).tags == Shape(plain.html).tags
    assert "zq" not in {tag for tag, _ in Shape(hostile.html).tags}
    for word in tree.words:
        assert word in plain.text
        assert word in plain.html
    for address in tree.addresses:
        assert address in plain.text
