"""The first page: what happened today, and how to send the first event."""

from starlette.responses import Response

from loopwright.server.dashboard import answers, chart
from loopwright.server.dashboard.pages.overview import NumbersPart, OverviewPage
from loopwright.server.dashboard.requests import Visit
from loopwright.server.mail.warming import load_standing
from loopwright.server.store.brakes import load_brakes
from loopwright.server.store.held import load_latest_reason
from loopwright.server.store.pages.overview import MANY, list_unsent, load_counts, load_hours
from loopwright.server.store.relays import load_troubled
from loopwright.server.store.runs import load_overdue

_UNSENT = 5


async def show_overview(visit: Visit) -> Response:
    """GET /."""
    midnight = visit.now.replace(hour=0, minute=0, second=0, microsecond=0)
    counts = await load_counts(visit.tx, visit.team_id, since=midnight)
    hours = await load_hours(visit.tx, visit.team_id, since=chart.first_hour(visit.now))
    picture = chart.draw(hours.events, hours.sent, now=visit.now)
    relay = await load_troubled(visit.tx)
    held = await load_latest_reason(visit.tx, visit.team_id)
    unsent = await list_unsent(visit.tx, visit.team_id, since=chart.first_hour(visit.now), limit=_UNSENT)
    overdue = await load_overdue(visit.tx, visit.team_id, now=visit.now)
    brakes = await load_brakes(visit.tx, visit.team_id)
    warm_up = await load_standing(visit.tx, visit.team_id, now=visit.now)
    numbers = NumbersPart(
        live=answers.live(
            visit.here(),
            (counts, picture, unsent, relay, held, overdue, brakes, warm_up),
            seconds=visit.pace,
        ),
        counts=counts,
        many=MANY,
        chart=picture,
        unsent=unsent,
        relay=relay,
        held=held,
        overdue=overdue,
        brakes=brakes,
        warm_up=warm_up,
        server=visit.public_url,
    )
    if visit.wants_part:
        return answers.part(numbers, visit.request)
    day = f"{visit.now:%A}, {visit.now.day} {visit.now:%B}"
    return answers.page(OverviewPage(frame=visit.frame("Overview", "overview"), day=day, numbers=numbers))
