"""Error bodies, and the texts that callers of the API compare with."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field

CODE_HEADER = "x-loopwright-code"
"""What a program may branch on; the contract has no place for it in a body."""


class Failure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An error body. Strict clients refuse keys that the contract does not declare for an answer."""

    success: bool = False
    message: str


class KeyFailure(Failure, frozen=True, kw_only=True):
    """401 of testApiKey: `error` is the message once more."""

    error: str


class SendFailure(Failure, frozen=True, kw_only=True):
    """400 of sendTransactionalEmail: `path` is the key that is wrong, where one is."""

    path: str | UnsetType = UNSET


class FailureDetail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The object under `error`."""

    path: str
    message: str


class MissingFailure(Failure, frozen=True, kw_only=True):
    """404 of sendTransactionalEmail."""

    error: FailureDetail


class ComponentFailure(Failure, frozen=True, kw_only=True):
    """422 of updateComponent: the variables that an email cannot have."""

    invalid_tags: list[str] | UnsetType = field(default=UNSET, name="invalidTags")


class UploadFailure(Failure, frozen=True, kw_only=True, rename="camel"):
    """400, 404 and 413 of uploads: what is taken instead."""

    supported_content_types: list[str] | UnsetType = UNSET
    max_bytes: int | UnsetType = UNSET


class UploadLimitFailure(Failure, frozen=True, kw_only=True, rename="camel"):
    """429 of completeUpload."""

    max_uploads: int
    window_hours: int


INVALID_API_KEY = "Invalid API key"

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

IDEMPOTENCY_KEY_USED = "Request with idempotency key {key} has already been processed."

TRANSACTIONAL_NOT_FOUND = "Transactional email not found."
MISSING_DATA_VARIABLES = "Missing required data variable(s): {names}"

CAMPAIGN_NOT_FOUND = "Campaign not found."
CAMPAIGN_NOT_SENT = "Campaign has not been sent."
EMAIL_MESSAGE_NOT_FOUND = "Email message not found."
THEME_NOT_FOUND = "Theme not found."
COMPONENT_NOT_FOUND = "Component not found."
MAILING_LIST_NOT_FOUND = "Mailing list not found."
SEGMENT_NOT_FOUND = "Audience segment not found."
GROUP_NOT_FOUND = "Group not found."
WORKFLOW_NOT_FOUND = "Workflow not found."
WORKFLOW_REVISION_STALE = (
    "workflowRevisionId mismatch. Latest workflowRevisionId is {latest}. Refetch and retry."
)
DELETE_WHILE_SENDING = (
    "This workflow is currently sending. Deleting it will stop sending it. "
    "Confirm deletion by sending a second request with confirmDelete: true."
)
DELETE_WITH_CONTACTS = (
    "This workflow has {count} queued contacts. Deleting it will cancel those queued contacts. "
    "Confirm deletion by sending a second request with confirmDelete: true."
)
DELETE_WHILE_SENDING_WITH_CONTACTS = (
    "This workflow is currently sending and has {count} queued contacts. "
    "Deleting it will stop sending it and cancel those queued contacts. "
    "Confirm deletion by sending a second request with confirmDelete: true."
)
NODE_NOT_FOUND = "Workflow node not found."
NOT_AN_EMAIL_NODE = "Node is not a SendEmailAction node."
CAMPAIGN_NOT_DRAFT = "Campaign is not in draft status."
REVISION_STALE = "Content revision ID is stale."
COMPONENT_UNSUPPORTED = "Component uses unsupported {kinds}."
UNSUPPORTED_CONTENT_TYPE = "Unsupported content type."
UPLOAD_LIMIT_EXCEEDED = (
    "Upload limit exceeded: max 50 uploads per 24 hours. "
    "Please contact support if you need to increase your upload limit."
)
