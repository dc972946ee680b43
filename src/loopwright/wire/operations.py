"""Every operation of the API, a row each: its id, method, path, and how it may be repeated.

`repeat` says what may happen to a request whose answer did not come:

- `always`: the same request twice is as good as once, so it is sent again.
- `keyed`: it carries an idempotency key, so it is sent again with the same key.
- `unless_arrived`: it is sent again only when the first surely never reached the server.

`content` marks the calls of the content API, which have a limit of their own (60 in 60 seconds).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Repeat: TypeAlias = Literal["always", "keyed", "unless_arrived"]


class Operation(Struct, frozen=True):
    """One operation. `path` starts with `/v1/` and names its parameters in braces."""

    id: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    repeat: Repeat = "unless_arrived"
    content: bool = False

    @property
    def parameters(self) -> list[str]:
        """The names in the path's braces, in their order."""
        return [piece[1:-1] for piece in self.path.split("/") if piece.startswith("{")]


def _content(
    id_: str, method: Literal["GET", "POST", "DELETE"], path: str, repeat: Repeat = "unless_arrived"
) -> Operation:
    return Operation(id_, method, path, "always" if method == "GET" else repeat, content=True)


TEST_API_KEY = Operation("testApiKey", "GET", "/v1/api-key", "always")
LIST_DEDICATED_SENDING_IPS = Operation(
    "listDedicatedSendingIps", "GET", "/v1/dedicated-sending-ips", "always"
)

CREATE_CONTACT = Operation("createContact", "POST", "/v1/contacts/create")
UPDATE_CONTACT = Operation("updateContact", "PUT", "/v1/contacts/update", "always")
FIND_CONTACT = Operation("findContact", "GET", "/v1/contacts/find", "always")
DELETE_CONTACT = Operation("deleteContact", "POST", "/v1/contacts/delete")
GET_CONTACT_SUPPRESSION = Operation("getContactSuppression", "GET", "/v1/contacts/suppression", "always")
REMOVE_CONTACT_SUPPRESSION = Operation("removeContactSuppression", "DELETE", "/v1/contacts/suppression")
LIST_CONTACT_PROPERTIES = Operation("listContactProperties", "GET", "/v1/contacts/properties", "always")
CREATE_CONTACT_PROPERTY = Operation("createContactProperty", "POST", "/v1/contacts/properties")

LIST_MAILING_LISTS = Operation("listMailingLists", "GET", "/v1/lists", "always")

SEND_EVENT = Operation("sendEvent", "POST", "/v1/events/send", "keyed")
LIST_EVENT_PATTERNS = Operation("listEventPatterns", "GET", "/v1/event-patterns", "always")
GET_EVENT_PATTERN_BY_NAME = Operation(
    "getEventPatternByName", "GET", "/v1/event-patterns/by-name/{eventName}", "always"
)
GET_EVENT_PATTERN = Operation("getEventPattern", "GET", "/v1/event-patterns/{eventPatternId}", "always")

LIST_PUBLISHED_TRANSACTIONAL_EMAILS = Operation(
    "listPublishedTransactionalEmails", "GET", "/v1/transactional", "always"
)
SEND_TRANSACTIONAL_EMAIL = Operation("sendTransactionalEmail", "POST", "/v1/transactional", "keyed")
LIST_TRANSACTIONAL_EMAILS = _content("listTransactionalEmails", "GET", "/v1/transactional-emails")
CREATE_TRANSACTIONAL_EMAIL = _content("createTransactionalEmail", "POST", "/v1/transactional-emails")
GET_TRANSACTIONAL_EMAIL = _content(
    "getTransactionalEmail", "GET", "/v1/transactional-emails/{transactionalId}"
)
GET_TRANSACTIONAL_EMAIL_METRICS = _content(
    "getTransactionalEmailMetrics", "GET", "/v1/transactional-emails/{transactionalId}/metrics"
)
UPDATE_TRANSACTIONAL_EMAIL = _content(
    "updateTransactionalEmail", "POST", "/v1/transactional-emails/{transactionalId}", "always"
)
ENSURE_TRANSACTIONAL_DRAFT = _content(
    "ensureTransactionalDraft", "POST", "/v1/transactional-emails/{transactionalId}/draft", "always"
)
PUBLISH_TRANSACTIONAL_EMAIL = _content(
    "publishTransactionalEmail", "POST", "/v1/transactional-emails/{transactionalId}/publish"
)

LIST_TRANSACTIONAL_GROUPS = _content("listTransactionalGroups", "GET", "/v1/transactional-groups")
CREATE_TRANSACTIONAL_GROUP = _content("createTransactionalGroup", "POST", "/v1/transactional-groups")
GET_TRANSACTIONAL_GROUP = _content(
    "getTransactionalGroup", "GET", "/v1/transactional-groups/{transactionalGroupId}"
)
UPDATE_TRANSACTIONAL_GROUP = _content(
    "updateTransactionalGroup", "POST", "/v1/transactional-groups/{transactionalGroupId}", "always"
)

GET_EMAIL_MESSAGE = _content("getEmailMessage", "GET", "/v1/email-messages/{emailMessageId}")
UPDATE_EMAIL_MESSAGE = _content("updateEmailMessage", "POST", "/v1/email-messages/{emailMessageId}")
PREVIEW_EMAIL_MESSAGE = _content("previewEmailMessage", "POST", "/v1/email-messages/{emailMessageId}/preview")
GET_EMAIL_MESSAGE_GUARDIAN = _content(
    "getEmailMessageGuardian", "GET", "/v1/email-messages/{emailMessageId}/guardian"
)

