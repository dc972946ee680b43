"""The reader of fragments, held against expat, which reads the same language by other means."""

from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.mail.markup import DEPTH_LIMIT, Element, Node, SourcePosition, Text, read, write

NAMES = st.sampled_from(["Paragraph", "Strong", "H1", "a", "A-b_c.d"])
CHARACTERS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1)
SOUP = st.lists(
    st.sampled_from(
        [
            "<a>",
            "</a>",
            "<b/>",
            '<a x="1">',
            "<a x='&quot;'>",
            "&amp;",
            "&",
            "&#65;",
            "&#x1F600;",
            "&#0;",
            "&nbsp;",
            "<!-- c -->",
            "<!--",
            "-->",
            "<![CDATA[x]]>",
            "]]>",
            "<?x?>",
            "<!DOCTYPE a>",
            "<",
            ">",
            "text",
            "é",
            "\r\n",
            '<a x="1" x="2">',
            '<a x="<">',
            "<a x>",
            "< a>",
            "</a >",
            '<a\n\tx="\n">',
            "\x0b",
            '"',
            "'",
        ]
    )
).map("".join)


def shape(nodes: tuple[Node, ...]) -> list[object]:
    """Nodes as plain data, texts side by side made one."""
    plain: list[object] = []
    for node in nodes:
        if isinstance(node, Element):
            plain.append((node.tag, node.attributes, shape(node.children)))
        elif plain and isinstance(plain[-1], str):
            plain[-1] += node.text
        else:
            plain.append(node.text)
    return plain


def by_expat(source: str) -> list[object]:
    """What expat makes of a fragment. Raises `expat.ExpatError`."""
    levels: list[list[object]] = [[]]

    def start(tag: str, attributes: dict[str, str]) -> None:
        children: list[object] = []
        levels[-1].append((tag, attributes, children))
        levels.append(children)

    def text(data: str) -> None:
        if levels[-1] and isinstance(levels[-1][-1], str):
            levels[-1][-1] += data
        else:
            levels[-1].append(data)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: levels.pop()
    parser.CharacterDataHandler = text
    parser.Parse(f"<root>{source}</root>".encode(), True)
    root = levels[0][0]
    assert isinstance(root, tuple)
    return list(root[2])


def trees() -> st.SearchStrategy[tuple[Node, ...]]:
    place = SourcePosition(1, 1)
    texts = CHARACTERS.map(lambda text: Text(text, place))
    attributes = st.dictionaries(NAMES, CHARACTERS, max_size=3)

    def element(children: st.SearchStrategy[tuple[Node, ...]]) -> st.SearchStrategy[tuple[Node, ...]]:
        return st.lists(
            st.builds(Element, NAMES, attributes, children, st.just(place)) | texts, max_size=3
        ).map(tuple)

    return st.recursive(st.lists(texts, max_size=1).map(tuple), element, max_leaves=12)


@given(trees())
def test_what_is_written_is_read_again(nodes: tuple[Node, ...]) -> None:
    fragment = read(write(nodes))
    assert fragment.problems == ()
    assert shape(fragment.nodes) == shape(nodes)


@given(SOUP)
def test_whatever_is_read_without_problems_expat_reads_alike(source: str) -> None:
    """Nothing is accepted that is not XML, and nothing is understood in another way."""
    fragment = read(source)
    if not fragment.problems:
        assert shape(fragment.nodes) == by_expat(source)


@given(SOUP)
def test_only_what_the_language_leaves_out_is_refused(source: str) -> None:
    """What expat takes and we refuse holds CDATA or a processing instruction."""
    try:
        by_expat(source)
    except expat.ExpatError:
        return
    if "<![CDATA[" not in source and "<?" not in source:
        assert read(source).problems == ()


@given(st.text())
def test_no_text_breaks_the_reader(source: str) -> None:
    read(source)


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("<a>", 1, 1, "never closed"),
        ("\n  </a>", 2, 3, "closes nothing"),
        ("<a><b></a></b>", 1, 4, "<b> is not closed before </a>"),
        ("a & b", 1, 3, "&amp;"),
        ("x\n&nbsp;", 2, 1, "&amp;nbsp;"),
        ("a < b", 1, 3, "&lt;"),
        ('<a x="1" x="2"/>', 1, 10, "twice"),
        ("<a x=1/>", 1, 4, 'name="value"'),
        ("<!DOCTYPE a>", 1, 1, "doctype"),
        ('<!ENTITY x "y">', 1, 1, "declarations"),
        ("<?xml version='1.0'?>", 1, 1, "processing"),
        ("<![CDATA[x]]>", 1, 1, "CDATA"),
        ("<!-- a -- b -->", 1, 1, "comment"),
        ("a\x07", 1, 2, "U+0007"),
        ("a ]]> b", 1, 3, "]]&gt;"),
    ],
)
def test_a_mistake_is_named_with_its_place(source: str, line: int, column: int, words: str) -> None:
    [problem, *_] = read(source).problems
    assert (problem.place.line, problem.place.column) == (line, column)
    assert words in problem.message


def test_all_mistakes_are_named_at_once() -> None:
    assert [problem.place.line for problem in read("&x;\n</b>\n<a>\n<").problems] == [1, 2, 3, 4]


def test_depth_has_an_end() -> None:
    """Even an absurd fragment is answered with a problem and not with a crash."""
    deep = read("<a>" * 5000 + "</a>" * 5000)
    assert any(str(DEPTH_LIMIT) in problem.message for problem in deep.problems)
    assert read("<a>" * DEPTH_LIMIT + "</a>" * DEPTH_LIMIT).problems == ()
