"""The table of endpoints: what every operation of the API takes, answers and refuses, and who does it.

Routes, decoding, `/openapi.json` and the contract tests are made of it.
"""

from collections.abc import Sequence

from loopwright.server.store.groups import GroupKind
from loopwright.wire import contacts as wire
from loopwright.wire import operations as api
from loopwright.wire.account import ApiKeyInfo
from loopwright.wire.campaigns import Campaign, CampaignCreated
from loopwright.wire.components import Component, ComponentUpdated
from loopwright.wire.email_messages import EmailMessage, GuardianReport, PreviewQueued
from loopwright.wire.event_patterns import EventPattern, EventPatternSummary
from loopwright.wire.events import EventAccepted
from loopwright.wire.groups import Group
from loopwright.wire.lists import MailingList
from loopwright.wire.metrics import EmailMetrics, TransactionalMetrics
from loopwright.wire.operations import Operation
from loopwright.wire.segments import AudienceSegment
from loopwright.wire.themes import Theme, ThemeUpdated
from loopwright.wire.transactional import (
    PublishedTransactional,
    TransactionalAccepted,
    TransactionalDraft,
    TransactionalEmail,
)
from loopwright.wire.uploads import UploadCompleted, UploadCreated
from loopwright.wire.workflows import ListChange, NodeDeletion, Workflow, WorkflowSummary

from . import (
    account,
    bodies,
    campaigns,
    components,
    contacts,
    email_messages,
    event_patterns,
    events,
    groups,
    metrics,
    previews,
    segments,
    themes,
    transactional,
    transactional_emails,
    uploads,
    workflow_nodes,
    workflows,
)
from .endpoint import Endpoint, lists, reads_itself, shows, writes
from .failures import COMPLETION_SHAPES, COMPONENT_SHAPES, KEY_SHAPES, SEND_SHAPES, UPLOAD_SHAPES
from .workflow_views import NodeAnswer, NodeDetail

WHO_QUERY = ("email", "userId")

CONTACTS = "Contacts"
PROPERTIES = "Contact properties"
PATTERNS = "Event patterns"
TRANSACTIONAL = "Transactional emails"
MESSAGES = "Email messages"
CAMPAIGNS = "Campaigns"
SEGMENTS = "Audience segments"
THEMES = "Themes"
COMPONENTS = "Components"
WORKFLOWS = "Workflows"
NODES = "Workflow nodes"
GROUPS: Sequence[tuple[GroupKind, str, Operation, Operation, Operation, Operation]] = (
    (
        "transactional",
        "Transactional groups",
        api.LIST_TRANSACTIONAL_GROUPS,
        api.CREATE_TRANSACTIONAL_GROUP,
        api.GET_TRANSACTIONAL_GROUP,
        api.UPDATE_TRANSACTIONAL_GROUP,
    ),
    (
        "campaign",
        "Campaign groups",
        api.LIST_CAMPAIGN_GROUPS,
        api.CREATE_CAMPAIGN_GROUP,
        api.GET_CAMPAIGN_GROUP,
        api.UPDATE_CAMPAIGN_GROUP,
    ),
    (
        "workflow",
        "Workflow groups",
        api.LIST_WORKFLOW_GROUPS,
        api.CREATE_WORKFLOW_GROUP,
        api.GET_WORKFLOW_GROUP,
        api.UPDATE_WORKFLOW_GROUP,
    ),
)