LIST_CAMPAIGNS = _content("listCampaigns", "GET", "/v1/campaigns")
CREATE_CAMPAIGN = _content("createCampaign", "POST", "/v1/campaigns")
GET_CAMPAIGN = _content("getCampaign", "GET", "/v1/campaigns/{campaignId}")
GET_CAMPAIGN_METRICS = _content("getCampaignMetrics", "GET", "/v1/campaigns/{campaignId}/metrics")
UPDATE_CAMPAIGN = _content("updateCampaign", "POST", "/v1/campaigns/{campaignId}", "always")

LIST_CAMPAIGN_GROUPS = _content("listCampaignGroups", "GET", "/v1/campaign-groups")
CREATE_CAMPAIGN_GROUP = _content("createCampaignGroup", "POST", "/v1/campaign-groups")
GET_CAMPAIGN_GROUP = _content("getCampaignGroup", "GET", "/v1/campaign-groups/{campaignGroupId}")
UPDATE_CAMPAIGN_GROUP = _content(
    "updateCampaignGroup", "POST", "/v1/campaign-groups/{campaignGroupId}", "always"
)

LIST_AUDIENCE_SEGMENTS = _content("listAudienceSegments", "GET", "/v1/audience-segments")
CREATE_AUDIENCE_SEGMENT = _content("createAudienceSegment", "POST", "/v1/audience-segments")
GET_AUDIENCE_SEGMENT = _content("getAudienceSegment", "GET", "/v1/audience-segments/{audienceSegmentId}")

LIST_THEMES = _content("listThemes", "GET", "/v1/themes")
CREATE_THEME = _content("createTheme", "POST", "/v1/themes")
GET_THEME = _content("getTheme", "GET", "/v1/themes/{themeId}")
UPDATE_THEME = _content("updateTheme", "POST", "/v1/themes/{themeId}", "always")

LIST_COMPONENTS = _content("listComponents", "GET", "/v1/components")
CREATE_COMPONENT = _content("createComponent", "POST", "/v1/components")
GET_COMPONENT = _content("getComponent", "GET", "/v1/components/{componentId}")
UPDATE_COMPONENT = _content("updateComponent", "POST", "/v1/components/{componentId}", "always")

CREATE_UPLOAD = _content("createUpload", "POST", "/v1/uploads")
COMPLETE_UPLOAD = _content("completeUpload", "POST", "/v1/uploads/{emailAssetId}/complete", "always")

LIST_WORKFLOWS = _content("listWorkflows", "GET", "/v1/workflows")
CREATE_WORKFLOW = _content("createWorkflow", "POST", "/v1/workflows")
GET_WORKFLOW = _content("getWorkflow", "GET", "/v1/workflows/{workflowId}")
UPDATE_WORKFLOW_PROPERTIES = _content("updateWorkflowProperties", "POST", "/v1/workflows/{workflowId}")
DELETE_WORKFLOW = _content("deleteWorkflow", "DELETE", "/v1/workflows/{workflowId}")
CHANGE_WORKFLOW_MAILING_LIST = _content(
    "changeWorkflowMailingList", "POST", "/v1/workflows/{workflowId}/mailing-list"
)

LIST_WORKFLOW_GROUPS = _content("listWorkflowGroups", "GET", "/v1/workflow-groups")
CREATE_WORKFLOW_GROUP = _content("createWorkflowGroup", "POST", "/v1/workflow-groups")
GET_WORKFLOW_GROUP = _content("getWorkflowGroup", "GET", "/v1/workflow-groups/{workflowGroupId}")
UPDATE_WORKFLOW_GROUP = _content(
    "updateWorkflowGroup", "POST", "/v1/workflow-groups/{workflowGroupId}", "always"
)

CREATE_WORKFLOW_NODE = _content("createWorkflowNode", "POST", "/v1/workflows/{workflowId}/nodes")
GET_WORKFLOW_NODE = _content("getWorkflowNode", "GET", "/v1/workflows/{workflowId}/nodes/{nodeId}")
GET_WORKFLOW_NODE_METRICS = _content(
    "getWorkflowNodeMetrics", "GET", "/v1/workflows/{workflowId}/nodes/{nodeId}/metrics"
)
UPDATE_WORKFLOW_NODE = _content("updateWorkflowNode", "POST", "/v1/workflows/{workflowId}/nodes/{nodeId}")
DELETE_WORKFLOW_NODE = _content("deleteWorkflowNode", "DELETE", "/v1/workflows/{workflowId}/nodes/{nodeId}")
DELETE_WORKFLOW_NODE_RECURSIVELY = _content(
    "deleteWorkflowNodeRecursively", "DELETE", "/v1/workflows/{workflowId}/nodes/{nodeId}/recursive"
)
ADD_WORKFLOW_BRANCH = _content(
    "addWorkflowBranch", "POST", "/v1/workflows/{workflowId}/nodes/{nodeId}/add-branch"
)
REROUTE_NODE_CONNECTION = _content(
    "rerouteNodeConnection", "POST", "/v1/workflows/{workflowId}/nodes/{nodeId}/reroute"
)

OPERATIONS: tuple[Operation, ...] = tuple(
    row for row in list(globals().values()) if isinstance(row, Operation)
)
"""All 72 of version 1.22.6, in the order above."""
