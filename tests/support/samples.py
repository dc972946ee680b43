"""Sample arguments for every method of the SDK, and the operation each carries out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from loopwright import (
    AudienceFilter,
    Between,
    OptInCondition,
    Scheduling,
    ThemeStyles,
    TimerActionPayload,
)

FILTER = AudienceFilter(match="all", conditions=[OptInCondition(status=None)])
REVISION: dict[str, Any] = {"expected_revision_id": None}
PLACE = Between(from_node_id="n1", to_node_id="n2")

SAMPLES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "api_key.test": ("testApiKey", (), {}),
    "dedicated_sending_ips.list": ("listDedicatedSendingIps", (), {}),
    "contacts.create": ("createContact", ("a@b.c",), {}),
    "contacts.update": ("updateContact", (), {"email": "a@b.c"}),
    "contacts.find": ("findContact", (), {"email": "a@b.c"}),
    "contacts.delete": ("deleteContact", (), {"email": "a@b.c"}),
    "contacts.suppression": ("getContactSuppression", (), {"email": "a@b.c"}),
    "contacts.remove_suppression": ("removeContactSuppression", (), {"email": "a@b.c"}),
    "contact_properties.list": ("listContactProperties", (), {}),
    "contact_properties.create": ("createContactProperty", ("plan", "string"), {}),
    "mailing_lists.list": ("listMailingLists", (), {}),
    "events.send": ("sendEvent", ("signup",), {"user_id": "u1"}),
    "event_patterns.list": ("listEventPatterns", (), {}),
    "event_patterns.get_by_name": ("getEventPatternByName", ("signed up/äß",), {}),
    "event_patterns.get": ("getEventPattern", ("x",), {}),
    "transactional.list": ("listPublishedTransactionalEmails", (), {}),
    "transactional.send": ("sendTransactionalEmail", ("t1",), {"email": "a@b.c"}),
    "transactional_emails.list": ("listTransactionalEmails", (), {}),
    "transactional_emails.create": ("createTransactionalEmail", ("Welcome",), {}),
    "transactional_emails.get": ("getTransactionalEmail", ("x",), {}),
    "transactional_emails.metrics": ("getTransactionalEmailMetrics", ("x",), {}),
    "transactional_emails.update": ("updateTransactionalEmail", ("x",), {"name": "W"}),
    "transactional_emails.ensure_draft": ("ensureTransactionalDraft", ("x",), {}),
    "transactional_emails.publish": ("publishTransactionalEmail", ("x",), {}),
    "transactional_groups.list": ("listTransactionalGroups", (), {}),
    "transactional_groups.create": ("createTransactionalGroup", ("G",), {}),
    "transactional_groups.get": ("getTransactionalGroup", ("x",), {}),
    "transactional_groups.update": ("updateTransactionalGroup", ("x",), {"name": "H"}),
    "email_messages.get": ("getEmailMessage", ("x",), {}),
    "email_messages.update": ("updateEmailMessage", ("x",), {"subject": "Hi"}),
    "email_messages.preview": ("previewEmailMessage", ("x", ["a@b.c"]), {}),
    "email_messages.guardian": ("getEmailMessageGuardian", ("x",), {}),
    "campaigns.list": ("listCampaigns", (), {}),
    "campaigns.create": (
        "createCampaign",
        ("Launch",),
        {
            "audience_filter": FILTER,
            "mailing_list_id": None,
            "scheduling": Scheduling(method="schedule", timestamp=datetime(2030, 1, 1, tzinfo=UTC)),
        },
    ),
    "campaigns.get": ("getCampaign", ("x",), {}),
    "campaigns.metrics": ("getCampaignMetrics", ("x",), {}),
    "campaigns.update": ("updateCampaign", ("x",), {"name": "L", "scheduling": Scheduling(method="now")}),
    "campaign_groups.list": ("listCampaignGroups", (), {}),
    "campaign_groups.create": ("createCampaignGroup", ("G",), {"description": "d"}),
    "campaign_groups.get": ("getCampaignGroup", ("x",), {}),
    "campaign_groups.update": ("updateCampaignGroup", ("x",), {"description": ""}),
    "audience_segments.list": ("listAudienceSegments", (), {}),
    "audience_segments.create": ("createAudienceSegment", ("S",), {"filter": FILTER}),
    "audience_segments.get": ("getAudienceSegment", ("x",), {}),
    "themes.list": ("listThemes", (), {}),
    "themes.create": ("createTheme", ("T",), {"styles": ThemeStyles(body_color="#fff", body_x_padding=4)}),
    "themes.get": ("getTheme", ("x",), {}),
    "themes.update": ("updateTheme", ("x",), {"name": "U"}),
    "components.list": ("listComponents", (), {}),
    "components.create": ("createComponent", ("C",), {"lmx": "<Paragraph>x</Paragraph>"}),
    "components.get": ("getComponent", ("x",), {}),
    "components.update": ("updateComponent", ("x",), {"name": "D"}),
    "uploads.create": ("createUpload", ("image/png", 10), {}),
    "uploads.complete": ("completeUpload", ("x",), {}),
    "workflows.list": ("listWorkflows", (), {}),
    "workflows.create": ("createWorkflow", ("W",), {"mailing_list_id": None, "workflow_group_id": "g"}),
    "workflows.get": ("getWorkflow", ("x",), {}),
    "workflows.update": ("updateWorkflowProperties", ("x",), {"name": "V", **REVISION}),
    "workflows.delete": ("deleteWorkflow", ("x",), {"confirm_delete": True, **REVISION}),
    "workflows.change_mailing_list": ("changeWorkflowMailingList", ("x", None), REVISION),
    "workflow_groups.list": ("listWorkflowGroups", (), {}),
    "workflow_groups.create": ("createWorkflowGroup", ("G",), {"description": "d"}),
    "workflow_groups.get": ("getWorkflowGroup", ("x",), {}),
    "workflow_groups.update": ("updateWorkflowGroup", ("x",), {"name": "H"}),
    "workflow_nodes.create": ("createWorkflowNode", ("x", "TimerAction", PLACE), REVISION),
    "workflow_nodes.get": ("getWorkflowNode", ("x", "y"), {}),
    "workflow_nodes.metrics": ("getWorkflowNodeMetrics", ("x", "y"), {}),
    "workflow_nodes.update": (
        "updateWorkflowNode",
        ("x", "y", TimerActionPayload(amount=2, unit="d")),
        REVISION,
    ),
    "workflow_nodes.delete": ("deleteWorkflowNode", ("x", "y"), {"dry_run": True, **REVISION}),
    "workflow_nodes.delete_recursively": (
        "deleteWorkflowNodeRecursively",
        ("x", "y"),
        {"queued_contact_policy": "discard", **REVISION},
    ),
    "workflow_nodes.add_branch": ("addWorkflowBranch", ("x", "y"), REVISION),
    "workflow_nodes.reroute": ("rerouteNodeConnection", ("x", "y", "z"), REVISION),
}
"""Method -> operation id, positional arguments, named arguments."""

ADDITIONS = {"events.send_many", "contacts.update_many", "uploads.upload"}
"""Public methods that are no operation of their own; so is every `iterate`."""
