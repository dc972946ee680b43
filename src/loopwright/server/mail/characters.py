"""Characters that no email may hold: some programs show nothing from there on, or nothing at all.

These are the control characters except tab and line end, and halves of characters (lone surrogates).
Everything that becomes part of an email comes through `clean` first.
"""

import re

_LINE_ENDS = re.compile("\r\n?")
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BETWEEN_LINES = re.compile("[\t\n\u2028\u2029]+")


def _windows_1252(code: int) -> str:
    """What stands at that place in windows-1252, or nothing."""
    return bytes([code]).decode("cp1252", errors="ignore")


# U+0080 to U+009F are nearly always windows-1252 that was read as Latin-1; browsers take references so, too.
_MEANT = {chr(code): _windows_1252(code) for code in range(0x80, 0xA0)} | {"\x0b": " ", "\x0c": " "}


def clean(text: str) -> str:
    """The text without unwanted characters; line ends are "\\n", and what windows-1252 meant is kept."""
    if text.isprintable():  # most values: nothing to look for
        return text
    text = _LINE_ENDS.sub("\n", text)
    if not _UNWANTED.search(text):
        return text
    # Two halves beside each other become the character they are; one alone becomes U+FFFD.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWANTED.sub(lambda found: _MEANT.get(found[0], ""), whole)


def one_line(text: str) -> str:
    """The clean text as one line: blanks instead of tabs and line ends, and none around it."""
    if text.isprintable():
        return text.strip()
    return _BETWEEN_LINES.sub(" ", clean(text)).strip()


def unwanted(text: str) -> re.Match[str] | None:
    """The first character that `clean` takes out or changes, line ends aside."""
    return _UNWANTED.search(_LINE_ENDS.sub("\n", text))


def warning(character: str) -> str:
    """What to tell the author of a text that holds such a character."""
    named = f"the control character U+{ord(character):04X}"
    if meant := _MEANT.get(character, "").strip():
        return f"{named} becomes {meant}, as in windows-1252; write that character itself"
    return f"{named} is left out; remove it"
