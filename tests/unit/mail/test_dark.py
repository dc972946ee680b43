"""Dark mode keeps what was readable, whatever colours an author took."""

import re
from colorsys import hls_to_rgb, rgb_to_hls

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loopwright.server.mail.dark import (
    DISCERNIBLE,
    READABLE,
    contrast,
    dark_button,
    dark_ground,
    dark_icon,
    dark_ink,
    dark_label,
    dark_line,
    readable,
)
from loopwright.server.mail.icon_names import COLORS as COLORS_OF_ICONS
from loopwright.server.mail.palette import Palette
from loopwright.server.mail.style import look

COLORS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True) | st.from_regex(r"#[0-9A-F]{3}", fullmatch=True)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@given(ink=COLORS, ground=COLORS)
@example(ink="#000", ground="#606060")
@example(ink="#757575", ground="#757575")
def test_text_is_readable_on_a_dark_screen(ink: str, ground: str) -> None:
    """And grounds are dark: white text is readable on each."""
    becomes = dark_ground(ground)
    assert contrast("#ffffff", becomes) >= READABLE
    assert contrast(dark_ink(ink, ground), becomes) >= READABLE
    assert contrast(dark_ink(ink, ground), becomes) >= min(contrast(ink, ground), 12) - 0.01


@given(color=COLORS, label=COLORS, ground=COLORS)
def test_buttons_and_lines_stand_out_as_before(color: str, label: str, ground: str) -> None:
    becomes = dark_ground(ground)
    had = min(contrast(color, ground), READABLE)
    assert contrast(dark_line(color, ground), becomes) >= had - 0.01
    if color != ground:
        assert contrast(dark_button(color, ground), becomes) >= had - 0.01
    assert contrast(dark_label(label, color, ground), dark_button(color, ground)) >= READABLE


@given(COLORS)
def test_what_is_dark_already_stays(color: str) -> None:
    assert dark_ground(dark_ground(color)) == dark_ground(color)
    assert contrast(readable("#777777", color), color) >= READABLE


@given(icon=st.sampled_from(sorted(COLORS_OF_ICONS)), ground=COLORS)
@example(icon="#000000", ground="#ffffff")
def test_icons_are_seen_on_a_dark_screen(icon: str, ground: str) -> None:
    """As well as before at least, and by one of the images that there are."""
    becomes = dark_icon(icon, ground)
    assert becomes in COLORS_OF_ICONS
    assert contrast(becomes, dark_ground(ground)) >= min(contrast(icon, ground), DISCERNIBLE)


def test_gray_icons_are_seen_in_both() -> None:
    """Of the usual look; they need no second image."""
    ground = look({}, "styled").body_color
    assert ground is not None
    assert contrast("#808080", ground) >= DISCERNIBLE
    assert dark_icon("#808080", ground) == "#808080"


def inverted(color: str) -> str:
    """As programs do that invert a page as a whole: hue and saturation stay, lightness turns."""
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    hue, lightness, saturation = rgb_to_hls(red, green, blue)
    parts = hls_to_rgb(hue, 1 - lightness, saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def test_the_usual_look_is_readable_in_light_dark_and_forced() -> None:
    """Forced: grounds turned black and dark text white, or everything inverted."""
    usual = look({}, "styled")
    assert usual.body_color is not None
    card = usual.body_color
    inks = [usual.text.color, *(type_.color for type_ in usual.headings), usual.link_color]
    pairs = [(ink, ground) for ink in inks for ground in (card, usual.code_color)]
    pairs.append((usual.footer_color, usual.background))
    for ink, ground in pairs:
        assert contrast(ink, ground) >= READABLE
        assert contrast(dark_ink(ink, ground), dark_ground(ground)) >= READABLE
        assert contrast(inverted(ink), inverted(ground)) >= READABLE
    button, label = usual.button_color, usual.button_text_color
    assert contrast(label, button) >= READABLE
    assert contrast("#000000", button) >= READABLE  # its text turned, its ground left
    assert contrast(dark_label(label, button, card), dark_button(button, card)) >= READABLE
    assert contrast(button, card) >= READABLE
    assert contrast(button, "#000000") >= READABLE  # its card turned, itself left
    assert contrast(dark_button(button, card), dark_ground(card)) >= READABLE


@pytest.mark.parametrize("body", ["#ffffff", "#000000", "#111827", "#fde68a", "#1f6feb", "#777777"])
def test_a_style_that_names_grounds_alone_is_readable_too(body: str) -> None:
    found = look({"bodyColor": body, "backgroundColor": body, "buttonBodyColor": body}, "styled")
    for ink in (found.text.color, found.headings[0].color, found.link_color, found.footer_color):
        assert contrast(ink, body) >= READABLE
    assert contrast(found.button_text_color, body) >= READABLE


def test_a_block_on_its_own_ground_is_readable() -> None:
    """Unless the author chose both colours."""
    usual = look({}, "styled")
    assert contrast(usual.ink_on(usual.text.color, "#0f172a"), "#0f172a") >= READABLE
    assert look({"textBaseColor": "#cccccc"}, "styled").ink_on("#cccccc", "#dddddd") == "#cccccc"


def test_outlook_gets_the_same_rules() -> None:
    """Every rule of the sheet has a twin for the page that Outlook itself has darkened."""
    palette = Palette()
    names = [palette.ground("#ffffff"), palette.ink("#111111", "#ffffff"), palette.line("#cccccc", "#ffffff")]
    names.append(palette.button("#1f6feb", "#ffffff", "#1f6feb", "#ffffff"))
    assert palette.ground("#ffffff") == names[0]
    media, _, twins = palette.sheet().partition(" } } ")
    for name in names:
        rules = re.findall(rf"\.{name}[^{{]*\{{ ([^}}]*) \}}", media + " }")
        assert rules
        assert re.findall(rf"\[data-ogsc\] \.{name}[^{{]*\{{ ([^}}]*) \}}", twins) == rules
        assert re.findall(rf"\[data-ogsb\] \.{name}[^{{]*\{{ ([^}}]*) \}}", twins) == rules
