"""What an update of a workflow node may change, by the kind of node. What is not given stays.

Sending a trigger's payload with its `type_name` to another trigger turns that into this kind.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from loopwright.wire.filters import AudienceFilter
from loopwright.wire.workflow_nodes import ContactPropertyQuery, TimerUnit


class SignupTriggerPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """Turn a trigger into "contact added"."""

    type_name: Literal["SignupTrigger"] = "SignupTrigger"


class EventTriggerPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """Give the event by pattern or by name; `None` clears it."""

    type_name: Literal["EventTrigger"] | UnsetType = UNSET
    event_pattern_id: str | UnsetType | None = UNSET
    event_name: str | UnsetType | None = UNSET
    re_eligible: bool | UnsetType = UNSET


class ContactPropertyTriggerPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """What change of a contact starts the workflow."""

    type_name: Literal["ContactPropertyTrigger"] | UnsetType = UNSET
    contact_property_query: ContactPropertyQuery | UnsetType = UNSET
    re_eligible: bool | UnsetType = UNSET


class AddToListTriggerPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """The list itself is the workflow's: see `workflows.change_mailing_list`."""

    type_name: Literal["AddToListTrigger"] | UnsetType = UNSET
    re_eligible: bool | UnsetType = UNSET


class AudienceFilterPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """A segment alone clears the filter and the other way round; both: the filter on top of the segment."""

    audience_segment_id: str | UnsetType | None = UNSET
    audience_filter: AudienceFilter | UnsetType | None = UNSET
    applies_downstream: bool | UnsetType = UNSET


class TimerActionPayload(Struct, frozen=True, kw_only=True):
    """How long to wait."""

    amount: float | UnsetType = UNSET
    unit: TimerUnit | UnsetType = UNSET


class ExperimentBranchPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """The percentage (0 to 100) that does not go to the control."""

    sampling_rate: float | UnsetType = UNSET


class VariantPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """`True` makes this variant the control, in the old one's place."""

    is_control: bool | UnsetType = UNSET


NodePayload: TypeAlias = (
    SignupTriggerPayload
    | EventTriggerPayload
    | ContactPropertyTriggerPayload
    | AddToListTriggerPayload
    | AudienceFilterPayload
    | TimerActionPayload
    | ExperimentBranchPayload
    | VariantPayload
)
