"""Which proxy a request goes through. Pure: the environment comes in as a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from loopwright.errors import ConfigurationError

Address: TypeAlias = IPv4Address | IPv6Address

SOCKS = ("socks5", "socks5h")
KINDS = ("http", "https", *SOCKS)
DEFAULT_PORTS = {"http": 80, "https": 443}


class Proxy(Struct, frozen=True):
    """The URL of a proxy, and the argument or variable that names it."""

    url: str
    source: str

    @property
    def socks(self) -> bool:
        return self.url.startswith(SOCKS)


def proxy_for(url: str, given: str | None, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for `url`: the one `given` as an argument, or else the environment's.

    That is `https_proxy`, `http_proxy` or `all_proxy`, unless `no_proxy` names the host. Lower-case names win
    over upper-case ones, empty too. `HTTP_PROXY` is not read where a web server set `REQUEST_METHOD`, because
    there it is a header that anybody can send. Raises `ConfigurationError` for a proxy that cannot be used.
    """
    if given is not None:
        return _checked(given, "the argument proxy", "leave it out")
    parts = urlsplit(url)
    host = parts.hostname or ""
    name, address = _read(f"{parts.scheme}_proxy", environment)
    if not address:
        name, address = _read("all_proxy", environment)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    if not address or _excluded(host, port, _read("no_proxy", environment)[1]):
        return None
    return _checked(address, name, f"name {host} in NO_PROXY")


def _checked(address: object, source: str, other_remedy: str) -> Proxy:
    if not isinstance(address, str):
        raise ConfigurationError(
            f"{source} is one address, such as http://proxy.example:3128, not {type(address).__name__}"
        )
    url = address.strip() if "://" in address else f"http://{address.strip()}"
    kind = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        usable = parts.scheme in KINDS and bool(parts.hostname) and parts.port != 0 and url.isascii()
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"{source} is no proxy that can be used ({kind}://...): give one as http://, https:// or "
            f"socks5://, with host and port, or {other_remedy}"
        )
    return Proxy(urlsplit(url).geturl(), source)


def _read(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The name under which the variable is set, and its value."""
    names = [name]
    if name != "http_proxy" or "REQUEST_METHOD" not in environment:
        names.append(name.upper())
    return next(((one, environment[one].strip()) for one in names if one in environment), (name, ""))


def _excluded(host: str, port: int, rules: str) -> bool:
    """Whether `no_proxy` names the host, a domain above it, its network, or everything."""
    addresses = _addresses_of(host)
    name = f".{host.rstrip('.')}"
    return any(_covers(rule, name, addresses, port) for rule in rules.lower().replace(",", " ").split())


def _covers(rule: str, name: str, addresses: list[Address], port: int) -> bool:
    """Whether a rule is about the host with this `name`, a dot before it, or one of these addresses."""
    place, rule_port = _split_port(rule.rpartition("://")[2])
    if rule_port not in ("", str(port)):
        return False
    try:
        network = ip_network(place.partition("%")[0], strict=False)
    except ValueError:
        domain = place.removeprefix("*").strip(".")
        return rule == "*" or (bool(domain) and name.endswith(f".{domain}"))
    return any(address in network for address in addresses)


def _split_port(rule: str) -> tuple[str, str]:
    """`host:port` and `[::1]:port`, the port may be missing; more colons are an IPv6 address alone."""
    if rule.startswith("["):
        place, _, port = rule[1:].partition("]")
        return place, port.removeprefix(":")
    place, _, port = rule.partition(":")
    return (rule, "") if ":" in port else (place, port)


def _addresses_of(host: str) -> list[Address]:
    """What is known of a host without asking anybody."""
    if f".{host}".endswith(".localhost"):
        return [IPv4Address("127.0.0.1"), IPv6Address("::1")]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return []
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return [address, mapped] if mapped else [address]
