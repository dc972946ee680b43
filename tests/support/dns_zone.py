"""A DNS server on loopback that answers from a zone file, over UDP and, where that is too short, over TCP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.zone

UDP_BYTES = 512


class DnsServer:
    """Answers from `lines`, those of a zone file with whole names, which a test changes as it likes.

    `silent` names get no answer that would say anything: the server fails there.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.silent: set[str] = set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, wire: bytes) -> dns.message.Message:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        question = query.question[0]
        zone = dns.zone.from_text(
            "\n".join(self.lines), origin=dns.name.root, relativize=False, check_origin=False
        )
        if question.name.to_text(omit_final_dot=True) in self.silent:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif question.name not in zone.nodes:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif found := zone.get_rrset(question.name, question.rdtype):
            reply.answer.append(found)
        return reply


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.answer(data)
        wire = reply.to_wire()
        if len(wire) > UDP_BYTES:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        self._transport.sendto(wire, addr)


@asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    """One on a free port."""
    server = DnsServer()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2))
        wire = server.answer(await reader.readexactly(size)).to_wire()
        writer.write(len(wire).to_bytes(2) + wire)
        await writer.drain()
        writer.close()

    tcp = await asyncio.start_server(talk, "127.0.0.1", 0)
    server.port = tcp.sockets[0].getsockname()[1]
    udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(server), ("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        udp.close()
        tcp.close()
        await tcp.wait_closed()
