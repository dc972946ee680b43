"""What requests say, as types: for the server's own description. `ingest.reading` reads them, more kindly."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from loopwright.server.audience.strict import AudienceFilterRequest
from loopwright.server.workflow.property_query import ContactPropertyQueryRequest
from loopwright.wire.campaigns import Scheduling
from loopwright.wire.limits import NAME_CHARACTERS, SEGMENT_DESCRIPTION_CHARACTERS, SEGMENT_NAME_CHARACTERS
from loopwright.wire.node_payloads import AudienceFilterPayload, ContactPropertyTriggerPayload
from loopwright.wire.transactional import Attachment
from loopwright.wire.values import PropertyType, Value

Lists = dict[str, bool]
Flat = dict[str, Value | None]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS)]


class _Body(Struct, frozen=True, kw_only=True, rename="camel"):
    """Keys that are missing change nothing; null clears, or counts as missing where that makes no sense."""


class _ContactFields(_Body, frozen=True, kw_only=True):
    first_name: str | float | UnsetType | None = UNSET
    last_name: str | float | UnsetType | None = UNSET
    source: str | float | UnsetType | None = UNSET
    subscribed: bool | UnsetType | None = UNSET
    user_group: str | float | UnsetType | None = UNSET
    user_id: str | int | UnsetType | None = UNSET
    mailing_lists: Lists | UnsetType | None = UNSET


class ContactRequest(_ContactFields, frozen=True, kw_only=True):
    """A new contact. Custom properties stand beside the others."""

    email: str


class ContactUpdateRequest(_ContactFields, frozen=True, kw_only=True):
    """What is to change about a contact; email or userId says which."""

    email: str | UnsetType | None = UNSET


class ContactDeleteRequest(_Body, frozen=True, kw_only=True):
    """The contact to delete, by exactly one of the two."""

    email: str | UnsetType | None = UNSET
    user_id: str | int | UnsetType | None = UNSET


class EventRequest(_ContactFields, frozen=True, kw_only=True):
    """An event. Contact properties stand beside the event's own keys and are saved on the contact."""

    event_name: Annotated[str, Meta(min_length=1, max_length=498)]
    email: str | UnsetType | None = UNSET
    event_properties: dict[str, Value | list[Flat] | None] | UnsetType | None = UNSET


class TransactionalRequest(_Body, frozen=True, kw_only=True):
    """An email to one address."""

    email: str
    transactional_id: str
    add_to_audience: bool | UnsetType | None = UNSET
    data_variables: dict[str, Value | list[Flat] | None] | UnsetType | None = UNSET
    attachments: list[Attachment] | UnsetType | None = UNSET


class ContactPropertyCreateRequest(Struct, frozen=True, kw_only=True):
    """A new contact property."""

    name: Annotated[str, Meta(pattern="^[A-Za-z][A-Za-z0-9_]*$", max_length=500)]
    type: PropertyType


class TransactionalCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new transactional email."""

    name: Name
    transactional_group_id: str | UnsetType = UNSET


class TransactionalUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about a transactional email: at least one of the two."""

    name: Name | UnsetType = UNSET
    transactional_group_id: str | UnsetType = UNSET


class EmailMessageUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about an email's content. Fallbacks are merged key by key: null takes one away."""

    expected_revision_id: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    preview_text: str | UnsetType = UNSET
    from_name: str | UnsetType = UNSET
    from_email: str | UnsetType = UNSET
    reply_to_email: str | UnsetType = UNSET
    cc_email: str | UnsetType = UNSET
    bcc_email: str | UnsetType = UNSET
    language_code: str | UnsetType = UNSET
    email_format: Literal["styled", "plain"] | UnsetType = UNSET
    lmx: str | UnsetType = UNSET
    contact_properties_fallbacks: dict[str, str | None] | UnsetType = UNSET
    event_properties_fallbacks: dict[str, str | None] | UnsetType = UNSET
    data_variables_fallbacks: dict[str, str | None] | UnsetType = UNSET


class GroupCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new group."""

    name: Name
    description: str | UnsetType = UNSET


class GroupUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about a group: at least one of the two."""

    name: Name | UnsetType = UNSET
    description: str | UnsetType = UNSET


class ThemeCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new theme."""

    name: Name
    styles: dict[str, str | float] | UnsetType = UNSET


class ThemeUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about a theme: at least one of the two. Styles are merged key by key."""

    name: Name | UnsetType = UNSET
    styles: dict[str, str | float] | UnsetType = UNSET


class ComponentCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new component."""

    name: Name
    lmx: str


class ComponentUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about a component: at least one of the two."""

    name: Name | UnsetType = UNSET
    lmx: str | UnsetType = UNSET


class UploadCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An image that will come: its type, and its length in bytes."""

    content_type: str
    content_length: int


class EmailPreviewRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a preview goes, and what its variables stand for; which of them depends on whose email it is."""

    emails: Annotated[list[str], Meta(min_length=1)]
    contact_properties: dict[str, Value] | UnsetType = UNSET
    event_properties: dict[str, Value | list[Flat]] | UnsetType = UNSET
    data_variables: dict[str, Value | list[Flat]] | UnsetType = UNSET


class WebhookCreateRequest(_Body, frozen=True, kw_only=True):
    """A webhook endpoint, which is told of all events unless `events` names some."""

    url: Annotated[str, Meta(max_length=2_000)]
    description: Annotated[str, Meta(max_length=500)] = ""
    events: list[str] | UnsetType = UNSET
    ordered: bool = False


