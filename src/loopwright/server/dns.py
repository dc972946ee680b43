"""Looking things up in the DNS, at the system's resolver or at one that is named."""

from ipaddress import ip_address
from typing import Any

from dns.asyncresolver import Resolver
from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers, NoResolverConfiguration

LOOK_UP_SECONDS = 10.0


class DnsFailure(LookupError):
    """The DNS gave no answer, which is not the same as that there is none; the text is a sentence."""


class Dns:
    """Asks one resolver, given as an address and perhaps a port, or else the system's.

    Raises `ValueError` for what is no address, and `DnsFailure` where the system has no resolver.
    """

    def __init__(self, resolver: str | None = None) -> None:
        if resolver is None:
            try:
                self._resolver = Resolver()
            except NoResolverConfiguration:
                raise DnsFailure(
                    "This machine has no DNS resolver; name one with --resolver, such as 9.9.9.9"
                ) from None
        else:
            self._resolver = Resolver(configure=False)
            self._resolver.nameservers, self._resolver.port = _read_address(resolver)
        self._resolver.lifetime = LOOK_UP_SECONDS

    async def txt(self, name: str) -> list[str]:
        """The texts at a name, each put together; none when there are none. Raises `DnsFailure`."""
        return [b"".join(record.strings).decode(errors="replace") for record in await self._ask(name, "TXT")]

    async def mx(self, name: str) -> list[str]:
        """The hosts that take mail for a name. Raises `DnsFailure`."""
        hosts = [str(record.exchange).removesuffix(".") for record in await self._ask(name, "MX")]
        return [host for host in hosts if host]

    async def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            return list(await self._resolver.resolve(name, kind, search=False))
        except (NXDOMAIN, NoAnswer):
            return []
        except (Timeout, NoNameservers, OSError) as problem:
            raise DnsFailure(
                f"The DNS gave no answer about {name} ({type(problem).__name__}); try again later, or ask "
                f"another one with --resolver"
            ) from None
        except DNSException as problem:
            raise DnsFailure(f"{name} cannot be looked up: {problem}") from None


def _read_address(text: str) -> tuple[list[str], int]:
    host, port = text.strip(), "53"
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        if 0 < int(port) < 65536:
            return [str(ip_address(host))], int(port)
    except ValueError:
        pass  # told below
    raise ValueError(f"--resolver {text} is no address of a DNS server; write one such as 9.9.9.9")
