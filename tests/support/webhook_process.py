"""A process that sends webhooks to this machine, for tests that kill it; it is given the database's URL."""

import asyncio
import sys

from loopwright.server.clock import SystemClock
from loopwright.server.networks import read_networks
from loopwright.server.sealing import SealingKey
from loopwright.server.store.database import open_pool
from loopwright.server.webhook.addresses import Resolver, public_and
from loopwright.server.webhook.sender import WebhookSender
from loopwright.server.webhook.transport import Transport

KEY = bytes(32)


async def main(url: str) -> None:
    """Send until somebody ends it."""
    pool = await open_pool(url)
    transport = Transport(Resolver(public_and(read_networks("127.0.0.0/8"))))
    await WebhookSender(pool, SystemClock(), transport, SealingKey(KEY)).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
