"""The events as they arrive, each with what it caused; and one event, with why it caused no more."""

from starlette.responses import Response

from loopwright.server.dashboard import answers, timeline
from loopwright.server.dashboard.lists import answer_list, list_fields
from loopwright.server.dashboard.pages.events import EventPage, EventPart, EventsPage, EventsPart
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.dashboard.verdicts import close_names, judge
from loopwright.server.store.pages.events import list_events, load_emails, load_event, load_runs
from loopwright.server.store.pages.workflows import list_listeners, load_earlier_runs

LISTENERS = 200
"""Workflows that are looked through."""
OTHERS = 10
"""Names that are told when none fits."""


async def show_events(visit: Visit) -> Response:
    """GET /events."""
    found, is_cut = await list_events(
        visit.tx, visit.team_id, search=visit.search, before=visit.before, limit=LINES + 1
    )
    events, older = cut(found, lambda event: event.id)
    runs = await load_runs(visit.tx, visit.team_id, events=[event.id for event in events])
    emails = await load_emails(visit.tx, visit.team_id, runs=[run.id for run in runs])
    part = EventsPart(
        lines=timeline.tell_events(events, runs, emails),
        is_cut=is_cut,
        **list_fields(visit, (found, runs, emails), older),
    )
    return answer_list(visit, visit.frame("Events", "events"), EventsPage, part)


async def show_event(visit: Visit) -> Response:
    """GET /events/{event_id}."""
    event = await load_event(visit.tx, visit.team_id, visit.path_id("event_id"))
    if event is None:
        raise NothingHere
    runs = await load_runs(visit.tx, visit.team_id, events=[event.id])
    emails = await load_emails(visit.tx, visit.team_id, runs=[run.id for run in runs])
    listeners = await list_listeners(visit.tx, visit.team_id, event_name=event.name, limit=LISTENERS)
    waiting = [one for one in listeners if one.trigger_event == event.name]
    earlier = await load_earlier_runs(
        visit.tx,
        visit.team_id,
        event.contact_id,
        before=event.received_at,
        event_id=event.id,
        workflows=[one.id for one in waiting],
    )
    stories = timeline.tell_runs(runs, emails)
    close = () if waiting else close_names(event.name, (one.trigger_event for one in listeners))
    others = sorted({one.trigger_event for one in listeners} - {*close}) if not waiting else []
    part = EventPart(
        live=answers.live(visit.here(), (event, runs, emails, listeners, earlier), seconds=visit.pace),
        event=event,
        runs=stories,
        verdicts=judge(event, waiting, stories, earlier),
        listens=bool(waiting),
        close=close,
        others=others[:OTHERS],
    )
    if visit.wants_part:
        return answers.part(part, visit.request)
    return answers.page(EventPage(frame=visit.frame(event.name, "events"), part=part))
