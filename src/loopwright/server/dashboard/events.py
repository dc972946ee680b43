"""The events as they arrive, each with what it caused."""

from starlette.responses import Response

from loopwright.server.dashboard import answers, story
from loopwright.server.dashboard.pages import EventsPage, EventsPart
from loopwright.server.dashboard.visits import LINES, Visit, cut
from loopwright.server.store.pages.events import list_events, load_emails, load_runs


async def show_events(visit: Visit) -> Response:
    """GET /events."""
    found, is_cut = await list_events(
        visit.tx, visit.team_id, search=visit.search, before=visit.before, limit=LINES + 1
    )
    events, older = cut(found, lambda event: event.id)
    runs = await load_runs(visit.tx, visit.team_id, events=[event.id for event in events])
    emails = await load_emails(visit.tx, visit.team_id, runs=[run.id for run in runs])
    part = EventsPart(
        live=None if visit.cursor else answers.live(visit.here(), (found, runs, emails), seconds=visit.pace),
        stories=story.tell_events(events, runs, emails),
        is_cut=is_cut,
        turn=visit.turn(older),
        search=visit.search,
        fresh=visit.fresh,
    )
    if visit.wants_part:
        return answers.part(part, visit.request)
    return answers.page(EventsPage(frame=visit.frame("Events", "events"), search=visit.search, part=part))
