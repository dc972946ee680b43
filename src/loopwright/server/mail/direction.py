"""Which way a text runs: by its language, or by its first letter that has a direction."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias
from unicodedata import bidirectional

from .markup import Node, Text
from .variables import Part, parts

Direction: TypeAlias = Literal["ltr", "rtl"]

_RTL_LANGUAGES = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ji", "ks", "ps", "sd", "syr", "ug", "ur", "yi")
)
_RTL_SCRIPTS = frozenset(["adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"])
_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")


def language_tag(code: str) -> str:
    """The code as HTML's `lang` has it, with dashes; `und`, undetermined, when it is none."""
    code = code.strip()
    return code.replace("_", "-") if _TAG.fullmatch(code) else "und"


def direction_of_language(tag: str) -> Direction | None:
    """Which way a language is written; None when it is not determined."""
    if tag == "und":
        return None
    first, *rest = tag.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RTL_SCRIPTS else "ltr"
    return "rtl" if first in _RTL_LANGUAGES else "ltr"


def first_strong(texts: Iterable[str]) -> Direction | None:
    """The direction of the first letter that has one."""
    for text in texts:
        for character in text:
            match bidirectional(character):
                case "L":
                    return "ltr"
                case "R" | "AL":
                    return "rtl"
                case _:
                    pass
    return None


def direction_of(nodes: Sequence[Node]) -> Direction | None:
    """The direction of what the author wrote in these nodes, variables aside."""
    return first_strong(piece for piece in _pieces(nodes) if isinstance(piece, str))


def begins_left_to_right(nodes: Sequence[Node]) -> bool:
    """Whether these nodes run from the left whatever the values are: such a letter precedes any variable."""
    for piece in _pieces(nodes):
        found = first_strong([piece]) if isinstance(piece, str) else "rtl"
        if found:
            return found == "ltr"
    return False


def _pieces(nodes: Sequence[Node]) -> Iterable[Part]:
    for node in nodes:
        if isinstance(node, Text):
            yield from parts(node.text)
        elif node.tag not in ("CodeBlock", "Code"):
            yield from _pieces(node.children)
