"""The API key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from loopwright.client.answer import one
from loopwright.client.call import Call, CallOptions
from loopwright.wire.account import ApiKeyInfo
from loopwright.wire.operations import TEST_API_KEY

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncApiKey:
    """The key this client uses."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def test(self, **options: Unpack[CallOptions]) -> ApiKeyInfo:
        """Whether the key works, and whose it is; a wrong one raises `AuthenticationError`."""
        return await self._client.send(Call(TEST_API_KEY, TEST_API_KEY.path, one(ApiKeyInfo), options))
