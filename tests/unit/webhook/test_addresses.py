"""Where webhooks may go."""

import asyncio
from ipaddress import ip_address, ip_network

import pytest

from loopwright.server.webhook.addresses import (
    AddressRefused,
    Resolver,
    Unresolved,
    is_public,
    only,
    public_and,
    refused_literal,
)

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450::1"]
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1",
    "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_the_publics_addresses(address: str) -> None:
    """Webhooks go there."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_everything_else(address: str) -> None:
    """Nobody's, ours, our neighbours', or hidden within another."""
    assert not is_public(ip_address(address))
    assert refused_literal(f"[{address}]" if ":" in address else address, public_and([]))


def test_what_an_operator_allows() -> None:
    """A network of theirs, and no other."""
    reach = public_and([ip_network("10.1.0.0/16")])
    assert reach.includes(ip_address("10.1.2.3"))
    assert not reach.includes(ip_address("10.2.0.1"))
    assert not refused_literal("hooks.internal", reach)


@pytest.mark.parametrize(
    "host", ["127.1", "0177.0.0.1", "2130706433", "0x7f.1", "3232235777", "017700000001", "127.0.0.1.", "0"]
)
def test_numbers_are_refused_when_they_are_written(host: str) -> None:
    """Whatever resolvers take for an address is one; a public one in such a notation is let through."""
    assert refused_literal(host, public_and([]))
    assert not refused_literal("134744072", public_and([]))
    assert not refused_literal("hooks.example.com", public_and([]))
    assert not refused_literal("1.2.3.4.example", public_and([]))


def test_what_tests_reach() -> None:
    """What they are allowed, and no address of the public's."""
    reach = only([ip_network("127.0.0.0/8")])
    assert reach.includes(ip_address("127.0.0.1"))
    assert not any(reach.includes(ip_address(address)) for address in PUBLIC)
    assert refused_literal("8.8.8.8", reach)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="an address"),
        pytest.param("127.1", id="a short form"),
        pytest.param("0177.0.0.1", id="octal"),
        pytest.param("2130706433", id="one number"),
        pytest.param("0x7f000001", id="hexadecimal"),
        pytest.param("::1", id="IPv6"),
        pytest.param("::ffff:127.0.0.1", id="IPv4 in IPv6's clothes"),
        pytest.param("localhost", id="a name"),
    ],
)
async def test_whatever_leads_to_this_machine_is_refused(host: str) -> None:
    """The system's own resolver says what a host's name means; that is what is looked at."""
    resolver = Resolver(public_and([]))
    with pytest.raises(AddressRefused, match="not public"):
        await resolver.addresses(host, 80)
    resolver.close()


async def test_many_wait_for_one_answer() -> None:
    """Who gives up waiting leaves the others theirs, and a name that nobody has is told."""
    resolver = Resolver(public_and([ip_network("127.0.0.0/8")]))
    waiting = [asyncio.create_task(resolver.addresses("127.0.0.1", 80)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert [await one for one in waiting[1:]] == [["127.0.0.1"]] * 2
    with pytest.raises(Unresolved, match=r"nowhere\.invalid"):
        await resolver.addresses("nowhere.invalid", 80)
    resolver.close()
