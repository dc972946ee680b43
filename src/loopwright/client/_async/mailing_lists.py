"""Mailing lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from loopwright.client.answer import many
from loopwright.client.call import Call, CallOptions
from loopwright.wire.answers import Listing
from loopwright.wire.lists import MailingList
from loopwright.wire.operations import LIST_MAILING_LISTS

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncMailingLists:
    """Lists a contact can be on; they are made in the dashboard."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(self, **options: Unpack[CallOptions]) -> Listing[MailingList]:
        """All mailing lists."""
        call = Call(LIST_MAILING_LISTS, LIST_MAILING_LISTS.path, many(MailingList), options)
        return await self._client.send(call)
