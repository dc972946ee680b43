"""Load that remembers what it was told: which events were acknowledged, and of which nobody knows."""

import asyncio
from itertools import count
from zlib import crc32

import httpx2

from .house import API_KEY

CONTACTS = 200
PAUSE_SECONDS = 0.01
PAUSE_AFTER_FAILURE_SECONDS = 0.1


class Load:
    """Sends events of one round, each with its own idempotency key, over `connections` connections."""

    def __init__(self, address: str, number: int, connections: int) -> None:
        self.name = f"round{number}"
        self.acknowledged: set[str] = set()
        self.unknown: set[str] = set()
        self.violations: list[str] = []
        self._numbers = count()
        self._stopping = False
        self._client = httpx2.AsyncClient(
            base_url=f"{address}/api/v1",
            headers={"Authorization": f"Bearer {API_KEY}"},
            limits=httpx2.Limits(max_connections=connections),
            timeout=30,
        )
        self._tasks = [asyncio.create_task(self._send_forever()) for _ in range(connections)]

    async def stop(self) -> None:
        """Let the requests under way end, and send no more."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def wait_for_more(self, seconds: float) -> None:
        """Wait until an event is acknowledged that had not been; raises `TimeoutError`."""
        before = len(self.acknowledged)
        async with asyncio.timeout(seconds):
            while len(self.acknowledged) == before:
                await asyncio.sleep(PAUSE_SECONDS)

    async def settle(self, seconds: float) -> None:
        """Send again what nobody knows of: it is taken now, or was taken before. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            for key in sorted(self.unknown):
                while await self._send(key) not in (200, 409):
                    await asyncio.sleep(PAUSE_SECONDS)
                self.unknown.discard(key)
                self.acknowledged.add(key)

    async def repeat(self, keys: list[str]) -> None:
        """Send acknowledged events again: each has to be refused, as its key is used."""
        for key in keys:
            status = await self._send(key)
            if status != 409:
                self.violations.append(
                    f"{key}: acknowledged before, and {status} instead of 409 when repeated"
                )

    async def _send_forever(self) -> None:
        while not self._stopping:
            key = f"{self.name}-{next(self._numbers)}"
            # Known to nobody from the moment it leaves until its answer is here.
            self.unknown.add(key)
            status = await self._send(key)
            if status == 200:
                self.unknown.discard(key)
                self.acknowledged.add(key)
            elif status in (None, 503):
                await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
            else:
                self.violations.append(f"{key}: answered with {status}")

    async def _send(self, key: str) -> int | None:
        """The status of the answer; None without one."""
        body = {
            "eventName": self.name,
            "email": f"p{crc32(key.encode()) % CONTACTS}@example.org",
            "eventProperties": {"key": key},
        }
        try:
            response = await self._client.post("/events/send", json=body, headers={"Idempotency-Key": key})
        except httpx2.TransportError:
            return None
        return response.status_code
