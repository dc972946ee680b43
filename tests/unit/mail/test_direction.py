"""Which way a text runs."""

import pytest

from loopwright.server.mail.direction import (
    Direction,
    direction_of,
    direction_of_language,
    first_strong,
    language_tag,
)
from loopwright.server.mail.markup import read


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("de", "de"),
        ("pt-BR", "pt-BR"),
        ("zh_Hant", "zh-Hant"),
        (" ar ", "ar"),
        ("", "und"),
        ("x", "und"),
        ('de"><b', "und"),
        ("german language", "und"),
    ],
)
def test_language_tags(code: str, tag: str) -> None:
    assert language_tag(code) == tag


@pytest.mark.parametrize("tag", ["ar", "ar-EG", "he", "iw", "fa", "ur-PK", "ku-Arab", "az-Arab-IR"])
def test_languages_from_right_to_left(tag: str) -> None:
    assert direction_of_language(tag) == "rtl"


@pytest.mark.parametrize("tag", ["en", "ku", "ar-Latn", "zh-Hant"])
def test_languages_from_left_to_right(tag: str) -> None:
    assert direction_of_language(tag) == "ltr"
    assert direction_of_language("und") is None


@pytest.mark.parametrize(
    ("lmx", "direction"),
    [
        ("<Paragraph>123 שלום World</Paragraph>", "rtl"),
        ("<Paragraph>World שלום</Paragraph>", "ltr"),
        ("<Paragraph>{contact.firstName}، مرحبا</Paragraph>", "rtl"),
        ("<CodeBlock>pip</CodeBlock><Paragraph>مرحبا</Paragraph>", "rtl"),
        ("<Paragraph>{contact.firstName} 123</Paragraph>", None),
    ],
)
def test_the_first_letter_decides(lmx: str, direction: Direction | None) -> None:
    """Digits, signs and the names of variables have no say."""
    assert direction_of(read(lmx).nodes) == direction
    assert first_strong([]) is None
