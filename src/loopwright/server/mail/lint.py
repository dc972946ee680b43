"""Lint: what an email's author may not see on their own screen. Nothing of it stops an email.

The rules: text stands out from its ground, images have a text for those who do not see them, links are
encrypted, and programs show what is asked for. Definitions warn of the size themselves.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from .clients import FEATURES, client_support
from .dark import DISCERNIBLE, READABLE, contrast
from .inline_html import elements_of
from .lmx import check
from .markup import Element, SourcePosition
from .style import Look, look
from .urls import is_sound, mistake
from .variables import EmailKind

Rule: TypeAlias = Literal["contrast", "alt", "link", "client"]

_ROUND = ("blockBorderRadius", "borderRadius", "buttonBorderRadius")
_FORMAT = re.compile(r"\.(avif|bmp|heif|svg|tiff|webp)(?:[?#].*)?$", re.IGNORECASE)
_STYLE_INKS = ("textBaseColor", "heading1Color", "heading2Color", "heading3Color", "textLinkColor")


class Finding(Struct, frozen=True, order=True):
    """One thing to look at, and where."""

    place: SourcePosition
    rule: Rule
    message: str


def lint(lmx: str, *, kind: EmailKind) -> tuple[Finding, ...]:
    """Look through sound markup; of unsound one nothing is said, since `check` says it."""
    document = check(lmx, kind=kind).document
    if document is None:
        return ()
    style = Element("Style", document.style, (), _place_of_style(lmx))
    shown = look(document.style, "styled")
    ground = shown.body_color or shown.background
    found = [*_style_contrast(style, ground), *_client(style)]
    for block in document.blocks:
        found += _walk(block, shown, ground)
    return tuple(_once(sorted(set(found))))


def _walk(element: Element, shown: Look, ground: str) -> Iterator[Finding]:
    if element.tag == "CodeBlock":
        ground = shown.code_color
    ground = element.attributes.get("blockColor", ground)
    yield from _contrast(element, shown, ground)
    yield from _alt(element)
    yield from _links(element)
    yield from _client(element)
    for inner in elements_of(element):
        yield from _walk(inner, shown, ground)


def _contrast(element: Element, shown: Look, ground: str) -> Iterator[Finding]:
    said = element.attributes
    if element.tag == "Button":
        ground = said.get("bgColor", shown.button_color)
    if "textColor" in said:
        yield from _faint(element, "textColor", said["textColor"], ground)
    if element.tag == "Icons" and "color" in said:
        yield from _faint(element, "color", said["color"], ground, wanted=DISCERNIBLE)


def _style_contrast(style: Element, ground: str) -> Iterator[Finding]:
    for name in _STYLE_INKS:
        if name in style.attributes:
            yield from _faint(style, name, style.attributes[name], ground)
    said = style.attributes
    if "buttonTextColor" in said:
        button = said.get("buttonBodyColor", look({}, "styled").button_color)
        yield from _faint(style, "buttonTextColor", said["buttonTextColor"], button)


def _faint(
    element: Element, name: str, ink: str, ground: str, *, wanted: float = READABLE
) -> Iterator[Finding]:
    measured = contrast(ink, ground)
    if measured < wanted:
        message = (
            f"{name} {ink} on {ground} has a contrast of {measured:.1f}:1; "
            f"take a colour with {wanted:g}:1, or leave it out"
        )
        yield Finding(element.place, "contrast", message)


def _alt(element: Element) -> Iterator[Finding]:
    if element.tag == "Image" and "alt" not in element.attributes:
        message = 'the image has no text for those who do not see it; add alt="…", or alt="" for an ornament'
        yield Finding(element.place, "alt", message)


def _links(element: Element) -> Iterator[Finding]:
    for name in ("href", "src", "dynamicSrc"):
        value = element.attributes.get(name, "")
        if value.strip().lower().startswith("http:"):
            yield Finding(element.place, "link", f"{name} is not encrypted; write https:// (got {value})")
        elif "{" not in value and mistake(value) is None and not is_sound(value):
            message = f"{name} names no host that can be asked; write https://example.org/… (got {value})"
            yield Finding(element.place, "link", message)


def _client(element: Element) -> Iterator[Finding]:
    for feature, name in _features(element):
        lacking = ", ".join(client_support().lacking[feature])
        yield Finding(element.place, "client", f"{FEATURES[feature]} ({name}) are not shown by {lacking}")


def _features(element: Element) -> Iterator[tuple[str, str]]:
    """What the element asks for that not every program has, and by which attribute."""
    said = element.attributes
    for name in _ROUND:
        if float(said.get(name, 0)):
            yield "css-border-radius", name
    for name in ("src", "dynamicSrc"):
        if found := _FORMAT.search(said.get(name, "")):
            yield f"image-{found[1].lower()}", name


def _once(found: Sequence[Finding]) -> Iterator[Finding]:
    """What programs lack is told once an email, at its first place."""
    told: set[str] = set()
    for finding in found:
        feature = finding.message.partition(" (")[0]
        if finding.rule == "client" and feature in told:
            continue
        told.add(feature)
        yield finding


def _place_of_style(lmx: str) -> SourcePosition:
    return SourcePosition(lmx.partition("<Style")[0].count("\n") + 1, 1)
