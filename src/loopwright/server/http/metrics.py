"""What became of the emails of a workflow's node, and of a transactional email."""

from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store.metrics import Counts, load_counts
from loopwright.server.store.transactional import load_transactionals
from loopwright.server.store.workflows import load_node
from loopwright.wire.failures import (
    NODE_NOT_FOUND,
    NOT_AN_EMAIL_NODE,
    TRANSACTIONAL_NOT_FOUND,
    WORKFLOW_NOT_FOUND,
)
from loopwright.wire.metrics import EmailMetrics, TransactionalMetrics

from .dispatch import ApiRequest


async def get_workflow_node_metrics(call: ApiRequest, workflow_id: str, node_id: str) -> EmailMetrics:
    """GET /v1/workflows/{workflowId}/nodes/{nodeId}/metrics: zeros before the first send."""
    async with call.pool.acquire() as tx:
        found = await load_node(tx, call.team.id, workflow_id, node_id)
        if found is None:
            raise NotFound(WORKFLOW_NOT_FOUND, code="workflow_not_found")
        if found.type_name is None:
            raise NotFound(NODE_NOT_FOUND, code="workflow_node_not_found")
        if found.type_name != "SendEmailAction":
            raise BadRequest(NOT_AN_EMAIL_NODE, code="workflow_node_sends_nothing")
        counts = await load_counts(tx, call.team.id, found.message_id or "")
    return email_metrics(counts)


async def get_transactional_email_metrics(call: ApiRequest, transactional_id: str) -> TransactionalMetrics:
    """GET /v1/transactional-emails/{transactionalId}/metrics: over every version that was published."""
    async with call.pool.acquire() as tx:
        if not await load_transactionals(tx, [(call.team.id, transactional_id)]):
            raise NotFound(TRANSACTIONAL_NOT_FOUND, code="transactional_not_found")
        counts = await load_counts(tx, call.team.id, transactional_id)
    return TransactionalMetrics(
        sends=counts.sends,
        deliveries=counts.deliveries,
        spam_reports=counts.spam_reports,
        hard_bounces=counts.hard_bounces,
        soft_bounces=counts.soft_bounces,
    )


def email_metrics(counts: Counts) -> EmailMetrics:
    """The counts of a marketing email as the API tells them."""
    return EmailMetrics(
        sends=counts.sends,
        opens=counts.opens,
        clicks=counts.clicks,
        unsubscribes=counts.unsubscribes,
        spam_reports=counts.spam_reports,
        hard_bounces=counts.hard_bounces,
        soft_bounces=counts.soft_bounces,
    )
