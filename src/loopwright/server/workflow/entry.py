"""Who enters which workflow, and what keeps others out. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, cast

from loopwright.ids import new_id
from loopwright.server.store.emails import Value
from loopwright.server.store.facts import Change, Fact
from loopwright.server.store.runs import NewRun
from loopwright.server.store.workflows import ActiveWorkflow, Hindrance

from .change import Exact, exact_values, exact_wanted, fits

Subject: TypeAlias = str | tuple[str, Exact] | None
TriggerKey: TypeAlias = tuple[str, str, Subject]
"""Team, trigger type, and what it waits for, if anything: what workflows are found by.

A property that has to become one certain value is found by both, so that of many workflows that each wait for
another value of it only one has to be asked.
"""
Triggered: TypeAlias = Mapping[TriggerKey, Sequence[ActiveWorkflow]]


def triggers(fact: Fact) -> list[TriggerKey]:
    """The triggers that answer to it; event names are compared exactly."""
    if not fact.starts_workflows:
        return []
    team_id = fact.contact.team_id
    match fact.kind:
        case "event_received":
            return [(team_id, "EventTrigger", fact.event.name if fact.event else None)]
        case "contact_added":
            return [(team_id, "SignupTrigger", None)]
        case "contact_updated":
            return [
                (team_id, "ContactPropertyTrigger", subject)
                for key, change in fact.changes.items()
                for subject in _subjects_of(key, change)
            ]
        case "list_joined":
            return [(team_id, "AddToListTrigger", fact.list_id)]
        case _:
            return []


def _subjects_of(key: str, change: Change) -> list[Subject]:
    return [key, *((key, exact) for exact in exact_values(change.is_))]


def by_trigger(workflows: Sequence[ActiveWorkflow]) -> dict[TriggerKey, list[ActiveWorkflow]]:
    """The workflows by what they wait for."""
    found: dict[TriggerKey, list[ActiveWorkflow]] = defaultdict(list)
    for workflow in workflows:
        found[workflow.team_id, workflow.trigger_type, _subject(workflow)].append(workflow)
    return found


def _subject(workflow: ActiveWorkflow) -> Subject:
    query = workflow.property_query
    exact = exact_wanted(query.is_) if query else None
    return workflow.trigger_subject if query is None or exact is None else (query.key, exact)


def entries(facts: Sequence[Fact], workflows: Triggered, *, now: datetime) -> list[NewRun]:
    """The runs that `facts` start, in their order.

    A run marked `once` or `single` may still turn out to be the contact's second, in its lifetime or at a
    time: the database knows, and leaves that one out.
    """
    return [
        _run(fact, workflow, now)
        for fact in facts
        for workflow in _waiting(fact, workflows)
        if hindrance(workflow, fact) is None
    ]


def kept_out(fact: Fact, workflows: Triggered) -> dict[str, Hindrance]:
    """What kept the fact's contact out of workflows that wait for such a fact: workflow id -> why.

    A workflow that lets each contact in once, or in one run at a time, and has or had this one, is not among
    these: its runs tell.
    """
    return {
        workflow.id: why
        for workflow in _waiting(fact, workflows)
        if (why := hindrance(workflow, fact)) is not None
    }


def hindrance(workflow: ActiveWorkflow, fact: Fact) -> Hindrance | None:
    """Why the workflow does not take in a contact to whom happened what it waits for; None when it does.

    A workflow with a mailing list takes only its subscribers.
    """
    if workflow.status == "Draft":
        return "draft"
    if workflow.status == "Paused":
        return "paused"
    if fact.contact.is_unconfirmed:
        return "unconfirmed"
    return None if admits(workflow.mailing_list_id, fact.contact.mailing_lists) else "not_on_list"


def admits(mailing_list_id: str | None, memberships: Mapping[str, str]) -> bool:
    """Whether a workflow with that mailing list, or none, is open to a contact with those memberships."""
    return mailing_list_id is None or memberships.get(mailing_list_id) == "subscribed"


def _waiting(fact: Fact, workflows: Triggered) -> Iterator[ActiveWorkflow]:
    """The workflows that wait for such a fact."""
    for trigger in triggers(fact):
        for workflow in workflows.get(trigger, ()):
            query = workflow.property_query
            if query is None or fits(query, fact.changes[query.key]):
                yield workflow


def _run(fact: Fact, workflow: ActiveWorkflow, now: datetime) -> NewRun:
    event = fact.event
    return NewRun(
        id=new_id(now),
        team_id=workflow.team_id,
        workflow_id=workflow.id,
        contact_id=fact.contact.id,
        event_id=event.id if event else None,
        event_name=event.name if event else None,
        event_properties=cast("Mapping[str, Value]", event.properties) if event else {},
        once=not workflow.re_eligible,
        single=workflow.re_eligible and event is None,
        node_id=workflow.root_node_id,
    )
