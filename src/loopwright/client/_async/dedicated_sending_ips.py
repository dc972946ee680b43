"""Dedicated sending IPs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from loopwright.client.answer import many
from loopwright.client.call import Call, CallOptions
from loopwright.wire.answers import Listing
from loopwright.wire.operations import LIST_DEDICATED_SENDING_IPS

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncDedicatedSendingIps:
    """The team's own sending addresses."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(self, **options: Unpack[CallOptions]) -> Listing[str]:
        """The addresses as text; shared ones are not among them."""
        call = Call(LIST_DEDICATED_SENDING_IPS, LIST_DEDICATED_SENDING_IPS.path, many(str), options)
        return await self._client.send(call)
