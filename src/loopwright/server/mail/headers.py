"""Header fields as bytes: ASCII, folded, and never more lines than meant."""

import re
from base64 import b64encode
from urllib.parse import quote

from .characters import one_line

LINE_LENGTH = 76
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_FOLD = "\r\n"
_WORD_BYTES = 45  # of UTF-8 in one encoded word, whose length may not exceed 75


class UnwritableAddress(ValueError):
    """An address that no header of ours can carry; the message says why."""


def unstructured(name: str, text: str) -> bytes:
    """A header of free text, such as a subject."""
    text = one_line(text)
    if text.isascii() and "=?" not in text and len(name) + 2 + len(text) <= LINE_LENGTH:
        return f"{name}: {text}\r\n".encode()
    return f"{name}: {_encoded_words(text)}\r\n".encode()


def mailbox(name: str, address: str, display_name: str = "") -> bytes:
    """A header that names one mailbox. Raises `UnwritableAddress`."""
    address = ascii_address(address)
    shown = one_line(display_name)
    if not shown:
        return f"{name}: {address}\r\n".encode()
    if not shown.isascii() or "=?" in shown or len(shown) > LINE_LENGTH - len(name) - 4:
        phrase = _encoded_words(shown)
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
    if value.isascii() and len(value) < 60 and not re.search(r'["\\%\']', value):
        return f';\r\n {name}="{value}"'.encode()
    encoded = quote(value, safe="")
    pieces = re.findall(r"(?:%..|[^%]){1,20}", encoded)
    lines = [
        f";\r\n {name}*{number}*={'' if number else 'utf-8' + chr(39) * 2}{piece}"
        for number, piece in enumerate(pieces)
    ]
    return "".join(lines).encode()


def ascii_address(address: str) -> str:
    """The address as SMTP carries it without extensions: an ASCII local part, and the domain in IDNA."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise UnwritableAddress("the address is incomplete; it needs a name, an @ and a domain")
    if not local.isascii():
        raise UnwritableAddress("the part before the @ has letters outside ASCII, which SMTP cannot carry")
    if re.search(r'[\x00-\x20\x7f()<>\[\]:;@\\,"]', local):
        raise UnwritableAddress("the part before the @ has characters that no address may hold")
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        raise UnwritableAddress("the domain of the address is no domain name") from None
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?", domain):
        raise UnwritableAddress("the domain of the address is no domain name")
    return f"{local}@{domain}"


def _encoded_words(text: str) -> str:
    """The text as RFC 2047 encoded words, one in a line, no character divided between two."""
    words: list[bytes] = [b""]
    for character in text:
        encoded = character.encode(errors="replace")
        if len(words[-1]) + len(encoded) > _WORD_BYTES:
            words.append(b"")
        words[-1] += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in words)
