"""A mailer's surroundings: its office, its inbox, and a server outside."""

from collections.abc import AsyncIterator

import pytest

from loopwright.server.mail.inbox import Inbox
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.clock import HandClock
from support.mail_office import NOW, Office
from support.smtp_peer import Peer, smtp_peer


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
async def office(pool: Pool, team: TeamRow, clock: HandClock) -> AsyncIterator[Office]:
    """Of a team that may send: with a domain and an address of its own."""
    await pool.execute("UPDATE team SET sending_domain = 'mail.elsewhere.org', address = '1 Engine Road'")
    inbox = Inbox(pool, clock)
    await inbox.start()
    office = Office(pool, team, inbox, clock)
    yield office
    await inbox.stop()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with smtp_peer() as peer:
        yield peer
