"""Where links may lead: http, https, mailto and tel, and never anywhere that a value alone has chosen.

An address is made of texts that the author wrote and of values that somebody sent. A value stands in one
place of it, and may hold only what belongs there:

    {data.url}                            the whole address, or the beginning of one
    {data.scheme}://acme.example          letters
    https://{data.shop}.acme.example      letters, digits, `-` and `.`, until the path begins
    https://acme.example{data.path}       nothing, or what begins with `/`, `?` or `#`
    https://acme.example/{data.path}      anything, escaped, with its slashes
    https://acme.example/?q={data.q}      anything, escaped as one whole
    mailto:{data.email}, tel:{data.tel}   the characters of an email address, or of a number

Anything else and there is no link.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from msgspec import Struct

SCHEMES = ("http", "https", "mailto", "tel")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
# Browsers drop tabs and line ends inside an address, and blanks around it.
_DROPPED = re.compile(r"[\x00-\x1f\x7f]+")
_ADDRESS = re.compile(r"[^\s@:/]+@[^\s@:/.]+(?:\.[^\s@:/.]+)+")
_DOMAIN = re.compile(r"(?:[\w\-]+\.)+[A-Za-z]{2,}(?::\d+)?(?:[/?#].*)?")
_SHORT_YOUTUBE = re.compile(r"(?:https?://)?(?:www\.)?youtu\.be(?:[/?#]|\Z)", re.IGNORECASE)
_RESERVED = ":/?#[]@!$&'()*+,;=%~"

_LETTERS = re.compile(r"[A-Za-z]*")
_LETTERS_AND_COLON = re.compile(r"(?:[A-Za-z]+:)?")
_HOST = re.compile(r"[A-Za-z0-9.\-]*")
_MAILBOX = re.compile(r"[\w.!$'*+/=^`{|}~@\-]*")
_NUMBER = re.compile(r"[0-9A-Za-z+(). /\-]*")
# Browsers take any number of slashes, even none, before a host.
_BEFORE_PATH = re.compile(r"/*+([^/?#]*+)")
_LABEL = r"[^\s/?#@:.\[\]]+"
_WEB = re.compile(
    rf"https?://(?:[^/?#@]*@)?(?:\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::\d*)?(?:[/?#].*)?",
    re.IGNORECASE,
)
_ROOTED = re.compile(r"https?://[^/?#]+[/?#]", re.IGNORECASE)
_MAIL = re.compile(r"mailto:[^?@,]*(?:@[^?@,]*)?(?:,[^?@,]*(?:@[^?@,]*)?)*(?:\?.*)?", re.IGNORECASE)


class Given(Struct, frozen=True):
    """A piece of an address that came as a value; the others are the author's."""

    text: str


Piece = str | Given


def address_of(pieces: Sequence[Piece]) -> str | None:
    """The address that the pieces make; None when there is to be no link.

    Nothing is left in it that browsers drop or read in another way: control characters, blanks, backslashes.
    """
    if pieces and isinstance(pieces[0], str) and is_rooted(pieces[0]):
        return _below(_written(pieces[0]), pieces[1:])
    address = ""
    for number, piece in enumerate(pieces, 1):
        if isinstance(piece, str):
            address += _written(piece)
            continue
        fitted = _fitted(piece.text, address, pieces[number:])
        if fitted is None:
            return None
        address += fitted
    if not is_allowed(address) or (len(pieces) > 1 and not _is_whole(address)):
        return None
    return address


def is_allowed(target: str) -> bool:
    """Whether a finished link target has one of the schemes and something behind it."""
    found = _SCHEME.match(target)
    return found is not None and found[1].lower() in SCHEMES and len(target) > found.end()


def is_web(address: str) -> bool:
    """Whether a finished address is one of the web: what a browser asks a server for."""
    return address.lower().startswith(("http://", "https://"))


@lru_cache(1024)
def is_rooted(beginning: str) -> bool:
    """Whether an address that an author began so is one of the web whatever values follow."""
    written = _written(beginning)
    return _ROOTED.match(written) is not None and _WEB.fullmatch(written) is not None


def is_bare_address(target: str) -> bool:
    """Whether a target is an email address without its scheme."""
    return _ADDRESS.fullmatch(target.strip()) is not None


