"""Workers of the mail that tests start, and kill."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.content import write_message
from support.factories import add_campaign, add_contacts
from support.smtp_peer import Peer
from support.workflows import until, utc_now

LOOPWRIGHT = Path(sys.executable).with_name("loopwright")


async def be_ready(pool: Pool) -> None:
    """Give the team what marketing email needs of it."""
    await pool.execute("UPDATE team SET sending_domain = 'mail.elsewhere.org', address = '1 Road'")


async def write_newsletter(pool: Pool, team: TeamRow, recipients: int) -> None:
    """A campaign `cnews` that could be sent to so many contacts, who have been there for an hour."""
    await be_ready(pool)
    await add_contacts(pool, team.id, recipients, domain="elsewhere.test")
    await pool.execute("UPDATE contact SET created_at = $1", utc_now() - timedelta(hours=1))
    await write_message(pool, team.id, await add_campaign(pool, team.id, "cnews"))


@asynccontextmanager
async def worker(database_url: str, peer: Peer) -> AsyncIterator[Process]:
    """A worker that sends to `peer`; it is killed when the context is left."""
    process = await asyncio.create_subprocess_exec(
        LOOPWRIGHT, "worker", "--database-url", database_url, "--smtp-url", peer.url,
        "--public-url", "https://mail.elsewhere.org",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def come(peer: Peer, count: int) -> None:
    """Wait until so many more emails have come."""
    enough = len(peer.seen) + count

    async def is_enough() -> bool:
        return len(peer.seen) >= enough

    await until(is_enough, within=60)


@asynccontextmanager
async def two_workers(database_url: str, peer: Peer, *, emails: int) -> AsyncIterator[None]:
    """Two workers, which are killed when the context is left; it is entered once so many emails have come."""
    async with worker(database_url, peer), worker(database_url, peer):
        await come(peer, emails)
        yield
