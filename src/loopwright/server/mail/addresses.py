"""Addresses: what SMTP carries of one, and what is wrong with one that somebody sets.

A recipient may have an odd address; it is taken as long as it can travel. An address that a team sets for
itself is held to what every mail server takes.
"""

import re
from functools import lru_cache

import idna

ADDRESS_EXAMPLE = "team@acme.example"
DOMAIN_EXAMPLE = "mail.acme.example"

_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?")
_NEVER_IN_LOCAL = re.compile(r'[\x00-\x20\x7f()<>\[\]:;@\\,"]')
_LOCAL_LENGTH = 64
_DOMAIN_LENGTH = 253


class UnwritableAddress(ValueError):
    """An address that no header of ours can carry; the message says why."""


def ascii_address(address: str) -> str:
    """The address as SMTP carries it without extensions: an ASCII local part, and the domain in IDNA 2008."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise UnwritableAddress("the address is incomplete; it needs a name, an @ and a domain")
    if not local.isascii():
        raise UnwritableAddress("the part before the @ has letters outside ASCII, which SMTP cannot carry")
    if _NEVER_IN_LOCAL.search(local):
        raise UnwritableAddress("the part before the @ has characters that no address may hold")
    return f"{local}@{ascii_domain(domain)}"


@lru_cache(4096)
def ascii_domain(domain: str) -> str:
    """The domain as DNS knows it, `fa\u00df.test` as `xn--fa-hia.test`. Raises `UnwritableAddress`."""
    wrong = UnwritableAddress("the domain of the address is no domain name")
    if len(domain) > _DOMAIN_LENGTH:
        raise wrong
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except UnicodeError:
            raise wrong from None
    if len(domain) > _DOMAIN_LENGTH or not all(map(_LABEL.fullmatch, domain.split("."))):
        raise wrong
    return domain


def local_part_mistake(local: str) -> str | None:
    """What is wrong with the part before the @ of a team's own address, as the end of a sentence."""
    if "@" in local:
        return "is only the part before the @; the team's sending domain follows it"
    if not local.isascii():
        strange = next(character for character in local if not character.isascii())
        return f"holds {strange}, and no letters outside ASCII can stand before the @; use a to z"
    if len(local) > _LOCAL_LENGTH:
        return f"has {len(local)} characters; at most {_LOCAL_LENGTH} can stand before the @"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "has a dot at its beginning or end, or two in a row, which no address may; take one out"
    if not _DOT_ATOM.fullmatch(local):
        return "cannot be part of an address; use letters, digits and . _ -"
    return None


def domain_mistake(domain: str) -> str | None:
    """What is wrong with a domain that email is to come from, as the end of a sentence."""
    bare = re.sub(r"^[A-Za-z][A-Za-z0-9+\-]*:/+", "", domain).rpartition("@")[2]
    bare = re.split(r"[/?#:]", bare)[0].rstrip(".")
    if bare != domain:
        remedy = DOMAIN_EXAMPLE if domain_mistake(bare) else bare
        return f"is the domain alone, without scheme, name, port, path or dot at the end; write {remedy}"
    try:
        labels = ascii_domain(domain).split(".")
    except UnwritableAddress:
        return f"is no domain name; write one such as {DOMAIN_EXAMPLE}"
    if len(labels) < 2 or labels[-1].isdigit():
        return f"is no domain that email can come from; write one such as {DOMAIN_EXAMPLE}"
    return None


def address_mistake(address: str) -> str | None:
    """What is wrong with a whole address that a team sets, as the end of a sentence."""
    local, at, domain = address.rpartition("@")
    if not at:
        return f"is not an email address; write one such as {ADDRESS_EXAMPLE}"
    if "@" in local:
        return f"is not one email address; write one such as {ADDRESS_EXAMPLE}"
    if not local or not domain:
        return f"is not a whole email address; write one such as {ADDRESS_EXAMPLE}"
    if mistake := local_part_mistake(local):
        return f"is not an email address: the part before the @ {mistake}"
    if mistake := domain_mistake(domain):
        return f"is not an email address: what follows the @ {mistake}"
    return None
