"""Workflow nodes, in the two views the API gives of them.

A workflow holds its nodes simplified, in a map by id. A node asked for by itself, or changed, comes in
detail: with its id, and whatever the simplified view leaves out. Both views are unions told apart by
`typeName`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct, field

from loopwright.wire.answers import Answer
from loopwright.wire.event_patterns import EventProperty
from loopwright.wire.filters import AudienceFilter, DateRange

TimerUnit: TypeAlias = Literal["m", "h", "d"]

if TYPE_CHECKING:
    Comparing: TypeAlias = Literal[
        "any",
        "contains",
        "not_contains",
        "empty",
        "not_empty",
        "equal",
        "not_equal",
        "greater_than",
        "less_than",
        "true",
        "false",
        "numeric_equal",
        "numeric_not_equal",
        "after",
        "before",
        "between",
    ]
else:
    Comparing = str  # an operator that a later version adds is no reason to fail


class Comparison(Struct, frozen=True, kw_only=True):
    """A value's test. The API wants a `value` even with operators that need none: it is empty text then."""

    operator: Comparing
    value: str | int | float | bool | DateRange | None = ""


class ContactPropertyQuery(Struct, frozen=True, kw_only=True):
    """A change of the property `key`: its new value against `is_`, its old one against `was`."""

    key: str
    is_: Comparison = field(name="is")
    was: Comparison


class SimplifiedNode(Answer, frozen=True, kw_only=True, tag_field="typeName"):
    """What all nodes have: the ids of the nodes after this one, in order."""

    next_node_ids: list[str] = field(default_factory=list[str])


class DetailedNode(SimplifiedNode, frozen=True, kw_only=True, tag_field="typeName"):
    """What all nodes have when they come by themselves.

    `workflow_id` is missing after a change; `created_child_nodes` is filled when a branch or experiment was
    made.
    """

    id: str
    workflow_id: str | None = None
    workflow_revision_id: str | None = None
    created_child_nodes: list[WorkflowNode] = field(default_factory=lambda: list[WorkflowNode]())


class SimplifiedSignupTrigger(SimplifiedNode, frozen=True, kw_only=True, tag="SignupTrigger"):
    """The contact was added."""


class SimplifiedEventTrigger(SimplifiedNode, frozen=True, kw_only=True, tag="EventTrigger"):
    """An event was received; with `re_eligible` every time, else once for each contact."""

    event_name: str | None = None
    re_eligible: bool = False


class SimplifiedContactPropertyTrigger(
    SimplifiedNode, frozen=True, kw_only=True, tag="ContactPropertyTrigger"
):
    """A contact property changed."""

    contact_property_query: ContactPropertyQuery | None = None
    re_eligible: bool = False


class SimplifiedAddToListTrigger(SimplifiedNode, frozen=True, kw_only=True, tag="AddToListTrigger"):
    """The contact joined the list."""

    mailing_list_id: str | None = None
    re_eligible: bool = False


class SimplifiedBlankTrigger(SimplifiedNode, frozen=True, kw_only=True, tag="BlankTrigger"):
    """No trigger chosen yet."""


class SimplifiedAudienceFilterNode(SimplifiedNode, frozen=True, kw_only=True, tag="AudienceFilter"):
    """Who does not match leaves; with `applies_downstream` at every later node too."""


class SimplifiedTimerAction(SimplifiedNode, frozen=True, kw_only=True, tag="TimerAction"):
    """Waits; `unit` is minutes, hours or days."""

    amount: float
    unit: TimerUnit


class SimplifiedSendEmailAction(SimplifiedNode, frozen=True, kw_only=True, tag="SendEmailAction"):
    """Sends the email message."""

    email_message_id: str | None = None
    subject: str = ""


class SimplifiedExitAction(SimplifiedNode, frozen=True, kw_only=True, tag="ExitAction"):
    """The end."""


class SimplifiedBranchNode(SimplifiedNode, frozen=True, kw_only=True, tag="BranchNode"):
    """The first child that matches is taken, in the order of `next_node_ids`."""


class SimplifiedExperimentBranchNode(SimplifiedNode, frozen=True, kw_only=True, tag="ExperimentBranchNode"):
    """Splits contacts among variants; `sampling_rate` percent do not go to the control."""

    sampling_rate: float


