"""Raw SMTP: `python -m benchmarks.mail.floor PORT SECONDS CONNECTIONS SIGN` prints the seconds of a processor
that it used for sending.

The bytes of a message are ready; with SIGN 1 each is signed with RSA-2048 before it goes, and nothing else.
"""

import asyncio
import sys
import time

import uvloop
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.render import ENVELOPE, FOOTER, MESSAGE, NOW, VALUES
from loopwright.server.clock import SystemClock
from loopwright.server.mail.compose import Composed, compose
from loopwright.server.mail.relay import Limits
from loopwright.server.mail.render import fill, prepare
from loopwright.server.mail.smtp_url import Server
from loopwright.server.mail.transport import Accepted, Relay, Sending


async def send(port: int, seconds: float, connections: int, *, signs: bool) -> float:
    """Send the same message again and again; returns the seconds of a processor that took."""
    message: Composed = compose(fill(prepare(MESSAGE, FOOTER), VALUES), ENVELOPE, (), now=NOW)
    key = rsa.generate_private_key(65537, 2048)
    sending = Sending(limits=Limits(connections=connections), messages=1_000_000)
    server = Relay(Server(host="127.0.0.1", port=port), sending, SystemClock())
    ends, used = time.monotonic() + seconds, time.process_time()

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
    return time.process_time() - used


if __name__ == "__main__":
    port, seconds, connections, signs = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        used = runner.run(send(int(port), float(seconds), int(connections), signs=signs == "1"))
    print(used)
