"""Sending as a sender does, to whatever mail server: how often a message was tried, and what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from loopwright.server.mail.compose import Composed
from loopwright.server.mail.transport import Bounced, Deferred, Held, Outcome, Relay
from support.mail_servers import MailServer

BRIEF = 0.2
"""Seconds after which a message that is to wait for its own sake is sent again here."""


def message(recipient: str, sender: str = "team@mail.acme.test") -> Composed:
    body = b"Subject: Hi\r\nMessage-ID: <m@mail.acme.test>\r\n\r\nHello\r\n"
    return Composed(data=body, sender=sender, recipient=recipient, copies=())


async def yes() -> bool:
    return True


class Post:
    """Sends messages as a sender does, and counts for each recipient what its tries came to."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.tries: Counter[str] = Counter()
        self.bounced: list[str] = []
        self.last: dict[str, Outcome] = {}

    async def send(self, recipient: str, *, within: float = 60.0) -> None:
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            outcome = self.last[recipient] = await self.relay.send(message(recipient), yes)
            match outcome:
                case Bounced():
                    self.bounced.append(recipient)
                    return
                case Deferred(_, seconds):
                    self.tries[recipient] += seconds is None
                    wait = BRIEF if seconds is None else seconds
                case Held(_, seconds):
                    wait = seconds
                case _:
                    return
            await asyncio.sleep(max(0.0, min(wait, ends - time.monotonic())))

    async def send_all(self, recipients: Sequence[str], *, within: float = 60.0) -> None:
        await asyncio.gather(*(self.send(one, within=within) for one in recipients))
        await self.relay.close()


async def refused(server: MailServer, mark: str, number: int) -> None:
    """Wait until the server's log has so many refusals with that mark."""
    async with asyncio.timeout(20):
        while len(server.lines(mark)) < number:
            await asyncio.sleep(0.02)


def people(number: int, domain: str = "elsewhere.test") -> list[str]:
    return [f"p{count}@{domain}" for count in range(number)]
