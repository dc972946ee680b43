"""Sending transactional email."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from loopwright.client._async.paging import all_items
from loopwright.client.call import CallOptions
from loopwright.client.calls.paging import page_call
from loopwright.client.calls.transactional import transactional_call
from loopwright.wire.operations import LIST_PUBLISHED_TRANSACTIONAL_EMAILS
from loopwright.wire.paging import Page
from loopwright.wire.transactional import Attachment, PublishedTransactional, TransactionalAccepted

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncTransactional:
    """One email to one person, sent by id. To write and publish them see `transactional_emails`."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def send(
        self,
        transactional_id: str,
        *,
        email: str,
        data_variables: Mapping[str, object] | None = None,
        add_to_audience: bool | None = None,
        attachments: Sequence[Attachment] = (),
        idempotency_key: str | None = None,
        **options: Unpack[CallOptions],
    ) -> TransactionalAccepted:
        """Send a published transactional email; accepted does not mean delivered.

        `data_variables` fills the template: text, numbers, dates, and lists of flat mappings for repeated
        blocks; a required one that is missing raises `BadRequestError`. `add_to_audience` creates a contact
        for a new address. `attachments` are made by `Attachment.from_path` or `from_bytes`. Every call
        carries an idempotency key as `events.send` does, and is repeated safely.
        """
        return await self._client.send(
            transactional_call(
                transactional_id,
                email,
                data_variables,
                add_to_audience,
                attachments,
                idempotency_key,
                options,
            )
        )

    async def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[PublishedTransactional]:
        """One page of the published emails. The API prefers `transactional_emails.list`."""
        return await self._client.send(
            page_call(LIST_PUBLISHED_TRANSACTIONAL_EMAILS, PublishedTransactional, per_page, cursor, options)
        )

    def iterate(
        self, *, per_page: int | None = None, **options: Unpack[CallOptions]
    ) -> AsyncIterator[PublishedTransactional]:
        """All published emails, page after page."""
        operation = LIST_PUBLISHED_TRANSACTIONAL_EMAILS
        return all_items(self._client, operation, PublishedTransactional, per_page, options)
