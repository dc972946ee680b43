"""Who enters which workflow."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from loopwright.ids import new_id
from loopwright.server.store.emails import Value
from loopwright.server.store.runs import NewRun
from loopwright.server.store.workflows import ActiveWorkflow

TriggerKey: TypeAlias = tuple[str, str, str | None]
"""Team, trigger type, event name: what `store.workflows.load_active` finds workflows by."""


class Happening(Struct, frozen=True, kw_only=True):
    """Something that may start workflows for a contact.

    `mailing_lists` holds the contact's memberships after it, list id -> state. The event's fields are set for
    `event_received` only.
    """

    team_id: str
    contact_id: str
    kind: Literal["contact_added", "event_received"]
    event_id: str | None = None
    event_name: str | None = None
    event_properties: Mapping[str, Value] = {}
    mailing_lists: Mapping[str, str]

    @property
    def trigger(self) -> TriggerKey:
        """The trigger that answers to it; event names are compared exactly."""
        if self.kind == "contact_added":
            return self.team_id, "SignupTrigger", None
        return self.team_id, "EventTrigger", self.event_name


def entries(
    happenings: Sequence[Happening], workflows: Sequence[ActiveWorkflow], *, now: datetime
) -> list[NewRun]:
    """The runs that `happenings` start, in their order.

    A workflow with a mailing list takes only its subscribers. A run marked `once` may still turn out to be
    the contact's second: the database knows, and leaves that one out.
    """
    by_trigger: dict[TriggerKey, list[ActiveWorkflow]] = defaultdict(list)
    for workflow in workflows:
        by_trigger[workflow.team_id, workflow.trigger_type, workflow.trigger_event].append(workflow)
    return [
        NewRun(
            id=new_id(now),
            team_id=happening.team_id,
            workflow_id=workflow.id,
            contact_id=happening.contact_id,
            event_id=happening.event_id,
            event_name=happening.event_name,
            event_properties=happening.event_properties,
            once=not workflow.re_eligible,
            node_id=workflow.root_node_id,
        )
        for happening in happenings
        for workflow in by_trigger.get(happening.trigger, ())
        if admits(workflow.mailing_list_id, happening.mailing_lists)
    ]


def admits(mailing_list_id: str | None, memberships: Mapping[str, str]) -> bool:
    """Whether a workflow with that mailing list, or none, is open to a contact with those memberships."""
    return mailing_list_id is None or memberships.get(mailing_list_id) == "subscribed"
