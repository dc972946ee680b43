"""Header fields as bytes: ASCII, folded, and never more lines than meant."""

import re
from base64 import b64encode
from functools import lru_cache
from urllib.parse import quote

from .addresses import ascii_address
from .characters import one_line

LINE_LENGTH = 76
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_FOLD = "\r\n"
_WORD_BYTES = 45  # of UTF-8 in one encoded word, whose length may not exceed 75
_WORD_FRAME = len("=?utf-8?b??=")
_PLAIN_VALUE = re.compile(r'(?!.*=\?)[^"\\%\']{0,59}')  # some readers decode words in there


def unstructured(name: str, text: str) -> bytes:
    """A header of free text, such as a subject."""
    text = one_line(text)
    if text.isascii() and "=?" not in text and len(name) + 2 + len(text) <= LINE_LENGTH:
        return f"{name}: {text}\r\n".encode()
    return f"{name}: {_encoded_words(text, begun=len(name) + 2)}\r\n".encode()


@lru_cache(256)
def mailbox(name: str, address: str, display_name: str = "") -> bytes:
    """A header that names one mailbox. Raises `UnwritableAddress`."""
    address = ascii_address(address)
    shown = one_line(display_name)
    if not shown:
        return f"{name}: {address}\r\n".encode()
    if not shown.isascii() or "=?" in shown or len(shown) > LINE_LENGTH - len(name) - 4:
        phrase = _encoded_words(shown, begun=len(name) + 2)
    elif _ATOMS.fullmatch(shown):
        phrase = shown
    else:
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{escaped}"'
    is_short = len(f"{name}: {phrase} <{address}>") <= LINE_LENGTH
    return f"{name}: {phrase}{'' if is_short else _FOLD} <{address}>\r\n".encode()


def parameter(name: str, value: str) -> bytes:
    """A parameter of a header, in its own lines; as in RFC 2231 when it is long or more than ASCII."""
    value = one_line(value)
    if value.isascii() and _PLAIN_VALUE.fullmatch(value):
        return f';\r\n {name}="{value}"'.encode()
    encoded = quote(value, safe="")
    pieces = re.findall(r"(?:%..|[^%]){1,20}", encoded)
    lines = [
        f";\r\n {name}*{number}*={'' if number else 'utf-8' + chr(39) * 2}{piece}"
        for number, piece in enumerate(pieces)
    ]
    return "".join(lines).encode()


def older_parameter(name: str, value: str) -> bytes:
    """The same for readers that know no RFC 2231, as encoded words in quotes."""
    value = one_line(value)
    if value.isascii() and _PLAIN_VALUE.fullmatch(value):
        return parameter(name, value)
    return f';\r\n {name}="{_encoded_words(value, begun=len(name) + 4)}"'.encode()


def _encoded_words(text: str, *, begun: int) -> str:
    """The text as RFC 2047 encoded words, one in a line, no character divided between two.

    `begun` characters stand before the first word in its line.
    """
    words: list[bytes] = [b""]
    room = min(_WORD_BYTES, (LINE_LENGTH - begun - _WORD_FRAME) // 4 * 3)
    for character in text:
        encoded = character.encode(errors="replace")
        if len(words[-1]) + len(encoded) > room:
            words.append(b"")
            room = _WORD_BYTES
        words[-1] += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in words)
