"""The colours of one page, by class: what a style sheet needs to change them in dark mode.

Colours stand at the elements themselves, since many programs drop style sheets. Each kind of use of a colour
gets a class, and the sheet says what it becomes. Outlook's marks are `[data-ogsc]`, `[data-ogsb]`.
"""

from .dark import dark_button, dark_ground, dark_ink, dark_label, dark_line

_OUTLOOK = ("[data-ogsc]", "[data-ogsb]")


class Palette:
    """Collects the colours while a page is written."""

    def __init__(self) -> None:
        self._classes: dict[tuple[str, ...], str] = {}

    def ground(self, color: str) -> str:
        """The class of an element with that background."""
        return self._class("ground", color)

    def ink(self, color: str, ground: str) -> str:
        """The class of text of that colour on a ground."""
        return self._class("ink", color, ground)

    def line(self, color: str, ground: str) -> str:
        """The class of an element whose border, or whose image's or rule's border, has that colour."""
        return self._class("line", color, ground)

    def button(self, color: str, label: str, border: str, ground: str) -> str:
        """The class of the cell around a button."""
        return self._class("button", color, label, border, ground)

    def only_light(self) -> str:
        """The class of an image that a dark screen does not show."""
        return self._class("light")

    def only_dark(self) -> str:
        """The class of an image that only a dark screen shows; by itself it has `display:none`."""
        return self._class("dark")

    def sheet(self) -> str:
        """The rules for a dark screen, and the same for Outlook's own dark mode."""
        rules = [rule for key, name in self._classes.items() for rule in _rules(key, f".{name}")]
        media = " ".join(f"{', '.join(selectors)} {{ {said} }}" for selectors, said in rules)
        twins = " ".join(
            f"{', '.join(f'{mark} {selector}' for selector in selectors for mark in _OUTLOOK)} {{ {said} }}"
            for selectors, said in rules
        )
        return f"@media (prefers-color-scheme: dark) {{ {media} }} {twins}"

    def _class(self, *key: str) -> str:
        return self._classes.setdefault(key, f"{key[0]}-{len(self._classes) + 1}")


def _rules(key: tuple[str, ...], name: str) -> list[tuple[list[str], str]]:
    match key:
        case ("ground", color):
            return [([name, f"{name} > table"], f"background-color: {dark_ground(color)} !important;")]
        case ("light",):
            return [([name], "display: none !important;")]
        case ("dark",):
            return [([name], "display: block !important;")]
        case ("ink", color, ground):
            return [([name], f"color: {dark_ink(color, ground)} !important;")]
        case ("line", color, ground):
            borders = [name, f"{name} > p", f"{name} img", f"{name} > table > tbody > tr > td"]
            return [(borders, f"border-color: {dark_line(color, ground)} !important;")]
        case ("button", color, label, border, ground):
            said = f"background-color: {dark_button(color, ground)} !important;"
            edge = f"border-color: {dark_button(border, ground)} !important;"
            text = f"color: {dark_label(label, color, ground)} !important;"
            return [([f"{name} td"], f"{said} {edge}"), ([f"{name} a", f"{name} p"], f"{said} {text}")]
        case _:
            raise AssertionError(key)