def completed(target: str) -> str:
    """The target with the scheme that a bare domain or a bare email address lacks; others as they are."""
    bare = target.strip()
    if is_bare_address(bare):
        return f"mailto:{bare}"
    return f"https://{bare}" if _DOMAIN.fullmatch(bare) else target


def is_short_youtube(target: str) -> bool:
    """Whether a target is one of YouTube's short addresses."""
    return _SHORT_YOUTUBE.match(target.strip()) is not None


def is_sound(target: str) -> bool:
    """Whether a target without variables leads somewhere."""
    return mistake(target) is None and _is_whole(_DROPPED.sub("", target).strip())


def mistake(target: str) -> str | None:
    """What is wrong with a target without variables, and what to write instead."""
    tidied = _DROPPED.sub("", target).strip()
    if is_allowed(tidied):
        return None
    if not tidied:
        return "is empty, so nothing is linked; write an address such as https://example.org"
    if _ADDRESS.fullmatch(tidied):
        return f"is an email address; write mailto:{tidied}"
    scheme = _SCHEME.match(tidied)
    if scheme is None:
        return f"has no scheme; write https://{tidied.lstrip('/')}"
    return f"may not be a {scheme[1].lower()}: target; links lead to {', '.join(SCHEMES)}"


def _escaped(text: str) -> str:
    """The text as a browser would read it, with everything escaped that no address holds."""
    return quote(_DROPPED.sub("", text), safe=_RESERVED)


_written = lru_cache(1024)(_escaped)
"""Of the author's texts: they are the same in every email."""


def _below(root: str, pieces: Sequence[Piece]) -> str:
    """An address whose host is settled."""
    address = root
    for piece in pieces:
        address += _written(piece) if isinstance(piece, str) else _in_path(piece.text, address)
    return address


def _fitted(value: str, before: str, after: Sequence[Piece]) -> str | None:
    """The value as it stands between `before` and `after`; None when it does not belong there."""
    if not before:
        return _beginning(value, _written_after(after))
    scheme, colon, rest = before.partition(":")
    if not colon:
        return _if_only(_LETTERS, value)
    match scheme.lower():
        case "http" | "https":
            host = _BEFORE_PATH.fullmatch(rest)
            return _in_path(value, rest) if host is None else _in_host(value, host[1], _written_after(after))
        case "mailto":
            return _in_mailto(value, rest)
        case "tel":
            return _if_only(_NUMBER, value)
        case _:
            return None


def _beginning(value: str, after: str) -> str | None:
    if after.startswith(":"):
        return _if_only(_LETTERS, value)
    if after.startswith("//"):
        return _if_only(_LETTERS_AND_COLON, value)
    if after.startswith("/") and value.rstrip("/").endswith(":"):
        return None  # what is meant as the path would become the host
    return _escaped(value.strip())


def _in_host(value: str, host: str, after: str) -> str | None:
    host_is_written = host[-1:].isalnum() or host.endswith("]")
    if host_is_written and (not after or after[0] in "/?#"):
        return quote(value, safe=_RESERVED) if not value or value[0] in "/?#" else None
    return _if_only(_HOST, value)


def _in_path(value: str, before: str) -> str:
    return quote(value, safe="" if "?" in before or "#" in before else _RESERVED)


def _in_mailto(value: str, rest: str) -> str | None:
    if "?" not in rest:
        return _if_only(_MAILBOX, value.strip())
    # A line end in any other field could begin a header.
    line = value if rest.lower().endswith("body=") else _DROPPED.sub(" ", value)
    return quote(line, safe="")


def _if_only(allowed: re.Pattern[str], value: str) -> str | None:
    return quote(value, safe=_RESERVED) if allowed.fullmatch(value) else None


def _written_after(pieces: Sequence[Piece]) -> str:
    """What the author wrote next, values in between aside."""
    return next((text for piece in pieces if isinstance(piece, str) and (text := _written(piece))), "")


def _is_whole(address: str) -> bool:
    """Whether what the pieces made still has its host or its mailbox where it belongs."""
    scheme = address.partition(":")[0].lower()
    match scheme:
        case "mailto":
            return _MAIL.fullmatch(address) is not None
        case "tel":
            return True
        case _:
            return _WEB.fullmatch(address) is not None
