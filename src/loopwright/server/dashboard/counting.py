"""Counts that may take long: a page waits for them a little, and offers them instead."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from loopwright.server.dashboard.requests import Visit
from loopwright.server.store.pages import LIMIT, PAGE_SECONDS

SOON = 60
"""Milliseconds."""

Found = TypeVar("Found")


async def soon(visit: Visit, ask: Callable[[], Awaitable[Found]]) -> Found | None:
    """What `ask` answers; None when the database takes long. With `?count` in its address a page waits."""
    if "count" in visit.request.query_params:
        return await ask()
    try:
        async with visit.tx.transaction():
            await visit.tx.execute(LIMIT, f"{SOON}ms")
            found = await ask()
    except asyncpg.QueryCanceledError:
        return None
    await visit.tx.execute(LIMIT, f"{PAGE_SECONDS}s")
    return found
