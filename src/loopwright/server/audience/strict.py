"""Filters as they are taken in: with no key that the server does not know."""

from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

from loopwright.wire.filters import (
    ActivityCondition,
    AudienceFilter,
    DateRange,
    OptInCondition,
    PropertyCondition,
)


class DateRangeRequest(DateRange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From one moment to another."""


class PropertyConditionRequest(
    PropertyCondition, frozen=True, kw_only=True, tag_field="type", tag="property", forbid_unknown_fields=True
):
    """A contact property compares with a value."""

    value: str | int | float | DateRangeRequest | UnsetType | None = UNSET  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Null is what some clients send with an operator that needs no value: it is not given."""
        if self.value is None:
            force_setattr(self, "value", UNSET)
        super().__post_init__()


class OptInConditionRequest(
    OptInCondition, frozen=True, kw_only=True, tag_field="type", tag="optIn", forbid_unknown_fields=True
):
    """How a contact answered when asked to confirm; null for one never asked."""


class ActivityConditionRequest(
    ActivityCondition, frozen=True, kw_only=True, tag_field="type", tag="activity", forbid_unknown_fields=True
):
    """Whether a contact was sent, opened or clicked something."""


class AudienceFilterRequest(AudienceFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Conditions of which all or any must hold, with keys that the server knows."""

    conditions: list[PropertyConditionRequest | OptInConditionRequest | ActivityConditionRequest]  # type: ignore[assignment]
