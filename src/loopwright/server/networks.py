"""Addresses and networks of peers, as people and proxies write them."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_MAPPED_BITS = 96
"""Before an IPv4 address in IPv6's clothes."""


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by commas or blanks.

    Raises `ValueError` with a sentence that says what to write.
    """
    return tuple(_network(word) for word in text.replace(",", " ").split())


@lru_cache(maxsize=1000)
def read_address(text: str) -> Address | None:
    """An address that may have a port or a zone; an IPv4 one in IPv6's clothes is itself."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _network(word: str) -> Network:
    try:
        network = ip_network(word)
    except ValueError:
        try:
            network = ip_network(word, strict=False)
        except ValueError:
            raise ValueError(
                f"{word} is neither an address nor a network; write it as 127.0.0.1 or 10.0.0.0/8"
            ) from None
        raise ValueError(f"{word} is an address within a network; write {network}") from None
    if network.prefixlen == 0:
        raise ValueError(f"{word} is every address there is; name the ones you mean")
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS)) if mapped else network
    return network
