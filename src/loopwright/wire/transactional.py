"""Transactional email: sending, and the emails that can be sent."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from loopwright.wire.answers import Answer


class Attachment(Struct, frozen=True, kw_only=True, rename="camel"):
    """A file to send along, as it travels. `data` is base64 text."""

    filename: str
    content_type: str
    data: str


class TransactionalAccepted(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """The email is accepted, which does not mean delivered.

    `replayed` is set by the client alone: an earlier attempt of the same call had arrived already.
    """

    success: bool
    replayed: bool = False


class PublishedTransactional(Answer, frozen=True, kw_only=True):
    """A published transactional email, as the deprecated list answers it."""

    id: str
    name: str
    last_updated: datetime
    data_variables: list[str]


class TransactionalEmail(Answer, frozen=True, kw_only=True):
    """A transactional email. `data_variables` are those of the published version: none before publishing."""

    id: str
    name: str
    draft_email_message_id: str | None = None
    published_email_message_id: str | None = None
    transactional_group_id: str | None = None
    created_at: datetime
    updated_at: datetime
    data_variables: list[str] = []  # noqa: RUF012  # a Struct copies it
    url: str = ""
    """Its page in the dashboard; empty from a server older than version 1.22."""


class TransactionalDraft(TransactionalEmail, frozen=True, kw_only=True):
    """A transactional email with the revision of its draft, which an update of the message wants back."""

    draft_email_message_content_revision_id: str | None = None
