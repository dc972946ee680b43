"""Who enters which workflow, and what keeps others out. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from loopwright.ids import new_id
from loopwright.server.store.emails import Value
from loopwright.server.store.runs import NewRun
from loopwright.server.store.workflows import ActiveWorkflow, Hindrance

TriggerKey: TypeAlias = tuple[str, str, str | None]
"""Team, trigger type, event name: what workflows are found by."""


class Fact(Struct, frozen=True, kw_only=True):
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


def entries(facts: Sequence[Fact], workflows: Sequence[ActiveWorkflow], *, now: datetime) -> list[NewRun]:
    """The runs that `facts` start, in their order.

    A workflow with a mailing list takes only its subscribers. A run marked `once` may still turn out to be
    the contact's second: the database knows, and leaves that one out.
    """
    by_trigger = _by_trigger(workflows)
    return [
        NewRun(
            id=new_id(now),
            team_id=fact.team_id,
            workflow_id=workflow.id,
            contact_id=fact.contact_id,
            event_id=fact.event_id,
            event_name=fact.event_name,
            event_properties=fact.event_properties,
            once=not workflow.re_eligible,
            node_id=workflow.root_node_id,
        )
        for fact in facts
        for workflow in by_trigger.get(fact.trigger, ())
        if hindrance(workflow, fact) is None
    ]


def kept_out(
    facts: Sequence[Fact], unconfirmed: Sequence[Fact], workflows: Sequence[ActiveWorkflow]
) -> dict[str, dict[str, Hindrance]]:
    """What kept the contacts of events out: event id -> workflow id -> why.

    `unconfirmed` are the events of contacts who have not said yet that they want email. A workflow that lets
    each contact in once, and had this one before, is not among these: its runs tell.
    """
    by_trigger = _by_trigger(workflows)
    found: dict[str, dict[str, Hindrance]] = defaultdict(dict)
    for group, is_confirmed in ((facts, True), (unconfirmed, False)):
        for fact in group:
            for workflow in by_trigger.get(fact.trigger, ()):
                why = hindrance(workflow, fact, is_confirmed=is_confirmed)
                if why and fact.event_id:
                    found[fact.event_id][workflow.id] = why
    return found


def hindrance(workflow: ActiveWorkflow, fact: Fact, *, is_confirmed: bool = True) -> Hindrance | None:
    """Why the workflow does not take in a contact to whom happened what it waits for; None when it does."""
    if workflow.status == "Draft":
        return "draft"
    if workflow.status == "Paused":
        return "paused"
    if not is_confirmed:
        return "unconfirmed"
    return None if admits(workflow.mailing_list_id, fact.mailing_lists) else "not_on_list"


def admits(mailing_list_id: str | None, memberships: Mapping[str, str]) -> bool:
    """Whether a workflow with that mailing list, or none, is open to a contact with those memberships."""
    return mailing_list_id is None or memberships.get(mailing_list_id) == "subscribed"


def _by_trigger(workflows: Sequence[ActiveWorkflow]) -> dict[TriggerKey, list[ActiveWorkflow]]:
    by_trigger: dict[TriggerKey, list[ActiveWorkflow]] = defaultdict(list)
    for workflow in workflows:
        by_trigger[workflow.team_id, workflow.trigger_type, workflow.trigger_event].append(workflow)
    return by_trigger
