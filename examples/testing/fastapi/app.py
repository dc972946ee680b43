"""A web application that sends an event for everybody who signs up."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from loopwright import AsyncLoops


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """One client for all requests; LOOPS_API_KEY and LOOPS_BASE_URL say whose and where."""
    async with AsyncLoops() as loops:
        app.state.loops = loops
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/signup")
async def signup(email: str, request: Request) -> dict[str, bool]:
    await request.app.state.loops.events.send("signup", email=email)
    return {"ok": True}
