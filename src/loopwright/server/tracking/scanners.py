"""Known scanners and image proxies, from a small file that says as of when they are known."""

import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from loopwright.server.networks import Address, Network, read_networks


class Known(Struct, frozen=True, kw_only=True):
    """Somebody who asks for links: their networks, and words in their user agent, in small letters."""

    name: str
    networks: Sequence[str] = ()
    agents: Sequence[str] = ()


class _File(Struct, frozen=True, kw_only=True):
    as_of: date
    phones: Sequence[str]
    scanner: Sequence[Known]
    proxy: Sequence[Known]


class Scanners(Struct, frozen=True):
    """Who is known, as of `as_of`. `phones` are words of people's devices that hold one of a scanner's."""

    as_of: date
    phones: Sequence[str]
    by_network: Sequence[tuple[Network, str]]
    by_agent: Sequence[tuple[str, str]]
    proxies: Sequence[str]

    def at(self, address: Address | None) -> str | None:
        """The scanner whose network an address is in."""
        if address is None:
            return None
        return next((name for network, name in self.by_network if address in network), None)

    def named(self, agent: str) -> str | None:
        """The scanner that a user agent names."""
        words = agent.lower()
        for phone in self.phones:
            words = words.replace(phone, "")
        return next((name for word, name in self.by_agent if word in words), None)

    def is_proxy(self, agent: str) -> bool:
        """Whether a user agent is that of a program which fetches pictures for people."""
        words = agent.lower()
        return any(word in words for word in self.proxies)


@cache
def scanners() -> Scanners:
    """Those in the file."""
    text = files("loopwright.server.tracking").joinpath("scanners.toml").read_text()
    known = msgspec.convert(tomllib.loads(text), _File)
    return Scanners(
        known.as_of,
        known.phones,
        [(network, one.name) for one in known.scanner for network in read_networks(" ".join(one.networks))],
        [(word, one.name) for one in known.scanner for word in one.agents],
        [word for one in known.proxy for word in one.agents],
    )
