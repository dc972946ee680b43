"""The Loops API for Python: `Loops` and `AsyncLoops`, what they take and answer, and what they raise.

Importing this loads nothing yet: each name comes from its module when it is first used, and an HTTP
library when a client is made.
"""

from loopwright.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops as AsyncLoops
    from loopwright.client._sync.client import Loops as Loops
    from loopwright.client.attachments import Attachment as Attachment
    from loopwright.client.body import Properties as Properties
    from loopwright.client.call import CallOptions as CallOptions
    from loopwright.client.many import ContactUpdate as ContactUpdate
    from loopwright.client.many import EventToSend as EventToSend
    from loopwright.client.many import Outcome as Outcome
    from loopwright.client.many import Progress as Progress
    from loopwright.client.transport import AsyncTransport as AsyncTransport
    from loopwright.client.transport import HttpRequest as HttpRequest
    from loopwright.client.transport import HttpResponse as HttpResponse
    from loopwright.client.transport import Limits as Limits
    from loopwright.client.transport import Timeout as Timeout
    from loopwright.client.transport import Transport as Transport
    from loopwright.errors import ArgumentError as ArgumentError
    from loopwright.errors import ArgumentTypeError as ArgumentTypeError
    from loopwright.errors import ArgumentValueError as ArgumentValueError
    from loopwright.errors import AuthenticationError as AuthenticationError
    from loopwright.errors import BadRequestError as BadRequestError
    from loopwright.errors import ClientClosedError as ClientClosedError
    from loopwright.errors import ConfigurationError as ConfigurationError
    from loopwright.errors import ConflictError as ConflictError
    from loopwright.errors import LoopsConnectionError as LoopsConnectionError
    from loopwright.errors import LoopsError as LoopsError
    from loopwright.errors import LoopsTimeoutError as LoopsTimeoutError
    from loopwright.errors import MethodNotAllowedError as MethodNotAllowedError
    from loopwright.errors import NoAnswerError as NoAnswerError
    from loopwright.errors import NotFoundError as NotFoundError
    from loopwright.errors import NotImplementedByServerError as NotImplementedByServerError
    from loopwright.errors import PayloadTooLargeError as PayloadTooLargeError
    from loopwright.errors import PermissionDeniedError as PermissionDeniedError
    from loopwright.errors import RateLimitError as RateLimitError
    from loopwright.errors import RecipientNotAllowedError as RecipientNotAllowedError
    from loopwright.errors import ServerError as ServerError
    from loopwright.errors import StatusError as StatusError
    from loopwright.errors import TransportUnavailableError as TransportUnavailableError
    from loopwright.errors import UnprocessableError as UnprocessableError
    from loopwright.errors import UnreadableAnswerError as UnreadableAnswerError
    from loopwright.outbox import Outbox as Outbox
    from loopwright.wire.account import ApiKeyInfo as ApiKeyInfo
    from loopwright.wire.answers import UNSET as UNSET
    from loopwright.wire.answers import Answer as Answer
    from loopwright.wire.answers import Listing as Listing
    from loopwright.wire.answers import Raw as Raw
    from loopwright.wire.answers import UnsetType as UnsetType
    from loopwright.wire.campaigns import Campaign as Campaign
    from loopwright.wire.campaigns import CampaignCreated as CampaignCreated
    from loopwright.wire.campaigns import Scheduling as Scheduling
    from loopwright.wire.components import Component as Component
    from loopwright.wire.components import ComponentUpdated as ComponentUpdated
    from loopwright.wire.contacts import Contact as Contact
    from loopwright.wire.contacts import ContactDeleted as ContactDeleted
    from loopwright.wire.contacts import ContactProperty as ContactProperty
    from loopwright.wire.contacts import ContactSaved as ContactSaved
    from loopwright.wire.contacts import PropertyCreated as PropertyCreated
    from loopwright.wire.contacts import SuppressionRemoved as SuppressionRemoved
    from loopwright.wire.contacts import SuppressionStatus as SuppressionStatus
    from loopwright.wire.email_messages import EmailMessage as EmailMessage
    from loopwright.wire.email_messages import GuardianFinding as GuardianFinding
    from loopwright.wire.email_messages import GuardianReport as GuardianReport
    from loopwright.wire.email_messages import PreviewQueued as PreviewQueued
    from loopwright.wire.event_patterns import EventPattern as EventPattern
    from loopwright.wire.event_patterns import EventPatternSummary as EventPatternSummary
    from loopwright.wire.event_patterns import EventProperty as EventProperty
    from loopwright.wire.events import EventAccepted as EventAccepted
    from loopwright.wire.filters import ActivityCondition as ActivityCondition
    from loopwright.wire.filters import AudienceFilter as AudienceFilter
    from loopwright.wire.filters import DateRange as DateRange
    from loopwright.wire.filters import OptInCondition as OptInCondition
    from loopwright.wire.filters import OtherCondition as OtherCondition
    from loopwright.wire.filters import PropertyCondition as PropertyCondition
    from loopwright.wire.groups import Group as Group
    from loopwright.wire.lists import MailingList as MailingList
    from loopwright.wire.metrics import EmailMetrics as EmailMetrics
    from loopwright.wire.metrics import TransactionalMetrics as TransactionalMetrics
    from loopwright.wire.node_payloads import AddToListTriggerPayload as AddToListTriggerPayload
    from loopwright.wire.node_payloads import AudienceFilterPayload as AudienceFilterPayload
    from loopwright.wire.node_payloads import ContactPropertyTriggerPayload as ContactPropertyTriggerPayload
    from loopwright.wire.node_payloads import EventTriggerPayload as EventTriggerPayload
    from loopwright.wire.node_payloads import ExperimentBranchPayload as ExperimentBranchPayload
    from loopwright.wire.node_payloads import SignupTriggerPayload as SignupTriggerPayload
    from loopwright.wire.node_payloads import TimerActionPayload as TimerActionPayload
    from loopwright.wire.node_payloads import VariantPayload as VariantPayload
    from loopwright.wire.paging import Page as Page
    from loopwright.wire.paging import Pagination as Pagination
    from loopwright.wire.segments import AudienceSegment as AudienceSegment
    from loopwright.wire.themes import Theme as Theme
    from loopwright.wire.themes import ThemeStyles as ThemeStyles
    from loopwright.wire.themes import ThemeUpdated as ThemeUpdated
    from loopwright.wire.transactional import PublishedTransactional as PublishedTransactional
    from loopwright.wire.transactional import TransactionalAccepted as TransactionalAccepted
    from loopwright.wire.transactional import TransactionalDraft as TransactionalDraft
    from loopwright.wire.transactional import TransactionalEmail as TransactionalEmail
    from loopwright.wire.uploads import UploadCompleted as UploadCompleted
    from loopwright.wire.uploads import UploadCreated as UploadCreated
    from loopwright.wire.values import PropertyType as PropertyType
    from loopwright.wire.values import PropertyValue as PropertyValue
    from loopwright.wire.workflow_nodes import AddToListTrigger as AddToListTrigger
    from loopwright.wire.workflow_nodes import AudienceFilterNode as AudienceFilterNode
    from loopwright.wire.workflow_nodes import BlankTrigger as BlankTrigger
    from loopwright.wire.workflow_nodes import BranchNode as BranchNode
    from loopwright.wire.workflow_nodes import Comparison as Comparison
    from loopwright.wire.workflow_nodes import ContactPropertyQuery as ContactPropertyQuery
    from loopwright.wire.workflow_nodes import ContactPropertyTrigger as ContactPropertyTrigger
    from loopwright.wire.workflow_nodes import EventTrigger as EventTrigger
    from loopwright.wire.workflow_nodes import ExitAction as ExitAction
    from loopwright.wire.workflow_nodes import ExperimentBranchNode as ExperimentBranchNode
    from loopwright.wire.workflow_nodes import OtherNode as OtherNode
    from loopwright.wire.workflow_nodes import SendEmailAction as SendEmailAction
    from loopwright.wire.workflow_nodes import SignupTrigger as SignupTrigger
    from loopwright.wire.workflow_nodes import TimerAction as TimerAction
    from loopwright.wire.workflow_nodes import VariantNode as VariantNode
    from loopwright.wire.workflow_nodes import WorkflowNode as WorkflowNode
    from loopwright.wire.workflows import After as After
    from loopwright.wire.workflows import Before as Before
    from loopwright.wire.workflows import Between as Between
    from loopwright.wire.workflows import ListChanged as ListChanged
    from loopwright.wire.workflows import ListDryRun as ListDryRun
    from loopwright.wire.workflows import ListHoldsContacts as ListHoldsContacts
    from loopwright.wire.workflows import NodeChanged as NodeChanged
    from loopwright.wire.workflows import NodesDeleted as NodesDeleted
    from loopwright.wire.workflows import NodesDryRun as NodesDryRun
    from loopwright.wire.workflows import NodesHoldContacts as NodesHoldContacts
    from loopwright.wire.workflows import Workflow as Workflow
    from loopwright.wire.workflows import WorkflowDeleted as WorkflowDeleted
    from loopwright.wire.workflows import WorkflowSummary as WorkflowSummary

