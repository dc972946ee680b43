"""What became of a team's events, in words: for whoever waited for an email that did not come."""

from collections.abc import Iterable, Iterator, Sequence

from loopwright.server.dashboard.timeline import RunStory, tell_runs
from loopwright.server.dashboard.verdicts import close_names, judge
from loopwright.server.store.arrived import emails_of_team
from loopwright.server.store.database import Connection
from loopwright.server.store.pages.events import (
    EmailLine,
    EventDetail,
    list_events,
    load_emails,
    load_event,
    load_runs,
)
from loopwright.server.store.pages.workflows import Listener, list_listeners, load_earlier_runs

EVENTS = 20
LISTENERS = 200
LAST = "\N{REPLACEMENT CHARACTER}"
"""Behind every id."""


async def tell_story(tx: Connection, team_id: str) -> list[str]:
    """The newest events, what each started and did not, and emails that no event caused; line by line."""
    events, _ = await list_events(tx, team_id, search="", before=LAST, limit=EVENTS)
    lines = [line for event in reversed(events) for line in await _of_event(tx, team_id, event.id)]
    others = await emails_of_team(tx, team_id)
    emails = await load_emails(tx, team_id, runs=(), emails=others)
    lines += [f"{one.kind} {line}" for one in emails for line in _of_emails([one])]
    return lines


async def _of_event(tx: Connection, team_id: str, event_id: str) -> list[str]:
    event = await load_event(tx, team_id, event_id)
    if event is None:
        return []
    runs = await load_runs(tx, team_id, events=[event.id])
    stories = tell_runs(runs, await load_emails(tx, team_id, runs=[run.id for run in runs]))
    listeners = await list_listeners(tx, team_id, event_name=event.name, limit=LISTENERS)
    waiting = [one for one in listeners if one.trigger_event == event.name]
    earlier = await load_earlier_runs(
        tx,
        team_id,
        event.contact_id,
        before=event.received_at,
        event_id=event.id,
        workflows=[one.id for one in waiting],
    )
    lines = [f"event {event.name} of {event.contact_email or 'a deleted contact'}"]
    lines += _of_runs(stories)
    lines += [
        f"  workflow {verdict.workflow.name!r} did not start: {verdict.why} {verdict.remedy}"
        for verdict in judge(event, waiting, stories, earlier)
    ]
    return lines if waiting else [*lines, _nobody_waits(event, listeners)]


def _nobody_waits(event: EventDetail, listeners: Sequence[Listener]) -> str:
    names = {one.trigger_event for one in listeners}
    close = close_names(event.name, names)
    if close:
        return f"  no workflow waits for it; did you mean {' or '.join(close)}?"
    if names:
        return f"  no workflow waits for it; there are some that wait for: {', '.join(sorted(names))}"
    return "  the team has no workflow that waits for an event; apply a folder with one"


def _of_runs(stories: Iterable[RunStory]) -> Iterator[str]:
    for story in stories:
        run = story.run
        state = f"waits at its timer of {run.timer}" if run.timer else run.status
        yield f"  workflow {run.workflow_name!r} started: {state}{f' ({run.reason})' if run.reason else ''}"
        yield from (f"    {line}" for line in _of_emails(story.emails))


def _of_emails(emails: Iterable[EmailLine]) -> Iterator[str]:
    for email in emails:
        reason = f": {email.reason}" if email.reason else ""
        yield f"email {email.subject!r} to {email.to_email} was {email.status}{reason}"
