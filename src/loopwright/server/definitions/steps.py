"""Reads what a workflow is made of: its trigger, and its steps with the ways between them."""

import re
from collections.abc import Mapping, Sequence
from posixpath import splitext
from typing import Any, Final, cast

from loopwright.server.audience.strict import AudienceFilterRequest
from loopwright.server.workflow.graph import (
    LONGEST_TIMER,
    UNITS,
    AddToListTrigger,
    BlankTrigger,
    BranchNode,
    ContactPropertyTrigger,
    EventTrigger,
    ExitAction,
    ExperimentBranchNode,
    SignupTrigger,
    TimerAction,
    TimerUnit,
    Trigger,
    VariantNode,
    problems,
    shape_problems,
)
from loopwright.server.workflow.property_query import ContactPropertyQueryRequest
from loopwright.wire.limits import WORKFLOW_NODES

from .content import ContentReader
from .filters import converted, read_filter
from .mistakes import meant
from .model import EXIT, Action, FilterDefinition, KeptEmail, StepDefinition, WorkflowDefinition
from .table import Table

CONTACT_ADDED: Final = "contact-added"
ADDED_TO_LIST: Final = "added-to-list"
NOT_CHOSEN: Final = "not-chosen"
TRIGGERS: Final[Mapping[str, Trigger]] = {
    CONTACT_ADDED: SignupTrigger(),
    ADDED_TO_LIST: AddToListTrigger(re_eligible=True),
    NOT_CHOSEN: BlankTrigger(),
}
ELSEWHERE: Final = "elsewhere"
ACTIONS: Final = ("timer", "email", "filter", "branch", "experiment", "variant", "exit")

_ID = re.compile(r"[A-Za-z0-9_-]+")
_TIMER = re.compile(r"(\d+(?:\.\d+)?) ?([mhd])")
_TIMER_REMEDY = 'a timer is a number and m, h or d, such as "30m", "2h" or "1.5d"'


def read_trigger(table: Table, *, is_sending: bool) -> Trigger:
    """What starts the workflow. Until it sends, the event or the property may be missing."""
    if "trigger" not in table:
        table.refuse(f'trigger is missing; write trigger = {{ event = "…" }} or trigger = "{CONTACT_ADDED}"')
    elif table.holds_table("trigger"):
        inner = table.table("trigger")
        assert inner is not None
        trigger = _trigger_of(inner, is_sending=is_sending)
        inner.finish()
        return trigger
    elif word := table.choice("trigger", TRIGGERS):
        return TRIGGERS[word]
    return EventTrigger(event_name="")


def read_trigger_id(table: Table) -> str | None:
    """The trigger's node, where the files were pulled."""
    said = table.text("trigger_id")
    if said is not None and not _ID.fullmatch(said):
        table.refuse("trigger_id is a node's id: leave it out in files that were not pulled", "trigger_id")
    return said


def _trigger_of(inner: Table, *, is_sending: bool) -> Trigger:
    re_eligible = not inner.yes("once")
    if inner.yes("added_to_list"):
        return AddToListTrigger(re_eligible=re_eligible)
    if "property" in inner:
        key = inner.text("property")
        tests = {name: _test(inner, name) for name in ("is", "was")}
        query = (
            converted(inner, "property", {"key": key, **tests}, ContactPropertyQueryRequest) if key else None
        )
        return ContactPropertyTrigger(contact_property_query=query, re_eligible=re_eligible)
    event = inner.required_text("event") if is_sending else inner.text("event") or ""
    if ":" in event:
        inner.refuse("the name of an event has no :, which is kept for platform events", "event")
    return EventTrigger(event_name=event or (None if not is_sending else ""), re_eligible=re_eligible)


def _test(inner: Table, name: str) -> dict[str, Any]:
    """What the new or the old value has to be; without one, anything."""
    table = inner.table(name)
    return {"operator": "any", "value": "", **(table.plain() if table else {})}


def read_steps(table: Table, content: ContentReader) -> tuple[StepDefinition, ...]:
    """The steps; each leads to the one after it, the last one to the exit, unless it says otherwise."""
    steps = table.required_tables("steps")
    exits = any("exit" in step for step in steps)  # without one of its own the workflow is given an exit
    most = WORKFLOW_NODES - (1 if exits else 2)
    if len(steps) > most:
        table.refuse(f"a workflow has at most {most} steps, not {len(steps)}", "steps")
    names = step_names([step.text("id") or _own_name(step) for step in steps])
    definitions: list[StepDefinition] = []
    for i, (step, name) in enumerate(zip(steps, names, strict=True)):
        if name in names[:i]:
            step.refuse(f'another step is called {name}, too; give this one an id = "…" of its own')
        action = _action(step, content)
        after = _after(step, action, names, names[i + 1] if i + 1 < len(names) else EXIT)
        stale = step.number("stale_after_hours") if "email" in step else None
        step.finish()
        if action is not None:
            definitions.append(
                StepDefinition(name=name, action=action, next=after, stale_after_hours=stale and float(stale))
            )
    return tuple(definitions)