__version__ = VERSION

_HOMES: dict[str, tuple[str, ...]] = {
    "loopwright.client._async.client": ("AsyncLoops",),
    "loopwright.client._sync.client": ("Loops",),
    "loopwright.client.attachments": ("Attachment",),
    "loopwright.client.body": ("Properties",),
    "loopwright.client.call": ("CallOptions",),
    "loopwright.client.many": (
        "ContactUpdate",
        "EventToSend",
        "Outcome",
        "Progress",
    ),
    "loopwright.client.transport": (
        "AsyncTransport",
        "HttpRequest",
        "HttpResponse",
        "Limits",
        "Timeout",
        "Transport",
    ),
    "loopwright.errors": (
        "ArgumentError",
        "ArgumentTypeError",
        "ArgumentValueError",
        "AuthenticationError",
        "BadRequestError",
        "ClientClosedError",
        "ConfigurationError",
        "ConflictError",
        "LoopsConnectionError",
        "LoopsError",
        "LoopsTimeoutError",
        "MethodNotAllowedError",
        "NoAnswerError",
        "NotFoundError",
        "NotImplementedByServerError",
        "PayloadTooLargeError",
        "PermissionDeniedError",
        "RateLimitError",
        "RecipientNotAllowedError",
        "ServerError",
        "StatusError",
        "TransportUnavailableError",
        "UnprocessableError",
        "UnreadableAnswerError",
    ),
    "loopwright.outbox": ("Outbox",),
    "loopwright.wire.account": ("ApiKeyInfo",),
    "loopwright.wire.answers": (
        "UNSET",
        "Answer",
        "Listing",
        "Raw",
        "UnsetType",
    ),
    "loopwright.wire.campaigns": (
        "Campaign",
        "CampaignCreated",
        "Scheduling",
    ),
    "loopwright.wire.components": (
        "Component",
        "ComponentUpdated",
    ),
    "loopwright.wire.contacts": (
        "Contact",
        "ContactDeleted",
        "ContactProperty",
        "ContactSaved",
        "PropertyCreated",
        "SuppressionRemoved",
        "SuppressionStatus",
    ),
    "loopwright.wire.email_messages": (
        "EmailMessage",
        "GuardianFinding",
        "GuardianReport",
        "PreviewQueued",
    ),
    "loopwright.wire.event_patterns": (
        "EventPattern",
        "EventPatternSummary",
        "EventProperty",
    ),
    "loopwright.wire.events": ("EventAccepted",),
    "loopwright.wire.filters": (
        "ActivityCondition",
        "AudienceFilter",
        "DateRange",
        "OptInCondition",
        "OtherCondition",
        "PropertyCondition",
    ),
    "loopwright.wire.groups": ("Group",),
    "loopwright.wire.lists": ("MailingList",),
    "loopwright.wire.metrics": (
        "EmailMetrics",
        "TransactionalMetrics",
    ),
    "loopwright.wire.node_payloads": (
        "AddToListTriggerPayload",
        "AudienceFilterPayload",
        "ContactPropertyTriggerPayload",
        "EventTriggerPayload",
        "ExperimentBranchPayload",
        "SignupTriggerPayload",
        "TimerActionPayload",
        "VariantPayload",
    ),
    "loopwright.wire.paging": (
        "Page",
        "Pagination",
    ),
    "loopwright.wire.segments": ("AudienceSegment",),
    "loopwright.wire.themes": (
        "Theme",
        "ThemeStyles",
        "ThemeUpdated",
    ),
    "loopwright.wire.transactional": (
        "PublishedTransactional",
        "TransactionalAccepted",
        "TransactionalDraft",
        "TransactionalEmail",
    ),
    "loopwright.wire.uploads": (
        "UploadCompleted",
        "UploadCreated",
    ),
    "loopwright.wire.values": (
        "PropertyType",
        "PropertyValue",
    ),
    "loopwright.wire.workflow_nodes": (
        "AddToListTrigger",
        "AudienceFilterNode",
        "BlankTrigger",
        "BranchNode",
        "Comparison",
        "ContactPropertyQuery",
        "ContactPropertyTrigger",
        "EventTrigger",
        "ExitAction",
        "ExperimentBranchNode",
        "OtherNode",
        "SendEmailAction",
        "SignupTrigger",
        "TimerAction",
        "VariantNode",
        "WorkflowNode",
    ),
    "loopwright.wire.workflows": (
        "After",
        "Before",
        "Between",
        "ListChanged",
        "ListDryRun",
        "ListHoldsContacts",
        "NodeChanged",
        "NodesDeleted",
        "NodesDryRun",
        "NodesHoldContacts",
        "Workflow",
        "WorkflowDeleted",
        "WorkflowSummary",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

if not TYPE_CHECKING:  # type checkers read the imports above
    __all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return ["__version__", *sorted(_HOME_OF)]
