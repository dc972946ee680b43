"""The operations of each kind of group. Pure."""

from __future__ import annotations

from msgspec import Struct

from loopwright.wire import operations
from loopwright.wire.operations import Operation


class GroupOperations(Struct, frozen=True):
    """What one kind of group answers to."""

    list: Operation
    create: Operation
    get: Operation
    update: Operation


CAMPAIGN_GROUPS = GroupOperations(
    list=operations.LIST_CAMPAIGN_GROUPS,
    create=operations.CREATE_CAMPAIGN_GROUP,
    get=operations.GET_CAMPAIGN_GROUP,
    update=operations.UPDATE_CAMPAIGN_GROUP,
)
TRANSACTIONAL_GROUPS = GroupOperations(
    list=operations.LIST_TRANSACTIONAL_GROUPS,
    create=operations.CREATE_TRANSACTIONAL_GROUP,
    get=operations.GET_TRANSACTIONAL_GROUP,
    update=operations.UPDATE_TRANSACTIONAL_GROUP,
)
WORKFLOW_GROUPS = GroupOperations(
    list=operations.LIST_WORKFLOW_GROUPS,
    create=operations.CREATE_WORKFLOW_GROUP,
    get=operations.GET_WORKFLOW_GROUP,
    update=operations.UPDATE_WORKFLOW_GROUP,
)
