"""Facts: what has happened, written in the transaction of what they tell, by the month as events are."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from .contacts import ContactRow, Value
from .events import EventRow

ContactFact: TypeAlias = Literal[
    "contact_added",
    "contact_updated",
    "contact_unsubscribed",
    "contact_resubscribed",
    "contact_deleted",
    "list_joined",
    "list_left",
]
EmailFact: TypeAlias = Literal[
    "email_sent", "email_failed", "email_bounced", "email_soft_bounced", "email_suppressed"
]
"""What the mailer tells, in the statement that stores an email's result."""


PreferenceFact: TypeAlias = Literal["email_unsubscribed", "email_resubscribed"]
"""What a contact has decided by the link in an email."""


class Change(Struct, frozen=True, kw_only=True):
    """What a property was and what it is; None for one without a value."""

    was: Value | None
    is_: Value | None = field(name="is")


class Fact(Struct, frozen=True, kw_only=True):
    """Something that has happened to a contact, which is as it was left, or as it was when it was deleted.

    `event` is set for `event_received` alone, `list_id` for `list_joined` and `list_left`, and `changes` for
    `contact_updated`: property key -> what it was and is. `email_id` is that of the email by whose link a
    contact has decided. What comes in quietly starts no workflows.
    """

    kind: ContactFact | PreferenceFact | Literal["event_received"]
    contact: ContactRow
    event: EventRow | None = None
    list_id: str | None = None
    email_id: str | None = None
    changes: Mapping[str, Change] = {}
    starts_workflows: bool = True


class FactRow(Struct, frozen=True, kw_only=True):
    """A fact about a contact, and about an email if there is one, as it is stored. `detail` becomes JSON."""

    id: str
    team_id: str
    kind: ContactFact | PreferenceFact
    contact_id: str
    email_id: str | None = None
    detail: Mapping[str, Any]