class WebhookUpdateRequest(_Body, frozen=True, kw_only=True):
    """What is to change about a webhook endpoint."""

    url: Annotated[str, Meta(max_length=2_000)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    ordered: bool | UnsetType = UNSET


class WebhookReplayRequest(_Body, frozen=True, kw_only=True):
    """From when, up to when (now, without it), and whether what was delivered goes again, too."""

    from_: str = field(name="from")
    to: str | UnsetType = UNSET
    delivered: bool = False


class FeedbackDoorRequest(_Body, frozen=True, kw_only=True):
    """A door for feedback; which of the rest it needs, depends on the provider."""

    provider: Literal["ses", "postmark", "mailgun", "sendgrid", "resend", "imap"]
    key: Annotated[str, Meta(max_length=2_000)] = ""
    username: Annotated[str, Meta(max_length=500)] = ""
    password: Annotated[str, Meta(max_length=500)] = ""
    topics: Annotated[list[Annotated[str, Meta(max_length=500)]], Meta(max_length=50)] = []
    host: Annotated[str, Meta(max_length=253)] = ""
    port: int = 993
    folder: Annotated[str, Meta(min_length=1, max_length=200)] = "INBOX"
    tells_delivered: bool = False


class SegmentCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new segment."""

    name: Annotated[str, Meta(min_length=1, max_length=SEGMENT_NAME_CHARACTERS)]
    description: Annotated[str, Meta(max_length=SEGMENT_DESCRIPTION_CHARACTERS)] | UnsetType = UNSET
    filter: AudienceFilterRequest


class SchedulingRequest(Scheduling, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a campaign is to go out: `now` without a timestamp, `schedule` with one in the future."""


class CampaignCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new campaign. Without list, segment and filter it is for everybody."""

    name: Name
    campaign_group_id: str | UnsetType = UNSET
    mailing_list_id: str | UnsetType | None = UNSET
    audience_segment_id: str | UnsetType | None = UNSET
    audience_filter: AudienceFilterRequest | UnsetType | None = UNSET
    scheduling: SchedulingRequest | UnsetType = UNSET


class CampaignUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about a campaign: at least one of them. Null clears list, segment or filter."""

    name: Name | UnsetType = UNSET
    campaign_group_id: str | UnsetType = UNSET
    mailing_list_id: str | UnsetType | None = UNSET
    audience_segment_id: str | UnsetType | None = UNSET
    audience_filter: AudienceFilterRequest | UnsetType | None = UNSET
    scheduling: SchedulingRequest | UnsetType = UNSET


class AudienceRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is meant: members of a list, of a segment, whoever matches a filter; all of them must hold."""

    mailing_list_id: str | UnsetType | None = UNSET
    audience_segment_id: str | UnsetType | None = UNSET
    audience_filter: AudienceFilterRequest | UnsetType | None = UNSET


class CampaignScheduleRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a campaign begins; without a timestamp at the time it is planned for."""

    timestamp: datetime | UnsetType | None = UNSET


class CampaignRetryRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which emails of a campaign go again: those that failed, were skipped, or may have left or not."""

    status: Literal["failed", "skipped", "unknown"] = "failed"


class CampaignTestRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a campaign's email goes to be looked at."""

    email: str


Revision = str | None
"""The revision that a change is made to, as it was read last."""
Policy = Literal["fail", "discard"]


class WorkflowCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new workflow."""

    name: Name
    description: str | UnsetType = UNSET
    mailing_list_id: str | UnsetType | None = UNSET
    workflow_group_id: str | UnsetType = UNSET


class WorkflowUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about a workflow: at least one of the three."""

    expected_revision_id: Revision
    name: Name | UnsetType = UNSET
    description: str | UnsetType = UNSET
    workflow_group_id: str | UnsetType = UNSET


class WorkflowDeleteRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workflow to delete; it has to be confirmed while it sends or somebody is inside."""

    expected_revision_id: Revision
    confirm_delete: bool | UnsetType = UNSET


class WorkflowListRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another mailing list of a workflow, or none."""

    expected_revision_id: Revision
    mailing_list_id: str | None
    dry_run: bool | UnsetType = UNSET
    queued_contact_policy: Policy | UnsetType = UNSET


class NodeCreateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new node and its place: between two nodes, before one, or after one."""

    expected_revision_id: Revision
    insert_mode: Literal["between", "before", "after"]
    node_type_name: Literal[
        "AudienceFilter",
        "BranchNode",
        "ExperimentBranchNode",
        "TimerAction",
        "SendEmailAction",
        "VariantNode",
    ]
    from_node_id: str | UnsetType = UNSET
    to_node_id: str | UnsetType = UNSET
    before_node_id: str | UnsetType = UNSET


class NodeUpdateRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change about a node, in the shape of its kind."""

    expected_revision_id: Revision
    payload: dict[str, Any]


class NodeDeleteRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node to delete, and what becomes of contacts who stand there."""

    expected_revision_id: Revision
    dry_run: bool | UnsetType = UNSET
    queued_contact_policy: Policy | UnsetType = UNSET


class NodeRerouteRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another node that a node leads to."""

    expected_revision_id: Revision
    new_target_node_id: str


class StaleAfterRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After how many hours an email is not sent any more; null is never."""

    expected_revision_id: Revision
    stale_after_hours: float | None


class BranchAddRequest(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One more way of a branch or an experiment."""

    expected_revision_id: Revision


class ContactPropertyPayloadRequest(ContactPropertyTriggerPayload, frozen=True, kw_only=True, rename="camel"):
    """What change of a contact starts the workflow."""

    contact_property_query: ContactPropertyQueryRequest | UnsetType = UNSET


class AudienceFilterPayloadRequest(AudienceFilterPayload, frozen=True, kw_only=True, rename="camel"):
    """Who is let on."""

    audience_filter: AudienceFilterRequest | UnsetType | None = UNSET
