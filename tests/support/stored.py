"""What a database holds, for tests of either colour."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg


def stored(url: str, query: str) -> list[tuple[object, ...]]:
    """The rows of a query, on a connection and a thread of its own."""

    async def fetch() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, fetch()).result()
