"""Whole workers that send: killed again and again, or stopped while their mail server stalls."""

import asyncio
import random
import signal
from collections import Counter

import pytest

from loopwright.server.mail.sender import PLACES
from loopwright.server.store.database import Pool
from loopwright.server.store.deliveries import Lane
from loopwright.server.store.emails import NewEmail, queue_emails
from loopwright.server.store.teams import TeamRow
from support.content import write_message
from support.smtp_peer import Peer
from support.workflows import add_contact, until, utc_now

from .workers import be_ready, come, worker

pytestmark = pytest.mark.slow

ROUNDS = 4
STOP_SECONDS = 20
"""Beside this, what docs/operations.md allows is for requests."""


async def queue(pool: Pool, team: TeamRow, count: int) -> set[str]:
    """Queue emails of a workflow, and answer with their Message-IDs."""
    await be_ready(pool)
    message = (await write_message(pool, team.id)).message_id
    contacts = [await add_contact(pool, team.id, f"p{number}@elsewhere.test") for number in range(count)]
    emails = [
        NewEmail(
            team_id=team.id,
            cause=f"run:{contact.id}",
            kind="marketing",
            message_id=message,
            contact_id=contact.id,
            to_email=contact.email,
        )
        for contact in contacts
    ]
    async with pool.acquire() as tx, tx.transaction():
        await queue_emails(tx, emails, now=utc_now())
    return {row["mime_id"] for row in await pool.fetch("SELECT mime_id FROM email")}


async def test_kill_9_loses_nothing_and_doubles_only_what_is_in_hand(
    database_url: str, pool: Pool, team: TeamRow, peer: Peer
) -> None:
    """Workers die in the middle of sending; what arrives twice does so with one Message-ID."""
    wanted = await queue(pool, team, 600)
    dice = random.Random(7)
    for _ in range(ROUNDS):
        async with worker(database_url, peer):
            await come(peer, dice.randrange(20, 120))

    async def all_sent() -> bool:
        return not await pool.fetchval("SELECT EXISTS (SELECT FROM email WHERE status <> 'sent')")

    async with worker(database_url, peer):
        await until(all_sent, within=60)
    assert set(peer.seen) == wanted
    doubles = Counter(peer.seen) - Counter(wanted)
    assert doubles.total() <= ROUNDS * PLACES[Lane.WORKFLOW]
    assert await pool.fetchval("SELECT count(*) FROM email_queue") == 0


async def test_sigterm_ends_in_time_while_the_mail_server_stalls(
    database_url: str, pool: Pool, team: TeamRow, peer: Peer
) -> None:
    """Emails that were not announced go back to the queue; the others stay marked until their leases end."""
    await queue(pool, team, 100)
    peer.stalled = {row["to_email"] for row in await pool.fetch("SELECT to_email FROM email")}

    async def is_stalled() -> bool:
        return len(peer.seen) == PLACES[Lane.WORKFLOW]

    async with worker(database_url, peer) as process:
        await until(is_stalled, within=40)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            assert await process.wait() == 0
    rows = await pool.fetch(
        """
        SELECT status, token IS NULL AS free, count(*)
          FROM email JOIN email_queue ON email_id = email.id GROUP BY 1, 2
        """
    )
    in_hand = PLACES[Lane.WORKFLOW]
    assert {tuple(row) for row in rows} == {("queued", True, 100 - in_hand), ("sending", False, in_hand)}
