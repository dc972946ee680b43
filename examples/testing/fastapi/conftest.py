"""The application as a browser sees it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2
from app import app, lifespan


@asynccontextmanager
async def browser() -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of the application, which runs meanwhile."""
    transport = httpx2.ASGITransport(app)
    async with lifespan(app), httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client