ENDPOINTS: Sequence[Endpoint] = (
    reads_itself(api.TEST_API_KEY, account.test_api_key, "API key", ApiKeyInfo, shapes=KEY_SHAPES),
    reads_itself(
        api.CREATE_CONTACT,
        contacts.create_contact,
        CONTACTS,
        wire.ContactSaved,
        body=bodies.ContactRequest,
        refuses=(409,),
    ),
    reads_itself(
        api.UPDATE_CONTACT,
        contacts.update_contact,
        CONTACTS,
        wire.ContactSaved,
        body=bodies.ContactUpdateRequest,
    ),
    reads_itself(
        api.FIND_CONTACT,
        contacts.find_contact,
        CONTACTS,
        list[wire.Contact],
        query=WHO_QUERY,
        refuses=(400,),
    ),
    reads_itself(
        api.DELETE_CONTACT,
        contacts.delete_contact,
        CONTACTS,
        wire.ContactDeleted,
        body=bodies.ContactDeleteRequest,
        refuses=(404,),
    ),
    reads_itself(
        api.GET_CONTACT_SUPPRESSION,
        contacts.get_suppression,
        CONTACTS,
        wire.SuppressionStatus,
        query=WHO_QUERY,
        refuses=(400, 404),
    ),
    reads_itself(
        api.REMOVE_CONTACT_SUPPRESSION,
        contacts.remove_suppression,
        CONTACTS,
        wire.SuppressionRemoved,
        query=WHO_QUERY,
        refuses=(400, 404),
    ),
    reads_itself(
        api.LIST_CONTACT_PROPERTIES,
        contacts.list_properties,
        PROPERTIES,
        list[wire.ContactProperty],
        query=("list",),
        refuses=(400,),
    ),
    reads_itself(
        api.CREATE_CONTACT_PROPERTY,
        contacts.create_property,
        PROPERTIES,
        wire.PropertyCreated,
        body=bodies.ContactPropertyCreateRequest,
    ),
    reads_itself(api.LIST_MAILING_LISTS, account.list_mailing_lists, "Mailing lists", list[MailingList]),
    reads_itself(
        api.SEND_EVENT, events.send_event, "Events", EventAccepted, body=bodies.EventRequest, refuses=(409,)
    ),
    lists(api.LIST_EVENT_PATTERNS, event_patterns.list_event_patterns, PATTERNS, EventPatternSummary),
    shows(api.GET_EVENT_PATTERN, event_patterns.get_event_pattern, PATTERNS, EventPattern),
    reads_itself(
        api.GET_EVENT_PATTERN_BY_NAME,
        event_patterns.get_event_pattern_by_name,
        PATTERNS,
        EventPattern,
        refuses=(400, 404),
    ),
    lists(
        api.LIST_PUBLISHED_TRANSACTIONAL_EMAILS,
        transactional.list_published,
        TRANSACTIONAL,
        PublishedTransactional,
    ),
    reads_itself(
        api.SEND_TRANSACTIONAL_EMAIL,
        transactional.send_transactional,
        TRANSACTIONAL,
        TransactionalAccepted,
        body=bodies.TransactionalRequest,
        refuses=(404, 409),
        shapes=SEND_SHAPES,
    ),
    lists(
        api.LIST_TRANSACTIONAL_EMAILS,
        transactional_emails.list_transactional_emails,
        TRANSACTIONAL,
        TransactionalEmail,
    ),
    writes(
        api.CREATE_TRANSACTIONAL_EMAIL,
        transactional_emails.create_transactional_email,
        TRANSACTIONAL,
        TransactionalDraft,
        body=bodies.TransactionalCreateRequest,
        status=201,
    ),
    shows(
        api.GET_TRANSACTIONAL_EMAIL,
        transactional_emails.get_transactional_email,
        TRANSACTIONAL,
        TransactionalEmail,
    ),
    writes(
        api.UPDATE_TRANSACTIONAL_EMAIL,
        transactional_emails.update_transactional_email,
        TRANSACTIONAL,
        TransactionalEmail,
        body=bodies.TransactionalUpdateRequest,
    ),
    shows(
        api.ENSURE_TRANSACTIONAL_DRAFT, transactional_emails.ensure_draft, TRANSACTIONAL, TransactionalDraft
    ),
    shows(
        api.PUBLISH_TRANSACTIONAL_EMAIL,
        transactional_emails.publish_transactional_email,
        TRANSACTIONAL,
        TransactionalEmail,
        refuses=(409, 422),
    ),
    shows(
        api.GET_TRANSACTIONAL_EMAIL_METRICS,
        metrics.get_transactional_email_metrics,
        TRANSACTIONAL,
        TransactionalMetrics,
    ),
    shows(api.GET_WORKFLOW_NODE_METRICS, metrics.get_workflow_node_metrics, "Workflow nodes", EmailMetrics),
    shows(api.GET_EMAIL_MESSAGE, email_messages.get_email_message, MESSAGES, EmailMessage),
    writes(
        api.UPDATE_EMAIL_MESSAGE,
        email_messages.update_email_message,
        MESSAGES,
        EmailMessage,
        body=bodies.EmailMessageUpdateRequest,
        refuses=(409, 422),
    ),
    writes(
        api.PREVIEW_EMAIL_MESSAGE,
        previews.preview_email_message,
        MESSAGES,
        PreviewQueued,
        body=bodies.EmailPreviewRequest,
    ),
    shows(api.GET_EMAIL_MESSAGE_GUARDIAN, email_messages.get_guardian, MESSAGES, GuardianReport),
    lists(api.LIST_THEMES, themes.list_themes, THEMES, Theme),
    writes(api.CREATE_THEME, themes.create_theme, THEMES, Theme, body=bodies.ThemeCreateRequest, status=201),
    shows(api.GET_THEME, themes.get_theme, THEMES, Theme),
    writes(api.UPDATE_THEME, themes.update_theme, THEMES, ThemeUpdated, body=bodies.ThemeUpdateRequest),
    lists(api.LIST_COMPONENTS, components.list_components, COMPONENTS, Component),
    writes(
        api.CREATE_COMPONENT,
        components.create_component,
        COMPONENTS,
        Component,
        body=bodies.ComponentCreateRequest,
        status=201,
        refuses=(422,),
    ),
    shows(api.GET_COMPONENT, components.get_component, COMPONENTS, Component),
    writes(
        api.UPDATE_COMPONENT,
        components.update_component,
        COMPONENTS,
        ComponentUpdated,
        body=bodies.ComponentUpdateRequest,
        refuses=(422,),
        shapes=COMPONENT_SHAPES,
    ),
    writes(
        api.CREATE_UPLOAD,
        uploads.create_upload,
        "Uploads",
        UploadCreated,
        body=bodies.UploadCreateRequest,
        shapes=UPLOAD_SHAPES,
    ),
    shows(api.COMPLETE_UPLOAD, uploads.complete_upload, "Uploads", UploadCompleted, shapes=COMPLETION_SHAPES),
    *(
        endpoint
        for kind, tag, listing, creating, getting, changing in GROUPS
        for endpoint in (
            lists(listing, groups.list_groups(kind), tag, Group),
            writes(creating, groups.create_group(kind), tag, Group, body=bodies.GroupCreateRequest),
            shows(getting, groups.get_group(kind), tag, Group),
            writes(changing, groups.update_group(kind), tag, Group, body=bodies.GroupUpdateRequest),
        )
    ),
    lists(api.LIST_CAMPAIGNS, campaigns.list_campaigns, CAMPAIGNS, Campaign),
    writes(
        api.CREATE_CAMPAIGN,
        campaigns.create_campaign,
        CAMPAIGNS,
        CampaignCreated,
        body=bodies.CampaignCreateRequest,
        status=201,
        refuses=(404,),
    ),
    shows(api.GET_CAMPAIGN, campaigns.get_campaign, CAMPAIGNS, Campaign),
    writes(
        api.UPDATE_CAMPAIGN,
        campaigns.update_campaign,
        CAMPAIGNS,
        Campaign,
        body=bodies.CampaignUpdateRequest,
        refuses=(409,),
    ),
    shows(api.GET_CAMPAIGN_METRICS, campaigns.get_campaign_metrics, CAMPAIGNS, EmailMetrics),
    lists(api.LIST_AUDIENCE_SEGMENTS, segments.list_segments, SEGMENTS, AudienceSegment),
    writes(
        api.CREATE_AUDIENCE_SEGMENT,
        segments.create_segment,
        SEGMENTS,
        AudienceSegment,
        body=bodies.SegmentCreateRequest,
        refuses=(404,),
    ),
    shows(api.GET_AUDIENCE_SEGMENT, segments.get_segment, SEGMENTS, AudienceSegment),
    lists(api.LIST_WORKFLOWS, workflows.list_workflows, WORKFLOWS, WorkflowSummary),
    writes(
        api.CREATE_WORKFLOW, workflows.create_workflow, WORKFLOWS, Workflow, body=bodies.WorkflowCreateRequest
    ),
    shows(api.GET_WORKFLOW, workflows.get_workflow, WORKFLOWS, Workflow),
    writes(
        api.UPDATE_WORKFLOW_PROPERTIES,
        workflows.update_workflow_properties,
        WORKFLOWS,
        Workflow,
        body=bodies.WorkflowUpdateRequest,
        refuses=(409,),
    ),
    writes(
        api.CHANGE_WORKFLOW_MAILING_LIST,
        workflows.change_workflow_mailing_list,
        WORKFLOWS,
        ListChange,
        body=bodies.WorkflowListRequest,
        refuses=(409,),
    ),
    writes(
        api.DELETE_WORKFLOW,
        workflows.delete_workflow,
        WORKFLOWS,
        None,
        body=bodies.WorkflowDeleteRequest,
        refuses=(409,),
    ),
    shows(api.GET_WORKFLOW_NODE, workflow_nodes.get_workflow_node, NODES, NodeDetail),
    writes(
        api.CREATE_WORKFLOW_NODE,
        workflow_nodes.create_workflow_node,
        NODES,
        NodeAnswer,
        body=bodies.NodeCreateRequest,
        refuses=(409,),
    ),
    writes(
        api.UPDATE_WORKFLOW_NODE,
        workflow_nodes.update_workflow_node,
        NODES,
        NodeDetail,
        body=bodies.NodeUpdateRequest,
        refuses=(409, 501),
    ),
    writes(
        api.DELETE_WORKFLOW_NODE,
        workflow_nodes.delete_workflow_node,
        NODES,
        NodeDeletion,
        body=bodies.NodeDeleteRequest,
        refuses=(409,),
    ),
    writes(
        api.DELETE_WORKFLOW_NODE_RECURSIVELY,
        workflow_nodes.delete_workflow_node_recursively,
        NODES,
        NodeDeletion,
        body=bodies.NodeDeleteRequest,
        refuses=(409,),
    ),
    writes(
        api.REROUTE_NODE_CONNECTION,
        workflow_nodes.reroute_node_connection,
        NODES,
        NodeDetail,
        body=bodies.NodeRerouteRequest,
        refuses=(409,),
    ),
    writes(
        api.ADD_WORKFLOW_BRANCH,
        workflow_nodes.add_workflow_branch,
        NODES,
        NodeAnswer,
        body=bodies.BranchAddRequest,
        refuses=(409,),
    ),
    reads_itself(
        api.LIST_DEDICATED_SENDING_IPS, account.list_dedicated_sending_ips, "Configuration", list[str]
    ),
)
