"""Dark mode: the colours that take the place of others on a dark screen, so that what was readable stays so.

A light ground becomes a dark one of the same hue, a dark ground stays. What stands on a ground keeps the
contrast that it had, and text has at least `READABLE`. Colours are written "#rrggbb" or "#rgb". Lightness is
CIE L*, 0 to 100; contrast is WCAG's, 1 to 21.
"""

from functools import lru_cache

READABLE = 4.5
DISCERNIBLE = 3.0  # enough for what is no text
_ENOUGH = 12.0  # more than this glares on a dark screen
_MIDDLE = 49.5  # the lightness up to which a ground is dark: white text is readable on it
_DARKEST = 10.0
_SPREAD = 0.6  # how much of the difference between two light grounds remains

Linear = tuple[float, float, float]


def contrast(one: str, other: str) -> float:
    """How much two colours stand out from each other."""
    brighter, darker = sorted((_luminance(_linear(one)), _luminance(_linear(other))), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@lru_cache(1024)
def dark_ground(color: str) -> str:
    """What a ground of this colour becomes."""
    lightness = _lightness(color)
    if lightness <= _MIDDLE:
        return color
    return _with_lightness(color, _DARKEST + (100 - lightness) * _SPREAD)


@lru_cache(1024)
def dark_ink(color: str, ground: str) -> str:
    """What text of this colour becomes: it keeps its contrast to the ground, and is readable at least."""
    becomes = dark_ground(ground)
    start = _lightness(color) if becomes == ground else 100 - _lightness(color)
    return _lifted(color, start, becomes, max(READABLE, min(contrast(color, ground), _ENOUGH)))


@lru_cache(1024)
def dark_line(color: str, ground: str) -> str:
    """What a line of this colour becomes: it stands out as much as before."""
    kept = dark_ground(color)
    return _lifted(kept, _lightness(kept), dark_ground(ground), min(contrast(color, ground), READABLE))


@lru_cache(1024)
def dark_button(color: str, ground: str) -> str:
    """What a button of this colour becomes: the same if it stands out as much as before, or readably."""
    if color == ground:
        return dark_ground(ground)
    return _lifted(color, _lightness(color), dark_ground(ground), min(contrast(color, ground), READABLE))


def dark_label(color: str, button: str, ground: str) -> str:
    """What the text on a button becomes, whose colour is `button`."""
    return readable(color, dark_button(button, ground))


def dark_icon(color: str, ground: str) -> str:
    """What an icon of this colour becomes: white, unless it can be seen as well as before, or well enough."""
    seen = contrast(color, dark_ground(ground))
    return color if seen >= min(contrast(color, ground), DISCERNIBLE) else "#ffffff"


def readable(color: str, ground: str) -> str:
    """The colour itself when it can be read on the ground, else black or white."""
    if contrast(color, ground) >= READABLE:
        return color
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, ground))


def _lifted(color: str, start: float, ground: str, wanted: float) -> str:
    """The colour, at least as light as `start`, that has the wanted contrast to a dark ground."""
    lightness = start
    while lightness < 100 and contrast(_with_lightness(color, lightness), ground) < wanted:
        lightness += 1
    return _with_lightness(color, lightness)


def _linear(color: str) -> Linear:
    digits = color.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    return _decoded(red), _decoded(green), _decoded(blue)


def _decoded(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)


def _luminance(linear: Linear) -> float:
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _lightness(color: str) -> float:
    luminance = _luminance(_linear(color))
    return luminance * 903.3 if luminance <= 0.008856 else float(116 * luminance ** (1 / 3) - 16)


def _with_lightness(color: str, lightness: float) -> str:
    """The colour, darkened or mixed with white until it has that lightness."""
    lightness = max(0.0, min(100.0, lightness))
    wanted = lightness / 903.3 if lightness <= 8 else ((lightness + 16) / 116) ** 3
    linear = _linear(color)
    has = _luminance(linear)
    if wanted <= has:
        red, green, blue = (part * wanted / has if has else 0.0 for part in linear)
    else:
        share = (wanted - has) / (1 - has)
        red, green, blue = (part + (1 - part) * share for part in linear)
    return "#" + "".join(f"{round(_encoded(part) * 255):02x}" for part in (red, green, blue))
