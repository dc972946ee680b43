"""A newsroom for tests of campaigns: one campaign, its contacts, and what is asked of it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from loopwright.server.campaign import launch
from loopwright.server.campaign.dispatcher import Dispatcher, Sizes
from loopwright.server.store.campaign_outcomes import load_progress
from loopwright.server.store.campaigns import CampaignRow, find_campaign, lock_campaign
from loopwright.server.store.database import Connection
from support.content import write_message
from support.factories import add_campaign, add_contact
from support.mail_office import NOW, Office
from support.smtp_peer import Peer
from support.workflows import until

SMALL = Sizes(contacts=2, emails=2, room=4)


class Newsroom:
    """A campaign to whoever is a contact, and what is asked of it."""

    def __init__(self, office: Office, sizes: Sizes = SMALL) -> None:
        self.office = office
        self.pool, self.team = office.pool, office.team
        self.dispatcher = Dispatcher(office.pool, office.clock, sizes=sizes)

    async def campaign(self, **columns: Any) -> None:
        """A draft that could be sent."""
        message_id = await add_campaign(self.pool, self.team.id, "cnews", **columns)
        await write_message(self.pool, self.team.id, message_id, now=NOW)

    async def contacts(self, count: int) -> None:
        for number in range(count):
            await self.contact(f"c{number}")

    async def contact(self, contact_id: str, **columns: Any) -> None:
        await add_contact(self.pool, self.team.id, contact_id, **{"created_at": NOW, **columns})

    async def row(self) -> CampaignRow:
        async with self.pool.acquire() as tx:
            found = await find_campaign(tx, self.team.id, "cnews")
        assert found
        return found

    async def stands(self) -> tuple[str, str]:
        row = await self.row()
        return row.status, launch.state_of(row)

    async def send(self, *, relay_url: str | None = None) -> None:
        async def act(tx: Connection, row: CampaignRow) -> None:
            await launch.send(tx, self.team, row, relay_url=relay_url, now=self.office.clock.now())

        await self.ask(act)

    async def schedule(self, after: timedelta | None) -> None:
        async def act(tx: Connection, row: CampaignRow) -> None:
            now = self.office.clock.now()
            at = None if after is None else now + after
            await launch.schedule(tx, self.team, row, at, relay_url=None, now=now)

        await self.ask(act)

    async def pause(self) -> None:
        await self.ask(lambda tx, row: launch.pause(tx, row, now=self.office.clock.now()))

    async def resume(self) -> None:
        await self.ask(lambda tx, row: launch.resume(tx, row, now=self.office.clock.now()))

    async def cancel(self) -> None:
        await self.ask(lambda tx, row: launch.cancel(tx, row, now=self.office.clock.now()))

    async def ask(self, act: Callable[[Connection, CampaignRow], Awaitable[None]]) -> None:
        async with self.pool.acquire() as tx, tx.transaction():
            row = await lock_campaign(tx, self.team.id, "cnews")
            assert row
            await act(tx, row)

    async def turn(self) -> None:
        await self.dispatcher.take_turns()

    async def emails(self) -> dict[str, int]:
        """The campaign's emails by status, as counters have it, which a count of the rows has to confirm."""
        async with self.pool.acquire() as tx:
            found = await load_progress(tx, await self.row())
        counted = {name: getattr(found, name) for name in found.__struct_fields__ if getattr(found, name)}
        rows = await self.pool.fetch(
            """
            SELECT CASE status WHEN 'sending' THEN 'queued' ELSE status END AS status, count(*) AS emails
              FROM email WHERE campaign_id = 'cnews' GROUP BY 1
            """
        )
        assert counted == {row["status"]: row["emails"] for row in rows}
        return counted

    async def is_over(self) -> bool:
        await self.turn()
        return (await self.row()).status == "Sent"

    async def finish(self, peer: Peer) -> None:
        """Send until it is over."""
        async with self.office.sending(peer.url):
            await until(self.is_over, within=20)
