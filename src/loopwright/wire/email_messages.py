"""Email messages: the content of campaigns, workflow emails and transactional emails."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from loopwright.wire.answers import Answer

EmailFormat: TypeAlias = Literal["styled", "plain"]

if TYPE_CHECKING:
    GuardianRuleName: TypeAlias = Literal[
        "unsupportedContactProperties",
        "missingFallbackContactProperties",
        "unsupportedEventProperties",
        "missingFallbackEventProperties",
        "unsupportedDataVariables",
        "invalidCustomDataVariables",
        "missingRequiredDataVariables",
        "missingButtonHrefs",
        "invalidButtonHrefs",
        "shortenedYouTubeButtonHrefs",
        "missingLinkHrefs",
        "invalidLinkHrefs",
        "shortenedYouTubeLinkHrefs",
        "shortenedYouTubeImageHrefs",
        "emailWithoutMailtoButtonHrefs",
        "emailWithoutMailtoLinkHrefs",
        "emailWithoutMailtoImageHrefs",
        "bareArrayNodes",
        "missingSocialIconHrefs",
    ]
else:
    GuardianRuleName = str  # a rule that a later version adds is no reason to fail


class MessageWarning(Struct, frozen=True, kw_only=True):
    """Something in the content that has no effect, or not the wished one."""

    rule: str
    severity: str = "warning"
    message: str
    path: str | UnsetType = UNSET


class EmailMessage(Answer, frozen=True, kw_only=True):
    """The content of one email. `campaign_id` or `transactional_id` names its owner; neither: a workflow
    email.

    `from_email` is the part before the @. `lmx` is the body. `content_revision_id` is what an update wants
    back as `expected_revision_id`. Fallbacks map variable names to the text that stands in for a missing
    value.
    """

    id: str
    campaign_id: str | UnsetType = UNSET
    transactional_id: str | UnsetType = UNSET
    subject: str = ""
    preview_text: str = ""
    from_name: str = ""
    from_email: str = ""
    reply_to_email: str = ""
    cc_email: str | UnsetType = UNSET
    bcc_email: str | UnsetType = UNSET
    language_code: str | UnsetType = UNSET
    email_format: EmailFormat = "styled"
    lmx: str = ""
    content_revision_id: str | None = None
    updated_at: datetime
    contact_properties_fallbacks: dict[str, str] | UnsetType = UNSET
    event_properties_fallbacks: dict[str, str] | UnsetType = UNSET
    data_variables_fallbacks: dict[str, str] | UnsetType = UNSET
    warnings: list[MessageWarning] | UnsetType = UNSET


class PreviewQueued(Answer, frozen=True, kw_only=True):
    """The previews are on their way; `id` is the message's."""

    id: str


class GuardianItem(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One place a rule found."""

    label: str
    code_name: str | UnsetType = UNSET


class GuardianFinding(Struct, frozen=True, kw_only=True):
    """What one rule found."""

    rule: GuardianRuleName
    title: str
    description: str
    items: list[GuardianItem] = []


class GuardianReport(Answer, frozen=True, kw_only=True):
    """What stands in the way of publishing (`errors`), and what is merely doubtful (`warnings`)."""

    errors: list[GuardianFinding]
    warnings: list[GuardianFinding]
