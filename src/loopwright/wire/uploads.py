"""Uploads of images for emails."""

from __future__ import annotations

from loopwright.wire.answers import Answer


class UploadCreated(Answer, frozen=True, kw_only=True):
    """Where to put the bytes, with the announced type and length, without the API key."""

    email_asset_id: str
    presigned_url: str


class UploadCompleted(Answer, frozen=True, kw_only=True):
    """The image can be used in emails under `final_url`."""

    email_asset_id: str
    final_url: str
