"""Transactional emails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client._async.paging import all_items
from loopwright.client.answer import one
from loopwright.client.arguments import required
from loopwright.client.body import given_texts, something_given
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.paging import page_call
from loopwright.wire.metrics import TransactionalMetrics
from loopwright.wire.operations import (
    CREATE_TRANSACTIONAL_EMAIL,
    ENSURE_TRANSACTIONAL_DRAFT,
    GET_TRANSACTIONAL_EMAIL,
    GET_TRANSACTIONAL_EMAIL_METRICS,
    LIST_TRANSACTIONAL_EMAILS,
    PUBLISH_TRANSACTIONAL_EMAIL,
    UPDATE_TRANSACTIONAL_EMAIL,
)
from loopwright.wire.paging import Page
from loopwright.wire.transactional import TransactionalDraft, TransactionalEmail

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncTransactionalEmails:
    """Writing and publishing transactional emails; to send one see `transactional`."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[TransactionalEmail]:
        """One page of the transactional emails, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return await self._client.send(
            page_call(LIST_TRANSACTIONAL_EMAILS, TransactionalEmail, per_page, cursor, options)
        )

    def iterate(
        self, *, per_page: int | None = None, **options: Unpack[CallOptions]
    ) -> AsyncIterator[TransactionalEmail]:
        """All transactional emails, page after page."""
        return all_items(self._client, LIST_TRANSACTIONAL_EMAILS, TransactionalEmail, per_page, options)

    async def create(
        self, name: str, *, transactional_group_id: str | UnsetType = UNSET, **options: Unpack[CallOptions]
    ) -> TransactionalDraft:
        """Create one with an empty draft: edit that with `email_messages.update`, then `publish`."""
        body = given_texts(name=required("name", name), transactionalGroupId=transactional_group_id)
        path = fill(CREATE_TRANSACTIONAL_EMAIL)
        return await self._client.send(
            Call(CREATE_TRANSACTIONAL_EMAIL, path, one(TransactionalDraft), options, body)
        )

    async def get(self, transactional_id: str, **options: Unpack[CallOptions]) -> TransactionalEmail:
        """One transactional email; an unknown id raises `NotFoundError`."""
        path = fill(GET_TRANSACTIONAL_EMAIL, transactional_id)
        return await self._client.send(Call(GET_TRANSACTIONAL_EMAIL, path, one(TransactionalEmail), options))

    async def metrics(self, transactional_id: str, **options: Unpack[CallOptions]) -> TransactionalMetrics:
        """What became of its emails, whichever version was sent."""
        path = fill(GET_TRANSACTIONAL_EMAIL_METRICS, transactional_id)
        call = Call(GET_TRANSACTIONAL_EMAIL_METRICS, path, one(TransactionalMetrics), options)
        return await self._client.send(call)

    async def update(
        self,
        transactional_id: str,
        *,
        name: str | UnsetType = UNSET,
        transactional_group_id: str | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> TransactionalEmail:
        """Rename or move one; give at least one of the two."""
        changes = given_texts(name=name, transactionalGroupId=transactional_group_id)
        body = something_given(changes, "name, transactional_group_id")
        path = fill(UPDATE_TRANSACTIONAL_EMAIL, transactional_id)
        return await self._client.send(
            Call(UPDATE_TRANSACTIONAL_EMAIL, path, one(TransactionalEmail), options, body)
        )

    async def ensure_draft(self, transactional_id: str, **options: Unpack[CallOptions]) -> TransactionalDraft:
        """The draft there is, or a new one made from the published version."""
        path = fill(ENSURE_TRANSACTIONAL_DRAFT, transactional_id)
        return await self._client.send(
            Call(ENSURE_TRANSACTIONAL_DRAFT, path, one(TransactionalDraft), options)
        )

    async def publish(self, transactional_id: str, **options: Unpack[CallOptions]) -> TransactionalEmail:
        """Make the draft the version that is sent.

        No draft raises `ConflictError`; content or a sending domain that fails the checks
        `UnprocessableError`.
        """
        path = fill(PUBLISH_TRANSACTIONAL_EMAIL, transactional_id)
        return await self._client.send(
            Call(PUBLISH_TRANSACTIONAL_EMAIL, path, one(TransactionalEmail), options)
        )
