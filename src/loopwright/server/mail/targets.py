"""Where links may lead: http, https, mailto and tel, and nowhere else."""

import re
from urllib.parse import quote

SCHEMES = ("http", "https", "mailto", "tel")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
# Browsers drop tabs and line ends inside an address, and blanks around it.
_DROPPED = re.compile(r"[\x00-\x1f\x7f]+")
_ADDRESS = re.compile(r"[^\s@:/]+@[^\s@:/.]+(?:\.[^\s@:/.]+)+")
_RESERVED = ":/?#[]@!$&'()*+,;=%~"


def is_allowed(target: str) -> bool:
    """Whether a finished link target has one of the schemes and something behind it."""
    found = _SCHEME.match(target)
    return found is not None and found[1].lower() in SCHEMES and len(target) > found.end()


def tidy(target: str) -> str:
    """The target as a browser would read it, with everything escaped that no address holds."""
    return quote(_DROPPED.sub("", target).strip(), safe=_RESERVED)


def escaped(value: str, before: str) -> str:
    """A value to stand behind `before` in a target.

    At the start it is taken as it is; in a path it keeps its slashes; behind `?` or `#` it is one opaque
    value.
    """
    if not before:
        return value
    if "?" in before or "#" in before:
        return quote(value, safe="")
    return quote(value, safe=_RESERVED)


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
