"""Uploads."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Unpack

from loopwright.client.answer import one
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.uploads import put_call, read_image, upload_body
from loopwright.wire.operations import COMPLETE_UPLOAD, CREATE_UPLOAD
from loopwright.wire.uploads import UploadCompleted, UploadCreated

if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops


class AsyncUploads:
    """Images for emails: JPEG, PNG, GIF or WebP of at most 4,000,000 bytes."""

    def __init__(self, client: AsyncLoops) -> None:
        self._client = client

    async def upload(self, path: str | PathLike[str], **options: Unpack[CallOptions]) -> UploadCompleted:
        """Upload the image at `path` in all three steps; its type is told by its first bytes.

        Raises `ArgumentError` for a file that is no such image or too large, before any request is made.
        """
        image = read_image(path)
        created = await self.create(image.content_type, len(image.content), **options)
        await self._client.send(put_call(created.presigned_url, image, options))
        return await self.complete(created.email_asset_id, **options)

    async def create(
        self, content_type: str, content_length: int, **options: Unpack[CallOptions]
    ) -> UploadCreated:
        """Ask for a place to put `content_length` bytes."""
        body = upload_body(content_type, content_length)
        return await self._client.send(
            Call(CREATE_UPLOAD, fill(CREATE_UPLOAD), one(UploadCreated), options, body)
        )

    async def complete(self, email_asset_id: str, **options: Unpack[CallOptions]) -> UploadCompleted:
        """Tell that the bytes are there. A team has 50 uploads in 24 hours: then `RateLimitError`."""
        path = fill(COMPLETE_UPLOAD, email_asset_id)
        return await self._client.send(Call(COMPLETE_UPLOAD, path, one(UploadCompleted), options))