class SimplifiedVariantNode(SimplifiedNode, frozen=True, kw_only=True, tag="VariantNode"):
    """One way of an experiment."""

    is_control: bool = False


class SimplifiedOtherNode(SimplifiedNode, frozen=True, kw_only=True, tag="Other"):
    """A kind of node this version does not know; `original` is as it came."""

    original: dict[str, Any]


class SignupTrigger(DetailedNode, frozen=True, kw_only=True, tag="SignupTrigger"):
    """The contact was added."""


class EventTrigger(DetailedNode, frozen=True, kw_only=True, tag="EventTrigger"):
    """An event was received; with `re_eligible` every time, else once for each contact."""

    event_name: str | None = None
    re_eligible: bool = False
    event_properties: list[EventProperty] = field(default_factory=list[EventProperty])


class ContactPropertyTrigger(DetailedNode, frozen=True, kw_only=True, tag="ContactPropertyTrigger"):
    """A contact property changed."""

    contact_property_query: ContactPropertyQuery | None = None
    re_eligible: bool = False


class AddToListTrigger(DetailedNode, frozen=True, kw_only=True, tag="AddToListTrigger"):
    """The contact joined the list."""

    mailing_list_id: str | None = None
    re_eligible: bool = False


class BlankTrigger(DetailedNode, frozen=True, kw_only=True, tag="BlankTrigger"):
    """No trigger chosen yet."""


class AudienceFilterNode(DetailedNode, frozen=True, kw_only=True, tag="AudienceFilter"):
    """Who does not match leaves; with `applies_downstream` at every later node too."""

    audience_filter: AudienceFilter | None = None
    audience_segment_id: str | None = None
    applies_downstream: bool = True


class TimerAction(DetailedNode, frozen=True, kw_only=True, tag="TimerAction"):
    """Waits; `unit` is minutes, hours or days."""

    amount: float
    unit: TimerUnit


class SendEmailAction(DetailedNode, frozen=True, kw_only=True, tag="SendEmailAction"):
    """Sends the email message."""

    email_message_id: str | None = None
    subject: str = ""


class ExitAction(DetailedNode, frozen=True, kw_only=True, tag="ExitAction"):
    """The end."""


class BranchNode(DetailedNode, frozen=True, kw_only=True, tag="BranchNode"):
    """The first child that matches is taken, in the order of `next_node_ids`."""


class ExperimentBranchNode(DetailedNode, frozen=True, kw_only=True, tag="ExperimentBranchNode"):
    """Splits contacts among variants; `sampling_rate` percent do not go to the control."""

    sampling_rate: float


class VariantNode(DetailedNode, frozen=True, kw_only=True, tag="VariantNode"):
    """One way of an experiment."""

    is_control: bool = False


class OtherNode(DetailedNode, frozen=True, kw_only=True, tag="Other"):
    """A kind of node this version does not know; `original` is as it came."""

    original: dict[str, Any]


SimplifiedWorkflowNode: TypeAlias = (
    SimplifiedSignupTrigger
    | SimplifiedEventTrigger
    | SimplifiedContactPropertyTrigger
    | SimplifiedAddToListTrigger
    | SimplifiedBlankTrigger
    | SimplifiedAudienceFilterNode
    | SimplifiedTimerAction
    | SimplifiedSendEmailAction
    | SimplifiedExitAction
    | SimplifiedBranchNode
    | SimplifiedExperimentBranchNode
    | SimplifiedVariantNode
    | SimplifiedOtherNode
)

WorkflowNode: TypeAlias = (
    SignupTrigger
    | EventTrigger
    | ContactPropertyTrigger
    | AddToListTrigger
    | BlankTrigger
    | AudienceFilterNode
    | TimerAction
    | SendEmailAction
    | ExitAction
    | BranchNode
    | ExperimentBranchNode
    | VariantNode
    | OtherNode
)

NODE_TYPES = frozenset(
    {
        "SignupTrigger",
        "EventTrigger",
        "ContactPropertyTrigger",
        "AddToListTrigger",
        "BlankTrigger",
        "AudienceFilter",
        "TimerAction",
        "SendEmailAction",
        "ExitAction",
        "BranchNode",
        "ExperimentBranchNode",
        "VariantNode",
    }
)
