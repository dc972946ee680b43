"""Something done again and again beside the rest of a process."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def repeating(do: Callable[[], Awaitable[None]], *, seconds: float) -> AsyncGenerator[None]:
    """While the context lasts, `do` it, wait for `seconds`, and do it again. It sees to its own errors."""

    async def repeat() -> None:
        while True:
            await do()
            await asyncio.sleep(seconds)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
