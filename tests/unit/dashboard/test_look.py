"""Whatever is written can be read, in the light and in the dark."""

import re

import pytest

from loopwright.server.dashboard.answers import STATIC

TEXT = 4.5
"""The contrast that WCAG 2.2 AA asks of text; 3 is enough for outlines and bars."""


def palette(look: str) -> dict[str, tuple[int, ...]]:
    """The colours of a look by their name; the dark one changes those of the light one."""
    css = (STATIC / "dashboard.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(blocks) == 2
    chosen = blocks[:1] if look == "light" else blocks
    found = re.findall(r"--([a-z-]+): #([0-9a-f]{6});", "".join(chosen))
    return {name: tuple(bytes.fromhex(digits)) for name, digits in found}


def luminance(colour: tuple[int, ...]) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_the_standard_says() -> None:
    """Black on white has the largest contrast there is."""
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "backs", "least"),
    [
        ("ink", ["paper", "card", "sunk"], TEXT),
        ("soft", ["paper", "card", "sunk"], TEXT),
        ("accent", ["paper", "card", "tint", "sunk"], TEXT),
        ("on-accent", ["accent"], TEXT),
        ("green", ["green-tint", "card", "paper"], TEXT),
        ("amber", ["amber-tint", "card"], TEXT),
        ("red", ["red-tint", "card"], TEXT),
        ("blue", ["blue-tint", "card"], TEXT),
        ("grey", ["grey-tint"], TEXT),
        ("strong-line", ["card", "paper"], 3),
        ("second", ["card"], 3),
    ],
)
def test_colours_stand_out(look: str, front: str, backs: list[str], least: float) -> None:
    """Every pair of colours that meets on a page has the contrast it needs."""
    colours = palette(look)
    for back in backs:
        assert contrast(colours[front], colours[back]) >= least, f"{front} on {back}"
