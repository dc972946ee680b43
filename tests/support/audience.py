"""A team's contacts and properties, from a test's point of view."""

from datetime import UTC, datetime

from loopwright.server.store.audience import insert_property
from loopwright.server.store.contacts import ContactRow, find_by_email
from loopwright.server.store.database import Pool
from loopwright.wire.values import PropertyType


async def declare(pool: Pool, team_id: str, **kinds: PropertyType) -> None:
    """Give the team custom properties."""
    async with pool.acquire() as tx:
        for key, kind in kinds.items():
            await insert_property(tx, team_id, key, kind, now=datetime.now(UTC))


async def contact_of(pool: Pool, team_id: str, email: str) -> ContactRow | None:
    """The contact with that address."""
    async with pool.acquire() as tx:
        return await find_by_email(tx, team_id, email)
