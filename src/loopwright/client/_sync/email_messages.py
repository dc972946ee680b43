# Made by tools/make_sync.py from src/loopwright/client/_async/email_messages.py
"""Email messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client.answer import one
from loopwright.client.arguments import texts
from loopwright.client.body import Properties, given_texts, given_variables
from loopwright.client.call import Call, CallOptions, fill
from loopwright.wire.email_messages import EmailFormat, EmailMessage, GuardianReport, PreviewQueued
from loopwright.wire.operations import (
    GET_EMAIL_MESSAGE,
    GET_EMAIL_MESSAGE_GUARDIAN,
    PREVIEW_EMAIL_MESSAGE,
    UPDATE_EMAIL_MESSAGE,
)
from loopwright.wire.values import PropertyValue

if TYPE_CHECKING:
    from loopwright.client._sync.client import Loops


class EmailMessages:
    """The content of campaigns, workflow emails and transactional emails."""

    def __init__(self, client: Loops) -> None:
        self._client = client

    def get(self, message_id: str, **options: Unpack[CallOptions]) -> EmailMessage:
        """One message; content made with MJML raises `ConflictError`."""
        path = fill(GET_EMAIL_MESSAGE, message_id)
        return self._client.send(Call(GET_EMAIL_MESSAGE, path, one(EmailMessage), options))

    def update(
        self,
        message_id: str,
        *,
        expected_revision_id: str | UnsetType = UNSET,
        subject: str | UnsetType = UNSET,
        preview_text: str | UnsetType = UNSET,
        from_name: str | UnsetType = UNSET,
        from_email: str | UnsetType = UNSET,
        reply_to_email: str | UnsetType = UNSET,
        cc_email: str | UnsetType = UNSET,
        bcc_email: str | UnsetType = UNSET,
        language_code: str | UnsetType = UNSET,
        email_format: EmailFormat | UnsetType = UNSET,
        lmx: str | UnsetType = UNSET,
        contact_properties_fallbacks: Properties | UnsetType = UNSET,
        event_properties_fallbacks: Properties | UnsetType = UNSET,
        data_variables_fallbacks: Properties | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> EmailMessage:
        """Change a draft's content; its `content_revision_id` afterwards is a new one.

        `expected_revision_id` is the `content_revision_id` that was read: a stale one raises
        `ConflictError`, none means the last write wins. `from_email` is the part before the @. Fallbacks
        are merged key by key, `None` removes one. LMX that does not compile raises `UnprocessableError`,
        over 100 KB `PayloadTooLargeError`.
        """
        body = given_texts(
            expectedRevisionId=expected_revision_id,
            subject=subject,
            previewText=preview_text,
            fromName=from_name,
            fromEmail=from_email,
            replyToEmail=reply_to_email,
            ccEmail=cc_email,
            bccEmail=bcc_email,
            languageCode=language_code,
            emailFormat=email_format,
            lmx=lmx,
        ) | given_variables(
            contactPropertiesFallbacks=contact_properties_fallbacks,
            eventPropertiesFallbacks=event_properties_fallbacks,
            dataVariablesFallbacks=data_variables_fallbacks,
        )
        path = fill(UPDATE_EMAIL_MESSAGE, message_id)
        return self._client.send(Call(UPDATE_EMAIL_MESSAGE, path, one(EmailMessage), options, body))

    def preview(
        self,
        message_id: str,
        emails: Sequence[str],
        *,
        contact_properties: Mapping[str, PropertyValue] | UnsetType = UNSET,
        event_properties: Mapping[str, PropertyValue] | UnsetType = UNSET,
        data_variables: Mapping[str, PropertyValue] | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> PreviewQueued:
        """Send the message to some addresses of your own, with these values in its variables.

        Campaigns take `contact_properties`, workflow emails those and `event_properties`, transactional
        emails `data_variables`. A team has 100 previews a day: then `RateLimitError`.
        """
        body = {"emails": texts("emails", emails)} | given_variables(
            contactProperties=contact_properties,
            eventProperties=event_properties,
            dataVariables=data_variables,
        )
        path = fill(PREVIEW_EMAIL_MESSAGE, message_id)
        return self._client.send(Call(PREVIEW_EMAIL_MESSAGE, path, one(PreviewQueued), options, body))

    def guardian(self, message_id: str, **options: Unpack[CallOptions]) -> GuardianReport:
        """What is wrong or doubtful in the content; errors stand in the way of publishing."""
        path = fill(GET_EMAIL_MESSAGE_GUARDIAN, message_id)
        return self._client.send(Call(GET_EMAIL_MESSAGE_GUARDIAN, path, one(GuardianReport), options))