def refuse_unsound(workflow: WorkflowDefinition, table: Table) -> None:
    """Note what keeps the workflow from running, or, until it sends, from being drawn.

    Whatever else is wrong with the file is told first: it may be the reason.
    """
    if not table.is_sound:
        return
    emails = [*workflow.messages(), *workflow.kept_emails()]
    graph = workflow.graph(dict.fromkeys(emails, ""))
    places = {workflow.id_of(step): number for number, step in enumerate(workflow.steps)}
    steps = table.required_tables("steps")
    for one in problems(graph) if workflow.status == "Sending" else shape_problems(graph):
        message = one.message
        for step in workflow.steps:
            message = message.replace(workflow.id_of(step), step.name)
        number = places.get(one.node_id or "")
        if number is not None:
            steps[number].refuse(f"{workflow.steps[number].name}: {message}")
        else:
            table.refuse(message, "trigger" if one.node_id == graph.root_node_id else "steps")


def step_names(given: Sequence[str | None]) -> list[str]:
    """Name the steps that have no name yet, the timers, after the step they wait for.

    So a step that is added or removed renames none but its own timers: `before-tips`, and `before-tips-2` for
    the one ahead of that.
    """
    names: list[str] = []
    ahead, timers = "exit", 0
    for name in reversed(given):
        if name is None:
            timers += 1
            names.append(f"before-{ahead}" if timers == 1 else f"before-{ahead}-{timers}")
        else:
            ahead, timers = name, 0
            names.append(name)
    return names[::-1]


def _own_name(step: Table) -> str | None:
    """What a step without an id is called: an email after its body; None for timers, which have no name."""
    if step.holds_table("email"):
        email = step.table("email")
        body = email.text("body") if email is not None else None
        return splitext(body)[0] if body else None
    for kind in ACTIONS[1:]:
        if kind in step:
            step.refuse(f'a step with {kind} needs a name of its own: id = "…"')
    return None


def _after(step: Table, action: Action | None, names: Sequence[str], following: str) -> tuple[str, ...]:
    """The names of the steps that come next."""
    known = {*names, EXIT}
    match action:
        case BranchNode():
            key, wanted = "branch", step.list_of_texts("branch")
        case ExperimentBranchNode():
            experiment = step.table("experiment")
            key, wanted = "experiment", experiment.list_of_texts("ways") if experiment else []
        case ExitAction():
            return ()
        case _:
            said = step.text("next")
            key, wanted = "next", [following if said is None else said]
    for name in wanted:
        if name not in known:
            step.refuse(f"{key} names {name}, which is no step; {meant(name, known)}", key)
    return tuple(name for name in wanted if name in known)


def _action(step: Table, content: ContentReader) -> Action | None:
    found = [kind for kind in ACTIONS if kind in step]
    if len(found) > 1:
        first, second = found[:2]
        step.refuse(f"a step is one thing, not {first} and {second}; begin the second with another [[steps]]")
    match found[0] if found else None:
        case "timer":
            return _timer(step)
        case "email":
            return _email(step, content)
        case "filter":
            return _filter(step)
        case "branch":
            return BranchNode()
        case "experiment":
            return _experiment(step)
        case "variant":
            is_control = step.choice("variant", ("variant", "control")) == "control"
            return VariantNode(is_control=is_control)
        case "exit":
            step.yes("exit")
            return ExitAction()
        case _:
            step.refuse(f"a step has one of {', '.join(ACTIONS)}")
            return None


def _email(step: Table, content: ContentReader) -> Action | None:
    if isinstance(step.raw("email"), str):
        step.choice("email", (ELSEWHERE,))
        return KeptEmail()
    email = step.table("email")
    if email is None:
        return None
    message = content.read(email)
    email.finish()
    return message


def _experiment(step: Table) -> ExperimentBranchNode:
    table = step.table("experiment")
    rate = None
    if table is not None:
        rate = table.number("sampling_rate")
        table.list_of_texts("ways")
        table.finish()
    return ExperimentBranchNode(sampling_rate=50.0 if rate is None else float(rate))


def _filter(step: Table) -> FilterDefinition:
    table = step.table("filter")
    found: AudienceFilterRequest | None = None
    segment, downstream = None, True
    if table is not None:
        segment = table.text("segment")
        downstream = table.yes("downstream") if "downstream" in table else True
        if "match" in table or "conditions" in table:
            found = read_filter(table, step, "filter")
        table.finish()
    return FilterDefinition(
        filter=found,
        segment=segment,
        applies_downstream=downstream,
        file=step.file,
        line=step.line("filter"),
    )


def _timer(step: Table) -> TimerAction | None:
    if step.holds_table("timer"):
        inner = step.table("timer")
        assert inner is not None
        amount, unit = inner.number("amount"), inner.choice("unit", UNITS)
        inner.finish()
    else:
        found = _TIMER.fullmatch((step.text("timer") or "").strip())
        amount, unit = (float(found[1]), found[2]) if found else (None, None)
    if amount is None or unit is None:
        step.refuse(_TIMER_REMEDY, "timer")
        return None
    timer = TimerAction(amount=float(amount), unit=cast("TimerUnit", unit))
    if not 0 <= amount <= LONGEST_TIMER / UNITS[timer.unit]:
        step.refuse(f"a timer waits from 0 to {LONGEST_TIMER.days} days", "timer")
    return timer
