"""Raw SMTP: `python -m benchmarks.mail.floor PORT SECONDS CONNECTIONS WAY` prints the seconds of a processor
that it used for sending.

The bytes of a message are ready. By WAY `ready` they go over our connections, by `signed` each is signed with
RSA-2048 before it goes, and nothing else; by `library` they go as the SMTP library sends them by itself.
"""

import asyncio
import sys
import time

import uvloop
from aiosmtplib import SMTP
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.render import ENVELOPE, FOOTER, MESSAGE, NOW, VALUES
from loopwright.server.clock import SystemClock
from loopwright.server.mail.compose import Composed, compose
from loopwright.server.mail.relay import Limits
from loopwright.server.mail.render import fill, prepare
from loopwright.server.mail.smtp_url import Server
from loopwright.server.mail.transport import Accepted, Relay, Sending


def _message() -> Composed:
    return compose(fill(prepare(MESSAGE, FOOTER), VALUES), ENVELOPE, (), now=NOW)


async def send(port: int, ends: float, connections: int, *, signs: bool) -> None:
    """Send the same message over our connections until `ends`."""
    message = _message()
    key = rsa.generate_private_key(65537, 2048)
    sending = Sending(limits=Limits(connections=connections), messages=1_000_000)
    server = Relay(Server(host="127.0.0.1", port=port), sending, SystemClock())

    async def may_finish() -> bool:
        return True

    async def one() -> None:
        while time.monotonic() < ends:
            if signs:
                key.sign(message.data, padding.PKCS1v15(), SHA256())
            outcome = await server.send(message, may_finish)
            if not isinstance(outcome, Accepted):
                raise RuntimeError(outcome)

    await asyncio.gather(*(one() for _ in range(connections)))
    await server.close()


async def send_by_library(port: int, ends: float, connections: int) -> None:
    """Send the same message as the library does, until `ends`."""
    message = _message()

    async def one() -> None:
        async with SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            while time.monotonic() < ends:
                await client.sendmail(message.sender, [message.recipient], message.data)

    await asyncio.gather(*(one() for _ in range(connections)))


async def main(port: int, seconds: float, connections: int, way: str) -> float:
    """Send for so long; returns the seconds of a processor that took."""
    ends, used = time.monotonic() + seconds, time.process_time()
    if way == "library":
        await send_by_library(port, ends, connections)
    else:
        await send(port, ends, connections, signs=way == "signed")
    return time.process_time() - used


if __name__ == "__main__":
    said_port, said_seconds, said_connections, said_way = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(main(int(said_port), float(said_seconds), int(said_connections), said_way)))
