"""Error bodies, and the texts that callers of the API compare with."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class FailureDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The object that older answers carry under `error`."""

    path: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class Failure(Struct, frozen=True, kw_only=True, rename="camel"):
    """An error body. `success` and `message` are in every one; `code` and `request_id` are our additions."""

    message: str
    success: bool = False
    code: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    error: str | FailureDetail | UnsetType = UNSET
    path: str | UnsetType = UNSET
    transactional_id: str | UnsetType = UNSET
    invalid_tags: list[str] | UnsetType = UNSET
    supported_content_types: list[str] | UnsetType = UNSET
    max_bytes: int | UnsetType = UNSET
    max_uploads: int | UnsetType = UNSET
    window_hours: int | UnsetType = UNSET


INVALID_API_KEY = "Invalid API key"
CONTENT_API_OFF = "The content API is not enabled for this team; the API key itself is valid"

CONTACT_EXISTS = "Email or userId is already on list."
CONTACT_NOT_FOUND = "Contact not found."
CONTACT_DELETED = "Contact deleted."
CONTACTS_DIFFER = "Multiple contacts found for the given criteria"
INVALID_EMAIL = "Invalid email address."
IDENTIFIER_REQUIRED = "An email or userId is required."
VALUE_TOO_LONG = "Some body key or value is longer than allowable"
PROPERTY_EXISTS = "Property already exists."

SUPPRESSION_CONTACT_NOT_FOUND = "This contact was not found."
NOT_SUPPRESSED = "This contact is not suppressed."
REMOVAL_QUOTA_EXCEEDED = "Removal quota exceeded."
SUPPRESSION_REMOVED = "Email removed from suppression list."

IDEMPOTENCY_KEY_USED = "Idempotency key already used with a different request body."

TRANSACTIONAL_NOT_FOUND = "Transactional email not found."
MISSING_DATA_VARIABLES = "Missing required data variable(s): {names}"

CAMPAIGN_NOT_FOUND = "Campaign not found."
EMAIL_MESSAGE_NOT_FOUND = "Email message not found."
THEME_NOT_FOUND = "Theme not found."
COMPONENT_NOT_FOUND = "Component not found."
SEGMENT_NOT_FOUND = "Audience segment not found."
GROUP_NOT_FOUND = "Group not found."
WORKFLOW_NOT_FOUND = "Workflow not found."
CAMPAIGN_NOT_DRAFT = "Campaign is not in draft status."
REVISION_STALE = "Content revision ID is stale."
COMPONENT_UNSUPPORTED_PROPERTIES = "Component uses unsupported contact properties."
UNSUPPORTED_CONTENT_TYPE = "Unsupported content type."
UPLOAD_LIMIT_EXCEEDED = (
    "Upload limit exceeded: max 50 uploads per 24 hours. "
    "Please contact support if you need to increase your upload limit."
)
